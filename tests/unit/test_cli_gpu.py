"""Who uses the GPU is told, ours from others', and only what is ours and nobody's is ended."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator

import psutil
import pytest

from arena.cancel import Cancel
from arena.cli import main
from arena.runtimes.process import ROOT, Interpreters

pytest_plugins = ("nvml",)

CARD = "gpu total=12288 used=300 name=Test_12GB uuid=GPU-a"

# A program that starts a worker, stops it in its tracks, so that it cannot see its program end, and dies.
DIES = """
import os, signal, sys
from arena.runtimes.process import Interpreters
worker = Interpreters(warm=False).start("fake")
print(worker.pid, flush=True)
os.kill(worker.pid, signal.SIGSTOP)
os._exit(0)
"""


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("ARENA_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("ARENA_RELEASE_TIMEOUT", "5")
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/absent.sock")
    monkeypatch.setenv("LANG", "en_US.UTF-8")
    for name in ("LC_ALL", "LC_MESSAGES"):
        monkeypatch.delenv(name, raising=False)


def ended(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


@pytest.fixture
def other() -> Iterator[int]:
    """A program of somebody else."""
    with subprocess.Popen(["sleep", "600"]) as process:
        yield process.pid
        process.kill()


@pytest.fixture
def orphan() -> Iterator[int]:
    """A worker whose program is gone."""
    environ = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", DIES], env=environ, stdout=subprocess.PIPE, check=True, timeout=30)
    pid = int(done.stdout)
    yield pid
    if not ended(pid):
        psutil.Process(pid).kill()


@pytest.fixture(params=[True, False], ids=["warm", "plain"])
def worker(request) -> Iterator[int]:
    """A worker of this program with a model."""
    interpreters = Interpreters(warm=request.param)
    worker = interpreters.start("fake")
    for _ in worker.wait_started(30, Cancel()):
        pass
    for _ in worker.load({"id": "qwen3_vl_2b", "options": {}}, 30, Cancel()):
        pass
    assert worker.pid
    yield worker.pid
    worker.kill()
    for _ in worker.wait_gone():
        pass
    interpreters.stop()


def told(capsys, *arguments: str) -> tuple[int, dict]:
    code = main(["gpu", "--json", *arguments])
    return code, json.loads(capsys.readouterr().out)


def test_without_a_gpu_it_says_why(capsys, nvml):
    assert main(["gpu"]) == 0
    assert "No NVIDIA GPU" in capsys.readouterr().out
    code, answer = told(capsys)
    assert code == 0 and answer["devices"] == [] and answer["reason"]


def test_a_worker_is_told_with_its_model_and_its_program(capsys, nvml, worker, other):
    nvml.write(CARD, f"process {worker} 900 while_alive", f"process {other} 500")
    _, answer = told(capsys)
    (device,) = answer["devices"]
    assert device["total_mb"] == 12288 and device["used_mb"] == 1700
    ours, theirs = device["processes"]
    assert (ours["kind"], ours["pid"], ours["mb"], ours["model"]) == ("worker", worker, 900, "qwen3_vl_2b")
    assert ours["program"] == os.getpid()
    assert (theirs["kind"], theirs["name"], theirs["mb"]) == ("other", "sleep", 500)
    assert theirs["user"] == psutil.Process().username()
    assert main(["gpu"]) == 0
    out = capsys.readouterr().out
    assert f"qwen3_vl_2b, in use by the arena with PID {os.getpid()}" in out and "sleep, user" in out


def test_what_is_in_use_and_what_is_others_is_left_alone(capsys, nvml, worker, other):
    nvml.write(CARD, f"process {worker} 900 while_alive", f"process {other} 500 while_alive")
    code = main(["gpu", "--free"])
    out = capsys.readouterr().out
    assert code == 1 and f"PID {worker} is in use" in out
    assert not ended(worker) and not ended(other)


def test_an_orphan_is_ended_and_its_memory_is_back(capsys, nvml, orphan, other):
    nvml.write(CARD, f"process {orphan} 900 while_alive", f"process {other} 500")
    _, answer = told(capsys)
    assert [each["kind"] for each in answer["devices"][0]["processes"]] == ["orphan", "other"]
    code, answer = told(capsys, "--free")
    assert code == 0 and str(orphan) in answer["ended"] and answer["devices"][0]["used_mb"] == 800
    assert ended(orphan) and not ended(other)
    assert str(orphan) not in told(capsys, "--free")[1]["ended"]


def test_a_program_that_only_looks_like_a_worker_is_not_ours(capsys, nvml, tmp_path):
    (tmp_path / "adapters").mkdir()
    (tmp_path / "adapters" / "worker.py").write_text("import time\nprint('there', flush=True)\ntime.sleep(600)\n")
    command = [sys.executable, "-m", "adapters.worker", "fake", "999999"]
    environ = {"PATH": os.environ["PATH"], "PYTHONPATH": str(tmp_path), "ARENA_TEST_SESSION": "-"}
    with subprocess.Popen(command, cwd=tmp_path, env=environ, stdout=subprocess.PIPE) as process:
        assert process.stdout and process.stdout.readline()
        nvml.write(CARD, f"process {process.pid} 900")
        code, answer = told(capsys, "--free")
        assert (
            code == 0
            and str(process.pid) not in answer["ended"]
            and answer["devices"][0]["processes"][0]["kind"] == "other"
        )
        assert process.poll() is None
        process.kill()


def test_what_the_driver_does_not_tell_is_said_to_be_unknown(capsys, nvml, other):
    nvml.write(CARD, f"process {other} 500 hidden")
    assert told(capsys)[1]["devices"][0]["processes"][0]["mb"] is None
    nvml.write(f"{CARD} process_error=3")
    assert told(capsys)[1]["devices"][0]["processes"] is None
    assert main(["gpu"]) == 0
    assert "does not say" in capsys.readouterr().out
