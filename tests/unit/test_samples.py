"""The gallery is whole: every picture with its text, titles and a question; the drawing is the same in every run."""

import io
import unicodedata
from pathlib import Path

import numpy as np
import pytest
import yaml
from PIL import Image

from arena.strings import LANGUAGES
from benchmarks.picture import clouds, jpeg, paper, perspective
from benchmarks.samples import FOLDER, MOST_BYTES, SAMPLES

ROOT = Path(__file__).parent.parent.parent
FOR_THE_SMALL_MODEL = ("line", "figures")
ENTRIES = yaml.safe_load((FOLDER / "samples.yaml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry["id"])
def test_a_sample_is_complete(entry):
    assert entry.keys() == {"id", "file", "reference", "language", "task", "titles", "question"}
    assert tuple(entry["titles"]) == tuple(entry["question"]) == LANGUAGES
    assert all(entry["question"][lang].endswith("?") for lang in LANGUAGES)
    assert (ROOT / "benchmarks" / "tasks" / f"{entry['task']}.yaml").is_file()
    assert (entry["file"], entry["reference"]) == (f"{entry['id']}.jpg", f"{entry['id']}.txt")
    text = (FOLDER / entry["reference"]).read_text(encoding="utf-8")
    small = entry["id"] in FOR_THE_SMALL_MODEL
    assert (len(text.splitlines()) > 5) != small and unicodedata.is_normalized("NFC", text)
    assert all(line == line.strip() != "" for line in text.splitlines())
    cyrillic = any("а" <= letter <= "я" for letter in text.lower())
    assert entry["language"] == ("ru" if cyrillic else "en" if text else "")
    path = FOLDER / entry["file"]
    with Image.open(path) as picture:
        assert picture.format == "JPEG" and picture.mode == "RGB" and (picture.width >= 1000) != small
        assert not picture.getexif()
    assert path.stat().st_size <= MOST_BYTES


def test_the_folder_holds_the_gallery_and_nothing_else():
    listed = {entry[key] for entry in ENTRIES for key in ("file", "reference")}
    assert {path.name for path in FOLDER.iterdir()} == {*listed, "samples.yaml"}
    assert [entry["id"] for entry in ENTRIES] == list(SAMPLES)


def test_drawing_depends_on_the_seed_alone():
    one, two, other = (clouds(np.random.default_rng(seed), (90, 60), (4, 3)) for seed in (7, 7, 8))
    assert one.shape == (60, 90) and (one == two).all() and (one != other).any()
    sheets = [paper(np.random.default_rng(7), (60, 90), (240, 238, 230)).tobytes() for _ in range(2)]
    assert sheets[0] == sheets[1]


def test_perspective_puts_the_corners_where_they_are_asked():
    corners = [(40, 30), (260, 60), (240, 170), (20, 190)]
    warped = np.asarray(perspective(Image.new("RGB", (100, 100), "red"), (300, 200), corners))
    for (x, y), (dx, dy) in zip(corners, [(1, 1), (-1, 1), (-1, -1), (1, -1)], strict=True):
        assert warped[y + 6 * dy, x + 6 * dx, 3] == 255
        if 0 <= y - 6 * dy < 200:
            assert warped[y - 6 * dy, x - 6 * dx, 3] == 0


def test_a_jpeg_fits_or_is_refused():
    noise = Image.fromarray(np.random.default_rng(1).integers(0, 255, (200, 200, 3), np.uint8))
    assert len(jpeg(noise, 60_000)) <= 60_000
    with Image.open(io.BytesIO(jpeg(Image.new("RGB", (50, 50)), 10_000))) as picture:
        assert picture.size == (50, 50)
    with pytest.raises(ValueError, match="5000 bytes"):
        jpeg(noise, 5_000)
