"""Who may call: with a key, or without one from this very machine as long as no keys are set."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable
from typing import Literal

from starlette.requests import Request

from arena.api.errors import ApiError
from arena.config import Settings
from arena.local import is_local

Right = Literal["open", "use", "admin"]


class Guard:
    """Keys are kept as hashes and compared in constant time, whichever of them it is."""

    def __init__(self, settings: Settings) -> None:
        self._keys = [digest(key) for key in settings.api_keys]
        self._admin = [digest(settings.admin_key)] if settings.admin_key else []

    def check(self, request: Request, right: Right) -> None:
        """Raises `ApiError`: 401 without a valid key where one is needed, 403 for a key that may not do this."""
        if right == "open":
            return
        given = bearer(request)
        if given and among(given, self._admin):
            return
        known = bool(given) and among(given, self._keys)
        if right == "use" and known:
            return
        if self._admin if right == "admin" else self._keys:
            if known:
                raise ApiError(403, "api.admin_key", kind="permission_error", code="insufficient_permissions")
            raise unauthorised("api.bad_key" if given else "api.no_key")
        if not is_local(request):
            raise unauthorised("api.set_keys" if right == "use" else "api.set_admin_key")


def digest(key: str) -> bytes:
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).digest()


def among(given: str, known: Iterable[bytes]) -> bool:
    """Compares with every one, so that the time tells nothing."""
    found, tried = False, digest(given)
    for each in known:
        found |= hmac.compare_digest(each, tried)
    return found


def bearer(request: Request) -> str:
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    return key.strip() if scheme.lower() == "bearer" else ""


def unauthorised(key: str) -> ApiError:
    return ApiError(401, key, code="invalid_api_key", headers={"WWW-Authenticate": "Bearer"})
