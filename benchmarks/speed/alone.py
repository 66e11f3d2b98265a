"""One measurement in a process of its own, so that none disturbs another and none ends the whole."""

from __future__ import annotations

import ast
import contextlib
import importlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from arena.core import git_commit
from benchmarks.speed.kept import Measured
from benchmarks.speed.rows import Row

FOLDER = Path(__file__).parent
LONGEST_S = 600.0


def names() -> list[str]:
    """The modules of this folder that measure something, found without importing them."""
    return sorted(path.stem for path in FOLDER.glob("*.py") if "\ndef measure(" in path.read_text(encoding="utf-8"))


def run(name: str, longest_s: float = LONGEST_S) -> Measured:
    """Measure. What fails or takes too long is a row that says so."""
    with tempfile.TemporaryDirectory(prefix="arena-bench-", ignore_cleanup_errors=True) as folder:
        told, log = Path(folder) / "rows.json", Path(folder) / "log.txt"
        command = [sys.executable, "-m", "benchmarks.speed.alone", name, str(told)]
        # The folder for temporary files goes with what a measurement leaves there, however it ends.
        environ = os.environ | {"TMPDIR": folder}
        start = time.perf_counter()
        with log.open("w") as out:
            process = subprocess.Popen(
                command, cwd=FOLDER.parent.parent, env=environ, stdout=out, stderr=out, start_new_session=True
            )
            failed = ""
            try:
                if process.wait(longest_s):
                    lines = log.read_text(errors="replace").split("\n")
                    failed = next((line for line in reversed(lines) if line.strip()), "no word of why")[:300]
            except subprocess.TimeoutExpired:
                failed = f"took longer than {longest_s:.0f} s"
            finally:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)  # what it started and did not end, too
                process.wait()
        took_s = time.perf_counter() - start
        rows = [Row(name, detail=failed, failed=True)] if failed else map(Row.of, json.loads(told.read_text()))
        title = (ast.get_docstring(ast.parse((FOLDER / f"{name}.py").read_text(encoding="utf-8"))) or "").split("\n")[0]
        now = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
        return Measured(title, tuple(rows), now, git_commit() or "unknown", round(took_s, 1))


def main(name: str, told: Path) -> None:
    found = importlib.import_module(f"benchmarks.speed.{name}").measure()
    rows = [found] if isinstance(found, Row) else found
    told.write_text(json.dumps([asdict(row) for row in rows]), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
