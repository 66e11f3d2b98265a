"""Two different transformers models in one comparison: load A, answer, unload A, load B, answer, each with its cost."""

from __future__ import annotations

import psutil
import pytest
import yaml
from PIL import Image

from arena.compare import Request, Side, compare
from arena.config import load_settings
from arena.core import arena_of
from arena.types import Delta, Run
from tests import tiny
from tests.processes import exists


@pytest.fixture(scope="module")
def arena(tmp_path_factory):
    home = tmp_path_factory.mktemp("home")
    models = {
        f"tiny_{build.__name__}": {
            "adapter": adapter,
            "source": str(tiny.built(build)),
            "modes": {"transformers": {"vram_gb": {"none": 1.0, "8bit": 1.0}}},
            "tasks": ["ocr"],
            "params": {"max_new_tokens": 16},
        }
        for build, adapter in [(tiny.qwen3_vl, "transformers_chat"), (tiny.got_ocr, "got_ocr")]
    }
    (home / "models.yaml").write_text(yaml.safe_dump({"models": models}))
    with arena_of(load_settings({"ARENA_HOME": str(home)})) as opened:
        yield opened


def test_two_models_one_after_the_other(arena, tmp_path):
    Image.linear_gradient("L").convert("RGB").save(tmp_path / "page.png")
    task = arena.catalog.task("ocr")
    a, b = arena.catalog.find("tiny_qwen3_vl"), arena.catalog.find("tiny_got_ocr")
    request = Request((Side(a), Side(b)), arena.images.add(tmp_path / "page.png"), task, task.prompt_for("en"))
    before = psutil.Process().memory_info().rss
    pids: dict[str, set[int]] = {"A": set(), "B": set()}
    said = {"A": "", "B": ""}
    runs = []
    for event in compare(arena, request):
        if isinstance(event, Run):
            runs.append(event)
        else:
            alive = {pid for pid in arena.slots.pids() if psutil.pid_exists(pid)}
            assert len(alive) <= 1  # never two models in memory
            pids[event.side] |= alive
        if isinstance(event, Delta):
            said[event.side] += event.text
    first, second = runs
    for run in runs:
        assert (run.status, run.output_tokens, run.text) == ("truncated", 16, said[run.side]), run.error_detail
        assert run.timeline.cold and run.timeline.start_s and run.timeline.load_s and run.timeline.first_token_s
        assert run.timeline.generate_s <= run.timeline.total_s
        assert run.memory.peak_ram_mb > 10 and run.memory.peak_vram_process_mb is None
        assert run.visual_tokens and run.seen_width and run.library_versions["transformers"]
    assert first.timeline.unload_s is None and second.timeline.unload_s >= 0
    assert (second.seen_width, second.seen_height) == (256, 256)
    (one,), (other,) = pids["A"], pids["B"] - pids["A"]  # while B waits, A is still there
    assert not exists(one) and exists(other)
    arena.slots.unload_all()  # a process that has ended holds nothing
    assert not exists(other)
    assert psutil.Process().memory_info().rss - before < 200e6  # the application itself never held the models
    assert [arena.store.get(run.run_id).text for run in runs] == [first.text, second.text]


def test_quantised_through_the_whole_program(arena, tmp_path):
    Image.new("RGB", (64, 64), "white").save(tmp_path / "page.png")
    task = arena.catalog.task("ocr")
    spec = arena.catalog.find("tiny_qwen3_vl").with_options(quantization="8bit")
    request = Request((Side(spec),), arena.images.add(tmp_path / "page.png"), task, "Read it.")
    (run,) = [event for event in compare(arena, request) if isinstance(event, Run)]
    assert (run.status, run.quantization, run.output_tokens) == ("truncated", "8bit", 16), run.error_detail
