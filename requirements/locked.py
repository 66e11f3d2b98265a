"""The locked packages, held against what is installed here and against the advisories of the world.

``python requirements/locked.py`` is what `make audit` runs.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from importlib.metadata import distributions
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).parent.parent
LOCK = ROOT / "requirements" / "lock"
ALL = LOCK / "dev.txt"
PIP_AUDIT = ROOT / ".venv-audit" / "bin" / "pip-audit"


class Pin(NamedTuple):
    """A package of the lock. marker: where it is installed, "" for everywhere."""

    name: str
    version: str
    marker: str


def locked(path: Path = ALL) -> list[Pin]:
    """What a file of ``requirements/lock`` names; hashes are left to pip."""
    lines = re.findall(r"^(\w\S*)==(\S+)(?: ; (.+?))? \\$", path.read_text(encoding="utf-8"), re.MULTILINE)
    return [Pin(*line) for line in lines]


def installed() -> dict[str, str]:
    """Versions by name, of the interpreter that runs this."""
    return {re.sub(r"[-_.]+", "-", each.metadata["Name"]).lower(): each.version for each in distributions()}


def differences(lock: Iterable[Pin], here: dict[str, str]) -> list[str]:
    """What is here in another version than the lock's. What is here beside it is nobody's concern."""
    return [
        f"{each.name}: {here[each.name]} installed, {each.version} locked"
        for each in lock
        if here.get(each.name, each.version) != each.version
    ]


def advisories(told: list[dict[str, Any]]) -> Iterator[str]:
    """A line for every known weakness in what pip-audit told as JSON."""
    for package in told:
        for weakness in package.get("vulns", ()):
            mended = ", ".join(weakness["fix_versions"]) or "no version yet"
            yield f"{package['name']} {package['version']}: {weakness['id']}, mended in {mended}"


def main(arguments: list[str]) -> int:
    """1 when a locked package has a known weakness, 0 otherwise; `arguments` go to pip-audit."""
    differ = differences(locked(), installed())
    say("Not as locked here:" if differ else "What is locked is what is installed here.", *differ)
    ask = [PIP_AUDIT, "--vulnerability-service", "osv", "--disable-pip", "--require-hashes", "--requirement", ALL]
    ask += ["--format", "json", "--progress-spinner", "off", *arguments]
    done = subprocess.run(list(map(str, ask)), capture_output=True, text=True)
    try:
        told = json.loads(done.stdout)["dependencies"]
    except ValueError:
        say(f"The advisories could not be fetched: {(done.stderr.strip() or '?').splitlines()[-1][:300]}")
        return 0
    found = list(advisories(told))
    say(*found, f"{len(found)} known weaknesses in {len(told)} packages.")
    return int(bool(found))


def say(*lines: str) -> None:
    sys.stdout.write("".join(f"{line}\n" for line in lines))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
