"""What a database complained of, as the key of a text for people; never with a password in it."""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import URL
from sqlalchemy.exc import SQLAlchemyError

from arena.errors import RunError


def said(url: URL) -> str:
    """The database as people may see it: a path, or a URL without the password."""
    if url.get_backend_name() == "sqlite":
        return url.database or ""
    return url.set(drivername="postgresql", query={}).render_as_string(hide_password=True)


def reason(error: Exception, url: URL) -> tuple[str, dict[str, Any]]:
    """Key and parameters of the text for an error of SQLAlchemy, of sqlite3 or of psycopg."""
    fault = getattr(error, "orig", None) or error
    params = {"database": said(url), "detail": _without_secrets(" ".join(str(fault).split()), url)}
    if isinstance(fault, sqlite3.Error):
        return _sqlite(str(getattr(fault, "sqlite_errorname", "")), url), params
    return _postgresql(str(getattr(fault, "sqlstate", None) or ""), type(fault).__name__), params


@contextlib.contextmanager
def told(url: URL) -> Iterator[None]:
    """Turns what the database complains of into a `RunError` of the kind ``storage``."""
    try:
        yield
    except (SQLAlchemyError, sqlite3.Error) as error:
        key, params = reason(error, url)
        raise RunError("storage", key=key, **params) from error


def _without_secrets(text: str, url: URL) -> str:
    for secret in (url.password, url.query.get("password")):
        if secret:
            text = text.replace(str(secret), "***")
    return text


def _sqlite(name: str, url: URL) -> str:
    if name == "SQLITE_FULL" or (name.startswith("SQLITE_IOERR") and _is_full(url)):
        return "store.full"
    keys = {
        "SQLITE_BUSY": "store.locked",
        "SQLITE_LOCKED": "store.locked",
        "SQLITE_READONLY": "store.read_only",
        "SQLITE_CORRUPT": "store.damaged",
        "SQLITE_NOTADB": "store.damaged",
        "SQLITE_CANTOPEN": "store.unwritable",
    }
    return next((key for start, key in keys.items() if name.startswith(start)), "store.failed")


def _is_full(url: URL) -> bool:
    """Whether nothing fits on the disk any more: SQLite says input/output error where it maps memory."""
    try:
        return shutil.disk_usage(Path(url.database or "").parent).free < 2**16
    except OSError:
        return False


def _postgresql(state: str, name: str) -> str:
    """By SQLSTATE; a server that cannot be reached gives none."""
    keys = {"53100": "store.full", "55P03": "store.locked", "25006": "store.read_only", "42501": "store.read_only"}
    if state in keys:
        return keys[state]
    unreachable = state.startswith(("08", "28", "3D", "57P")) or (not state and name == "OperationalError")
    return "store.unreachable" if unreachable else "store.failed"
