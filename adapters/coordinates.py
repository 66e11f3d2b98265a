"""Where a family of models writes that something is, and how that becomes pixels of the image: one line a family.

Every family means something else by the same four numbers. `FAMILIES` is the only place that knows; adapters ask
`boxes_in` for the boxes of a whole answer, `to_pixels` for one box and `from_pixels` for a box in a prompt.
"""

from __future__ import annotations

import ast
import contextlib
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from adapters.base import Box

Size = tuple[int, int]  # width, height in pixels
Found = tuple[Any, dict[str, str]]  # the numbers as the model wrote them; text and kind of the box

DECODER = json.JSONDecoder(strict=False)  # a line break inside a text is no reason to lose a box
# A backslash that begins no escape of JSON, or one that does but only by chance: \frac, \theta, \nabla.
LATEX = re.compile(
    r'(\\\\)|\\(?:(?!["/bfnrtu])|(?=u(?![0-9a-fA-F]{4}))|(?=(?:b(?:ar|egin|eta|f|ig|inom|oldsymbol)|f(?:orall|rac)'
    r"|n(?:abla|eq)|r(?:angle|ho|ight|m)|t(?:an|au|ext|heta|ilde|imes|o))(?![a-z])|text[a-z]))"
)
MOST_IN_VAIN = 1000  # braces that open no object before an answer is taken for noise
FLAT_OBJECT = re.compile(r"\{[^{}]*\}")
NAMES = ("bbox_2d", "bbox", "box_2d", "box")
BOX_BEGUN = re.compile(rf"""\{{[^{{}}]*?["'](?:{"|".join(NAMES)}|x_min)["']\s*:""")
LIST = re.compile(r"\[([^\[\]]*)(\]?)")
# A name holds no further beginning of one, and nothing that is optional begins a pattern: an answer that repeats itself
# for pages would otherwise take hours. Without its end a box was cut off, perhaps within a number.
QWEN_BOX = re.compile(
    r"(?:<\|object_ref_start\|>(?P<text>(?:(?!<\|object_ref_start\|>).)*?)<\|object_ref_end\|>\s*)?"
    r"<\|box_start\|>(?P<numbers>[^<]*)(?P<end><\|box_end\|>)?",
    re.DOTALL,
)
HTML_BOX = re.compile(r"""<(?P<kind>\w+)\b[^<>]*?\sdata-bbox=["'](?P<numbers>[^"'<>]*)(?P<end>["'])?""")
INTERN_BOXES = re.compile(
    r"(?:<ref>(?P<text>(?:(?!<ref>).)*?)</ref>\s*)?<box>(?P<numbers>[^<]*)(?P<end></box>)?", re.DOTALL
)
DEEPSEEK_BOXES = re.compile(
    r"(?:<\|ref\|>(?P<text>(?:(?!<\|ref\|>).)*?)<\|/ref\|>\s*)?<\|det\|>(?P<numbers>[^<]*)(?P<end><\|/det\|>)?",
    re.DOTALL,
)


def objects(answer: str) -> Iterator[dict[str, Any]]:
    """The outermost JSON objects in an answer that may be cut off, in a code fence or in single quotes.

    LaTeX with single backslashes inside a text is read as it was meant, not as an escape.
    """
    return (found for found in attempts(answer) if found is not None)


def attempts(answer: str) -> Iterator[dict[str, Any] | None]:
    """The same, and None for what begins as an object with a box and cannot be read."""
    text = LATEX.sub(lambda match: match[1] or r"\\", answer)
    position = in_vain = 0
    while (start := text.find("{", position)) >= 0 and in_vain < MOST_IN_VAIN:
        found, position = object_at(text, start)
        if isinstance(found, dict):
            yield found
            continue
        in_vain += 1
        if BOX_BEGUN.match(text, start):
            yield None


def object_at(text: str, start: int) -> tuple[Any, int]:
    """What begins here, None if it is no object, and where to look on."""
    try:
        return DECODER.raw_decode(text, start)
    except (ValueError, RecursionError):
        pass
    if flat := FLAT_OBJECT.match(text, start):
        # TypeError: {[]} reads as a set of lists, which there cannot be.
        with contextlib.suppress(ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
            return ast.literal_eval(flat[0]), flat.end()
    return None, start + 1


def nested(value: Any) -> Iterator[dict[str, Any]]:
    """Every object in lists and objects, in the order of the answer, however deep."""
    waiting = [value]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            yield value
            value = list(value.values())
        if isinstance(value, list):
            waiting += reversed(value)


def in_json(text: str) -> Iterator[Found]:
    """``{"bbox_2d": […], "label": …}`` and its relatives; moondream names every side."""
    found = list(attempts(text))
    for item in nested(found):
        numbers = next((item[name] for name in NAMES if name in item), None)
        if numbers is None and "x_min" in item:
            numbers = [item.get(side) for side in ("x_min", "y_min", "x_max", "y_max")]
        if numbers is not None:
            said = next((item[name] for name in ("text", "text_content", "content", "label") if item.get(name)), "")
            yield (
                numbers,
                {"text": written(said), "kind": written(item.get("category") or item.get("type") or "object")},
            )
    yield from [((), {})] * found.count(None)


def written(value: Any) -> str:
    """A text as it is, anything else as JSON; "" for what is nested too deep for that."""
    if isinstance(value, str):
        return value
    try:
        return json.dumps(value, ensure_ascii=False, default=str)
    except (RecursionError, ValueError, TypeError):
        return ""


def in_html(text: str) -> Iterator[Found]:
    """``<p data-bbox="x1 y1 x2 y2">``, what Qwen-VL answers to ``qwenvl html``."""
    for match in HTML_BOX.finditer(text):
        yield re.findall(r"-?[\d.]+", match["numbers"]) if match["end"] else (), {"kind": match["kind"]}


def in_qwen_marks(text: str) -> Iterator[Found]:
    """``<|object_ref_start|>x<|object_ref_end|><|box_start|>(x1,y1),(x2,y2)<|box_end|>``; special tokens kept."""
    for match in QWEN_BOX.finditer(text):
        fields = {"text": (match["text"] or "").strip(), "kind": "object"}
        yield match["numbers"] if match["end"] else (), fields


def in_lists(pattern: re.Pattern[str]) -> Callable[[str], Iterator[Found]]:
    """A name, then a list of boxes between marks: ``[[x1, y1, x2, y2], …]`` or one box alone."""

    def find(text: str) -> Iterator[Found]:
        for match in pattern.finditer(text):
            fields = {"text": (match["text"] or "").strip(), "kind": "object"}
            lists = [(numbers, end) for numbers, end in LIST.findall(match["numbers"]) if numbers.strip()]
            for numbers, end in lists or [(match["numbers"], match["end"])]:
                yield numbers if end else (), fields

    return find


def one_after_another(*finders: Callable[[str], Iterator[Found]]) -> Callable[[str], Iterator[Found]]:
    def find(text: str) -> Iterator[Found]:
        for each in finders:
            yield from each(text)

    return find


@dataclass(frozen=True)
class Convention:
    """How one family writes a box, always left, top, right, bottom.

    span: the number that stands for the right and the bottom edge; None: they are pixels of what the model saw.
    ask: the words in which it is asked where {thing} is, "" where it is not asked in words.
    """

    span: float | None
    find: Callable[[str], Iterator[Found]]
    ask: str = ""


ASK_QWEN = (
    "Find {thing} in the image. Answer with a JSON list alone, an item for each place: "
    '{"bbox_2d": [x1, y1, x2, y2], "label": "..."}'
)
ASK_INTERN = "Please provide the bounding box coordinate of the region this sentence describes: <ref>{thing}</ref>"

# By ``model_type`` of config.json where the family has a class in transformers. Sources: the families' own READMEs,
# evaluation and demo code; Qwen2-VL and Qwen3-VL are relative, Qwen2.5-VL between them is not.
FAMILIES = {
    "qwen2_vl": Convention(1000, one_after_another(in_qwen_marks, in_json), ASK_QWEN),
    "qwen2_5_vl": Convention(None, one_after_another(in_json, in_html), ASK_QWEN),
    "qwen3_vl": Convention(1000, one_after_another(in_json, in_html), ASK_QWEN),
    "qwen3_vl_moe": Convention(1000, one_after_another(in_json, in_html), ASK_QWEN),
    "dots_ocr": Convention(None, in_json),
    "internvl": Convention(1000, in_lists(INTERN_BOXES), ASK_INTERN),
    "deepseek": Convention(999, in_lists(DEEPSEEK_BOXES), "Locate <|ref|>{thing}<|/ref|> in the image."),
    "moondream": Convention(1, in_json),
}


def scale(family: str, size: Size, seen: Size | None) -> tuple[float, float]:
    """Image pixels of one unit of the family, across and down. Raises `KeyError` for an unknown family."""
    span = FAMILIES[family].span
    across, down = (span, span) if span is not None else seen or size
    return size[0] / across, size[1] / down


def to_pixels(family: str, numbers: Any, size: Size, seen: Size | None = None, **fields: Any) -> Box | None:
    """A box of the family's numbers in pixels of the image, clamped and sorted; None for what is no box.

    numbers: four, or a text of four. size: of the image. seen: of what the model was given after its own resize.
    fields: text, kind, confidence.
    """
    across, down = scale(family, size, seen)
    if isinstance(numbers, str):
        numbers = split(numbers)
    try:
        left, top, right, bottom = (float(number) for number in numbers)
    except (TypeError, ValueError, OverflowError):
        return None
    return Box.within((left * across, top * down, right * across, bottom * down), *size, **fields)


def split(numbers: str) -> list[str]:
    """What stands between the commas, spaces and brackets of a box in a text."""
    return re.findall(r"[^\s,;\[\]()]+", numbers)


def from_pixels(family: str, box: tuple[float, float, float, float], size: Size, seen: Size | None = None) -> list[Any]:
    """The way back, for a box that is part of a prompt: whole numbers, fractions where the edge is 1."""
    across, down = scale(family, size, seen)
    numbers = [box[0] / across, box[1] / down, box[2] / across, box[3] / down]
    return numbers if FAMILIES[family].span == 1 else [round(number) for number in numbers]


def where_is(family: str, thing: str) -> str:
    """The prompt that asks the family for the place of a thing. Raises `KeyError` for an unknown family."""
    return FAMILIES[family].ask.replace("{thing}", thing.strip())


def boxes_in(family: str, answer: str, size: Size, seen: Size | None = None) -> tuple[Box | None, ...]:
    """Every box of an answer in the order it was given, None for what is none; of what was no JSON, last. Empty for a
    family that has no convention."""
    if family not in FAMILIES:
        return ()
    found = FAMILIES[family].find(answer)
    return tuple(to_pixels(family, numbers, size, seen, **fields) for numbers, fields in found)
