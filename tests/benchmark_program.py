"""A program that goes on with a benchmark, once more for every line it is told: ``benchmark_program.py HOME ID``.

Everything is imported once; each line on stdin forks a process that opens the arena and carries on, as a freshly
started program would. Its pid is printed, then, when it has ended, its exit status.
"""

from __future__ import annotations

import os
import sys

from arena.cancel import Cancel
from arena.config import load_settings
from arena.core import arena_of
from benchmarks.runs.runner import carry_on


def main(home: str, benchmark_id: str) -> None:
    for _ in sys.stdin:
        pid = os.fork()
        if not pid:
            with arena_of(load_settings({"ARENA_HOME": home, "ARENA_DEV": "1"})) as arena:
                for _ in carry_on(arena, benchmark_id, Cancel()):
                    pass
            os._exit(0)
        print(pid, flush=True)
        print(os.waitpid(pid, 0)[1], flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
