"""Which pictures of a conversation stand in which of its turns, for the families that take several.

``image_turn``: the number of the turn that `Job.image` stands in, 0 the first and where it is not given.
``earlier_images``: those shown before it, ``[[turn, file], …]`` in their order, each file named from its folder.
"""

from __future__ import annotations

from pathlib import Path

from adapters.base import AdapterError, Job
from adapters.torch_generation import number


def shown(job: Job, turns: int) -> list[tuple[int, str]]:
    """The turn and the path of every picture, in the order they were shown, `Job.image` last; nothing without one.

    turns: how many there are, the one asked now included. Raises `AdapterError` (``bad_input``).
    """
    if not job.image:
        return []
    last = int(number(job.params, "image_turn", 0, 0, turns - 1))
    found: list[tuple[int, str]] = []
    for each in job.params.get("earlier_images") or ():
        try:
            turn, name = int(each[0]), str(each[1])
        except (IndexError, TypeError, ValueError) as error:
            raise AdapterError("bad_input", f"earlier_images holds pairs of turn and file, not {each!r}") from error
        if not (found[-1][0] if found else 0) <= turn <= last:
            raise AdapterError("bad_input", f"earlier_images must come in their order, before turn {last}")
        found.append((turn, str(Path(job.image).parent / name)))
    return [*found, (last, job.image)]
