"""Every family with code of its own, in a real worker of its real interpreter: load, answer, stream, stop, unload."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from PIL import Image, ImageDraw, ImageFont

from adapters.base import Job, Output, adapter_class
from arena.cancel import Cancel
from arena.compare import Request, Side, compare
from arena.config import load_settings
from arena.core import arena_of
from arena.errors import RunError
from arena.status import model_status
from arena.types import Run
from tests.contract.test_adapters import (  # noqa: F401 - the common list, on these workers
    test_a_russian_prompt_and_odd_characters_survive,
    test_an_odd_image_is_answered_or_refused_and_harms_nothing,
    test_every_error_has_a_known_kind,
    test_the_answer_is_whole_readable_and_serialises,
    test_the_same_input_twice_gives_the_same_text,
)
from tests.legacy.conftest import FAMILIES, HERE, TOKENS, drain, run
from tests.processes import exists

PINNED = {"legacy": "4.47.1", "legacy-dots": "4.51.3"}
WITH_TABLES = ["internvl2", "minicpm_v", "moondream", "dots_ocr"]  # have buffers that no checkpoint holds
SPARED = {  # what quantization leaves alone, as these small models have it
    "phi3_vision": {"model.vision_embed_tokens", "lm_head"},
    "internvl2": {"mlp1", "language_model.lm_head"},
    "minicpm_v": {"llm.lm_head"},
    "dots_ocr": {"vision_tower.patch", "lm_head"},
}


@pytest.fixture(scope="module", params=FAMILIES)
def family(request):
    return request.param


@pytest.fixture(scope="module")
def worker(started, family):
    """The family's model, loaded once for the whole list."""
    worker = started(family)
    yield worker
    worker.kill()
    drain(worker.wait_gone())


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    path = tmp_path_factory.mktemp("page") / "page.png"
    image = Image.new("RGB", (640, 160), "white")
    ImageDraw.Draw(image).text((30, 50), "Hello arena 2026", fill="black", font=ImageFont.load_default(48))
    image.save(path)
    return path


def ask(worker, page, **fields):
    return drain(worker.predict(Job(str(page), **{"prompt": "Read it.", **fields}), 60, Cancel()))


def test_runs_on_the_pinned_transformers_and_streams(worker, page, family):
    assert worker.versions["transformers"] == PINNED[FAMILIES[family]]
    *pieces, output = ask(worker, page)
    assert len(pieces) > 1 and output.finish_reason == "length"
    assert output.output_tokens == TOKENS or family == "moondream"  # which tells text, not tokens
    assert output.visual_tokens or family == "minicpm_v"


def test_the_image_and_the_question_both_matter(worker, page, family, tmp_path):
    answer = ask(worker, page)[-1].text
    Image.radial_gradient("L").convert("RGB").resize((640, 160)).save(tmp_path / "other.png")
    assert ask(worker, tmp_path / "other.png")[-1].text != answer
    if family not in ("dots_ocr", "deepseek_ocr"):  # these two have prompts of their own
        assert ask(worker, page, prompt="Что изображено на картинке?")[-1].text != answer


def test_the_turns_before_and_the_thing_to_find_count(worker, page, family):
    """To find a thing a family asks in words of its own."""
    tasks = adapter_class(family).tasks
    if "chat" in tasks:
        told = {"history": [["What is this?", "A sign that greets."]]}
        longer, shorter = (ask(worker, page, task="chat", params=params)[-1] for params in (told, {}))
        assert longer.text != shorter.text and longer.prompt_tokens > shorter.prompt_tokens
    if "grounding" in tasks:
        found, read = (ask(worker, page, task=task, prompt="the word")[-1].text for task in ("grounding", "ocr"))
        assert found != read


def test_a_cancel_stops_it_between_two_tokens_and_it_goes_on(worker, page):
    cancel = Cancel()
    pieces = worker.predict(Job(str(page), "Read it.", params={"max_new_tokens": 100_000}), 60, cancel)
    assert next(piece for piece in pieces if piece)
    cancel.set()
    start = time.monotonic()
    with pytest.raises(RunError) as caught:
        drain(pieces)
    assert caught.value.kind == "cancelled" and time.monotonic() - start < 2
    assert worker.alive() and isinstance(ask(worker, page)[-1], Output)


def test_sampling_follows_the_seed(worker, page):
    params = {"temperature": 5.0, "top_p": 1.0, "seed": 7}
    answer = ask(worker, page, params=params)[-1].text
    assert ask(worker, page, params=params)[-1].text == answer
    assert ask(worker, page, params=params | {"seed": 8})[-1].text != answer


def test_a_parameter_out_of_range_is_bad_input(worker, page):
    with pytest.raises(RunError) as caught:
        ask(worker, page, params={"max_new_tokens": 0})
    assert caught.value.kind == "bad_input" and "max_new_tokens" in caught.value.detail


def test_an_unload_gives_the_process_back(started, family):
    worker = started(family)
    pid = worker.pid
    worker.kill()
    drain(worker.wait_gone())
    assert not exists(pid)


@pytest.mark.parametrize("family", ["internvl2", "moondream"], indirect=True)
def test_the_text_is_what_the_model_says_when_asked_directly(worker, page, family, folders):
    direct = run(FAMILIES[family], str(HERE / "direct.py"), family, str(folders(family)), str(page), str(TOKENS))
    assert ask(worker, page)[-1].text.strip() == direct


@pytest.mark.parametrize("family", WITH_TABLES, indirect=True)
def test_tables_that_no_checkpoint_holds_equal_those_of_a_model_built_directly(family, folders):
    told = run(FAMILIES[family], str(HERE / "buffers.py"), family, str(folders(family)))
    assert told["spoilt"] and told["renewed"] == told["spoilt"]
    assert told["equal_after_load"] and told["equal_after_renewal"]


@pytest.mark.parametrize("family", SPARED, indirect=True)
def test_quantization_spares_the_image_encoder_and_the_output_layer(family, folders):
    told = run(FAMILIES[family], str(HERE / "quantized.py"), family, str(folders(family)))
    for bits, kind in {"8bit": "Linear8bitLt", "4bit": "Linear4bit"}.items():
        assert set(told[bits]["Linear"]) == SPARED[family] and told[bits][kind]


def test_weights_that_are_missing_are_not_replaced_by_random_ones(started, folders, tmp_path):
    broken = tmp_path / "broken"
    run("legacy", str(HERE / "without.py"), str(folders("phi3_vision")), str(broken), "lm_head.weight")
    with pytest.raises(RunError) as caught:
        started("phi3_vision", source=str(broken))
    assert caught.value.kind == "start_failed" and "lm_head.weight" in caught.value.detail


def test_a_download_is_run_at_its_commit_whatever_its_name(started, folders, page):
    """The dot in the name of dots.ocr is none in Python's sense."""
    from huggingface_hub import constants

    commit = "0123456789abcdef0123456789abcdef01234567"
    cached = f"{constants.HF_HUB_CACHE}/models--rednote-hilab--dots.ocr/snapshots"
    run("legacy-dots", "-c", f"import shutil; shutil.copytree({str(folders('dots_ocr'))!r}, {f'{cached}/{commit}'!r})")
    worker = started("dots_ocr", source="rednote-hilab/dots.ocr", revision=commit)
    assert ask(worker, page)[-1].text and worker.versions["weights"] == commit
    with pytest.raises(RunError) as caught:
        started("dots_ocr", source="rednote-hilab/dots.ocr", revision="f" * 40)
    assert caught.value.kind == "unavailable"


def test_moondream_finds_and_points(started, page):
    worker = started("moondream")
    found = ask(worker, page, prompt="word", params={"skill": "detect"})[-1]
    sides = json.loads(found.text)[0]
    assert [round(side, 3) for side in (found.boxes[0].x0, found.boxes[0].y1)] == [
        round(sides["x_min"] * 640, 3),
        round(sides["y_max"] * 160, 3),
    ]
    pointed = ask(worker, page, prompt="word", params={"skill": "point"})[-1]
    assert set(json.loads(pointed.text)[0]) == {"x", "y"} and not pointed.boxes
    assert ask(worker, page, prompt="", params={"length": "short"})[-1].text
    with pytest.raises(RunError) as caught:
        ask(worker, page, params={"skill": "dance"})
    assert caught.value.kind == "bad_input"


def test_moondream_takes_its_tokenizer_at_the_fixed_commit(started, page):
    assert ask(started("moondream", also={"moondream/starmie-v1": "0" * 40}), page)[-1].text
    with pytest.raises(RunError) as caught:
        started("moondream", also={"moondream/starmie-v1": "1" * 40})
    assert caught.value.kind == "unavailable" and "models download moondream" in caught.value.detail


def test_dots_ocr_sees_a_page_in_steps_of_28_pixels(started, page):
    worker = started("dots_ocr")
    output = ask(worker, page, task="layout")[-1]
    assert (output.seen_width, output.seen_height) == (644, 168)
    assert output.visual_tokens == 644 // 28 * (168 // 28)
    for name in ("prompt_layout_only_en", "prompt_ocr"):
        assert ask(worker, page, params={"prompt": name})[-1].text
    assert ask(worker, page, params={"prompt": "prompt_grounding_ocr", "box": [10, 10, 300, 80]})[-1].text
    with pytest.raises(RunError) as caught:
        ask(worker, page, params={"prompt": "prompt_grounding_ocr"})
    assert caught.value.kind == "bad_input" and "four numbers" in caught.value.detail


def test_dots_ocr_bounds_a_large_page(started, tmp_path):
    Image.new("RGB", (3000, 4000), "white").save(tmp_path / "large.png")
    output = ask(started("dots_ocr", options={"max_pixels": 256 * 28 * 28}), tmp_path / "large.png")[-1]
    assert 200 < output.visual_tokens <= 256
    assert output.visual_tokens == output.seen_width // 28 * (output.seen_height // 28)


def test_deepseek_ocr_counts_the_tokens_of_its_modes(started, page):
    worker = started("deepseek_ocr")
    seen = {mode: ask(worker, page, params={"mode": mode})[-1].visual_tokens for mode in ("tiny", "base", "gundam")}
    assert seen["tiny"] < seen["base"] < seen["gundam"]
    with pytest.raises(RunError) as caught:
        ask(worker, page, params={"mode": "huge"})
    assert caught.value.kind == "bad_input"


def test_deepseek_vl2_without_its_makers_package_says_how_to_get_it(folders, page):
    told = run("legacy", str(HERE / "unpackaged.py"), str(folders("deepseek_vl2")))
    assert told["kind"] == "unavailable" and "pip install --no-deps --target" in told["detail"]
    assert "overlays/legacy" in told["detail"]


def test_the_page_runs_it_from_the_cache_at_the_commit_it_is_pinned_to(folders, page, tmp_path):
    """The whole way: download found, commit pinned, slot, worker of the older interpreter, row of the table."""
    from huggingface_hub import constants

    commit = "89abcdef0123456789abcdef0123456789abcdef"
    cached = Path(constants.HF_HUB_CACHE) / "models--OpenGVLab--InternVL2-2B"
    run(
        "legacy",
        "-c",
        f"import shutil; shutil.copytree({str(folders('internvl2'))!r}, {str(cached / 'snapshots' / commit)!r})",
    )
    (cached / "refs").mkdir()
    (cached / "refs" / "main").write_text(commit)
    settings = load_settings({"ARENA_HOME": str(tmp_path), "CUDA_VISIBLE_DEVICES": ""})
    with arena_of(settings) as arena:
        specs = [arena.catalog.find("internvl2_2b"), arena.catalog.find("tesseract")]
        assert model_status(specs[0], settings, arena.gpus).ready
        sides = tuple(Side(spec, {"max_new_tokens": TOKENS} if spec.id != "tesseract" else {}) for spec in specs)
        image = arena.images.add(page)
        request = Request(sides, image, arena.catalog.task("ocr"), "Read it.")
        first, second = [event for event in compare(arena, request) if isinstance(event, Run)]
        assert (first.status, first.text != "", second.status) == ("truncated", True, "ok")
        assert first.library_versions["transformers"] == "4.47.1" and first.library_versions["weights"] == commit
        assert first.timeline.load_s > 0 and second.timeline.unload_s > 0 and first.memory.peak_ram_mb > 0
        assert arena.store.get(first.run_id).text == first.text
    assert commit in (tmp_path / "models.lock.yaml").read_text()
