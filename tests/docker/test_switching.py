"""A comparison of two models that both run in vLLM's container, by the same loop as every other one."""

from __future__ import annotations

import contextlib

import psutil
import pytest
import yaml
from PIL import Image
from programs import RUN, free_port

from arena.cancel import Cancel
from arena.compare import Request, Side, compare
from arena.config import load_settings
from arena.core import Arena
from arena.types import Progress, Run


@pytest.fixture
def arena(tmp_path, image, ours):
    home = tmp_path / "home"
    home.mkdir()
    entries = {}
    for name, flags in {"a": [], "b": [], "crash": ["--fault", "crash"]}.items():
        weights = tmp_path / "weights" / name
        weights.mkdir(parents=True)
        (weights / "config.json").write_text("{}")
        (weights / "model.safetensors").write_bytes(b"")
        container = {"name": f"arena-{RUN}-{name}", "port": free_port(), "shm_size": "64m", "flags": flags}
        modes = {"vllm": {"container": container}}
        entries[f"vllm_{name}"] = {
            "title": name,
            "adapter": "transformers_chat",
            "source": str(weights),
            "modes": modes,
        }
    (home / "models.yaml").write_text(yaml.safe_dump({"models": entries}))
    arena = Arena.open(load_settings({"ARENA_HOME": str(home), "ARENA_VLLM_IMAGE": image}))
    yield arena
    arena.close()


def compared(arena, *models, at=lambda event: None):
    picture = arena.images.add(png())
    sides = tuple(Side(arena.catalog.find(model)) for model in models)
    runs = []
    with contextlib.closing(
        compare(arena, Request(sides, picture, arena.catalog.task("ocr"), "?"), Cancel())
    ) as events:
        for event in events:
            at(event)
            if isinstance(event, Run):
                runs.append(event)
    return runs


def png() -> bytes:
    import io

    written = io.BytesIO()
    Image.new("RGB", (64, 64), "white").save(written, "PNG")
    return written.getvalue()


def test_one_after_the_other_each_in_its_container(arena, ours):
    most, phases = 0, set()

    def look(event):
        nonlocal most
        most = max(most, len(ours()))
        if isinstance(event, Progress):
            phases.add(event.phase)

    runs = compared(arena, "vllm_a:vllm", "vllm_b:vllm", at=look)
    assert [(run.status, run.mode, run.text.split()[0]) for run in runs] == [
        ("ok", "vllm", "vllm_a"),
        ("ok", "vllm", "vllm_b"),
    ]
    assert most == 1, "never two at a time"
    assert {"starting", "warming"} <= phases
    assert runs[0].library_versions["vllm"] == "0.32.0+standin"
    assert runs[0].library_versions["vllm_image"].startswith("sha256:")
    assert runs[0].memory.peak_ram_mb and runs[0].memory.peak_ram_mb > 20, "the server's memory counts"
    assert ours() == [f"arena-{RUN}-b"]
    again = compared(arena, "vllm_b:vllm")
    assert again[0].timeline.cold is False
    arena.close()
    assert ours() == []


@pytest.mark.battery("D6")
def test_a_container_that_dies_is_a_row_and_the_next_model_runs(arena, ours):
    runs = compared(arena, "vllm_crash:vllm", "vllm_b:vllm")
    assert [(run.status, run.error_kind) for run in runs] == [("error", "worker_died"), ("ok", None)]
    assert "No supported config format" in runs[0].error_detail
    assert ours() == [f"arena-{RUN}-b"]


def test_a_page_that_is_closed_in_the_middle_leaves_nothing(arena, ours):
    picture = arena.images.add(png())
    request = Request((Side(arena.catalog.find("vllm_a:vllm")),), picture, arena.catalog.task("ocr"), "?")
    events = compare(arena, request, Cancel())
    next(event for event in events if isinstance(event, Progress) and event.stage == "loading")
    events.close()
    arena.slots.unload_all()
    assert ours() == []
    assert not [
        each for each in psutil.process_iter(["cmdline"]) if f"arena-{RUN}" in " ".join(each.info["cmdline"] or [])
    ]
