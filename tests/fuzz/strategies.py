"""What is made up: answers full of marks and brackets, files spoilt in places that matter, requests nearly right."""

from __future__ import annotations

import base64
import io
import struct
import zlib
from collections.abc import Callable
from functools import cache
from typing import Any

from hypothesis import strategies as st
from PIL import Image

# --- answers

PIECES = (
    *('{"bbox":', "[1, 2, 30, 40]", '"category":', '"text":', '"Text"', '"Formula"', r'"\frac{a}{b}"', "'bbox':"),
    *('{"bbox": [1, 2, 30, 40], "category": "Text", "text": "one"}', '"label"', '"x_min"', '"bbox_2d"', "null"),
    *("<|ref|>", "<|/ref|>", "<|det|>", "<|/det|>", "<|grounding|>", "<\uff5cend\uff5c>", "[[1, 2, 30, 40]]"),
    *("<|object_ref_start|>", "<|object_ref_end|>", "<|box_start|>", "<|box_end|>", "(1,2),(30,40)"),
    *("<ref>", "</ref>", "<box>", "</box>", "<p data-bbox='1 2 30 40'>", "<p ", "```json", "```", "NaN", "Infinity"),
    *("{", "}", "[", "]", ",", ":", '"', "'", "\\", "\n", " ", "<", "|", ">", "word ", "Счёт", "9" * 400, "-1e999"),
)
answers = st.lists(st.sampled_from(PIECES) | st.text(max_size=5), max_size=30).map("".join)
# A model that repeats itself: what takes more than a moment here takes hours there.
loops = st.lists(st.tuples(st.sampled_from(PIECES), st.integers(1, 4000)), max_size=4).map(
    lambda parts: "".join(piece * times for piece, times in parts)[:100_000]
)
places = st.lists(st.integers(0, 10**6), max_size=6)

# --- files

KINDS = ("JPEG", "PNG", "WEBP", "TIFF", "BMP", "GIF", "AVIF", "HEIF")
MODES = {"JPEG": ("L", "RGB", "CMYK"), "PNG": ("1", "L", "LA", "P", "RGB", "RGBA", "I;16"), "TIFF": ("1", "RGB", "F")}


@cache
def whole(kind: str, mode: str) -> bytes:
    """A small sound file."""
    if kind == "HEIF":
        import pillow_heif

        pillow_heif.register_heif_opener()
    file = io.BytesIO()
    Image.linear_gradient("L").resize((40, 30)).convert(mode.removesuffix(";16")).convert(mode).save(file, kind)
    return file.getvalue()


@st.composite
def spoilt(draw: st.DrawFn, made: st.SearchStrategy[bytes]) -> bytes:
    """A sound file with bytes overwritten, cut out, put in, doubled, or its numbers made large."""
    data = bytearray(draw(made))
    for _ in range(draw(st.integers(0, 5))):
        at = draw(st.integers(0, max(0, min(len(data) - 1, 4000))))
        match draw(st.sampled_from(["write", "cut", "insert", "double", "number", "end"])):
            case "write":
                new = draw(st.binary(max_size=8))
                data[at : at + len(new)] = new
            case "cut":
                del data[at : at + draw(st.integers(1, 50))]
            case "insert":
                data[at:at] = draw(st.binary(max_size=20))
            case "double":
                data[at:at] = data[at : at + draw(st.integers(1, 200))] * draw(st.integers(1, 20))
            case "number":
                order, number = draw(st.sampled_from("<>")), draw(st.sampled_from([0, 1, 0x7FFF, 0xFFFF, 2**31, -1]))
                data[at : at + 4] = struct.pack(f"{order}I", number & 0xFFFFFFFF)
            case "end":
                del data[at:]
    return bytes(data)


images = spoilt(
    st.sampled_from([(kind, mode) for kind in KINDS for mode in MODES.get(kind, ("RGB",))]).map(lambda at: whole(*at))
)

number = st.sampled_from([b"0", b"1", b"-1", b"0.001", b"72", b"595", b"14400", b"1e9", b"99999999999", b"nan"])
OPERATORS = b"q Q cm re f S B W n m l c h BT ET Tf Td Tj Do gs sh k rg scn d w J j M i ri BI ID EI".split()
content = st.lists(
    st.tuples(
        st.lists(number | st.sampled_from([b"/F", b"/X", b"(text)", b"[1 2]", b"<<>>"]), max_size=6),
        st.sampled_from(OPERATORS),
    ),
    max_size=20,
).map(lambda said: b"\n".join(b" ".join([*operands, operator]) for operands, operator in said))


@st.composite
def documents(draw: st.DrawFn) -> bytes:
    """A PDF of a few pages with any box, content, rotation and resources, most of them valid."""
    pages = draw(st.integers(0, 3))
    kids = b" ".join(b"%d 0 R" % (3 + 2 * place) for place in range(pages))
    parts = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[%b]/Count %d>>" % (kids, draw(st.just(pages) | st.integers(-1, 9))),
    ]
    for place in range(pages):
        box = b" ".join(draw(st.just([b"0", b"0", b"300", b"200"]) | st.lists(number, min_size=3, max_size=5)))
        more = draw(
            st.sampled_from([b"", b"/Rotate 90", b"/Rotate 7", b"/UserUnit 99", b"/CropBox[9 9 1 1]", b"/Parent 3 0 R"])
        )
        fonts = b"/Resources<</Font<</F<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>>>/XObject<</X %d 0 R>>>>" % (
            4 + 2 * place
        )
        parts.append(
            b"<</Type/Page/Parent 2 0 R/MediaBox[%b]/Contents %d 0 R%b%b>>" % (box, 4 + 2 * place, more, fonts)
        )
        packed = zlib.compress(draw(content))
        kind = draw(st.sampled_from([b"", b"/Type/XObject/Subtype/Form/BBox[0 0 99 99]"]))
        parts.append(b"<</Length %d/Filter/FlateDecode%b>>stream\n%b\nendstream" % (len(packed), kind, packed))
    body, starts = b"%PDF-1.7\n", []
    for place, part in enumerate(parts, 1):
        starts.append(len(body))
        body += b"%d 0 obj\n%b\nendobj\n" % (place, part)
    table = b"".join(b"%010d 00000 n \n" % start for start in starts)
    tail = b"xref\n0 %d\n0000000000 65535 f \n%btrailer<</Root 1 0 R/Size %d>>\nstartxref\n%d\n%%%%EOF\n"
    return body + tail % (len(parts) + 1, table, len(parts) + 1, len(body))


# --- requests

DOT = "data:image/png;base64," + base64.b64encode(whole("PNG", "RGB")).decode()
anything: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)


def nearly(right: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Mostly what is expected."""
    return st.one_of(right, right, right, right, right, anything)


def record(least: dict[str, st.SearchStrategy[Any]], **more: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.fixed_dictionaries(least, optional=more)


text = st.sampled_from(["", "What?", "tokens=3", "\ud800", "\0"]) | st.text(max_size=10)
url = (
    st.sampled_from([DOT, "data:,x", "data:image/png;base64,", "data:;base64,!!", "http://host/x", "file:///x", ""])
    | text
)
part = record(
    {"type": nearly(st.sampled_from(["text", "image_url"]))},
    text=nearly(text),
    image_url=nearly(record({"url": nearly(url)}) | url),
)
message = record(
    {"role": nearly(st.sampled_from(["user", "user", "user", "assistant", "system", "developer"]))},
    content=nearly(text | st.lists(nearly(part), max_size=3)),
)
Field = Callable[..., st.SearchStrategy[Any]]
limits = st.sampled_from([0, 1, 2, -1, 0.5, 2.5, 10**6, 10**7, 2**63, float("nan"), "1", True])
requests = record(
    {"model": nearly(st.just("one")), "messages": nearly(st.lists(nearly(message), min_size=1, max_size=4))},
    stream=nearly(st.booleans()),
    stream_options=nearly(record({}, include_usage=nearly(st.booleans()))),
    stop=nearly(text | st.lists(nearly(text), max_size=20)),
    task=nearly(st.sampled_from(["ocr", "question", "chat", "none"])),
    language=nearly(st.sampled_from(["en", "ru", "", "EN"])),
    n=limits,
    tools=nearly(st.just([])),
    response_format=nearly(st.just({"type": "text"})),
    **dict.fromkeys(
        ("max_tokens", "max_completion_tokens", "temperature", "top_p", "seed", "repetition_penalty"), limits
    ),
)
