"""Which pages of a document are meant."""

from __future__ import annotations

import re

from arena.errors import RunError

MOST = 200  # pages of one reading
PART = re.compile(r"(\d{1,6})?\s*(-)?\s*(\d{1,6})?")


def page_range(said: str, total: int) -> tuple[int, ...]:
    """Pages as they are written, each once, in the order written; all of them where nothing is.

    Raises `RunError` (``bad_input``) for what is no page, lies beyond the last of `total`, or is too many.

    >>> page_range("1-3, 5", 9), page_range("7-", 9), page_range("-2", 9), page_range("", 3)
    ((1, 2, 3, 5), (7, 8, 9), (1, 2), (1, 2, 3))
    """
    found: dict[int, None] = {}
    for part in re.split(r"[,;]", re.sub("[‐-―−]", "-", said)) if said.strip() else ["-"]:
        match = PART.fullmatch(part.strip())
        if not match or not part.strip():
            raise RunError("bad_input", key="documents.range.form", given=said.strip()[:60])
        first = int(match[1] or (1 if match[2] else 0))
        last = int(match[3] or (total if match[2] else match[1]))
        if (match[1] and match[3] and not match[2]) or first < 1 or first > last:
            raise RunError("bad_input", key="documents.range.form", given=said.strip()[:60])
        if last > total:
            raise RunError("bad_input", key="documents.range.beyond", page=last, pages=total)
        found |= dict.fromkeys(range(first, last + 1))
    if len(found) > MOST:
        raise RunError("bad_input", key="documents.range.most", pages=len(found), most=MOST)
    return tuple(found)
