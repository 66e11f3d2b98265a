"""Gpus: every machine it may meet, and the proof that a model's memory came back."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from arena.gpu import TOLERANCE_MB, Gpus, Unreleased
from arena.strings import tr

if TYPE_CHECKING:
    from nvml import Nvml

pytest_plugins = ("nvml",)

ROOT = Path(__file__).parents[2]
CARD = "gpu total=12288 used=300 reserved=400 name=Test_12GB uuid=GPU-aaaa"
OTHER = os.getpid()  # a process that lives and is not the worker
OWN = 2**22 + 1  # the worker, already gone: above the largest pid that Linux gives
NOBODY = 2**22 + 2  # a process of another pid namespace


@pytest.fixture
def gpus(nvml: Nvml) -> Iterator[Gpus]:
    found = Gpus()
    yield found
    found.close()


def in_child(code: str, environ: dict[str, str]) -> str:
    done = subprocess.run(
        [sys.executable, "-c", f"from arena.gpu import Gpus\ngpus = Gpus()\n{code}"],
        env=os.environ | environ,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


# --- no driver, no GPU, figures that are not there, divided GPUs, several GPUs


@pytest.mark.battery("G9")
def test_a_machine_without_the_library_has_no_gpu_and_says_so(tmp_path: Path) -> None:
    (tmp_path / "libnvidia-ml.so.1").touch()  # found first and no library: the loader refuses it
    said = in_child(
        "print(gpus.devices(), gpus.used_mb(0), gpus.processes(0), gpus.held_by(0), gpus.baseline(0), sep='|')\n"
        "print(gpus.reason)\ngpus.close()",
        {"LD_LIBRARY_PATH": str(tmp_path)},
    )
    assert said == f"()|None|None|[]|None\n{tr('gpu.no_driver')}"


def test_a_child_process_gets_the_machine_of_the_test(nvml: Nvml) -> None:
    nvml.write(CARD)
    assert (
        in_child("print(gpus.devices()[0].name, gpus.used_mb(0), gpus.reason)", nvml.environ) == "Test 12GB 300.0 None"
    )


@pytest.mark.battery("G9")
@pytest.mark.parametrize(
    ("code", "key"), [(9, "not_loaded"), (18, "mismatch"), (4, "no_permission"), (999, "failed"), (77, "failed")]
)
def test_a_driver_that_does_not_start_is_told_in_words(nvml: Nvml, gpus: Gpus, code: int, key: str) -> None:
    nvml.write(f"init {code}", CARD)
    assert gpus.devices() == ()
    assert gpus.used_mb(0) is gpus.processes(0) is gpus.baseline(0) is None
    for lang in ("en", "ru"):
        start = tr(f"gpu.{key}", lang).partition("{")[0]
        assert (gpus.reason_text(lang) or "").startswith(start)
    assert gpus.reason == gpus.reason_text("en")
    assert "{" not in str(gpus.reason)


@pytest.mark.battery("G9")
def test_a_driver_without_gpus(nvml: Nvml, gpus: Gpus) -> None:
    nvml.write("driver 595.1")
    assert gpus.devices() == ()
    assert gpus.reason == tr("gpu.none")


def test_one_gpu(nvml: Nvml, gpus: Gpus) -> None:
    nvml.write("driver 580.65.06", CARD, f"process {OTHER} 1000")
    (device,) = gpus.devices()
    assert (device.index, device.name, device.uuid) == (0, "Test 12GB", "GPU-aaaa")
    assert (device.total_mb, device.driver) == (12288, "580.65.06")
    assert gpus.used_mb(0) == 1300  # without what the driver keeps for itself
    assert gpus.processes(0) == {OTHER: 1000}
    assert gpus.reason is None
    assert gpus.used_mb(1) is gpus.used_mb(-1) is gpus.processes(1) is gpus.baseline(1) is None


def test_an_old_driver_counts_its_own_share_too(nvml: Nvml, gpus: Gpus) -> None:
    nvml.write(CARD + " memory_v2_error=13")
    assert gpus.devices()[0].total_mb == 12288
    assert gpus.used_mb(0) == 700


def test_memory_shared_with_the_cpu_has_no_total(nvml: Nvml, gpus: Gpus) -> None:
    nvml.write("gpu name=Shared uuid=GPU-s memory_error=3", f"process {OTHER} 200")
    assert gpus.devices()[0].total_mb is None
    assert gpus.used_mb(0) is None
    assert gpus.processes(0) == {OTHER: 200}


@pytest.mark.battery("G9")
def test_processes_without_figures(nvml: Nvml, gpus: Gpus) -> None:
    nvml.write(CARD, "process 10 500 hidden", "process 11 0", "process 12 600", "graphics 12 600", "graphics 13 20")
    assert gpus.processes(0) == {10: None, 11: None, 12: 600, 13: 20}
    assert gpus.held_by(0)[:2] == [(12, 600), (13, 20)]
    assert sorted(gpus.held_by(0)[2:]) == [(10, None), (11, None)]


@pytest.mark.battery("G9")
def test_no_list_of_processes(nvml: Nvml, gpus: Gpus) -> None:
    nvml.write(CARD + " process_error=3")
    assert gpus.processes(0) is None
    assert gpus.held_by(0) == []


TWO = ("gpu total=8000 used=1 name=A uuid=GPU-aaaa", "process 10 100", "gpu total=9000 used=2 name=B uuid=GPU-bbbb")


@pytest.mark.battery("G9")
def test_two_gpus_are_apart(nvml: Nvml, gpus: Gpus) -> None:
    nvml.write(*TWO)
    assert [device.name for device in gpus.devices()] == ["A", "B"]
    assert [gpus.used_mb(0), gpus.used_mb(1)] == [101, 2]
    assert [gpus.processes(0), gpus.processes(1)] == [{10: 100}, {}]


@pytest.mark.parametrize(
    ("variable", "names"),
    [
        ("1", "B"),
        ("1,0", "BA"),
        ("GPU-b", "B"),
        ("GPU-bbbb, 0", "BA"),
        ("0,7,1", "A"),
        ("", ""),
        ("-1", ""),
        ("x,0", ""),
    ],
)
def test_cuda_visible_devices_is_obeyed(nvml: Nvml, variable: str, names: str) -> None:
    nvml.write(*TWO)
    gpus = Gpus({"CUDA_VISIBLE_DEVICES": variable})
    assert "".join(device.name for device in gpus.devices()) == names
    assert [device.index for device in gpus.devices()] == list(range(len(names)))
    assert gpus.reason == (None if names else tr("gpu.hidden", value=variable))
    if names.startswith("B"):
        assert gpus.used_mb(0) == 2
    gpus.close()


@pytest.mark.battery("G9")
def test_a_divided_gpu_gives_its_instances(nvml: Nvml, gpus: Gpus) -> None:
    nvml.write(
        "gpu total=81920 name=Big uuid=GPU-m mig=1 memory_error=4 process_error=4",
        "mig total=20000 used=20 name=Big_1g uuid=MIG-1",
        "process 10 700",
        "mig total=40000 used=40 name=Big_2g uuid=MIG-2",
        "gpu total=8000 used=1 name=Whole uuid=GPU-w",
    )
    assert [(device.index, device.uuid) for device in gpus.devices()] == [(0, "MIG-1"), (1, "MIG-2"), (2, "GPU-w")]
    assert [gpus.used_mb(index) for index in range(3)] == [720, 40, 1]
    assert gpus.processes(0) == {10: 700}
    assert gpus.processes(1) == {}
    by_number = Gpus({"CUDA_VISIBLE_DEVICES": "1"})
    assert [device.uuid for device in by_number.devices()] == ["GPU-w"]
    by_number.close()


@pytest.mark.battery("G9")
def test_a_divided_gpu_without_instances_is_no_device(nvml: Nvml, gpus: Gpus) -> None:
    nvml.write("gpu total=81920 name=Big uuid=GPU-m mig=1")
    assert gpus.devices() == ()
    assert gpus.reason == tr("gpu.none")


def test_a_gpu_that_does_not_answer_is_left_out(nvml: Nvml, gpus: Gpus) -> None:
    nvml.write("gpu name=Lost uuid=GPU-l handle_error=15", CARD)
    assert [device.uuid for device in gpus.devices()] == ["GPU-aaaa"]
    assert gpus.used_mb(0) == 300


def test_a_driver_that_goes_away_leaves_none(nvml: Nvml, gpus: Gpus) -> None:
    nvml.write(CARD)
    baseline = gpus.baseline(0)
    assert baseline
    nvml.write("init 15")
    assert gpus.used_mb(0) is gpus.processes(0) is None
    assert gpus.unreleased(baseline, [OWN]) == Unreleased(None, None)
    assert gpus.unreleased_mb(baseline, [OWN]) is None


def test_many_threads_start_the_driver_once(nvml: Nvml) -> None:
    nvml.write(CARD)
    gpus, gate, seen = Gpus(), threading.Barrier(16), []

    def work() -> None:
        gate.wait()
        for _ in range(20):
            seen.append((len(gpus.devices()), gpus.used_mb(0), gpus.processes(0)))

    threads = [threading.Thread(target=work) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == [(1, 300, {})] * 320
    assert (nvml.inits, nvml.shutdowns) == (1, 0)
    gpus.close()
    gpus.close()
    assert (nvml.inits, nvml.shutdowns) == (1, 1)
    assert gpus.devices() == ()
    assert gpus.used_mb(0) is None


def test_closing_twice_takes_the_driver_from_nobody_else(nvml: Nvml, gpus: Gpus) -> None:
    nvml.write(CARD)
    other = Gpus()
    assert gpus.used_mb(0) == other.used_mb(0) == 300
    other.close()
    other.close()
    assert gpus.used_mb(0) == 300


def test_nothing_is_asked_before_the_first_question(nvml: Nvml) -> None:
    nvml.write(CARD)
    Gpus().close()
    assert (nvml.inits, nvml.shutdowns) == (0, 0)


# --- memory that does not come back, and foreign programs


@pytest.mark.battery("G8")
@pytest.mark.parametrize(
    ("then", "now", "mb", "source"),
    [
        ([], [], 0, "process"),
        ([], [f"process {OWN} 5000"], 5000, "process"),
        ([], ["used +5000"], 5000, "process"),  # gone from the list, its memory not yet back
        ([], ["used +64"], 0, "process"),
        ([], ["used +65"], 65, "process"),
        ([], [f"process {OTHER} 3000"], 0, "process"),
        ([], [f"graphics {OTHER} 3000"], 0, "process"),
        ([], [f"process {OTHER} 3000", f"process {OWN} 500"], 500, "process"),
        ([f"process {OTHER} 3000"], [], 0, "process"),
        ([f"process {OTHER} 3000"], ["used +2000"], 2000, "process"),  # what it gave back hides nothing
        ([f"process {OTHER} 3000"], [f"process {OTHER} 4000"], 0, "process"),
        ([], [f"process {NOBODY} 5000"], 5000, "device"),
        ([], ["process 4294967295 5000"], 5000, "device"),
        ([f"process {NOBODY} 700"], [f"process {NOBODY} 700"], 0, "process"),
        ([], [f"process {OWN} 5000 hidden"], 5000, "process"),
        ([], [f"process {OTHER} 5000 hidden"], 5000, "device"),
        ([f"process {OTHER} 900 hidden"], [f"process {OTHER} 900 hidden"], 0, "device"),
        ([f"process {OTHER} 900 hidden"], [], 0, "device"),
        (["process_error=3"], ["process_error=3", "used +800"], 800, "device"),
        (["process_error=3"], ["process_error=3"], 0, "device"),
        (["memory_error=3"], ["memory_error=3", f"process {OWN} 40"], 40, "process"),
        (["memory_error=3"], ["memory_error=3", f"process {NOBODY} 40"], 40, "process"),
        (["memory_error=3"], ["memory_error=3", f"process {OTHER} 900"], 0, "process"),
        (["memory_error=3"], ["memory_error=3", f"process {OWN} 900 hidden"], None, None),
        (["memory_error=3 process_error=3"], ["memory_error=3 process_error=3"], None, None),
    ],
)
def test_what_is_unreleased(
    nvml: Nvml, gpus: Gpus, then: list[str], now: list[str], mb: float | None, source: str | None
) -> None:
    def put(lines: list[str]) -> None:
        extra = sum(int(line.split("+")[1]) for line in lines if line.startswith("used"))
        keys = " ".join(line for line in lines if "error" in line)
        processes = [line for line in lines if line.startswith(("process ", "graphics "))]
        nvml.write(f"gpu total=12288 used={300 + extra} name=T uuid=GPU-a {keys}", *processes)

    put(then)
    baseline = gpus.baseline(0)
    assert baseline
    put(now)
    assert gpus.unreleased(baseline, [OWN]) == Unreleased(mb, source)
    assert gpus.unreleased_mb(baseline, [OWN]) == mb


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    foreign=st.lists(st.tuples(st.integers(1, 2000), st.integers(0, 2000)), max_size=2),
    own=st.integers(0, 4000),
    drift=st.integers(-60, 60),
)
def test_foreign_growth_neither_blames_nor_hides(
    nvml: Nvml, foreign: list[tuple[int, int]], own: int, drift: int
) -> None:
    living = [OTHER, os.getppid()]
    gpus = Gpus()
    nvml.write(CARD, *(f"process {pid} {before}" for pid, (before, _) in zip(living, foreign, strict=False)))
    baseline = gpus.baseline(0)
    assert baseline
    card = CARD.replace("used=300", f"used={300 + drift}")
    after = [f"process {pid} {mb}" for pid, (_, mb) in zip(living, foreign, strict=False) if mb]
    nvml.write(card, *after, f"process {OWN} {own}")
    held = own + drift
    assert gpus.unreleased(baseline, [OWN]) == Unreleased(held if held > TOLERANCE_MB else 0, "process")
    gpus.close()


@pytest.mark.battery("G8")
def test_a_killed_worker_gives_back_and_one_that_does_not_is_named(nvml: Nvml, gpus: Gpus) -> None:
    nvml.write(CARD)
    baseline = gpus.baseline(0)
    assert baseline
    worker = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    nvml.write(CARD, f"process {worker.pid} 4000 while_alive", f"process {OTHER} 1000")
    assert gpus.unreleased_mb(baseline, [worker.pid]) == 4000
    assert gpus.held_by(0) == [(worker.pid, 4000), (OTHER, 1000)]

    worker.kill()
    worker.communicate()
    assert gpus.unreleased_mb(baseline, [worker.pid]) == 0

    nvml.write(CARD, f"process {worker.pid} 4000", f"process {OTHER} 1000")  # the driver keeps it
    assert gpus.unreleased_mb(baseline, [worker.pid]) == 4000
    assert gpus.held_by(0)[0] == (worker.pid, 4000)
