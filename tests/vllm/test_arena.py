"""The arena runs the same weights in transformers and in vLLM's container, one after the other, and they agree."""

from __future__ import annotations

import csv
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import image as vllm_image
import pytest

from arena import export
from arena.cancel import Cancel
from arena.compare import Request, Side, compare
from arena.config import load_settings
from arena.core import Arena, arena_of
from arena.types import Delta, Progress, Run
from tests.vllm.conftest import PATIENCE, QUESTION, SIZE, agree, free_port, page

OWN = """
models:
  tiny:
    title: A tiny Qwen2-VL
    adapter: transformers_chat
    source: {source}
    dtypes: [fp32]
    modes:
      transformers: {{}}
      vllm:
        container:
          {{name: {name}, port: {port}, max_model_len: 1024, enforce_eager: true, shm_size: 256m,
            start_budget_s: {patience}}}
    tasks: [ocr, question]
    options: {{family: qwen2_vl, image_processor: {{size: {size}}}}}
    params: {{max_new_tokens: 32}}
"""


@pytest.fixture(scope="module")
def image(venv: Path) -> str:
    """An image with vLLM in it, which stays for the next time."""
    import docker

    try:
        client = docker.from_env(timeout=PATIENCE)
    except docker.errors.DockerException as error:
        pytest.skip(f"no Docker Engine answers: {error}")
    started = time.monotonic()
    name = vllm_image.build(client, venv)
    print(f"\nimage {name}: {time.monotonic() - started:.0f} s")
    client.close()
    return name


@pytest.fixture(scope="module")
def arena(image: str, weights: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Arena]:
    home = tmp_path_factory.mktemp("arena")
    name, size = (
        f"arena-vllm-{uuid.uuid4().hex[:8]}",
        "{shortest_edge: %(shortest_edge)d, longest_edge: %(longest_edge)d}",
    )
    own = OWN.format(source=weights, name=name, port=free_port(), patience=PATIENCE, size=size % SIZE)
    (home / "own.yaml").write_text(own)
    told = {"ARENA_HOME": str(home), "ARENA_MODELS": str(home / "own.yaml"), "ARENA_VLLM_IMAGE": image}
    with arena_of(load_settings(told | {"ARENA_START_TIMEOUT": str(PATIENCE)})) as opened:
        yield opened


def request(arena: Arena, folder: Path, *names: str, prompt: str = QUESTION, **params: object) -> Request:
    sides = tuple(Side(arena.catalog.find(name), params) for name in names)
    return Request(sides, arena.images.add(page(folder)), arena.catalog.task("question"), prompt, anyway=True)


def test_both_modes_give_the_same_answer_and_both_are_rows(arena: Arena, tmp_path: Path) -> None:
    asked = request(arena, tmp_path, "tiny:transformers", "tiny:vllm")
    events = list(compare(arena, asked))
    a, b = (event for event in events if isinstance(event, Run))
    print(f"\nvLLM in a container: ready after {(b.timeline.start_s or 0) + (b.timeline.load_s or 0):.0f} s")
    assert a.status == b.status == "truncated", b.error_detail  # 32 tokens are not enough
    assert (a.mode, b.mode, b.adapter) == ("transformers", "vllm", "openai_chat")
    assert agree(a.text, b.text)
    for field in ("output_tokens", "prompt_tokens", "visual_tokens", "seen_width", "seen_height", "image_sha256"):
        assert getattr(a, field) == getattr(b, field), field
    assert b.retries == 0 and b.timeline.cold and b.library_versions["vllm"].startswith("0.32.0")
    phases = {event.phase for event in events if isinstance(event, Progress) and event.side == "B"}
    assert phases & {"loading", "warming", "starting"}
    with (tmp_path / "runs.csv").open("w+", encoding="utf-8-sig", newline="") as file:
        assert export.write_csv(arena.store.comparison(a.comparison_id), file) == 2
        file.seek(0)
        rows = {row["mode"]: row for row in csv.DictReader(file)}
    assert agree(rows["transformers"]["text"], rows["vllm"]["text"])


def test_a_stop_leaves_the_container_for_the_next_question(arena: Arena, tmp_path: Path) -> None:
    """Stopped in the middle of a long answer, it answers the next question without another start."""
    cancel = Cancel()
    for event in compare(
        arena, request(arena, tmp_path, "tiny:vllm", max_new_tokens=900, repetition_penalty=1.5), cancel
    ):
        if isinstance(event, Delta):
            cancel.set()
        elif isinstance(event, Run):
            assert event.status == "cancelled" and event.text
    (run,) = (event for event in compare(arena, request(arena, tmp_path, "tiny:vllm")) if isinstance(event, Run))
    assert run.status == "truncated" and run.timeline.cold is False


def test_the_container_is_gone_when_another_model_has_its_turn(arena: Arena, tmp_path: Path) -> None:
    import docker

    (run,) = (each for each in compare(arena, request(arena, tmp_path, "tiny:transformers")) if isinstance(each, Run))
    assert run.status == "truncated" and run.timeline.unload_s
    name = arena.catalog.find("tiny:vllm").in_mode("vllm").container.name
    client = docker.from_env()
    assert name not in [made.name for made in client.containers.list(all=True)]
    client.close()
