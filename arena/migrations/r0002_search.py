"""Search by any piece of text: an index of all runs of three characters, kept by the database itself.

SQLite: a full-text table with the trigram tokenizer, filled by triggers. PostgreSQL: pg_trgm, where the server has it
and lets us; without it a search is as right, only slower.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

SEARCHED = ("text", "prompt", "model", "error_detail")
# SQLSTATE of: no privilege, feature not supported, no such file, no such operator class.
NOT_TO_BE_HAD = ("42501", "0A000", "58P01", "42704")


def upgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        _sqlite()
    else:
        _postgresql()


def _sqlite() -> None:
    columns = ", ".join(SEARCHED)
    new, old = (", ".join(f"{row}.{column}" for column in SEARCHED) for row in ("new", "old"))
    # The text itself stays in `run`: the index holds nothing but positions. Runs are never changed, only deleted.
    op.execute(
        f"CREATE VIRTUAL TABLE run_search USING fts5({columns}, content='run', content_rowid='seq', tokenize='trigram')"
    )
    added = f"INSERT INTO run_search(rowid, {columns}) VALUES (new.seq, {new})"  # noqa: S608
    removed = f"INSERT INTO run_search(run_search, rowid, {columns}) VALUES ('delete', old.seq, {old})"  # noqa: S608
    op.execute(f"CREATE TRIGGER run_search_insert AFTER INSERT ON run BEGIN {added}; END")
    op.execute(f"CREATE TRIGGER run_search_delete AFTER DELETE ON run BEGIN {removed}; END")
    op.execute("INSERT INTO run_search(run_search) VALUES ('rebuild')")


def _postgresql() -> None:
    columns = ", ".join(f"{column} gin_trgm_ops" for column in SEARCHED)
    connection = op.get_bind()
    try:
        with connection.begin_nested():
            connection.execute(sa.text("CREATE EXTENSION IF NOT EXISTS pg_trgm"))
            connection.execute(sa.text(f"CREATE INDEX ix_run_search ON run USING gin ({columns})"))
    except sa.exc.DBAPIError as error:
        if getattr(error.orig, "sqlstate", None) not in NOT_TO_BE_HAD:
            raise
