"""What people leave beside runs: whose a comparison is, votes, pictures, conversations."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def text(name: str, *, primary_key: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=False, primary_key=primary_key)


def moment(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def upgrade() -> None:
    op.create_table(
        "comparison",
        text("id", primary_key=True),
        text("visitor"),
        sa.Column("shared", sa.Boolean, nullable=False),
        moment("created_at"),
    )
    op.create_index("ix_comparison_visitor", "comparison", ["visitor"])
    op.create_index("ix_comparison_created_at", "comparison", ["created_at"])

    texts = (
        "comparison_id",
        "run_a",
        "run_b",
        "model_a",
        "model_b",
        "task",
        "language",
        "outcome",
        "source",
        "visitor",
    )
    op.create_table(
        "vote",
        text("id", primary_key=True),
        *(text(name) for name in texts),
        text("name"),
        text("reasons"),
        sa.Column("automatic", sa.Boolean, nullable=False),
        moment("created_at"),
        moment("withdrawn_at", nullable=True),
    )
    op.create_index("ix_vote_comparison_id", "vote", ["comparison_id", "visitor"])
    op.create_index("ix_vote_visitor", "vote", ["visitor"])

    op.create_table(
        "picture", text("visitor", primary_key=True), text("sha256", primary_key=True), moment("created_at")
    )
    op.create_index("ix_picture_sha256", "picture", ["sha256"])

    op.create_table(
        "conversation",
        text("id", primary_key=True),
        text("visitor"),
        text("title"),
        text("setup"),
        moment("created_at"),
        moment("updated_at"),
    )
    op.create_index("ix_conversation_visitor", "conversation", ["visitor", "updated_at"])
    op.create_table(
        "message",
        sa.Column("conversation_id", sa.Text, sa.ForeignKey("conversation.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("position", sa.Integer, primary_key=True),
        text("side", primary_key=True),
        text("text"),
        text("images"),
        sa.Column("model", sa.Text),
        sa.Column("run_id", sa.Text),
        moment("created_at"),
    )
