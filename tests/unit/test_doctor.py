"""The doctor finds what is there, says what to do about what is not, and never hangs or faints."""

from __future__ import annotations

import json
import socket
import time
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from arena.config import Settings
from arena.doctor import PROBES, Finding, examine
from arena.strings import LANGUAGES

if TYPE_CHECKING:
    from nvml import Nvml

pytest_plugins = ("nvml",)


def by_id(findings: list[Finding]) -> dict[str, Finding]:
    assert len({finding.id for finding in findings}) == len(findings)
    return {finding.id: finding for finding in findings}


def test_a_machine_that_can_run_the_tests_is_well(settings: Settings) -> None:
    started = time.monotonic()
    findings = by_id(examine(settings, patience_s=20))
    assert time.monotonic() - started < 20
    for id in ("machine", "python", "transformers", "catalogue", "engine.rapidocr", "engine.tesseract", "database"):
        assert findings[id].state == "ok", findings[id]
    assert set(PROBES) - {id.split(".")[0] for id in findings} <= {"tesseract"}  # Russian is there: nothing to say
    assert not settings.home.exists()  # looked only


@pytest.mark.battery("G9")
def test_every_gpu_is_named_with_its_memory(settings: Settings, nvml: Nvml) -> None:
    nvml.write(
        "gpu total=12288 used=300 name=Test_12GB uuid=GPU-a",
        "gpu total=24576 used=20000 name=Test_24GB uuid=GPU-b",
    )
    findings = by_id(examine(settings, patience_s=20))
    assert "300 of 12288 MB" in findings["gpu.0"].text["en"]
    assert "20000 из 24576 МБ" in findings["gpu.1"].text["ru"]


def test_findings_speak_every_language_and_are_json(settings: Settings) -> None:
    for finding in examine(settings, patience_s=20):
        assert set(finding.text) == set(LANGUAGES)
        assert all(finding.text.values())
        assert json.loads(json.dumps(asdict(finding))) == asdict(finding)
        assert finding.line("ru").endswith(finding.command or finding.text["ru"])


def test_a_docker_host_that_says_nothing_is_not_waited_for(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        monkeypatch.setenv("DOCKER_HOST", f"tcp://127.0.0.1:{mute.getsockname()[1]}")
        started = time.monotonic()
        docker = by_id(examine(settings, patience_s=0.5))["docker"]
        assert time.monotonic() - started < 10
    assert docker.state == "warn"
    assert "0.5" in docker.text["en"]


def test_a_missing_docker_engine_names_the_command(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path / 'nothing.sock'}")
    docker = by_id(examine(settings, patience_s=20))["docker"]
    assert (docker.state, docker.command) == ("missing", "sudo apt-get install docker.io")


def test_a_docker_engine_that_ended_says_so(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as ended:
        port = ended.getsockname()[1]
    monkeypatch.setenv("DOCKER_HOST", f"tcp://127.0.0.1:{port}")
    docker = by_id(examine(settings, patience_s=20))["docker"]
    assert docker.state == "missing"
    assert str(port) in docker.text["ru"]


def test_a_damaged_database_is_told_and_left_alone(settings: Settings) -> None:
    settings.home.mkdir()
    file = settings.home / "arena.db"
    file.write_bytes(b"this is no database" * 100)
    database = by_id(examine(settings, patience_s=20))["database"]
    assert database.state != "ok"
    assert file.read_bytes() == b"this is no database" * 100


def test_the_password_of_a_database_is_not_told(settings: Settings) -> None:
    url = "postgresql+psycopg://arena:secret@127.0.0.1:1/arena"
    database = by_id(examine(replace(settings, database_url=url), patience_s=20))["database"]
    assert database.state != "ok"
    assert "secret" not in str(asdict(database))


def test_a_bad_catalogue_is_told_with_its_problems(settings: Settings, tmp_path: Path) -> None:
    file = tmp_path / "models.yaml"
    file.write_text("- this is\n- no catalogue\n")
    catalogue = by_id(examine(replace(settings, models_file=file), patience_s=20))["catalogue"]
    assert catalogue.state != "ok"
    assert "models.yaml" in catalogue.text["en"]


def test_a_data_folder_that_is_a_file_is_told(settings: Settings) -> None:
    settings.home.write_text("in the way")
    assert by_id(examine(settings, patience_s=20))["disk"].state == "missing"
