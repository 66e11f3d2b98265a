"""What is decided about vLLM's container before Docker is asked: arguments, limits, phases, the lock, the image."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from dataclasses import replace

import pytest

from arena import pins
from arena.cancel import Cancel
from arena.config import VLLM_IMAGE, load_settings
from arena.errors import RunError
from arena.gpu import Device, Gpus
from arena.runtimes import docker_host, starts, vllm_image, vllm_log
from arena.runtimes import hold as hold_module
from arena.runtimes.background import Background
from arena.runtimes.handle import Sign
from arena.runtimes.hold import Hold, owner
from arena.runtimes.room import wait_for_room
from arena.runtimes.vllm_command import arguments, plan, volume
from arena.spec import ContainerSpec, Mode, ModelSpec
from arena.status import model_status

pytest_plugins = ("nvml",)

GPU = Device(0, "Test", "GPU-1234", 12 * 1024.0, "1")
CONTAINER = ContainerSpec("vllm-m", 8010, max_model_len=2048, gpu_memory_utilization=0.7)


@pytest.fixture
def model(tmp_path):
    def make(*flags, **fields):
        (tmp_path / "weights").mkdir(exist_ok=True)
        mode = Mode("vllm", {"none": 6.0}, adapter="openai_chat", container=replace(CONTAINER, flags=flags, **fields))
        return ModelSpec("m", "M", "openai_chat", str(tmp_path / "weights"), modes=(mode,), mode="vllm")

    return make


@pytest.fixture
def state(tmp_path, monkeypatch):
    """A lock of the test's own."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


# --- arguments


def option(command, name):
    return command[command.index(name) + 1]


@pytest.mark.battery("M2")
def test_the_arguments_are_those_of_the_catalogue(model, settings) -> None:
    made = plan(model("--trust-remote-code"), settings, GPU, "i")
    assert option(made.command, "--model") == "/weights"
    assert option(made.command, "--served-model-name") == "m"
    assert option(made.command, "--max-model-len") == "2048"
    assert option(made.command, "--gpu-memory-utilization") == "0.7"
    assert json.loads(option(made.command, "--limit-mm-per-prompt")) == {"image": 1}
    assert arguments(made, "k", {})["command"] == list(made.command), "no shell reads it"
    assert made.command[-1] == "--trust-remote-code" and "--enforce-eager" not in made.command
    assert made.gpu == "GPU-1234" and "VLLM_CPU_KVCACHE_SPACE" not in made.env
    assert "--enforce-eager" in plan(model(enforce_eager=True), settings, GPU, "i").command


def test_without_a_gpu_none_is_asked_for(model, settings) -> None:
    made = plan(model(), settings, None, "i")
    assert "--gpu-memory-utilization" not in made.command and made.env["VLLM_CPU_KVCACHE_SPACE"] == "1"
    assert arguments(made, "k", {})["device_requests"] is None


def test_a_flag_of_the_catalogue_is_said_once(model, settings) -> None:
    made = plan(model("--max-model-len", "512", "--limit-mm-per-prompt={}"), settings, GPU, "i")
    assert made.command.count("--max-model-len") == 1 and option(made.command, "--max-model-len") == "512"
    assert "--limit-mm-per-prompt" not in made.command


def test_the_number_format_is_passed_on_and_a_quantization_refused(model, settings) -> None:
    assert option(plan(replace(model(), dtype="bf16"), settings, GPU, "i").command, "--dtype") == "bfloat16"
    with pytest.raises(RunError) as refused:
        plan(replace(model(), quantization="4bit"), settings, GPU, "i")
    assert refused.value.kind == "bad_input"


def test_the_container_is_confined(model, settings) -> None:
    made = plan(model(), settings, GPU, "i")
    told = arguments(made, "secret", {"a": "b"})
    assert told["ports"] == {"8000/tcp": ("127.0.0.1", 8010)}
    assert told["restart_policy"] == {"Name": "no"} and told["ipc_mode"] == "private" and "privileged" not in told
    assert told["cap_drop"] == ["ALL"] and told["security_opt"] == ["no-new-privileges:true"]
    assert [mount["ReadOnly"] for mount in told["mounts"]] == [True, False]
    assert told["device_requests"][0]["DeviceIDs"] == ["GPU-1234"]
    assert told["environment"]["HF_HUB_OFFLINE"] == "1" and told["environment"]["VLLM_API_KEY"] == "secret"
    assert "secret" not in made.digest and "secret" not in json.dumps(made.env)


@pytest.mark.battery("D11")
def test_only_interchangeable_containers_have_one_digest(model, settings) -> None:
    made = plan(model(), settings, GPU, "i")
    assert made.digest == plan(model(), settings, GPU, "i").digest
    others = [
        plan(model(), settings, GPU, "another image"),
        plan(model("--flag"), settings, GPU, "i"),
        plan(model(port=8011), settings, GPU, "i"),
        plan(model(), settings, None, "i"),
    ]
    assert len({made.digest, *(other.digest for other in others)}) == 5


def test_weights_of_the_hub_are_mounted_alone_and_at_their_commit(settings, tmp_path, monkeypatch) -> None:
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    folder = tmp_path / "models--owner--name"
    (folder / "snapshots" / "c0ffee").mkdir(parents=True)
    (folder / "refs").mkdir()
    (folder / "refs" / "main").write_text("c0ffee")
    mode = Mode("vllm", container=CONTAINER)
    spec = ModelSpec("m", "M", "openai_chat", "owner/name", "main", modes=(mode,), mode="vllm")
    with pytest.raises(RunError) as absent:
        plan(spec, settings, GPU, "i")
    assert absent.value.key == "vllm.no_weights"
    for name in ("config.json", "model.safetensors"):
        (folder / "snapshots" / "c0ffee" / name).write_text("{}")
    made = plan(spec, settings, GPU, "i")
    assert option(made.command, "--revision") == option(made.command, "--code-revision") == "c0ffee"
    assert made.mounts == ((str(folder), "/weights/models--owner--name"),)
    assert made.env["HF_HUB_CACHE"] == "/weights"


# --- the status


@pytest.fixture
def machine(nvml, tmp_path, monkeypatch):
    """A machine with a GPU, no Docker yet, and what opens its socket."""
    monkeypatch.delenv("DOCKER_HOST", raising=False)
    monkeypatch.setattr(docker_host, "SOCKETS", (str(tmp_path / "docker.sock"),))
    nvml.write("gpu total=12288 used=300 name=Test uuid=GPU-1234")
    gpus = Gpus()
    with socket.socket(socket.AF_UNIX) as door:

        def start() -> None:
            door.bind(str(tmp_path / "docker.sock"))
            door.listen()

        yield gpus, start
    gpus.close()


@pytest.mark.battery("D1")
def test_a_container_needs_docker_then_weights(model, settings, machine) -> None:
    gpus, start_docker = machine
    found = model_status(model(), settings, gpus)
    assert (found.code, found.command) == ("needs_docker", "sudo apt-get install docker.io")
    start_docker()
    assert model_status(model(), settings, gpus).ready
    elsewhere = replace(model(), source="owner/name", revision="main")
    assert model_status(elsewhere, settings, gpus).code == "needs_download"


@pytest.mark.battery("D1")
def test_a_docker_that_is_closed_to_the_user_is_opened_by_a_command(model, settings, machine, monkeypatch) -> None:
    gpus, start_docker = machine
    start_docker()
    monkeypatch.setattr(os, "access", lambda path, mode: False)  # the tests may run as root, to whom all is open
    found = model_status(model(), settings, gpus)
    assert (found.code, found.command) == ("needs_docker", "sudo usermod -aG docker $USER")
    assert "let this user in" in found.text()


@pytest.mark.battery("D1")
def test_a_docker_that_is_not_running_is_started_by_a_command(model, settings, machine, tmp_path) -> None:
    with socket.socket(socket.AF_UNIX) as ended:
        ended.bind(str(tmp_path / "docker.sock"))
    found = model_status(model(), settings, machine[0])
    assert (found.code, found.command) == ("needs_docker", "sudo systemctl start docker")
    assert "not running" in found.text() and "не запущен" in found.text("ru")


def test_the_ordinary_image_needs_a_gpu_and_one_for_the_cpu_does_not(model, settings, machine, nvml) -> None:
    machine[1]()
    nvml.write()
    gpus = Gpus()
    found = model_status(model(), settings, gpus)
    assert found.code == "does_not_fit" and "ARENA_VLLM_IMAGE" in found.text("ru")
    assert model_status(model(), replace(settings, vllm_image="vllm-cpu:mine"), gpus).key == "ready_cpu"
    gpus.close()


# --- the log


@pytest.mark.parametrize(
    ("line", "phase"),
    [
        ("INFO 11-21 07:00:01 [cpu_model_runner.py:68] Starting to load model Qwen/Qwen2-VL...", "loading"),
        ("Loading safetensors checkpoint shards:  50% Completed | 1/2 [00:01<00:01]", "loading"),
        ("INFO [backends.py:1167] Dynamo bytecode transform time: 7.52 s", "compiling"),
        ("Capturing CUDA graphs (mixed prefill-decode, PIECEWISE):  12%|##", "compiling"),
        ("INFO [core.py:403] init engine (profile, create kv cache, warmup model) took 34.51 s", "warming"),
        ("INFO:     Application startup complete.", "warming"),
        ("nothing that is known", "before"),
    ],
)
def test_the_log_tells_the_phase(line, phase) -> None:
    assert vllm_log.phase(["INFO vLLM API server version 0.32.0", line][phase == "before" :], "before") == phase


def test_the_log_is_fit_to_be_shown() -> None:
    raw = "\x1b[1;36m(EngineCore)\x1b[0m one\r\n 10%|#\r 90%|###\nbell\x07\x00 <b>\x9b31m\n\n\x1b]0;title\x07last"
    assert vllm_log.cleaned(raw) == ["(EngineCore) one", " 90%|###", "bell <b>31m", "last"]


def test_the_log_tells_a_lack_of_memory() -> None:
    line = (
        "ValueError: Free memory on device cuda:0 (3.1/11.6 GiB) on startup is less than desired GPU memory utilization"
    )
    assert vllm_log.lacked_memory(line) and not vllm_log.lacked_memory("No supported config format")


# --- starts


def test_the_limit_follows_the_starts_that_were_seen(tmp_path) -> None:
    assert (
        starts.expected(tmp_path, "m", CONTAINER)
        == CONTAINER.start_budget_s
        == starts.limit(tmp_path, "m", CONTAINER, 1)
    )
    assert starts.limit(tmp_path, "m", CONTAINER, 600) == 600
    for seconds in (900.0, 50.0, 300.0, 60.0, 70.0, 80.0):
        starts.note(tmp_path, "m", seconds)
    assert starts.seen(tmp_path, "m") == [50.0, 300.0, 60.0, 70.0, 80.0], "the last five"
    assert starts.expected(tmp_path, "m", CONTAINER) == 70.0
    assert starts.limit(tmp_path, "m", CONTAINER, 600) == 900.0
    assert starts.seen(tmp_path, "other") == []


@pytest.mark.parametrize("content", ["", "[", "m: x", "- m", "m: [x]", "\x00"])
def test_a_damaged_file_of_starts_costs_an_estimate_only(tmp_path, content) -> None:
    (tmp_path / starts.FILE).write_text(content)
    assert starts.expected(tmp_path, "m", CONTAINER) == CONTAINER.start_budget_s
    starts.note(tmp_path, "m", 5)
    assert starts.seen(tmp_path, "m") == [5.0]


# --- the image


@pytest.mark.parametrize(
    ("reference", "parts"),
    [
        ("vllm/vllm-openai:v0.32.0", ("vllm/vllm-openai", "v0.32.0")),
        ("localhost:5000/vllm", ("localhost:5000/vllm", "latest")),
        ("localhost:5000/vllm:1", ("localhost:5000/vllm", "1")),
        ("mine", ("mine", "latest")),
    ],
)
def test_a_reference_is_a_name_and_a_tag(reference, parts) -> None:
    assert vllm_image.split(reference) == parts


def test_an_image_is_pinned_beside_the_commits(tmp_path) -> None:
    pins.write({"owner/name@main": "c" * 40}, tmp_path)
    assert vllm_image.pinned(VLLM_IMAGE, tmp_path) == ""
    pins.pin(vllm_image.entry(VLLM_IMAGE), tmp_path, "sha256:1")
    assert vllm_image.pinned(VLLM_IMAGE, tmp_path) == "sha256:1"
    pins.unpin(vllm_image.entry(VLLM_IMAGE), tmp_path)
    assert pins.read(tmp_path) == {"owner/name@main": "c" * 40}
    assert vllm_image.pinned("name@sha256:2", tmp_path) == "sha256:2"


def test_the_image_is_a_setting(tmp_path) -> None:
    told = {"ARENA_HOME": str(tmp_path)}
    assert load_settings(told).vllm_image == VLLM_IMAGE
    assert load_settings(told | {"ARENA_VLLM_IMAGE": "mine:1"}).vllm_image == "mine:1"


def test_a_pull_counts_the_layers_that_are_known() -> None:
    layers: dict[str, tuple[int, int]] = {}
    assert vllm_image.progress(layers, {"status": "Pulling from x"}) == ""
    loading = {"id": "a", "status": "Downloading", "progressDetail": {"current": 1_000_000_000, "total": 4_000_000_000}}
    assert vllm_image.progress(layers, loading) == "25 %, 1.0 / 4.0 GB"
    assert vllm_image.progress(layers, {"id": "a", "status": "Download complete"}) == "100 %, 4.0 / 4.0 GB"


# --- the lock


def test_one_holds_at_a_time_and_the_lock_dies_with_its_holder(state) -> None:
    code = "from arena.runtimes.hold import Hold; h = Hold(); h.take(); print('held', flush=True); input()"
    other = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        assert other.stdout and other.stdout.readline() == "held\n"
        with pytest.raises(RunError) as busy:
            Hold().take()
        assert busy.value.kind == "busy" and str(other.pid) in busy.value.text("ru")
    finally:
        other.kill()
        other.communicate()
    mine = Hold()
    mine.take()
    mine.take()  # once more is no harm
    with pytest.raises(RunError):
        Hold().take()
    mine.give_back()
    Hold().take()


def test_containers_belong_to_a_user_and_a_home(state, tmp_path, monkeypatch) -> None:
    mine = owner()
    assert volume() == f"vlm-arena-{mine}" and hold_module.folder().is_relative_to(tmp_path)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "another"))
    assert owner() != mine


# --- work in the background


def test_work_in_the_background_gives_signs_and_its_error() -> None:
    def work():
        yield Sign("pulling", "1 %")
        raise RunError("start_failed", "it broke")

    with pytest.raises(RunError, match="it broke"):
        for _ in Background(work(), "test").wait():
            pass


def test_work_in_the_background_is_left_at_once() -> None:
    ended = []

    def work():
        try:
            while True:
                yield Sign("pulling")
        finally:
            ended.append(True)

    cancel = Cancel()
    background = Background(work(), "test")
    with pytest.raises(RunError) as stopped:
        for _ in background.wait(cancel):
            cancel.set()
    assert stopped.value.kind == "cancelled" and not background.done
    background.stop()
    for _ in background.wait():
        pass
    assert ended


# --- the GPU's memory


def test_too_little_memory_is_said_with_both_figures(nvml) -> None:
    nvml.write("gpu total=12288 used=6000 name=Test uuid=GPU-1234")
    gpus = Gpus()
    (gpu,) = gpus.devices()
    with pytest.raises(RunError) as full:
        for _ in wait_for_room(gpu, 0.7, 0.0):
            pass
    assert full.value.kind == "out_of_memory"
    assert "8.4 GB" in full.value.text() and "6.1 GB" in full.value.text()
    assert list(wait_for_room(gpu, 0.3, 0.0)) == []
    assert list(wait_for_room(None, 0.9, 0.0)) == []
    gpus.close()
