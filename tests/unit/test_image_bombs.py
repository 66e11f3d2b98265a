"""Pictures that cost far more than their files show: refused, or decoded in bounded time and memory."""

from __future__ import annotations

import json
import struct
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageDraw
from test_pixels import chunk, corners, encoded, png, repeated

from arena.errors import RunError
from arena.images import ImageStore

ROOT = Path(__file__).parent.parent.parent
MEASURE = """
import json, os, resource, sys
from pathlib import Path
import psutil
from adapters.base import Box
from arena.errors import RunError
from arena.images import ImageStore

before = psutil.Process().memory_info().rss
for upload in sys.argv[2:]:
    try:
        stored = ImageStore(Path(sys.argv[1]), max_bytes=10**9).add(Path(upload))
        said = {"key": None, "notices": [notice.text("ru") for notice in stored.notices]}
    except RunError as error:
        said = {"key": error.key}
    grown = psutil.Process().memory_info().rss - before
    decoder = resource.getrusage(resource.RUSAGE_CHILDREN)  # of the one that took the most so far
    seconds = decoder.ru_utime + decoder.ru_stime  # of the processor, all together
    print(json.dumps({**said, "grown_mb": grown / 1e6, "decoder_mb": decoder.ru_maxrss / 1e3, "decoder_s": seconds}))
"""


def measured(folder: Path, *uploads: bytes) -> list[dict[str, Any]]:
    """What uploads cost in memory, one after the other: the program that takes them, and the process that decodes."""
    paths = [folder / f"upload{number}" for number in range(len(uploads))]
    for path, data in zip(paths, uploads, strict=True):
        path.write_bytes(data)
    command = [sys.executable, "-c", MEASURE, str(folder / "images"), *map(str, paths)]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return [json.loads(line) for line in ended.stdout.splitlines()]


def of_size(kind: str, width: int, height: int) -> bytes:
    """A small file with a header of that size."""
    if kind == "PNG":
        return png(width, height, 1, 0, bytes(-(-width // 8)))
    if kind == "WebP":
        body = b"\x2f" + struct.pack("<I", width - 1 | height - 1 << 14) + bytes(6_000)
        return b"RIFF" + struct.pack("<I", len(body) + 12) + b"WEBPVP8L" + struct.pack("<I", len(body)) + body
    data = encoded(corners(), kind)
    if kind == "JPEG":
        at = data.index(b"\xff\xc0") + 5
        return data[:at] + struct.pack(">HH", height, width) + data[at + 4 :]
    if kind == "GIF":
        return data[:6] + struct.pack("<HH", width, height) + data[10:]
    assert kind == "BMP"
    return data[:18] + struct.pack("<ii", width, height) + data[26:]


BOMBS = (
    ("PNG", 13_000, 13_000),
    ("PNG", 30_000, 30_000),
    ("WebP", 16_383, 10_900),
    ("JPEG", 13_000, 13_000),
    ("GIF", 60_000, 60_000),
    ("BMP", 60_000, 60_000),
)


@pytest.mark.battery("I4", "I5", "I6", "I7")
def test_a_bomb_is_refused_from_its_header(tmp_path: Path) -> None:
    bombs = [of_size(*bomb) for bomb in BOMBS]
    assert max(map(len, bombs)) < 150_000
    one_pixel, *found = measured(tmp_path, png(1, 1, 8, 0, b"\0"), *bombs)
    assert one_pixel["key"] == "images.too_small"
    for bomb, each in zip(BOMBS, found, strict=True):
        assert each["key"] == "images.too_many_pixels", bomb
        assert each["grown_mb"] < 50, bomb
        assert each["decoder_mb"] - one_pixel["decoder_mb"] < 50, bomb


@pytest.mark.battery("I8")
def test_only_the_first_frame_of_an_animation_is_decoded(tmp_path: Path) -> None:
    image = Image.new("P", (4_000, 4_000), 3)
    image.putpalette(bytes(range(48)))
    ImageDraw.Draw(image).ellipse((0, 0, 3_999, 3_999), fill=7)
    one = encoded(image, "GIF")
    after_palette = 13 + 3 * 2 ** ((one[10] & 7) + 1)
    frames = one[:-1] + one[after_palette:-1] * 59 + b";"
    single, both = measured(tmp_path, one, frames)
    assert single["key"] is both["key"] is None
    assert both["grown_mb"] < 50
    assert both["decoder_mb"] < single["decoder_mb"] + 50
    assert both["decoder_s"] < 2 * single["decoder_s"] + 1  # all the frames take 26
    assert both["notices"] == ["В файле анимация, взят первый кадр."]


def test_the_largest_image_fits_into_the_memory_given(tmp_path: Path) -> None:
    (found,) = measured(tmp_path, png(8_000, 5_000, 8, 6, bytes(32_000)))  # transparent, so the copies are the most
    assert found["key"] is None
    assert found["grown_mb"] < 50
    assert found["decoder_mb"] < 2_000


def test_a_picture_of_many_passes_is_given_up(tmp_path: Path) -> None:
    # A progressive JPEG may repeat its last pass as often as it likes; each goes over the whole picture.
    from arena import decode

    data = encoded(Image.new("L", (6_000, 6_000), 90), "JPEG", progressive=True)
    last = data.rindex(b"\xff\xda")
    bomb = data[:-2] + data[last:-2] * 3_000 + data[-2:]
    started = time.monotonic()
    with pytest.raises(RunError) as error:
        decode.picture(bomb, tmp_path / "out.png", 1, 40_000_000, seconds=2)
    assert time.monotonic() - started < 10
    assert error.value.key == "images.too_slow"


def with_text(megabytes: int) -> bytes:
    return png(40, 30, 8, 0, bytes(40), chunk(b"zTXt", b"Comment\0\0" + repeated(b"a" * (1 << 20), megabytes)))


def test_a_diagram_with_its_source_inside_is_taken_and_a_bomb_of_text_is_not(tmp_path: Path) -> None:
    store = ImageStore(tmp_path / "images")
    assert store.add(with_text(5)).width == 40
    store.close()
    (found,) = measured(tmp_path, with_text(500))
    assert found["key"] == "images.damaged"
    assert found["decoder_mb"] < 250
