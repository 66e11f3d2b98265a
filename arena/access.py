"""Who asks: a visitor is known by a cookie of his own, and sees what is his where visitors are strangers.

Where a password is set, nobody gets past the door without a pass: a cookie that says as what he came in and until when,
signed with a key that lies in the data folder. Changing a password ends every pass given before; leaving ends one.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import os
import secrets
import time
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from arena.config import Settings
from arena.local import is_local
from arena.passwords import as_hash, hashed, matches

if TYPE_CHECKING:
    import gradio as gr
    from starlette.requests import Request

__all__ = [
    "Role",
    "as_hash",
    "end_pass",
    "hashed",
    "matches",
    "new_pass",
    "new_token",
    "role_of",
    "visitor_of",
    "whose",
]

COOKIE = "arena_visitor"  # a secret of the browser's, never stored here; not readable by scripts
PASS = "arena_pass"  # noqa: S105 - the name of a cookie
HOURS = {"visitor": 7 * 24, "teacher": 12}  # how long a pass is good

# nobody: must give the password first. visitor: may compare and see what is his. teacher: came in with the teacher's
# password. owner: sits at this machine, alone with it or as the teacher; he may change what is on it.
Role = Literal["nobody", "visitor", "teacher", "owner"]
KEEPERS: tuple[Role, ...] = ("teacher", "owner")  # who answers for the arena, and sees everybody's runs


def new_token() -> str:
    return secrets.token_urlsafe(18)


def visitor_of(request: Request | gr.Request | None) -> str:
    """16 hexadecimal digits that stand for the browser, "" for one without a cookie."""
    token = request.cookies.get(COOKIE, "") if request else ""
    return hashlib.sha256(token.encode()).hexdigest()[:16] if token else ""


def whose(request: Request | gr.Request | None, settings: Settings) -> str | None:
    """Whose runs may be shown: None for everybody's. A browser without a cookie among strangers has none."""
    if not settings.apart or (request and role_of(request, settings) in KEEPERS):
        return None
    return visitor_of(request) or "nobody"


def role_of(request: Request | gr.Request, settings: Settings) -> Role:
    """As what the caller is here. Everybody is at least a visitor where no password is set."""
    shown = passed(str(request.cookies.get(PASS, "")), settings)
    if settings.password and not shown:
        return "nobody"
    if shown == "teacher":
        return "owner" if is_local(request) else "teacher"
    return "owner" if is_local(request) and not settings.apart else "visitor"


def new_pass(role: Literal["visitor", "teacher"], settings: Settings) -> str:
    """A pass to be kept by the browser as the cookie `PASS`."""
    said = f"{role}.{int(time.time()) + HOURS[role] * 3600}.{secrets.token_urlsafe(9)}"
    return f"{said}.{_signature(said, settings)}"


def passed(shown: str, settings: Settings) -> Literal["visitor", "teacher", ""]:
    """What a pass says, "" for one that is not ours or over."""
    if not shown:
        return ""
    said, _, signature = shown.rpartition(".")
    if not hmac.compare_digest(_signature(said, settings).encode(), signature.encode("utf-8", "surrogatepass")):
        return ""
    role, until, _ = said.split(".")
    if int(until) < time.time() or _ended(shown, settings).exists():
        return ""
    return "teacher" if role == "teacher" else "visitor"


def end_pass(shown: str, settings: Settings) -> None:
    """From now on the pass opens nothing, whoever shows it. Raises `OSError`."""
    if not passed(shown, settings):
        return
    record = _ended(shown, settings)
    record.parent.mkdir(parents=True, exist_ok=True)
    record.touch()
    over = time.time() - max(HOURS.values()) * 3600
    for other in record.parent.iterdir():
        if other.stat().st_mtime < over:  # by now it would open nothing anyway
            other.unlink(missing_ok=True)


def _ended(shown: str, settings: Settings) -> Path:
    """The empty file that stands for a pass that was ended."""
    return settings.home / "ended" / hashlib.sha256(shown.encode("utf-8", "surrogatepass")).hexdigest()


def _signature(said: str, settings: Settings) -> str:
    key = _key(settings.home / "pass.key", settings.password, settings.teacher_password)
    return hmac.new(key, said.encode("utf-8", "surrogatepass"), "sha256").hexdigest()


@lru_cache(maxsize=8)
def _key(path: Path, *passwords: str) -> bytes:
    """The signing key: a secret that lies in a file for this user alone, bound to the passwords."""
    if not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(secrets.token_bytes(32))
        with contextlib.suppress(FileExistsError):
            os.link(fresh, path)  # whole or not at all, and the first of two programs that start at once
        fresh.unlink()
    bound = "\0".join(hashlib.sha256(each.encode("utf-8", "surrogatepass")).hexdigest() for each in passwords)
    return hmac.digest(path.read_bytes(), bound.encode(), "sha256")
