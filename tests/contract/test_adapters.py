"""The one list every adapter must pass, found by listing the package: each runs in a real worker on real images."""

import contextlib
import json
import subprocess
import sys
import threading
import time

import psutil
import pytest
from PIL import Image, ImageDraw, ImageFont

from adapters.base import Adapter, Box, Job, Output, adapter_class
from arena.cancel import Cancel
from arena.catalog import adapter_names, load_catalog
from arena.config import load_settings
from arena.errors import KINDS, RunError
from arena.runtimes.process import ROOT, Interpreters
from tests import tiny
from tests.openai_service import Service

NAMES = adapter_names()
# The families whose code needs an older interpreter run the same list under it, in tests/legacy.
MODELS = load_catalog(load_settings({"ARENA_HOME": "/nowhere"})).models.values()
HERE = [name for name in NAMES if name not in {spec.adapter for spec in MODELS if spec.interpreter != "main"}]
HEAVY = ("torch", "transformers", "vllm", "docker", "onnxruntime", "rapidocr", "tesserocr", "cv2", "numpy", "PIL")
READERS = ["rapidocr", "tesseract"]  # those that are loaded with trained weights here
# An adapter of a family of weights is loaded with a tiny random checkpoint, built for the tests.
CHECKPOINTS = {"transformers_chat": tiny.qwen2_vl, "got_ocr": tiny.got_ocr}


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """What an adapter is loaded with."""
    built = {}

    def described(name):
        if name in CHECKPOINTS and name not in built:
            built[name] = str(CHECKPOINTS[name](tmp_path_factory.mktemp(name)))
        options = {"base_url": service.url, "served": "a-model"} if name == "openai_chat" else {}
        return {"id": name, "source": built.get(name, ""), "options": options}

    service = Service(["a-model"])
    yield described
    service.stop()


@pytest.fixture(scope="module")
def interpreters():
    started = Interpreters()
    yield started
    started.stop()


@pytest.fixture(scope="module", params=HERE)
def worker(request, interpreters, model):
    """The adapter, loaded once for the whole list."""
    started = interpreters.start(request.param)
    drain(started.wait_started(60, Cancel()))
    drain(started.load(model(request.param), 60, Cancel()))
    yield started
    started.kill()
    drain(started.wait_gone())


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    """A white page with one large line of English."""
    path = tmp_path_factory.mktemp("contract") / "page.png"
    image = Image.new("RGB", (640, 160), "white")
    ImageDraw.Draw(image).text((30, 50), "Hello arena 2026", fill="black", font=ImageFont.load_default(48))
    image.save(path)
    return path


def drain(iterator):
    return [item for item in iterator if item is not None]


def ask(worker, image, prompt="", task="ocr", **fields):
    return drain(worker.predict(Job(str(image), prompt, task, **fields), 60, Cancel()))


@pytest.mark.parametrize("name", NAMES)
def test_imports_with_every_heavy_package_blocked(name):
    """Listing the models must not wait for torch, nor need it."""
    script = f"""
import sys
for heavy in {HEAVY!r}:
    sys.modules[heavy] = None
from adapters.base import adapter_class
adapter_class({name!r})
"""
    subprocess.run([sys.executable, "-c", script], cwd=ROOT, check=True, timeout=30)


@pytest.mark.parametrize("name", NAMES)
def test_says_what_it_is(name):
    family = adapter_class(name)
    assert family.__doc__ and family.__doc__ is not Adapter.__doc__
    assert (ROOT / "adapters" / f"{name}.py").read_text(encoding="utf-8").startswith('"""')
    assert family.tasks and all((ROOT / "benchmarks" / "tasks" / f"{task}.yaml").is_file() for task in family.tasks)


def test_the_answer_is_whole_readable_and_serialises(worker, page):
    *pieces, output = ask(worker, page)
    assert isinstance(output, Output) and "".join(pieces) == output.text
    assert output.finish_reason in ("stop", "length", "loop")
    assert Output.from_dict(json.loads(json.dumps(output.to_dict()))) == output
    for number in (output.prompt_tokens, output.output_tokens, output.visual_tokens):
        assert number is None or number > 0
    assert not output.boxes or output.boxes_left_out is not None  # who places anything says what he could not
    assert worker.versions


@pytest.mark.parametrize("worker", READERS, indirect=True)
def test_an_engine_reads_what_is_written(worker, page):
    output = ask(worker, page, language="en")[-1]
    assert "Hello" in output.text and "2026" in output.text
    for box in output.boxes:
        assert 0 <= box.x0 < box.x1 <= 640 and 0 <= box.y0 < box.y1 <= 160
        assert box.confidence is None or 0 <= box.confidence <= 1
    assert "2026" in " ".join(box.text for box in output.boxes) and output.boxes_left_out == 0


def test_the_same_input_twice_gives_the_same_text(worker, page):
    assert ask(worker, page)[-1].text == ask(worker, page)[-1].text


def test_a_russian_prompt_and_odd_characters_survive(worker, page):
    prompt = "Прочитай текст\x00 на картинке 🖼️ \u202eобратно\ud800"
    assert isinstance(ask(worker, page, prompt, language="en")[-1], Output)


@pytest.mark.parametrize("odd", ["blank", "tiny", "narrow", "black", "large"])
def test_an_odd_image_is_answered_or_refused_and_harms_nothing(worker, page, tmp_path, odd):
    sizes = {"blank": (300, 300), "tiny": (1, 1), "narrow": (4000, 30), "black": (64, 64), "large": (5000, 3000)}
    Image.new("RGB", sizes[odd], "black" if odd == "black" else "white").save(tmp_path / "odd.png")
    try:
        output = ask(worker, tmp_path / "odd.png", language="en")[-1]
        assert isinstance(output, Output)
    except RunError as error:
        assert error.kind == "bad_input" and error.detail
    assert worker.alive() and ask(worker, page)[-1].text


@pytest.mark.parametrize("worker", READERS, indirect=True)
def test_a_broken_or_missing_file_is_bad_input(worker, page, tmp_path):
    (tmp_path / "broken.png").write_bytes(page.read_bytes()[:200])
    for name in ("broken.png", "absent.png"):
        with pytest.raises(RunError) as caught:
            ask(worker, tmp_path / name)
        assert caught.value.kind == "bad_input"
    assert ask(worker, page)[-1].text


def test_every_error_has_a_known_kind(worker, tmp_path):
    with pytest.raises(RunError) as caught:
        ask(worker, tmp_path / "absent.png", language="xx")
    assert caught.value.kind in KINDS and caught.value.text("ru") != caught.value.text("en")


@pytest.mark.parametrize("name", HERE)
def test_a_cancel_ends_it_and_leaves_nothing(name, interpreters, model, page):
    interpreters.preload(name)  # its warm parent stays
    before = threading.active_count(), psutil.Process().num_fds()
    worker = interpreters.start(name)
    drain(worker.wait_started(60, Cancel()))
    drain(worker.load(model(name), 60, Cancel()))
    cancel = Cancel()
    pieces = worker.predict(Job(str(page), "tokens=1000000 delay=0.01"), 60, cancel)
    cancel.set()
    start = time.monotonic()
    with pytest.raises(RunError) as caught:
        drain(pieces)
    assert caught.value.kind == "cancelled" and time.monotonic() - start < 10
    pid = worker.pid
    worker.kill()
    drain(worker.wait_gone())
    worker.kill()
    with contextlib.suppress(psutil.NoSuchProcess):
        assert psutil.Process(pid).status() == psutil.STATUS_ZOMBIE  # ended; its parent may be busy and reap it later
    deadline = time.monotonic() + 5
    while (threading.active_count(), psutil.Process().num_fds()) > before and time.monotonic() < deadline:
        time.sleep(0.02)
    assert (threading.active_count(), psutil.Process().num_fds()) <= before


def test_boxes_are_clamped_sorted_and_checked():
    assert Box.within([90, -5, 10, 50], 80, 40) == Box(10, 0, 80, 40)
    for bad in (
        [1, 2, 3],
        [1, 2, 3, float("nan")],
        [0, 0, 0, 9],
        ["a", 1, 2, 3],
        None,
        [200, 0, 300, 9],
        [0, 0, 1e400, 5, 1],
    ):
        assert Box.within(bad, 80, 40) is None
