"""The tables of runs and scores, with the indexes that filters, sorts and counts go by."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

SORTED = (
    "created_at",
    "model",
    "task",
    "status",
    "characters",
    "output_tokens",
    "tokens_per_s",
    "characters_per_s",
    "load_s",
    "first_token_s",
    "generate_s",
    "total_s",
    "peak_ram_mb",
    "peak_vram_process_mb",
    "peak_vram_device_mb",
)


def upgrade() -> None:
    op.create_table(
        "run",
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True),
        sa.Column("box_count", sa.BigInteger, nullable=False),
        sa.Column("run_id", sa.Text, nullable=False),
        sa.Column("comparison_id", sa.Text, nullable=False),
        sa.Column("side", sa.Text, nullable=False),
        sa.Column("order", sa.BigInteger, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("model", sa.Text, nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("revision", sa.Text, nullable=False),
        sa.Column("adapter", sa.Text, nullable=False),
        sa.Column("mode", sa.Text, nullable=False),
        sa.Column("quantization", sa.Text, nullable=False),
        sa.Column("dtype", sa.Text, nullable=False),
        sa.Column("task", sa.Text, nullable=False),
        sa.Column("language", sa.Text, nullable=False),
        sa.Column("prompt", sa.Text, nullable=False),
        sa.Column("prompt_sha256", sa.Text, nullable=False),
        sa.Column("image_sha256", sa.Text, nullable=False),
        sa.Column("image_width", sa.BigInteger, nullable=False),
        sa.Column("image_height", sa.BigInteger, nullable=False),
        sa.Column("original_width", sa.BigInteger, nullable=False),
        sa.Column("original_height", sa.BigInteger, nullable=False),
        sa.Column("seen_width", sa.BigInteger),
        sa.Column("seen_height", sa.BigInteger),
        sa.Column("params", sa.Text, nullable=False),
        sa.Column("seed", sa.BigInteger),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("error_kind", sa.Text),
        sa.Column("error_detail", sa.Text),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("characters", sa.BigInteger, nullable=False),
        sa.Column("prompt_tokens", sa.BigInteger),
        sa.Column("output_tokens", sa.BigInteger),
        sa.Column("visual_tokens", sa.BigInteger),
        sa.Column("tokens_per_s", sa.Double),
        sa.Column("characters_per_s", sa.Double),
        sa.Column("reference", sa.Text),
        sa.Column("queue_s", sa.Double),
        sa.Column("unload_s", sa.Double),
        sa.Column("start_s", sa.Double),
        sa.Column("load_s", sa.Double),
        sa.Column("first_token_s", sa.Double),
        sa.Column("generate_s", sa.Double),
        sa.Column("total_s", sa.Double),
        sa.Column("cold", sa.Boolean),
        sa.Column("peak_ram_mb", sa.Double),
        sa.Column("peak_vram_process_mb", sa.Double),
        sa.Column("peak_vram_device_mb", sa.Double),
        sa.Column("torch_allocated_mb", sa.Double),
        sa.Column("torch_reserved_mb", sa.Double),
        sa.Column("device", sa.Text, nullable=False),
        sa.Column("driver", sa.Text),
        sa.Column("app_version", sa.Text, nullable=False),
        sa.Column("app_commit", sa.Text),
        sa.Column("python_version", sa.Text, nullable=False),
        sa.Column("library_versions", sa.Text, nullable=False),
        sa.Column("boxes", sa.Text, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("ux_run_run_id", "run", ["run_id"], unique=True)
    op.create_index("ix_run_comparison_id", "run", ["comparison_id"])
    op.create_index("ix_run_status_task_model", "run", ["status", "task", "model"])
    op.create_index("ix_run_model_task_status", "run", ["model", "task", "status"])
    for name in SORTED:
        op.create_index(f"ix_run_{name}", "run", [name, "seq"])

    op.create_table(
        "score",
        sa.Column(
            "run_seq",
            sa.BigInteger().with_variant(sa.Integer, "sqlite"),
            sa.ForeignKey("run.seq", ondelete="CASCADE"),
            primary_key=True,
        ),
        sa.Column("metric", sa.Text, primary_key=True),
        sa.Column("value", sa.Double),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_score_value", "score", ["metric", "value", "run_seq"])
