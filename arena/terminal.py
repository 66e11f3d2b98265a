"""What every command prints and asks with: messages on stderr, tables on stdout, the language of the terminal."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from arena.strings import pick_language

YES = ("y", "yes", "д", "да")


def terminal_language() -> str:
    """The user's language as the system says it: LC_ALL, LC_MESSAGES or LANG."""
    said = next((os.environ[name] for name in ("LC_ALL", "LC_MESSAGES", "LANG") if os.environ.get(name)), "en")
    return pick_language(said.split(".")[0].replace("_", "-"))


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def tell_stage(line: str, *, over: bool = False) -> None:
    """One line on stderr that the next one replaces where that is a terminal; `over`: this one stays."""
    if sys.stderr.isatty():
        print(f"\r\033[K{line}", end="\n" if over else "", file=sys.stderr, flush=True)
    else:
        say(line)


def print_table(rows: Sequence[Sequence[str]]) -> None:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def agreed(question: str) -> bool:
    """Whether the person at the terminal says yes; whoever leaves has not."""
    print(question, end=" ", flush=True)
    try:
        return input().strip().casefold() in YES
    except EOFError:
        print()
        return False


@contextmanager
def interruptible(stop: Callable[[], None]) -> Iterator[None]:
    """Ctrl-C and SIGTERM stop what is being done instead of the program."""
    before = {number: signal.signal(number, lambda *_: stop()) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
