"""Benchmarks: what was asked, its items, and the place of a run in one."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from arena.migrations.r0003_retries import boxes_last

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.add_column("run", sa.Column("energy_j", sa.Double))
    for name in ("benchmark_id", "item"):
        op.add_column("run", sa.Column(name, sa.Text))
    op.add_column("run", sa.Column("repeat", sa.BigInteger))
    for name in ("host", "cached_from"):
        op.add_column("run", sa.Column(name, sa.Text))
    if op.get_bind().dialect.name == "sqlite":
        boxes_last()
    op.create_index("ux_run_cell", "run", ["benchmark_id", "item", "side", "repeat"], unique=True)
    op.create_index("ix_run_benchmark", "run", ["benchmark_id", "created_at", "seq"])
    op.create_index("ix_run_image", "run", ["image_sha256", "model"])

    op.create_table(
        "benchmark",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("dataset", sa.Text, nullable=False),
        sa.Column("dataset_sha256", sa.Text, nullable=False),
        sa.Column("plan", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True)),
    )
    op.create_index("ix_benchmark_created_at", "benchmark", ["created_at"])
    op.create_table(
        "benchmark_item",
        sa.Column("benchmark_id", sa.Text, sa.ForeignKey("benchmark.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("item", sa.Text, primary_key=True),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("task", sa.Text, nullable=False),
        sa.Column("language", sa.Text, nullable=False),
        sa.Column("prompt", sa.Text, nullable=False),
        sa.Column("truth", sa.Text, nullable=False),
        sa.Column("tags", sa.Text, nullable=False),
        sa.Column("image_sha256", sa.Text, nullable=False),
        sa.Column("error", sa.Text, nullable=False),
        sa.Column("original_width", sa.Integer),
        sa.Column("original_height", sa.Integer),
    )
