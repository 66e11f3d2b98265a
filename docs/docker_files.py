"""The parts of docker/ that come from the catalogue: a service and a path for every model that vLLM serves."""

from __future__ import annotations

import json
import os.path
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from arena import hub
from arena.catalog import load_catalog
from arena.config import VLLM_IMAGE, load_settings
from arena.gpu import Device
from arena.runtimes.vllm_command import CACHE, PORT, WEIGHTS, plan
from arena.runtimes.vllm_command import environment as told
from arena.spec import ModelSpec

DOCKER = Path(__file__).parent.parent / "docker"
NOWHERE = load_settings({"ARENA_HOME": str(Path(__file__).parent / "nowhere")})
SOME_GPU = Device(0, "", "0", None, "")
FIRST = "dots_ocr"  # what starts when nothing is asked for
TOGETHER = ("qwen3_vl_2b", "qwen2_vl_2b")  # what the profile multi-model adds


def served() -> list[ModelSpec]:
    """Every model of the catalogue in the mode ``vllm``, the first of the compose file first."""
    specs = load_catalog(NOWHERE).visible(dev=False)
    able = [spec for spec in specs if any(mode.name == "vllm" and mode.container for mode in spec.modes)]
    chosen = [spec.with_options(mode="vllm", quantization="none") for spec in able if not why_not(spec)]
    return sorted(chosen, key=lambda spec: spec.id != FIRST)


def why_not(spec: ModelSpec) -> bool:
    return bool(spec.in_mode("vllm").why_not)


def image() -> str:
    return f"  image: ${{ARENA_VLLM_IMAGE:-{VLLM_IMAGE}}}"


def environment() -> str:
    """What every server is told, as the program tells it."""
    return "\n".join(f"    {name}: {json.dumps(value)}" for name, value in told(SOME_GPU).items())


def services() -> str:
    """The services of the compose file."""
    return "\n".join(line for spec in served() for line in service(spec))


def service(spec: ModelSpec) -> Iterator[str]:
    container = spec.in_mode("vllm").container
    assert container  # noqa: S101 - `served` has none without
    of = plan(replace(spec, source="/"), NOWHERE, SOME_GPU, "")
    share, name = f"{container.gpu_memory_utilization:g}", spec.id.upper()
    # As the program starts it, but for two things that only a machine knows: the commit, and which GPU's share.
    command = [f"${{SHARE_{name}:-{share}}}" if word == share else word.replace("$", "$$") for word in of.command]
    if not spec.local:
        place = command.index("--model")
        command[place + 1] = spec.source
        place = command.index("--served-model-name")
        command[place + 1 : place + 2] = [spec.id, spec.source]
    gpu = f'{{driver: nvidia, device_ids: ["${{GPU_{name}:-0}}"], capabilities: [gpu]}}'
    yield f"  {container.name}: # {spec.title}, about {spec.vram_gb:g} GB"
    yield "    <<: *vllm"
    if spec.id != FIRST:
        yield f"    profiles: [{'multi-model' if spec.id in TOGETHER else spec.id}]"
    yield f"    container_name: {container.name}"
    yield f'    ports: ["127.0.0.1:{container.port}:{PORT}"]'
    yield f"    shm_size: {container.shm_size}"
    yield f"    healthcheck: {{<<: *healthy, start_period: {container.start_budget_s:g}s}}"
    yield f"    deploy: {{resources: {{reservations: {{devices: [{gpu}]}}}}}}"
    yield "    command:"
    # A page of some site that a browser here has open is no client.
    yield from (f"      - {json.dumps(word)}" for word in (*command, "--allowed-origins", "[]"))
    yield "    volumes:"
    for path, target in weights(spec):
        yield f'      - {{type: bind, read_only: true, source: "{path}", target: {target}}}'
    yield f"      - {{type: volume, source: vllm-cache, target: {CACHE}}}"
    yield ""


def weights(spec: ModelSpec) -> Iterator[tuple[str, str]]:
    """Where a model's files are on the machine, and where its server sees them."""
    if spec.local:
        yield os.path.relpath(spec.source, DOCKER), WEIGHTS
        return
    for source in (spec.source, *spec.also):
        folder = hub.repository(source).name
        yield f"${{HF_HUB_CACHE:-~/.cache/huggingface/hub}}/{folder}", f"{WEIGHTS}/{folder}"


def upstreams() -> str:
    """Where nginx finds the model that the path names."""
    rows = []
    for spec in served():
        container = spec.in_mode("vllm").container
        rows.append(f"        {spec.id:<20} {container.name if container else ''}:{PORT};")
    return "\n".join(rows)
