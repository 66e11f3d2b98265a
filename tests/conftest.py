"""What every test stands on: a home of its own, no network, and a session that leaves no process behind."""

from __future__ import annotations

import atexit
import gc
import os
import shutil
import tempfile
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import psutil
import pytest

# Set before anything of ours or of the libraries is imported: they read it when they are.
HOME = Path(tempfile.mkdtemp(prefix="arena-tests-"))
MARK = uuid.uuid4().hex
atexit.register(shutil.rmtree, HOME, ignore_errors=True)
for name in [name for name in os.environ if name.startswith(("ARENA_", "GRADIO_", "HF_", "XDG_", "TRANSFORMERS_"))]:
    if name not in ("ARENA_CHROMIUM", "ARENA_TEST_POSTGRES", "ARENA_TEST_VLLM"):
        del os.environ[name]
os.environ.pop("SSL_CERT_FILE", None)
os.environ |= {
    "HOME": str(HOME),
    "ARENA_HOME": str(HOME / "arena"),
    "HF_HOME": str(HOME / "huggingface"),
    "HF_HUB_OFFLINE": "1",
    "GRADIO_ANALYTICS_ENABLED": "False",
    "GRADIO_TEMP_DIR": str(HOME / "gradio"),
    "NO_PROXY": "127.0.0.1,localhost",
    "SSL_CERT_DIR": str(HOME),  # every client would read a long list of authorities first, and none is asked here
    "ARENA_FIRST_MODELS": "rapidocr,tesseract",  # what most tests compare; whoever tests the opening takes this away
    "ARENA_TEST_SESSION": MARK,
}
if "PYTEST_XDIST_WORKER" in os.environ:  # threads of several models at once wait for each other, and spin meanwhile
    os.environ["OMP_NUM_THREADS"] = "1"

hypothesis.settings.register_profile("house", deadline=None, derandomize="CI" in os.environ, max_examples=50)
hypothesis.settings.load_profile("house")

# A folder of tests that needs something rare has its name as a mark.
LANES = ("browser", "docker", "gpu", "legacy", "ray", "vllm")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        lane = item.path.relative_to(here).parts[0] if item.path.is_relative_to(here) else ""
        if lane in LANES:
            item.add_marker(lane)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """A lane asked for by name that could run nothing has not passed."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    asked = session.config.getoption("markexpr")
    if (
        reporter
        and asked
        and "not " not in asked
        and reporter.stats.get("skipped")
        and not reporter.stats.get("passed")
    ):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.fixture
def settings(tmp_path: Path):
    """Settings of an application of its own, with the models for developers."""
    from arena.config import load_settings

    return load_settings({"ARENA_HOME": str(tmp_path / "home"), "ARENA_DEV": "1"})


def left_processes() -> list[str]:
    """Command lines of the living processes that this session started, whoever their parent is by now."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.pid == os.getpid() or process.status() == psutil.STATUS_ZOMBIE:
                continue
            command = " ".join(process.cmdline())
            if "arena.decoders" in command and psutil.Process() in process.parents()[:2]:
                continue  # of a store of these very tests: it ends with the program, and what it forked with it
            if (
                process.environ().get("ARENA_TEST_SESSION") == MARK
                and "multiprocessing.resource_tracker" not in command
            ):
                found.append(f"{process.pid}: {command}")
        except psutil.Error:
            continue
    return found


@pytest.fixture(scope="session", autouse=True)
def nothing_left() -> Iterator[None]:
    """Fails when a worker, an app or a browser outlives the tests."""
    yield
    gc.collect()  # a store that nobody closed ends its decoders when it goes
    deadline = time.monotonic() + 10
    while (left := left_processes()) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not left, "still alive after the tests:\n" + "\n".join(left)
