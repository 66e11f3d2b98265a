"""Passwords as hashes: scrypt of the standard library, salted, with its cost written beside it."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets

MARK = "scrypt"
COST = (2**14, 8, 5)  # n, r, p: 16 MB and a quarter of a second, as OWASP asks
MEMORY = 64 * 2**20  # bytes that one hash may take; a costlier one was not written here
LONGEST = 1000  # characters of a password that are looked at


def hashed(password: str) -> str:
    """``scrypt:n:r:p:salt:hash``, without a sign that a shell or a compose file would read as its own."""
    salt = secrets.token_bytes(16)
    n, r, p = COST
    return ":".join([MARK, str(n), str(r), str(p), _text(salt), _text(_hash(password, salt, n, r, p))])


def is_hash(stored: str) -> bool:
    """Whether it is a hash that `matches` can check, and no password in clear."""
    return _parts(stored) is not None


def matches(password: str, stored: str) -> bool:
    """Whether the password is the one behind a hash of `hashed`; never for "" or what is no such hash.

    The time it takes does not depend on either text.
    """
    parts = _parts(stored)
    if parts is None:
        return False
    n, r, p, salt, kept = parts
    return hmac.compare_digest(_hash(password, salt, n, r, p), kept) and bool(password)


def as_hash(setting: str) -> str:
    """A password's hash, whether it is set as one or in clear; "" when none is set."""
    return setting if not setting or is_hash(setting) else hashed(setting)


def _hash(password: str, salt: bytes, n: int, r: int, p: int) -> bytes:
    secret = password[:LONGEST].encode("utf-8", "surrogatepass")
    return hashlib.scrypt(secret, salt=salt, n=n, r=r, p=p, maxmem=MEMORY, dklen=32)


def _parts(stored: str) -> tuple[int, int, int, bytes, bytes] | None:
    mark, *rest = stored.split(":")
    if mark != MARK or len(rest) != 5:
        return None
    try:
        n, r, p = (int(each) for each in rest[:3])
        salt, kept = (base64.urlsafe_b64decode(each) for each in rest[3:])
    except ValueError:
        return None
    sound = n > 1 and n & (n - 1) == 0 and r > 0 and 0 < p <= 16 and 128 * n * r < MEMORY // 2 and len(kept) == 32
    return (n, r, p, salt, kept) if sound else None


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode()
