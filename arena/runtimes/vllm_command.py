"""What a model's vLLM container is made of: arguments, environment, mounts, limits. Decides, does nothing."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import psutil

from arena import hub, pins
from arena.config import Settings
from arena.errors import RunError
from arena.gpu import Device
from arena.runtimes import vllm_guard
from arena.runtimes.hold import owner
from arena.spec import ModelSpec

PORT = 8000  # inside the container
WEIGHTS, CACHE = "/weights", "/cache"
DTYPES = {"auto": "auto", "bf16": "bfloat16", "fp16": "float16", "fp32": "float32"}
IMAGES = 1  # of a request; every run has one
PIDS = 8192  # threads count: compilers and tokenizers start hundreds on a large machine
GIB = 2**30
GUARD, GUARD_FOLDER = Path(vllm_guard.__file__).resolve(), "/guard"


@dataclass(frozen=True)
class Plan:
    """A container before it is made. mounts: (source on this machine, place inside), read-only. volume: what it may
    write to, kept between starts. gpu: uuid, "" for none. memory_gib: the most it may take of the machine's memory."""

    name: str
    image: str
    model: str
    port: int
    command: tuple[str, ...]
    env: dict[str, str]
    mounts: tuple[tuple[str, str], ...]
    volume: str
    shm_size: str
    gpu: str
    memory_gib: int

    @property
    def digest(self) -> str:
        """The same for containers that are interchangeable."""
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()[:16]


def plan(spec: ModelSpec, settings: Settings, gpu: Device | None, image: str) -> Plan:
    """How `spec` is served from `image`. Raises `RunError`: no weights here, a quantization."""
    container = spec.in_mode(spec.mode).container
    if container is None:
        raise RunError("unavailable", key="vllm.no_container", model=spec.id)
    if spec.quantization != "none":
        raise RunError("bad_input", key="vllm.no_quantization", quantization=spec.quantization)
    which, mounts = weights(spec, settings)
    options = {
        **which,
        "--served-model-name": spec.id,
        "--host": "0.0.0.0",  # noqa: S104 - inside; outside it is published on 127.0.0.1 alone
        "--port": str(PORT),
        "--max-model-len": str(container.max_model_len),
        "--dtype": DTYPES[spec.dtype],
        "--limit-mm-per-prompt": json.dumps({"image": IMAGES}),
        "--trust-request-mm-kwargs": "",  # the only client that has the key is ours
    }
    if processor := spec.options.get("image_processor"):  # as many pixels as transformers gives the model
        options["--mm-processor-kwargs"] = json.dumps(processor)
    if gpu:
        options["--gpu-memory-utilization"] = f"{container.gpu_memory_utilization:g}"
    if container.enforce_eager:
        options["--enforce-eager"] = ""
    # What the catalogue's flags say themselves is not said twice.
    named = {flag.partition("=")[0] for flag in container.flags}
    said = [part for name, value in options.items() if name not in named for part in (name, value) if part]
    env = environment(gpu)
    if sleeps(settings, gpu):
        # Whatever flags the catalogue adds, nobody without the key reaches what the developers' mode opens.
        said += ["--enable-sleep-mode", "--middleware", f"{GUARD.stem}.{vllm_guard.Guard.__name__}"]
        env |= {"VLLM_SERVER_DEV_MODE": "1", "PYTHONPATH": GUARD_FOLDER}
        mounts += ((str(GUARD), f"{GUARD_FOLDER}/{GUARD.name}"),)
    total = psutil.virtual_memory().total // GIB
    return Plan(
        name=container.name,
        image=image,
        model=spec.id,
        port=container.port,
        command=(*said, *container.flags),
        env=env,
        mounts=mounts,
        volume=volume(),
        shm_size=container.shm_size,
        gpu=gpu.uuid if gpu else "",
        memory_gib=max(1, min(total - 1, total * 9 // 10)),  # the rest keeps this program and the desktop alive
    )


def sleeps(settings: Settings, gpu: Device | None) -> bool:
    """Whether containers are brought up so that they can be put to sleep; without a GPU there is nothing to gain."""
    return settings.vllm_sleep and gpu is not None


def weights(spec: ModelSpec, settings: Settings) -> tuple[dict[str, str], tuple[tuple[str, str], ...]]:
    """The arguments that name the model, and the folders it is read from: its own repositories and no others."""
    if spec.local:
        return {"--model": WEIGHTS}, ((str(Path(spec.source).resolve()), WEIGHTS),)
    files = hub.snapshot(spec.source, pins.revision_to_load(spec, settings.home))
    if files is None:
        command = f"python -m arena models download {spec.id}"
        raise RunError("unavailable", key="vllm.no_weights", model=spec.id, command=command)
    commit = files.name
    folders = (hub.repository(source).resolve() for source in (spec.source, *spec.also))
    mounts = tuple((str(folder), f"{WEIGHTS}/{folder.name}") for folder in folders)
    # The code that comes with a model is of the same commit as its weights.
    return {"--model": spec.source, "--revision": commit, "--code-revision": commit}, mounts


def environment(gpu: Device | None) -> dict[str, str]:
    """Nothing is fetched inside and nothing reported; what vLLM compiles is kept for the next start."""
    env = {
        "HF_HUB_OFFLINE": "1",
        "HF_HUB_CACHE": WEIGHTS,
        "HF_HOME": f"{CACHE}/huggingface",
        "VLLM_CACHE_ROOT": f"{CACHE}/vllm",
        "TRITON_CACHE_DIR": f"{CACHE}/triton",
        "VLLM_NO_USAGE_STATS": "1",
        "DO_NOT_TRACK": "1",
    }
    # GiB for the cache of attention; threads are left to the scheduler, for we are not alone on the machine.
    return env if gpu else env | {"VLLM_CPU_KVCACHE_SPACE": "1", "VLLM_CPU_OMP_THREADS_BIND": "nobind"}


def volume() -> str:
    return f"vlm-arena-{owner()}"


def arguments(of: Plan, key: str, labels: dict[str, str]) -> dict[str, Any]:
    """The same for `docker.models.containers.ContainerCollection.create`; `key` guards the server's API."""
    from docker.types import DeviceRequest, LogConfig, Mount

    mounts = [Mount(place, source, type="bind", read_only=True) for source, place in of.mounts]
    return {
        "image": of.image,
        "command": list(of.command),
        "name": of.name,
        "labels": labels,
        "environment": of.env | {"VLLM_API_KEY": key},
        "ports": {f"{PORT}/tcp": ("127.0.0.1", of.port)},
        "mounts": [*mounts, Mount(CACHE, of.volume, type="volume", labels={"org.vlm-arena.role": "vllm-cache"})],
        "device_requests": [DeviceRequest(device_ids=[of.gpu], capabilities=[["gpu"]])] if of.gpu else None,
        "shm_size": of.shm_size,
        "ipc_mode": "private",
        "restart_policy": {"Name": "no"},
        "init": True,
        "cap_drop": ["ALL"],
        "cap_add": ["DAC_OVERRIDE"],  # weights that only their owner may read are read by root of the container
        "security_opt": ["no-new-privileges:true"],
        "pids_limit": PIDS,
        "mem_limit": f"{of.memory_gib}g",
        "log_config": LogConfig(type="json-file", config={"max-size": "10m", "max-file": "2"}),
        "detach": True,
    }
