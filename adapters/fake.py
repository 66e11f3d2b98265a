"""The test model: delays, streams, loops, runs out of memory, crashes and hangs on command.

Commands are ``name=value`` words in the prompt (for one answer) or entries of the model's options (for the load):

prompt:  tokens=20 delay=0.05 say=TEXT quoted=TEXT* times=1 loop=1 oom=1 exit=3 hang=1 raise=TEXT* crash=9 last=TEXT*
         noise=1000 empty=1 boxes=1 (all but the first are none) box=TEXT* (what that says) environ=NAME
         recall=1 (what it was told so far); a TEXT* is written as in a URL
options: load_delay, load_oom, load_raise, load_crash, load_hang, ignore_sigterm, ballast_mb, child, record,
         always (commands for every answer)
"""

from __future__ import annotations

import ctypes
import hashlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from adapters.base import Adapter, AdapterError, Box, Job, Output, turns, understood
from adapters.shown import shown as placed


def commands(prompt: str) -> dict[str, str]:
    """The ``name=value`` words of a prompt."""
    return dict(word.split("=", 1) for word in prompt.split() if "=" in word)


class Fake(Adapter):
    """Answers with words derived from the image's bytes, so that equal input gives equal text."""

    tasks = ("ocr", "formatted_ocr", "description", "question", "chat", "layout", "grounding")
    prompted = True
    needs_image = False
    several_images = True
    params = ("max_new_tokens", "temperature", "top_p", "repetition_penalty", "seed")

    def __init__(self) -> None:
        self.ballast = b""
        self.record: str | None = None
        self.always = ""

    def load(self, model: dict[str, Any]) -> None:
        options = model.get("options", {})
        self.record = options.get("record")
        self.always = options.get("always", "")
        self.note("load")
        if options.get("ignore_sigterm"):
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
        if options.get("child"):
            subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
        if options.get("load_crash"):
            os.kill(os.getpid(), signal.SIGSEGV)
        if options.get("load_hang"):
            hang()
        time.sleep(float(options.get("load_delay", 0)))
        if options.get("load_oom"):
            raise MemoryError("the fake weights do not fit")
        if options.get("load_raise"):
            raise RuntimeError(str(options["load_raise"]))
        self.ballast = os.urandom(int(float(options.get("ballast_mb", 0)) * 1024 * 1024))

    def note(self, what: str) -> None:
        """One line in the record file: what, who, and at a load which earlier model is still alive."""
        if not self.record:
            return
        with Path(self.record).open("a+") as file:
            file.seek(0)
            loaded = {int(line.split()[1]) for line in file if line.startswith("load ")} - {os.getpid()}
            alive = [str(pid) for pid in loaded if alive_now(pid)] if what == "load" else []
            file.write(f"{what} {os.getpid()} {','.join(alive) or '-'}\n")

    def predict(self, job: Job) -> Iterator[str | Output]:
        told = commands(f"{self.always} {job.prompt}")
        self.note("predict")
        if noise := int(told.get("noise", 0)):
            for number in range(0, noise, 4096):
                print("noise of a model" * min(4096, noise - number), file=(sys.stdout, sys.stderr)[number // 4096 % 2])
            subprocess.run(["echo", "noise of a child"], check=True)
        if "raise" in told:
            raise RuntimeError(unquote(told["raise"]))
        if "bad_input" in told:
            raise AdapterError("bad_input", "the fake model does not like this image")
        if "oom" in told:
            raise MemoryError("CUDA out of memory (fake)")
        words = self.words(job, told)
        said = []
        for number, word in enumerate(words):
            time.sleep(float(told.get("delay", 0)))
            if number == int(told.get("after", 3)):
                self.note("midway")
                misbehave(told)
            said.append(word)
            yield word
        text = "".join(said)
        limit = job.params.get("max_new_tokens")
        box = Box(10, 10, 60, 40, text=unquote(told.get("box", "fake")), confidence=0.5)
        yield Output(
            text=text,
            **understood(box if at == 0 else None for at in range(int(told.get("boxes", 0)))),
            finish_reason="length" if limit and len(said) >= int(limit) and "say" not in told else "stop",
            output_tokens=len(said),
            prompt_tokens=1 + len(job.prompt.split()),  # the image counts as one
        )

    def words(self, job: Job, told: dict[str, str]) -> Iterator[str]:
        if "empty" in told:
            return
        if "environ" in told:
            yield f"{os.environ.get(told['environ'], '?')} "
            return
        if "recall" in told:
            said = turns(job)
            places = [turn for turn, _ in placed(job, len(said))]
            for number, (question, answer) in enumerate(said):
                yield f"{'[picture] ' * places.count(number)}{question} → {answer} | "
            return
        if "quoted" in told:
            yield unquote(told["quoted"]) * int(told.get("times", 1))
            return
        if "say" in told:
            yield from (f"{word} " for word in told["say"].split("_"))
            return
        shown = Path(job.image).read_bytes() if job.image else b""
        digest = hashlib.sha256(shown).hexdigest()
        count = min(int(told.get("tokens", 12)), int(job.params.get("max_new_tokens") or 10**9))
        if "loop" in told:
            count = 10**9
        for number in range(count):
            yield "the same words again and again " if "loop" in told else f"{digest[number % 60 :][:4]}{number} "

    def versions(self) -> dict[str, str]:
        return {"fake": "1"}


def alive_now(pid: int) -> bool:
    """Whether the process runs; a zombie has given everything back."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def misbehave(told: dict[str, str]) -> None:
    """Die or stop answering, as commanded, in the middle of an answer."""
    if "crash" in told:
        print("about to crash on command", unquote(told.get("last", "")), file=sys.stderr, flush=True)
        os.kill(os.getpid(), int(told["crash"]))
        time.sleep(5)
    if "exit" in told:
        os._exit(int(told["exit"]))
    if "hang" in told:
        hang()


def hang() -> None:
    """Wait for good and hold Python's lock meanwhile: no thread of this process runs, no signal is heard."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT})
    while True:
        ctypes.PyDLL(None).pause()
