"""A run without an image: a chat through the API may have none."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

COLUMNS = ("image_sha256", "image_width", "image_height", "original_width", "original_height")


def upgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        _sqlite()
        return
    for column in COLUMNS:
        op.alter_column("run", column, nullable=True)


def _sqlite() -> None:
    """SQLite has no statement for it, and a copy of the table would take minutes and the scores with it. Its manual
    (lang_altertable, "Making Other Kinds Of Table Schema Changes") lets the text of the table be edited when only a
    constraint goes: what is stored stays as it is."""
    connection = op.get_bind()
    table = str(connection.scalar(sa.text("SELECT sql FROM sqlite_master WHERE type = 'table' AND name = 'run'")))
    for column in COLUMNS:
        for kind in ("TEXT", "BIGINT"):
            table = table.replace(f"\t{column} {kind} NOT NULL", f"\t{column} {kind}")
    version = int(connection.scalar(sa.text("PRAGMA schema_version")) or 0)
    op.execute("PRAGMA writable_schema = ON")
    change = sa.text("UPDATE sqlite_master SET sql = :sql WHERE type = 'table' AND name = 'run'")
    connection.execute(change, {"sql": table})
    op.execute(f"PRAGMA schema_version = {version + 1}")
    op.execute("PRAGMA writable_schema = RESET")
    bound = [row.name for row in connection.execute(sa.text("PRAGMA table_info(run)")) if row.notnull]
    if set(COLUMNS) & set(bound):
        raise RuntimeError(f"still without room for a run that has no image: {', '.join(bound)}")
