"""A document through its models: all pages through the first, then all through the next, so that each loads once."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from statistics import fmean

from arena.cancel import Cancel
from arena.compare import Request, answer, begin
from arena.core import Arena
from arena.errors import RunError
from arena.images import StoredImage
from arena.record import new_id
from arena.types import Event, Run

# A model that could not be brought up for one page cannot be for the next one.
HOPELESS = {"unavailable", "start_failed", "start_timeout", "vram_not_released"}


def read(
    arena: Arena, request: Request, source: bytes, numbers: Sequence[int], cancel: Cancel
) -> Iterator[tuple[int, Request | RunError | Event]]:
    """Every page through every side of `request`, which has no image of its own.

    Yields the number of a page with what happened to it: the request that it became or why it could not be drawn, then
    the events of each side's answer as `compare` gives them. Each page is one comparison. Ends after the page at which
    it is cancelled; a model that cannot be brought up is not asked again.
    """
    asked: dict[int, Request | None] = {}
    for order, side in enumerate(request.sides):
        for number in numbers:
            if cancel.is_set():
                return
            if number not in asked:
                asked[number] = None
                try:
                    asked[number] = page = of_page(arena, request, source, number)
                except RunError as error:
                    yield number, error
                    continue
                yield number, page
            if (mine := asked[number]) is None:
                continue
            last = number == numbers[-1] and order + 1 < len(request.sides)
            following = request.sides[order + 1].spec if last else None
            ended: Run | None = None
            for event in answer(arena, mine, order, side, following, cancel):
                ended = event if isinstance(event, Run) else None
                yield number, event
            if ended and ended.error_kind in HOPELESS:
                break


def of_page(arena: Arena, request: Request, source: bytes, number: int) -> Request:
    """The request for one page. Raises `RunError` when it cannot be drawn."""
    image: StoredImage = arena.images.add(source, number)
    mine = replace(request, image=image, comparison_id=new_id())
    begin(arena, mine)
    if request.visitor:
        with contextlib.suppress(RunError):  # each run will say that nothing could be kept
            arena.pictures.brought(request.visitor, image.sha256)
    return mine


def time_left(seconds: Sequence[Sequence[float]], pages: int, now: float = 0.0) -> float | None:
    """Seconds until all `pages` went through all sides, None while nothing is known.

    seconds: of the pages that each side has done, in the order they run. A side that has not begun is taken to be as
    fast as the one before. now: seconds spent on the page that is being read.

    >>> time_left([[2.0, 4.0], []], 3, now=1.0), time_left([[], []], 3)
    (11.0, None)
    """
    left, each = 0.0, None
    for side in seconds:
        each = fmean(side) if side else each
        if each is None:
            return None
        left += each * (pages - len(side))
    return max(left - now, 0.0)
