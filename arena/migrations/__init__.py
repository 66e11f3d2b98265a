"""The steps from one schema to the next, each a file here, run by Alembic when a database is opened.

A step is written once and never edited, so it names its columns itself; a test sees that all steps together give
exactly the tables of `arena.tables`. A new step: a file ``r0009_what.py`` here and its number in `HEAD`.
"""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, inspect, text

HEAD = "0008"  # the newest step, so that a database that is up to date is opened without loading Alembic
VERSION_TABLE = "arena_version"
FOLDER = Path(__file__).parent


def current(connection: Connection) -> str | None:
    """The schema of the database, None where there is none yet."""
    if not inspect(connection).has_table(VERSION_TABLE):
        return None
    version: str | None = connection.scalar(text(f"SELECT version_num FROM {VERSION_TABLE}"))  # noqa: S608
    return version


def is_newer(version: str) -> bool:
    """Whether a schema was made by a later program than this: no step here leads to it."""
    return version not in {step.name[1:5] for step in FOLDER.glob("r*.py")}


def upgrade(connection: Connection) -> None:
    """Take the database to `HEAD` inside the transaction that `connection` is in."""
    from alembic.operations import Operations
    from alembic.runtime.migration import MigrationContext
    from alembic.script import ScriptDirectory

    steps = ScriptDirectory(str(FOLDER), version_locations=[str(FOLDER)])
    context = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE})
    with Operations.context(context):
        for step in reversed(list(steps.iterate_revisions(HEAD, context.get_current_revision() or "base"))):
            step.module.upgrade()
            context.stamp(steps, step.revision)
