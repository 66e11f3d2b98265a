"""Opening the database, SQLite or PostgreSQL, with the schema of this program, or refusing it untouched.

SQLite runs in WAL mode with synchronous=NORMAL: readers and one writer never wait for each other, and a killed
process loses no committed row. Writers take their lock at once (BEGIN IMMEDIATE): a transaction that reads first and
asks for the lock later is refused, not queued.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import time
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import URL, Connection, Engine, create_engine, event, inspect, make_url, text
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from arena import migrations
from arena.errors import ArenaError
from arena.faults import reason, said

CHECKED_MB = 200  # a larger file is not read whole at every start: this takes 0.2 s
MIGRATION_S = 60.0  # how long to wait for another program that brings the schema up to date
MIGRATION_LOCK = 0x61_72_65_6E_61  # PostgreSQL's advisory lock of that work: "arena"


def parse(address: str) -> URL:
    """The URL of a SQLite file or a PostgreSQL database, with the driver. Raises `ArenaError`."""
    try:
        url = make_url(address)
    except (ArgumentError, ValueError):
        raise ArenaError("store.url") from None
    backend = url.get_backend_name()
    if backend == "sqlite" and url.database not in (None, "", ":memory:"):
        return url.set(drivername="sqlite+pysqlite")
    # An @ in the name is the end of a password that had a / or an @ in it: not to be shown in an error.
    if backend not in ("postgresql", "postgres") or "@" in (url.database or "") + (url.host or ""):
        raise ArenaError("store.url")
    try:
        import psycopg  # noqa: F401
    except ImportError:
        raise ArenaError("store.driver") from None
    return url.set(drivername="postgresql+psycopg")


def open_database(url: URL, timeout_s: float) -> Engine:
    """An engine over a database with the current schema; `timeout_s` is how long a statement waits for a lock.

    Raises `ArenaError` when there is none to be had: no such server, wrong password, damaged, newer, not writable.
    A database that is refused is left as it was found.
    """
    if url.get_backend_name() == "sqlite":
        _look(Path(url.database or ""), url)
    try:
        _prepare(url)
        return _engine(url, timeout_s)
    except (SQLAlchemyError, sqlite3.Error) as error:
        key, params = reason(error, url)
        raise ArenaError(key, **params) from None  # what the driver raised may name the password


def writing(engine: Engine) -> Engine:
    """The same engine, its transactions meant to write."""
    return engine.execution_options(writes=True)


def _look(path: Path, url: URL) -> None:
    """Read a file without changing it; refuse what is damaged, not ours, newer or not writable. Makes its folder."""
    name = said(url)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        size = path.stat().st_size if path.exists() else None
    except OSError as error:
        raise ArenaError("store.unwritable", database=name, detail=error.strerror) from error
    for part in (path.parent, path):
        if part.exists() and not os.access(part, os.W_OK):
            raise ArenaError("store.unwritable", database=name, detail=f"{part}: {os.strerror(13)}")
    if not size:
        return
    address = f"file:{quote(str(path.absolute()))}?mode=ro"
    try:
        with contextlib.closing(sqlite3.connect(address, uri=True, timeout=MIGRATION_S)) as file:
            tables = {name for (name,) in file.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
            if tables and migrations.VERSION_TABLE not in tables:
                raise ArenaError("store.foreign", database=name)
            if tables:
                for (version,) in file.execute(f"SELECT version_num FROM {migrations.VERSION_TABLE}"):  # noqa: S608
                    _refuse_newer(version, url)
            if size <= CHECKED_MB * 10**6:
                (found,) = file.execute("PRAGMA quick_check(1)").fetchone()
                if found != "ok":
                    raise ArenaError("store.damaged", database=name, detail=" ".join(found.split()))
    except sqlite3.Error as error:
        key, params = reason(error, url)
        raise ArenaError(key, **params) from error


def _refuse_newer(version: str, url: URL) -> None:
    if migrations.is_newer(version):
        raise ArenaError("store.newer", database=said(url), found=version, known=migrations.HEAD)


def _prepare(url: URL) -> None:
    """Bring the schema up to date, in one transaction that two programs starting at once cannot both be in."""
    engine = _engine(url, MIGRATION_S)
    try:
        with engine.connect() as connection:
            if engine.dialect.name == "sqlite":
                _use_wal(connection)
            if migrations.current(connection) == migrations.HEAD:
                return
        with writing(engine).begin() as connection:
            if engine.dialect.name == "postgresql":
                connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": MIGRATION_LOCK})
            found = migrations.current(connection)
            if found is not None:
                _refuse_newer(found, url)
            elif inspect(connection).has_table("run"):
                raise ArenaError("store.foreign", database=said(url))
            migrations.upgrade(connection)
    finally:
        engine.dispose()


def _use_wal(connection: Connection) -> None:
    """The mode stays with the file. SQLite wants it alone for a moment, and does not wait for that by itself."""
    raw: Any = connection.connection.driver_connection
    deadline = time.monotonic() + MIGRATION_S
    while True:
        try:
            raw.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(0.02)


def _engine(url: URL, timeout_s: float) -> Engine:
    if url.get_backend_name() == "sqlite":
        engine = create_engine(url, hide_parameters=True, connect_args={"timeout": timeout_s})
        event.listen(engine, "connect", _set_up)
        event.listen(engine, "begin", _begin)
        return engine
    options = {"connect_timeout": 10, "options": f"-c lock_timeout={round(timeout_s * 1000)}", **url.query}
    # Asks before each use whether the connection still lives: a server that was restarted is not an error.
    return create_engine(url, hide_parameters=True, pool_pre_ping=True, connect_args=options)


def _set_up(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # transactions begin in `_begin`
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA cache_size = -16000")  # KiB
    connection.execute("PRAGMA journal_size_limit = 67108864")  # the log shrinks again after a long export
    connection.create_function("contains", -1, _contains, deterministic=True)


def _begin(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE" if connection.get_execution_options().get("writes") else "BEGIN")


def _contains(word: str, *texts: str | None) -> bool:
    """For words too short for the index; SQLite itself knows upper and lower case of Latin letters alone."""
    return any(text is not None and word in text.lower() for text in texts)
