"""What holds for any input at all: the properties that both hypothesis and a coverage-guided fuzzer try to break."""

from __future__ import annotations

import hashlib
import io
import json
import math
import tempfile
from collections.abc import Sequence
from functools import cache
from itertools import pairwise
from pathlib import Path

from PIL import Image
from pydantic import ValidationError

from adapters.base import Box
from adapters.coordinates import FAMILIES, boxes_in, objects
from adapters.deepseek_marks import without_marks
from adapters.dots_layout import CATEGORIES, as_markdown, boxes, elements, markdown
from arena.api import conversation
from arena.api.errors import ApiError, encoded
from arena.api.images import bytes_of
from arena.api.schema import ChatRequest
from arena.errors import RunError
from arena.images import ImageStore
from arena.pixels import MAX_SIDE, MIN_SIDE
from arena.strings import LANGUAGES

MAX_PIXELS = 1_000_000
MAX_BYTES = 1_000_000
SIZE, SEEN = (640, 480), (320, 256)


def cut(text: str, places: Sequence[int]) -> list[str]:
    """The text in pieces."""
    ends = [0, *sorted(place % (len(text) + 1) for place in places), len(text)]
    return [text[start:end] for start, end in pairwise(ends)]


@cache
def store() -> ImageStore:
    """Decoders of the program's own, in their own processes."""
    return ImageStore(Path(tempfile.mkdtemp(prefix="arena-fuzz-")), MAX_BYTES, MAX_PIXELS)


def a_file_is_a_picture_or_refused(data: bytes, page: int = 1) -> str:
    """Nothing else comes of an upload: no fault of ours, no picture beyond the limits, nothing but pixels in it.

    Returns the key of the refusal, or "" for a picture."""
    images = store()
    try:
        made = images.add(data, page)
    except RunError as error:
        assert error.kind == "bad_input", error
        assert all(error.text(lang) for lang in LANGUAGES)
        return error.key
    kept = made.path.read_bytes()
    assert made.sha256 == hashlib.sha256(kept).hexdigest()
    with Image.open(io.BytesIO(kept)) as picture:
        picture.load()
        assert (picture.format, picture.mode, picture.size) == ("PNG", "RGB", (made.width, made.height))
        assert not picture.info
    assert made.width * made.height <= MAX_PIXELS
    assert MIN_SIDE <= min(made.width, made.height) <= max(made.width, made.height) <= MAX_SIDE
    assert all(notice.text(lang) for notice in made.notices for lang in LANGUAGES)
    assert 1 <= page <= images.pages(data)
    made.path.unlink()
    return ""


def within(found: Sequence[Box | None], size: tuple[int, int]) -> bool:
    return all(0 <= box.x0 < box.x1 <= size[0] and 0 <= box.y0 < box.y1 <= size[1] for box in found if box)


def a_layout_is_read(answer: str, places: Sequence[int] = ()) -> None:
    """Every element is whole, stands once, has its box within the image, and is told the same from any pieces."""
    found = elements(answer)
    assert len(set(found)) == len(found)
    for element in found:
        assert element.category in CATEGORIES
        assert element.text.strip() == element.text and (element.text or element.numbers)
        assert not element.numbers or (len(element.numbers) == 4 and all(map(math.isfinite, element.numbers)))
    placed = boxes(answer, SIZE, SEEN)
    assert within(placed, SIZE) and len(placed) >= sum(1 for element in found if element.numbers is not None)
    raw: list[str] = []
    told = "".join(as_markdown(cut(answer, places), raw))
    assert "".join(raw) == answer
    assert told == ("".join(f"{text}\n\n" for each in found if (text := markdown(each))) if found else answer)


def boxes_are_within(answer: str) -> None:
    """Whatever a family of models says, its boxes lie in the image and can be kept as JSON."""
    for family in FAMILIES:
        found = boxes_in(family, answer, SIZE, SEEN)
        assert within(found, SIZE)
        assert all(isinstance(box.text, str) and isinstance(box.kind, str) for box in found if box)
    assert all(isinstance(each, dict) for each in objects(answer))


def marks_are_taken_out(answer: str, places: Sequence[int] = ()) -> None:
    """The same however the answer is cut; nothing is shown that was not said; plain text passes as it is."""
    for names in (True, False):
        whole = "".join(without_marks([answer], names))
        assert "".join(without_marks(cut(answer, places), names)) == whole
        rest = iter(answer)
        assert all(letter in rest for letter in whole)
        if "<" not in answer:
            assert whole == answer


def a_request_is_understood_or_refused(body: bytes) -> str:
    """A chat request is refused in words that fit into an answer, or gives what a run needs. Returns which."""
    try:
        asked = ChatRequest.model_validate(json.loads(body))
        asked.check()
        said = conversation.read(asked.messages)
        shown = bytes_of(said.image, fetcher=None, most=MAX_BYTES) if said.image is not None else b"nothing"
    except (ValidationError, RecursionError, ValueError):  # as the framework reads a body: 400, before our code
        return "invalid"
    except ApiError as error:
        assert 400 <= error.status < 500
        assert all(json.loads(encoded(error.body(lang)))["error"]["message"] for lang in LANGUAGES)
        return "refused"
    assert shown
    params = asked.params()
    json.dumps(params, allow_nan=False)
    assert all(isinstance(text, str) for text in (said.system, said.prompt, *sum(said.history, ())))
    assert 0 <= said.image_turn <= len(said.history)
    stops = params.get("stop", [])
    assert isinstance(stops, list) and len(stops) <= 16 and all(stops)
    return "understood"
