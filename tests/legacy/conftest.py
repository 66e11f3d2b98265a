"""Small models with code of their own, built under the interpreter of their family and served by real workers."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from arena.cancel import Cancel
from arena.runtimes.process import ROOT, Interpreters, worker_env

HERE = Path(__file__).parent
FAMILIES = {
    "phi3_vision": "legacy",
    "internvl2": "legacy",
    "minicpm_v": "legacy",
    "moondream": "legacy",
    "deepseek_vl2": "legacy",
    "deepseek_ocr": "legacy",
    "dots_ocr": "legacy-dots",
}
TOKENS = 16  # enough to see a stream, and no more


class Brief:
    """A worker whose answers are short unless the job says how long they may be."""

    def __init__(self, worker):
        self._worker = worker

    def __getattr__(self, name):
        return getattr(self._worker, name)

    def predict(self, job, timeout, cancel):
        return self._worker.predict(replace(job, params={"max_new_tokens": TOKENS, **job.params}), timeout, cancel)


def drain(iterator):
    return [item for item in iterator if item is not None]


def run(interpreter, *arguments):
    """A program under the interpreter, as a worker would be; its last line as JSON if it is some."""
    done = subprocess.run(
        [sys.executable, *arguments],
        env=worker_env(interpreter) | {"CUDA_VISIBLE_DEVICES": ""},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    lines = done.stdout.strip().splitlines()
    return json.loads(lines[-1]) if lines and lines[-1][:1] in '{["' else None


@pytest.fixture(scope="session")
def folders(tmp_path_factory):
    """family → a small checkpoint of it, built when first asked for."""
    # A package that is installed by hand and not by `make models-legacy`.
    os.environ["PYTHONPATH"] = str(HERE / "packages" / "deepseek_vl2")
    built = {}

    def folder(family):
        if family not in built:
            built[family] = tmp_path_factory.mktemp("built") / family
            run(FAMILIES[family], str(HERE / "build.py"), family, str(built[family]))
        return built[family]

    yield folder
    del os.environ["PYTHONPATH"]


@pytest.fixture(scope="session")
def interpreters(folders):
    started = Interpreters()
    yield started
    started.stop()


@pytest.fixture(scope="session")
def started(interpreters, folders):
    """A function that starts a worker with a family's model loaded; all are ended at the end."""
    workers = []

    def start(family, **model):
        described = {"id": family, "source": str(folders(family)), "trust_remote_code": True, "options": {}} | model
        worker = interpreters.start(family, FAMILIES[family], {"CUDA_VISIBLE_DEVICES": ""})
        workers.append(worker)
        drain(worker.wait_started(100, Cancel()))
        drain(worker.load(described, 100, Cancel()))
        return Brief(worker)

    yield start
    for worker in workers:
        worker.kill()
        drain(worker.wait_gone())
