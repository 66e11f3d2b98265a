"""How often a request to a service had to be repeated."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.add_column("run", sa.Column("retries", sa.BigInteger))
    if op.get_bind().dialect.name == "sqlite":
        boxes_last()


def boxes_last() -> None:
    """SQLite reads a row from its start up to the last column that is asked for: behind the boxes, which may be far
    larger than all the rest, the new number would cost every list of runs the reading of them."""
    op.execute("ALTER TABLE run ADD COLUMN boxes_last TEXT NOT NULL DEFAULT '[]'")
    op.execute("UPDATE run SET boxes_last = boxes")
    op.execute("ALTER TABLE run DROP COLUMN boxes")
    op.execute("ALTER TABLE run RENAME COLUMN boxes_last TO boxes")
