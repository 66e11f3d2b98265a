"""Fixture `nvml`: a machine with the GPUs a test describes, told by a compiled stub through the real pynvml.

    def test_something(nvml):
        nvml.write("gpu total=12288 used=300 name=Test_12GB uuid=GPU-a", f"process {pid} 500 while_alive")

The lines are explained at the top of `nvml_stub/nvml_stub.c`; the stub reads them at every call. An application in
a process of its own gets the same machine with ``env={**os.environ, **nvml.environ}``.
"""

from __future__ import annotations

import _ctypes
import ctypes
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pynvml
import pytest

SOURCE = Path(__file__).parent / "nvml_stub" / "nvml_stub.c"
NAME = "libnvidia-ml.so.1"  # what pynvml asks the dynamic loader for


class Nvml:
    """The machine of one test. `environ`: variables that give it to a child process."""

    def __init__(self, library: Path, state: Path) -> None:
        self.state = state
        self.environ = {"LD_LIBRARY_PATH": str(library.parent), "NVML_STUB_STATE": str(state)}
        # Loaded under its SONAME it is the library that the loader finds for pynvml in this process.
        self.stub = ctypes.CDLL(str(library))

    def write(self, *lines: str) -> None:
        """The machine is so from now on."""
        new = self.state.with_suffix(".new")
        new.write_text("\n".join(lines) + "\n")
        new.replace(self.state)

    @property
    def inits(self) -> int:
        """How often the library was started in this process since it was loaded."""
        return ctypes.c_int.in_dll(self.stub, "nvml_stub_inits").value

    @property
    def shutdowns(self) -> int:
        return ctypes.c_int.in_dll(self.stub, "nvml_stub_shutdowns").value


@pytest.fixture(scope="session")
def nvml_library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The compiled stub, in a folder of its own."""
    library = tmp_path_factory.mktemp("nvml") / NAME
    flags = ["-std=gnu11", "-Wall", "-Wextra", "-Werror", "-O1", "-shared", "-fPIC", "-fvisibility=hidden"]
    compiler = os.environ.get("CC", "cc")
    subprocess.run([compiler, *flags, f"-Wl,-soname,{NAME}", "-o", str(library), str(SOURCE)], check=True)
    return library


@pytest.fixture
def nvml(nvml_library: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Nvml]:
    """A machine without a driver until the test writes what is there. Close every `Gpus` before the test ends."""
    monkeypatch.setenv("NVML_STUB_STATE", str(tmp_path / "nvml.txt"))
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    forget()
    machine = Nvml(nvml_library, tmp_path / "nvml.txt")
    yield machine
    forget()
    _ctypes.dlclose(machine.stub._handle)


def forget() -> None:
    """Have pynvml look for its library anew; nothing of the one before stays loaded."""
    if pynvml.nvmlLib is not None:
        _ctypes.dlclose(pynvml.nvmlLib._handle)
    pynvml.nvmlLib = None
    pynvml._nvmlGetFunctionPointer_cache.clear()
