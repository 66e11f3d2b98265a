"""Our guard around vLLM's own application: without the key nothing of it is open but its health."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from arena.runtimes import vllm_guard
from tests.vllm.conftest import SHIM

pytestmark = [pytest.mark.vllm, pytest.mark.timeout(300)]


def test_of_all_that_vllm_has_only_its_health_is_open(venv):
    folders = (str(SHIM), str(Path(vllm_guard.__file__).parent))
    told = {"PYTHONPATH": os.pathsep.join(folders), "VLLM_SERVER_DEV_MODE": "1", "VLLM_API_KEY": "a-key"}
    command = [str(venv / "bin" / "python"), str(Path(__file__).parent / "guarded.py")]
    said = subprocess.run(command, env=os.environ | told, stdout=subprocess.PIPE, check=True, text=True).stdout
    found = json.loads(said.splitlines()[-1])
    assert {"POST /sleep", "POST /wake_up", "POST /collective_rpc", "GET /metrics"} <= found["statuses"].keys()
    assert {path for path, status in found["statuses"].items() if status != 401} == {"GET /health"}
    sleeping, _, slept, woken = found["answers"]
    assert (sleeping["is_sleeping"], slept["is_sleeping"], woken["status"]) == (False, True, "awake")
