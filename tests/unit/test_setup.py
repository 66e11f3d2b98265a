"""The set-up installs what is missing, nothing twice, and says what to run where it may not."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.speed.alone import names, run
from benchmarks.speed.kept import Measured, Results
from benchmarks.speed.rows import Row, paired

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
    ("ratios", "goal", "verdict"),
    [
        ((1.04, 1.0, 1.2), "<= 1.05", "met"),
        ((1.06, 1.0, 1.2), "<= 1.05", "MISSED"),
        ((60.0,), ">= 50", "met"),
        ((49.9,), ">= 50", "MISSED"),
        ((), "<= 1", "—"),
        ((3.0,), "", "—"),
    ],
)
def test_the_median_of_the_ratios_is_held_against_the_goal(ratios: tuple[float, ...], goal: str, verdict: str) -> None:
    row = Row("one", goal, ratios)
    assert row.cells[4] == verdict
    assert (row.cells[1] == "—") is (len(ratios) == 0)


def test_a_goal_that_cannot_be_judged_is_refused() -> None:
    with pytest.raises(ValueError, match="a goal says"):
        Row("one", "== 1")


def test_each_ratio_is_of_neighbours_in_time() -> None:
    row = paired("one", "<= 1", ([1.0, 4.0, 9.0], [2.0, 2.0, 3.0]), note="of three")
    assert row.ratios == (0.5, 2.0, 3.0)
    assert row.cells[1:3] == ("2", "0.5-3")
    assert row.detail == "4 s [1 s-9 s] against 2 s [2 s-3 s]; of three"


def test_what_was_measured_is_read_as_it_was_written_and_only_beside_its_own_machine(tmp_path: Path) -> None:
    row = Row("one", "<= 1", (0.5, 0.6), "why", "n^", ((10.0, 1.0), (100.0, 2.0)), ("runs", "seconds"))
    old = Results({"Processor": "a"}, {"first": Measured("First", (row,), "2026-01-31", "abc", 1.5)})
    old.write(tmp_path / "kept.json")
    assert Results.read(tmp_path / "kept.json") == old
    new = {"second": Measured("Second", (), "2026-02-01", "abd", 2.0)}
    assert list(old.with_({"Processor": "a"}, new, ["first", "second"]).measured) == ["first", "second"]
    assert list(old.with_({"Processor": "b"}, new, ["first", "second"]).measured) == ["second"]


def test_a_measurement_that_cannot_be_made_is_a_row_that_says_so() -> None:
    [row] = run("stop", 0.05).rows
    assert row.failed
    assert "longer" in row.detail


def test_an_unknown_measurement_is_refused_with_the_known_ones() -> None:
    command = [sys.executable, "-m", "benchmarks.speed", "nothing"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 2
    assert all(name in done.stderr for name in names())
