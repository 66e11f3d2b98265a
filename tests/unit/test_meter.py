"""The meter: peaks of real processes, VRAM by the stubbed driver, and nothing left behind."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest

from arena.catalog import ModelSpec
from arena.compare import Request, Side, compare
from arena.config import Settings
from arena.core import arena_of
from arena.gpu import Gpus
from arena.meter import Meter, watch
from arena.types import Delta, Memory

if TYPE_CHECKING:
    from nvml import Nvml

pytest_plugins = ("nvml",)

CARD = "gpu total=12288 used=300 name=Test uuid=GPU-a"
MIB = 1024 * 1024
# Runs each line it is sent and says when it has.
OBEDIENT = "import sys\nfor line in sys.stdin:\n    exec(line)\n    print('done', flush=True)"


class Child:
    def __init__(self) -> None:
        self.popen = subprocess.Popen(
            [sys.executable, "-c", OBEDIENT], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
        )
        self.pid = self.popen.pid
        self.do("pass")

    def do(self, line: str) -> None:
        assert self.popen.stdin and self.popen.stdout
        self.popen.stdin.write(line + "\n")
        assert self.popen.stdout.readline() == "done\n"

    def rss(self) -> float:
        return psutil.Process(self.pid).memory_info().rss / MIB

    def kill(self) -> None:
        self.popen.kill()
        self.popen.communicate()


@pytest.fixture
def child() -> Iterator[Child]:
    made = Child()
    yield made
    made.kill()


@pytest.fixture
def gpus(nvml: Nvml) -> Iterator[Gpus]:
    found = Gpus()
    yield found
    found.close()


def wait_until(true: Callable[[], bool], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.005)


def peak_ram(meter: Meter) -> float:
    return meter.memory().peak_ram_mb or 0.0


# --- RAM


def test_an_empty_block_has_figures(child: Child, gpus: Gpus) -> None:
    with watch(lambda: [child.pid], gpus, None) as meter:
        pass
    assert peak_ram(meter) == pytest.approx(child.rss(), rel=0.2)
    assert meter.memory() == Memory(peak_ram_mb=meter.memory().peak_ram_mb)  # no device asked for: no other figure


def test_a_short_spike_is_caught_and_belongs_to_its_block(child: Child, gpus: Gpus) -> None:
    before = child.rss()
    with watch(lambda: [child.pid], gpus, None) as meter:
        child.do("x = b'1' * (200 << 20); del x")
    assert peak_ram(meter) >= before + 199
    with watch(lambda: [child.pid], gpus, None) as later:
        child.do("pass")
    assert peak_ram(later) < before + 100


def test_growth_is_seen_while_it_lasts(child: Child, gpus: Gpus) -> None:
    before = child.rss()
    with watch(lambda: [child.pid], gpus, None) as meter:
        child.do("x = b'1' * (100 << 20)")
        wait_until(lambda: peak_ram(meter) >= before + 99)


def test_children_count(child: Child, gpus: Gpus) -> None:
    child.do("import subprocess, sys")
    child.do("p = subprocess.Popen([sys.executable, '-c', 'x = b\"1\" * (150 << 20); input()'], stdin=subprocess.PIPE)")
    try:
        with watch(lambda: [child.pid], gpus, None) as meter:
            wait_until(lambda: peak_ram(meter) >= child.rss() + 150)
    finally:
        child.do("p.communicate(b'\\n')")


def test_processes_may_come_and_go(child: Child, gpus: Gpus) -> None:
    now: list[int] = []
    with watch(lambda: now, gpus, None) as meter:
        assert meter.memory() == Memory()
        now.append(child.pid)
        wait_until(lambda: meter.memory().peak_ram_mb is not None)
        seen = peak_ram(meter)
        child.kill()
    assert peak_ram(meter) >= seen > 1  # what was seen of it stays


def test_a_process_that_is_gone_has_no_figure(child: Child, gpus: Gpus) -> None:
    child.popen.kill()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)  # ended, not yet collected
    with watch(lambda: [child.pid], gpus, None) as meter:
        pass
    assert meter.memory() == Memory()
    child.kill()
    with watch(lambda: [child.pid], gpus, None) as meter:
        pass
    assert meter.memory() == Memory()


# --- VRAM (None wherever there is no figure)


def test_vram_of_the_processes_and_of_the_device(nvml: Nvml, child: Child, gpus: Gpus) -> None:
    nvml.write(CARD, f"process {child.pid} 1000", f"process {os.getpid()} 50")
    with watch(lambda: [child.pid], gpus, 0) as meter:
        assert meter.memory().peak_vram_process_mb == 1000
        assert meter.memory().peak_vram_device_mb == 1350
        nvml.write(CARD, f"process {child.pid} 3000", f"process {os.getpid()} 50")
        wait_until(lambda: meter.memory().peak_vram_process_mb == 3000)
        nvml.write(CARD)
    assert (meter.memory().peak_vram_process_mb, meter.memory().peak_vram_device_mb) == (3000, 3350)


def test_the_last_look_is_at_the_end_of_the_block(nvml: Nvml, child: Child, gpus: Gpus) -> None:
    nvml.write(CARD)
    with watch(lambda: [child.pid], gpus, 0) as meter:
        nvml.write(CARD, f"process {child.pid} 2000")
    assert (meter.memory().peak_vram_process_mb, meter.memory().peak_vram_device_mb) == (2000, 2300)


def test_a_worker_that_joins_later_is_looked_up_although_the_device_did_not_change(
    nvml: Nvml, child: Child, gpus: Gpus
) -> None:
    nvml.write(CARD, f"process {child.pid} 700")
    now: list[int] = []
    with watch(lambda: now, gpus, 0) as meter:
        assert meter.memory().peak_vram_process_mb is None
        now.append(child.pid)
        wait_until(lambda: meter.memory().peak_vram_process_mb == 700)


@pytest.mark.battery("G9")
@pytest.mark.parametrize(
    ("machine", "device"),
    [
        (["init 9"], None),
        (["driver 595.1"], None),
        ([CARD + " memory_error=3 process_error=3"], None),
        ([CARD, "process {pid} 500 hidden"], 800),
        ([CARD + " process_error=3", "process {pid} 500"], 800),
        ([CARD, "process 4194305 500"], 800),  # listed under the host's pid
    ],
)
def test_what_the_driver_does_not_say_is_none(
    nvml: Nvml, child: Child, gpus: Gpus, machine: list[str], device: float | None
) -> None:
    nvml.write(*(line.format(pid=child.pid) for line in machine))
    with watch(lambda: [child.pid], gpus, 0) as meter:
        pass
    assert meter.memory().peak_vram_process_mb is None
    assert meter.memory().peak_vram_device_mb == device
    assert peak_ram(meter) > 1


def test_shared_memory_has_the_processes_alone(nvml: Nvml, child: Child, gpus: Gpus) -> None:
    nvml.write(CARD + " memory_error=3", f"process {child.pid} 500")
    with watch(lambda: [child.pid], gpus, 0) as meter:
        nvml.write(CARD + " memory_error=3", f"process {child.pid} 900")
    assert (meter.memory().peak_vram_process_mb, meter.memory().peak_vram_device_mb) == (900, None)


# --- energy


def test_energy_is_what_the_whole_card_took_since_the_model_was_asked(nvml: Nvml, gpus: Gpus) -> None:
    nvml.write(CARD + " energy=5000000", CARD.replace("GPU-a", "GPU-b"))
    with watch(list, gpus, 0) as meter, watch(list, gpus, 1) as older, watch(list, gpus, None) as cpu:
        assert meter.energy_j() is None  # nothing was asked yet
        nvml.write(CARD + " energy=6000000", CARD.replace("GPU-a", "GPU-b"))
        for each in (meter, older, cpu):
            each.count_energy()
        assert meter.energy_j() == 0.0
        nvml.write(CARD + " energy=6012500", CARD.replace("GPU-a", "GPU-b"))
        assert meter.energy_j() == 12.5
        assert older.energy_j() is None and cpu.energy_j() is None
        nvml.write(CARD + " energy=100", CARD.replace("GPU-a", "GPU-b"))  # the driver came up anew
        assert meter.energy_j() is None


def test_a_run_has_the_energy_of_its_answer_alone(nvml: Nvml, settings: Settings, tmp_path: Path) -> None:
    nvml.write(CARD + " energy=1000")
    spec = ModelSpec(id="fake", title="Fake", adapter="fake", source=str(tmp_path), tasks=("ocr",), mode="transformers")
    with arena_of(settings) as arena:
        asked = Request((Side(spec),), None, arena.catalog.task("ocr"), "tokens=3")
        for event in compare(arena, asked):
            if isinstance(event, Delta):
                nvml.write(CARD + " energy=3500")
        run = arena.store.comparison(asked.comparison_id)[0]
    assert (run.status, run.error_detail, run.energy_j, run.device) == ("ok", None, 2.5, "Test")


# --- the sampler itself


def test_a_block_that_fails_has_figures_and_ends_the_sampler(nvml: Nvml, child: Child, gpus: Gpus) -> None:
    nvml.write(CARD)
    with pytest.raises(ZeroDivisionError), watch(lambda: [child.pid], gpus, 0) as meter:
        raise ZeroDivisionError
    assert peak_ram(meter) > 1
    assert meter.memory().peak_vram_device_mb == 300
    assert "meter" not in [thread.name for thread in threading.enumerate()]


def test_two_hundred_watches_leave_no_thread_and_no_descriptor(nvml: Nvml, child: Child, gpus: Gpus) -> None:
    nvml.write(CARD, f"process {child.pid} 500")

    def measure() -> None:
        with watch(lambda: [child.pid], gpus, 0) as meter:
            pass
        assert meter.memory().peak_vram_process_mb == 500

    measure()
    before = threading.active_count(), len(os.listdir("/proc/self/fd"))
    for _ in range(200):
        measure()
    assert (threading.active_count(), len(os.listdir("/proc/self/fd"))) == before


def test_it_slows_down_when_looking_is_dear(gpus: Gpus) -> None:
    looks = []

    def dear() -> list[int]:
        looks.append(time.monotonic())
        end = time.thread_time() + 0.01
        while time.thread_time() < end:
            pass
        return []

    with watch(dear, gpus, None):
        wait_until(lambda: len(looks) >= 6)
    # Two of the looks were the caller's and for children; between the sampler's own lie at least 0.2 s.
    assert looks[5] - looks[2] > 0.5


def test_it_costs_less_than_a_hundredth_of_a_core(nvml: Nvml, child: Child, gpus: Gpus) -> None:
    nvml.write(CARD, f"process {child.pid} 500")
    spent = []
    for _ in range(3):  # the best of three: another program's noise is not ours
        with watch(lambda: [child.pid], gpus, 0):
            child.do("import time; time.sleep(0.1)")  # the first look for children is behind us
            start, cpu = time.monotonic(), time.process_time()
            child.do("time.sleep(1.0)")
            spent.append((time.process_time() - cpu) / (time.monotonic() - start))
    assert min(spent) < 0.01
