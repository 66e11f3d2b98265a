"""The set-up installs what is missing, nothing twice, and says what to run where it may not."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.speed.__main__ import Row, measurements

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of what the Makefile needs, with an environment in which pip only notes that it was called."""
    for name in ("Makefile", "requirements.txt", "packages.txt"):
        shutil.copy(ROOT / name, tmp_path)
    shutil.copytree(ROOT / "requirements", tmp_path / "requirements")
    programs = tmp_path / ".venv" / "bin"
    programs.mkdir(parents=True)
    (programs / "pip").touch(0o755)
    (programs / "python").write_text('#!/bin/sh\necho "called: $*"\n')
    (programs / "python").chmod(0o755)
    return tmp_path


def make(checkout: Path, *arguments: str) -> str:
    data = checkout / "data"
    data.mkdir(exist_ok=True)
    (data / "rus.traineddata").touch()
    environ = {"PATH": os.environ["PATH"], "TESSDATA_PREFIX": str(data)}
    done = subprocess.run(
        ["make", *arguments], cwd=checkout, env=environ, capture_output=True, text=True, check=True, timeout=60
    )
    return done.stdout


def test_a_second_start_calls_no_pip(checkout: Path) -> None:
    assert "install --prefer-binary --require-hashes -r requirements/lock/full.txt" in make(checkout, "run")
    again = make(checkout, "run", "ARGS=--port 8000")
    assert again.splitlines() == ["called: app.py --port 8000"]


def test_a_light_start_can_be_completed(checkout: Path) -> None:
    light = make(checkout, "run", "LIGHT=1")
    assert "-r requirements/lock/core.txt" in light
    assert "full.txt" not in light
    assert "-r requirements/lock/full.txt" in make(checkout, "models")
    assert "install" not in make(checkout, "run", "LIGHT=1")
    assert "install" not in make(checkout, "run")


def test_a_changed_list_is_installed_again(checkout: Path) -> None:
    make(checkout, "setup")
    with (checkout / "requirements" / "lock" / "full.txt").open("a") as file:
        file.write("one-more-package\n")
    assert "-r requirements/lock/full.txt" in make(checkout, "setup")


def test_an_installation_that_failed_is_tried_again(checkout: Path) -> None:
    python = checkout / ".venv" / "bin" / "python"
    works = python.read_text()
    python.write_text("#!/bin/sh\nexit 1\n")
    with pytest.raises(subprocess.CalledProcessError):
        make(checkout, "setup")
    python.write_text(works)
    assert "-r requirements/lock/full.txt" in make(checkout, "setup")


def test_help_names_every_command(checkout: Path) -> None:
    told = make(checkout)
    for command in ("run", "setup", "models", "test", "check", "fix", "lock", "audit", "bench", "doctor", "clean"):
        assert f"make {command} " in told


def system(tmp_path: Path, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """The script on a machine that has next to nothing."""
    for name in ("dirname", "grep", "cat", "uname"):
        (tmp_path / name).symlink_to(str(shutil.which(name)))
    command = [str(shutil.which("sh")), str(ROOT / "requirements" / "system.sh"), *arguments]
    return subprocess.run(command, env={"PATH": str(tmp_path), **environ}, capture_output=True, text=True, timeout=60)


def test_without_apt_the_names_are_said(tmp_path: Path) -> None:
    done = system(tmp_path, "packages", "one", "two")
    assert done.returncode == 1
    assert "install: one two" in done.stderr


@pytest.mark.parametrize(("python", "said"), [("", "is needed"), ("python2.7", "python2.7 does not fit")])
def test_without_a_python_that_fits_the_versions_are_said(tmp_path: Path, python: str, said: str) -> None:
    done = system(tmp_path, "venv", str(tmp_path / "new"), PYTHON=python)
    assert done.returncode == 1
    assert said in done.stderr
    assert "3.11, 3.12 or 3.13" in done.stderr
    assert not (tmp_path / "new").exists()


def test_a_program_of_the_same_name_as_a_step_is_not_taken_for_installed(tmp_path: Path) -> None:
    done = system(tmp_path, "browser")
    assert done.returncode == 1
    assert "chromium" in done.stderr


@pytest.mark.parametrize(
    ("ratio", "goal", "met"),
    [(1.04, "<= 1.05", True), (1.06, 1.05, False), (60, "≥ 50", True), (49.9, ">= 50", False), (None, "<= 1", None)],
)
def test_a_ratio_is_held_against_its_goal(ratio: float | None, goal: object, met: bool | None) -> None:
    row = Row.of({"name": "one", "ratio": ratio, "goal": goal, "detail": "3 s against 2 s"})
    assert row.met is met
    assert ("—" in row.line(10)) is (ratio is None)


def test_an_unknown_measurement_is_refused_with_the_known_ones() -> None:
    command = [sys.executable, "-m", "benchmarks.speed", "nothing"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 2
    assert all(name in done.stderr for name in measurements())
