"""How many runs and votes there are of each kind, kept by the database itself: counting them reads none of them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

RUN_KEY = ("model", "task", "status")
VOTE_KEY = ("source", "task", "language", "model_a", "model_b", "outcome", "automatic")
# What one row adds to each number, with the row's name in the place of {}.
RUN = {"runs": "1"}
VOTE = {
    name: f"CASE WHEN {{0}}.withdrawn_at IS {word} THEN 1 ELSE 0 END"
    for name, word in (("votes", "NULL"), ("withdrawn", "NOT NULL"))
}


def upgrade() -> None:
    for table, key, numbers in (("run", RUN_KEY, RUN), ("vote", VOTE_KEY, VOTE)):
        op.create_table(
            f"{table}_count",
            *(sa.Column(name, sa.Boolean if name == "automatic" else sa.Text, primary_key=True) for name in key),
            *(sa.Column(name, sa.BigInteger, nullable=False) for name in numbers),
            sqlite_with_rowid=False,
        )
        names, sums = ", ".join(key), ", ".join(f"sum({number.format(table)})" for number in numbers.values())
        op.execute(f"INSERT INTO {table}_count SELECT {names}, {sums} FROM {table} GROUP BY {names}")  # noqa: S608
        _counted(f"{table}_count_insert", f"INSERT ON {table}", _change(table, key, numbers, "new", "+"))
        _counted(f"{table}_count_delete", f"DELETE ON {table}", _change(table, key, numbers, "old", "-"))
    moved = _change("vote", VOTE_KEY, VOTE, "old", "-") + _change("vote", VOTE_KEY, VOTE, "new", "+")
    _counted("vote_count_update", "UPDATE OF withdrawn_at ON vote", moved)


def _change(table: str, key: tuple[str, ...], numbers: dict[str, str], row: str, sign: str) -> str:
    """Statements that add a row to what is counted, or take it away."""
    values = ", ".join(f"{row}.{name}" for name in key)
    changed = ", ".join(
        f"{name} = {table}_count.{name} {sign} ({number.format(row)})" for name, number in numbers.items()
    )
    its_kind = " AND ".join(f"{name} = {row}.{name}" for name in key)
    none = ", ".join("0" for _ in numbers)
    return (
        f"INSERT INTO {table}_count VALUES ({values}, {none}) ON CONFLICT DO NOTHING;"  # noqa: S608
        f" UPDATE {table}_count SET {changed} WHERE {its_kind};"
    )


def _counted(name: str, when: str, statements: str) -> None:
    if op.get_bind().dialect.name == "sqlite":
        op.execute(f"CREATE TRIGGER {name} AFTER {when} BEGIN {statements} END")
        return
    body = f"BEGIN {statements} RETURN NULL; END"
    op.execute(f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ {body} $$")
    op.execute(f"CREATE TRIGGER {name} AFTER {when} FOR EACH ROW EXECUTE FUNCTION {name}()")
