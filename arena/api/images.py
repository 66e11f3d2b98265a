"""The image of a request: out of its data URL, or fetched where that is allowed; then decoded as any upload."""

from __future__ import annotations

import base64
import binascii
import re

from arena.api import remote
from arena.api.errors import ApiError

DATA = re.compile(r"data:(?P<kind>[\w.+/-]*)(?P<more>(;[^,;]*)*),", re.IGNORECASE)
SPACES = str.maketrans("", "", " \t\r\n")


def bytes_of(url: str, *, fetcher: remote.Fetcher | None, most: int) -> bytes:
    """The file behind an ``image_url``. most: bytes it may have.

    fetcher: what gets files from elsewhere, None where that is off. Raises `ApiError`.
    """
    if url[:5].lower() == "data:":
        return from_data_url(url, most)
    if not re.match("https?://", url, re.IGNORECASE):
        raise ApiError(400, "api.image.form", param="messages")
    if fetcher is None:
        raise ApiError(400, "api.image.remote_off", param="messages", code="remote_images_off")
    return fetcher.fetch(url, most)


def from_data_url(url: str, most: int) -> bytes:
    """``data:image/png;base64,…``; what the bytes are is decided by the bytes. Raises `ApiError`."""
    head = DATA.match(url[:500])
    if not head or "base64" not in head["more"].lower().split(";"):
        raise ApiError(400, "api.image.form", param="messages")
    if (len(url) - head.end()) * 3 // 4 > most * 1.1:
        raise ApiError(413, "api.image.too_large", param="messages", limit=f"{most / 1e6:g}")
    text = url[head.end() :].translate(SPACES)
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise ApiError(400, "api.image.base64", param="messages", why=str(error)) from error
    if not data:
        raise ApiError(400, "api.image.form", param="messages")
    return data
