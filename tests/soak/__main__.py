"""Hundreds of comparisons against one running app, and whether it is the same afterwards: `make soak ARGS="--seed 2"`.

Several visitors in two languages compare on the page and through the API, stop, leave in the middle, and have models
die. Ends with 1 when memory has grown, something was left open, or a comparison is not accounted for.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import shutil
import sqlite3
import sys
import time
from collections import Counter, defaultdict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_args

from arena.query import RunQuery
from arena.store import Store
from arena.types import Status
from arena.ui.closed_pages import KEPT
from tests.soak.served import Served, served
from tests.soak.visitors import Asked, Visitor

FIRST = 50  # comparisons until every cache is filled; growth counts from there
GROWTH = 1.05
FAULT = re.compile(r"^(?:Traceback|ERROR|CRITICAL).*(?:\n .*)*\n.*", re.MULTILINE)
NUMBER = re.compile(r"\bsoak=(\d+)")


@dataclass
class Soak:
    """What was asked and what the app held on the way: by the number of comparisons before."""

    app: Served
    asked: list[Asked] = field(default_factory=list)
    looks: dict[int, dict[str, Any]] = field(default_factory=dict)
    rows: Counter[str] = field(default_factory=Counter)
    began: float = field(default_factory=time.monotonic)

    def look(self) -> None:
        """Measure the app at rest: nothing runs and no model is loaded."""
        assert self.app.idle(), f"the device is still taken: {self.app.devices()}"
        self.app.unload()
        self.looks[len(self.asked)] = now = self.app.held()
        print(
            f"{len(self.asked):>4} comparisons  {time.monotonic() - self.began:>6.0f} s  "
            f"{now['own_mb']:.1f} MB of its own, {now['resident_mb']:.1f} resident, {sum(now['descriptors'].values())} "
            f"descriptors, {sum(now['threads'].values())}+{now['pooled']} threads, {len(now['processes'])} processes, "
            f"{now['objects']} objects",
            flush=True,
        )

    def verdicts(self) -> dict[str, list[str]]:
        """What is wrong, by what was to be right."""
        first, last = self.looks[min(FIRST, max(self.looks))], self.looks[max(self.looks)]
        start = self.looks[min(self.looks)]
        growth = last["resident_mb"] / first["resident_mb"]
        what = {
            f"resident memory grows by 5 % at most ({(growth - 1) * 100:+.1f} %)": []
            if growth <= GROWTH
            else [f"{first['resident_mb']:.1f} → {last['resident_mb']:.1f} MB resident"],
            "no descriptor is left open": more(apart(last["descriptors"]), apart(start["descriptors"])),
            "no thread is left": more(last["threads"], start["threads"]),
            "no process is left": more(Counter(last["processes"]), Counter(start["processes"])),
            "nothing runs or waits": [
                str(device) for device in self.app.devices() if device["busy"] or device["waiting"]
            ],
            "no fault of the program in its log": FAULT.findall(self.app.log.read_text(errors="replace")),
            "every visitor was answered": [f"{each.how}: {each.trouble}" for each in self.asked if each.trouble],
        }
        return what | {"every comparison is accounted for": self.accounts()}

    def accounts(self) -> list[str]:
        """Comparisons that have not as many rows as they were to, each with a status that there is."""
        rows: dict[int, list[str]] = defaultdict(list)
        store = Store(f"sqlite:///{self.app.home / 'arena.db'}")
        try:
            for run in store.iterate(RunQuery()):
                found = NUMBER.search(run.prompt)
                rows[int(found.group(1)) if found else -1].append(run.status)
        finally:
            store.close()
        wrong = [
            f"{each.number} ({each.how}): {rows[each.number]}"
            for each in self.asked
            if len(rows[each.number]) != each.sides and (each.certain or rows[each.number])
        ]
        known = {each.number for each in self.asked}
        wrong += [f"nobody asked for {number}: {found}" for number, found in rows.items() if number not in known]
        self.rows = Counter(status for found in rows.values() for status in found)
        return wrong + [f"no such status: {status}" for status in self.rows if status not in get_args(Status)]


def apart(descriptors: dict[str, int]) -> dict[str, int]:
    """Without the connections that the database keeps for the next who asks."""
    return {name: count for name, count in descriptors.items() if name != "database"}


def more(now: dict[str, int], before: dict[str, int]) -> list[str]:
    return [f"{name}: {before.get(name, 0)} → {count}" for name, count in now.items() if count > before.get(name, 0)]


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--comparisons", type=int, default=500)
    parser.add_argument("--visitors", type=int, default=6, help="how many come at the same time")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the result there too")
    options = parser.parse_args()
    with served() as app:
        soak = Soak(app)
        people = [
            Visitor(app, "ru" if number % 2 else "en", random.Random(f"{options.seed} {number}"))
            for number in range(options.visitors)
        ]
        with ThreadPoolExecutor(len(people)) as pool:
            # What is made once, when first needed, is there before the first look; so are as many closed pages as the
            # app keeps for whoever comes back.
            for number in range(0, KEPT + len(people), len(people)):
                soak.asked += pool.map(Visitor.come_and_go, people, range(number, number + len(people)))
            soak.asked += pool.map(Visitor.watch, people, range(len(soak.asked), len(soak.asked) + len(people)))
            soak.look()
            while (done := len(soak.asked)) < options.comparisons:
                numbers = range(done, min(done - done % FIRST + FIRST, options.comparisons))
                shares = [numbers[place :: len(people)] for place in range(len(people))]
                for answered in pool.map(lambda who, share: [*map(who.compare, share)], people, shares):
                    soak.asked += answered
                for person in people:
                    person.hang_up()
                soak.look()
        verdicts = soak.verdicts()
        for person in people:
            person.go()
            shutil.rmtree(person.folder, ignore_errors=True)
        with sqlite3.connect(app.home / "arena.db") as database:
            said = database.execute("PRAGMA integrity_check").fetchone()[0]
        verdicts["the database is whole"] = [] if said == "ok" else [said]
    print("\nasked   ", dict(Counter(each.how for each in soak.asked)))
    print("answered", dict(soak.rows), "\n")
    for what, wrong in verdicts.items():
        print(f"{'MISSED' if wrong else 'ok':<7}{what}", *wrong[:10], sep="\n         ")
    if options.json:
        looks = {str(number): look for number, look in soak.looks.items()}
        options.json.write_text(json.dumps({"verdicts": verdicts, "rows": soak.rows, "looks": looks}, indent=1))
    return int(any(verdicts.values()))


if __name__ == "__main__":
    sys.exit(main())
