"""How many boxes and elements of an answer could not be understood."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from arena.migrations.r0003_retries import boxes_last

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.add_column("run", sa.Column("boxes_left_out", sa.BigInteger))
    if op.get_bind().dialect.name == "sqlite":
        boxes_last()
