"""The app as a user starts it, watched from inside: ``python -m tests.soak.program DESCRIPTOR [--port …]``.

Every line that comes through the socket of that number is answered with one of JSON: what the process holds once its
garbage is collected.
"""

from __future__ import annotations

import gc
import json
import os
import re
import signal
import socket
import sys
import threading
from collections import Counter
from pathlib import Path
from typing import Any

# Threads of pools, which grow to their bound as visitors come and then stay.
POOLED = re.compile(r"AnyIO worker thread|asyncio_\d+|ThreadPoolExecutor-\d+_\d+")


def held() -> dict[str, Any]:
    """Memory in MB, descriptors and threads by kind. Its own is what it has written: heaps and stacks. What libraries
    it shares with others, and with how many, changes with every process that ends."""
    gc.collect()
    status = Path("/proc/self/status").read_text()
    anonymous, resident = (re.search(rf"{name}:\s*(\d+) kB", status)[1] for name in ("RssAnon", "VmRSS"))  # type: ignore[index]
    names = [thread.name for thread in threading.enumerate()]
    return {
        "own_mb": int(anonymous) / 1e3,
        "resident_mb": int(resident) / 1e3,
        "objects": len(gc.get_objects()),
        "threads": dict(Counter(re.sub(r"[\dA-Z]{26}|\d+", "…", name) for name in names if not POOLED.match(name))),
        "pooled": sum(bool(POOLED.match(name)) for name in names),
        "descriptors": dict(descriptors()),
    }


def descriptors() -> Counter[str]:
    """What is open, by kind; connections of the database's pool apart from all else."""
    found: Counter[str] = Counter()
    for number in os.listdir("/proc/self/fd"):
        try:
            target = os.readlink(f"/proc/self/fd/{number}")
        except OSError:  # the one that listed them
            continue
        kind = target.partition(":")[0] if ":[" in target else target
        found["database" if ".db" in kind else kind] += 1
    return found


def listen(channel: socket.socket) -> None:
    with channel.makefile("rw") as lines:
        for _ in lines:
            lines.write(json.dumps(held()) + "\n")
            lines.flush()
    os.kill(os.getpid(), signal.SIGTERM)  # whoever watched has gone


if __name__ == "__main__":
    from arena.cli import main

    watched = socket.socket(fileno=int(sys.argv[1]))
    os.set_inheritable(watched.fileno(), False)
    threading.Thread(target=listen, args=(watched,), daemon=True, name="watched").start()
    sys.exit(main(["serve", *sys.argv[2:]]))
