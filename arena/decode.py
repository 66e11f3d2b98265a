"""Files become pictures in a process of their own, with limits on its time and memory: `python -m arena.decode`.

A hostile file can make a decoder run for minutes, ask for gigabytes or crash; here that ends one short-lived
process and nothing else, and the application's own memory never holds a decoded picture.
"""

from __future__ import annotations

import json
import math
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any, NoReturn

from arena.decoders import Decoders, Late
from arena.errors import RunError

ROOT = Path(__file__).parent.parent
IMAGE_SECONDS = 30.0
PAGE_SECONDS = 10.0
MEMORY_GB = 2
COMPRESSION = 1  # PNG: a page of text takes half the time of the usual 6 and a tenth more room
DECODER_BUSY = 2

# Each of these processes may take MEMORY_GB, so only so many run at a time; the rest wait for their turn.
turns = threading.BoundedSemaphore(DECODER_BUSY)


def may_be_pdf(data: bytes) -> bool:
    return b"%PDF-" in data[:1024]


def page_count(data: bytes, warm: Decoders | None = None) -> int:
    """Number of pages of a PDF, 1 for everything else. Raises `RunError`."""
    return int(ask(data, {"count": True}, warm=warm)["pages"]) if may_be_pdf(data) else 1


def picture(
    data: bytes,
    out: Path,
    page: int,
    max_pixels: int,
    seconds: float | None = None,
    warm: Decoders | None = None,
) -> dict[str, Any]:
    """Writes the picture in `data` to `out` as an upright 8-bit RGB PNG without anything but pixels.

    Returns ``sha256`` of what was written, ``width``, ``height``, ``original_width``, ``original_height`` and
    ``notices`` as pairs of a key and its params. Raises `RunError` for a file that cannot be used (also when it
    takes longer than `seconds`) and `OSError` when `out` cannot be written. warm: decoders to take instead of a new
    process.
    """
    request = {"page": page, "max_pixels": max_pixels, "out": str(out.absolute())}
    reply = ask(data, request, seconds or (PAGE_SECONDS if may_be_pdf(data) else IMAGE_SECONDS), warm)
    if "errno" in reply:
        raise OSError(reply["errno"], os.strerror(reply["errno"]))
    return reply


def ask(
    data: bytes, request: dict[str, Any], seconds: float = PAGE_SECONDS, warm: Decoders | None = None
) -> dict[str, Any]:
    """The reply of one decoder's process to one request. Raises `RunError`."""
    too_slow = RunError("bad_input", key="images.too_slow", seconds=f"{seconds:g}")
    told = {**request, "seconds": seconds}
    try:
        try:
            said, code = warm.ask(told, data, seconds) if warm else started(told, data, seconds)
        except OSError:  # no forking, or no room for the file's copy: the plain way may still work
            said, code = started(told, data, seconds)
    except (Late, subprocess.TimeoutExpired):
        raise too_slow from None
    except OSError as error:
        raise RunError("unavailable", str(error), key="images.no_decoder", code=error.errno) from error
    try:
        reply: dict[str, Any] = json.loads(said)
    except ValueError:
        if -code == getattr(signal, "SIGXCPU", None):
            raise too_slow from None
        if code == -signal.SIGSEGV:
            raise RunError("bad_input", key="images.crashed") from None
        if code < 0:  # allocators end the process when there is no more, and so does the system
            raise RunError("bad_input", key="images.too_much_memory", limit=MEMORY_GB) from None
        raise RunError("unavailable", key="images.no_decoder", code=code) from None
    if "refused" in reply:
        key, params = reply["refused"]
        raise RunError("bad_input", key=key, **params)
    if "fault" in reply:
        raise RunError("unavailable", reply["fault"], key="images.no_decoder", code=code)
    return reply


def started(request: dict[str, Any], data: bytes, seconds: float) -> tuple[bytes, int]:
    """What a decoder in a new process wrote, and how it ended. Raises `subprocess.TimeoutExpired`, `OSError`."""
    with turns:
        ended = subprocess.run(
            [sys.executable, "-m", "arena.decode", json.dumps(request)],
            input=data,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,  # libraries warn there, at any length; our own faults come in the reply
            cwd=ROOT,
            # Every arena of malloc takes address space, which is what is limited.
            env={**os.environ, "MALLOC_ARENA_MAX": "2"},
            timeout=seconds,
            start_new_session=True,
            check=False,
        )
    return ended.stdout, ended.returncode


def limit(seconds: float) -> None:
    """Bounds this process before it has seen a byte of the file."""
    try:
        import resource
    except ImportError:  # Windows: the deadline of the parent is left
        return
    cpu = math.ceil(seconds)
    for what, most in (
        (resource.RLIMIT_AS, (MEMORY_GB << 30, MEMORY_GB << 30)),
        (resource.RLIMIT_CPU, (cpu, cpu + 1)),
        (resource.RLIMIT_CORE, (0, 0)),
    ):
        try:
            resource.setrlimit(what, most)
        except (OSError, ValueError):  # a stricter limit is set already, or the system has no such limit
            continue


def answer(request: dict[str, Any], data: bytes) -> dict[str, Any]:
    """What the process replies. Raises `arena.pixels.Refused`, or `MemoryError`."""
    import hashlib
    from io import BytesIO

    from arena import pdf, pixels

    kind = pixels.format_of(data)
    if "count" in request:
        return {"pages": pdf.count(data) if kind == "PDF" else 1}
    if kind == "PDF":
        image, original, notices = pdf.drawn(data, request["page"], request["max_pixels"])
    elif request["page"] == 1:
        image, original, notices = pixels.decoded(data, kind, request["max_pixels"])
    else:
        raise pixels.Refused("images.page_range", page=request["page"], pages=1)

    # Compressed in memory first, so that an error in writing is the disk's and has its number.
    encoded = BytesIO()
    image.save(encoded, "PNG", compress_level=COMPRESSION)
    # Not synced: neither is the row that will name it (a WAL with synchronous=NORMAL), and what a loss of power leaves
    # behind is known by its header and stored anew.
    try:
        Path(request["out"]).write_bytes(encoded.getbuffer())
    except OSError as error:
        return {"errno": error.errno}
    return {
        "sha256": hashlib.sha256(encoded.getbuffer()).hexdigest(),
        "width": image.width,
        "height": image.height,
        "original_width": original[0],
        "original_height": original[1],
        "notices": notices,
    }


def main() -> None:
    """One request in the first argument, the file on stdin, one reply in JSON on stdout."""
    request = json.loads(sys.argv[1])
    limit(request["seconds"])
    sys.stdout.write(replied(request, sys.stdin.buffer.read()))


def forked(request: dict[str, Any], file: int, out: int) -> NoReturn:
    """In a process that was forked for it: one request, the file and the reply as descriptors."""
    code = 1
    try:
        limit(request["seconds"])
        with os.fdopen(file, "rb") as given:
            data = given.read()
        with os.fdopen(out, "wb") as reply:
            reply.write(replied(request, data).encode())
        code = 0
    finally:
        os._exit(code)  # nothing may return into the parent's loop


def replied(request: dict[str, Any], data: bytes) -> str:
    """The reply in JSON, whatever happens."""
    from arena.pixels import Refused

    try:
        reply = answer(request, data)
    except Refused as refused:
        reply = {"refused": [refused.key, refused.params]}
    except MemoryError:
        reply = {"refused": ["images.too_much_memory", {"limit": MEMORY_GB}]}
    except Exception as error:  # noqa: BLE001 - our own fault; the parent says so and keeps serving
        reply = {"fault": f"{type(error).__name__}: {error}"}
    return json.dumps(reply)


if __name__ == "__main__":
    main()
