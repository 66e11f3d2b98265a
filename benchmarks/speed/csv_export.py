"""The CSV of 100,000 stored runs, read from the database and made safe, against pandas writing the same frame."""

from __future__ import annotations

import random
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas
from sqlalchemy import text

from adapters.base import Box
from arena.columns import FIELDS
from arena.database import writing
from arena.export import columns, write_csv
from arena.store import RunQuery, Store
from arena.types import Memory, Run, Timeline

ROWS = 100_000
DISTINCT = 1000  # runs that are made; the database multiplies them
ROUNDS = 4
GOAL = "<= 1.5"
PIECES = (
    "чек",
    "итого",
    "сумма:",
    "кассир",
    "ИНН 7707083893",
    "31.01.2026",
    "- товар",
    "2 × 149,90",
    "= 299,80;",
    "total",
)


def measure() -> dict[str, Any]:
    """Whole export: filter, sort, read, make safe, write; pandas only writes what is in memory already."""
    with tempfile.TemporaryDirectory(prefix="arena-bench-") as name:
        folder = Path(name)
        store = Store(f"sqlite:///{folder / 'arena.db'}")
        fill(store)
        query = RunQuery(descending=False)
        frame = pandas.DataFrame((tuple(row) for row in store.rows(query)), columns=columns())

        def ours() -> None:
            with (folder / "ours.csv").open("w", encoding="utf-8", newline="") as file:
                write_csv(store.rows(query), file)

        def plain() -> None:
            frame.to_csv(folder / "pandas.csv", index=False, encoding="utf-8-sig")

        ours_s, pandas_s = in_turn(ours, plain)
        size_mb = (folder / "ours.csv").stat().st_size / 1e6
        store.close()
    return {
        "name": f"CSV of {ROWS:,} stored runs / pandas writing the same frame",
        "ratio": ours_s / pandas_s,
        "goal": GOAL,
        "detail": f"{ours_s:.2f} s from the database, {pandas_s:.2f} s from memory; {len(columns())} columns, "
        f"{size_mb:.0f} MB",
    }


def in_turn(*works: Callable[[], None]) -> list[float]:
    """The fewest seconds of each, measured in turn: a busy machine only adds to them."""
    times: list[list[float]] = [[] for _ in works]
    for _ in range(ROUNDS):
        for work, seconds in zip(works, times, strict=True):
            started = time.perf_counter()
            work()
            seconds.append(time.perf_counter() - started)
    return [min(seconds) for seconds in times]


def fill(store: Store) -> None:
    """`ROWS` runs, without the index for searching, which an export does not read."""
    chance = random.Random(1)
    with writing(store._engine).begin() as connection:
        connection.execute(text("DROP TRIGGER run_search_insert"))
    for number in range(DISTINCT):
        store.save(run(number, chance))
    # A copy is a day later than the one before, so that the order of time is that of the rows, as it grows in use.
    changed = {
        "run_id": "run_id || '-' || n",
        "created_at": "strftime('%Y-%m-%d %H:%M:%f000', created_at, n || ' days')",
    }
    names = [field.name for field in FIELDS]
    values = ", ".join(changed.get(name, f'"{name}"') for name in names)
    quoted = ", ".join(f'"{name}"' for name in names)
    more = ROWS // DISTINCT - 1
    copies = f"WITH RECURSIVE copy(n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM copy WHERE n < {more})"  # noqa: S608
    with writing(store._engine).begin() as connection:
        for table, into, out in (
            ("run", f"(seq, box_count, {quoted})", f"seq + n * {DISTINCT}, box_count, {values}"),
            ("score", "", f"run_seq + n * {DISTINCT}, metric, value"),
        ):
            connection.exec_driver_sql(f"INSERT INTO {table} {into} {copies} SELECT {out} FROM copy, {table}")  # noqa: S608


def run(number: int, chance: random.Random) -> Run:
    """A receipt as an OCR engine gives it: some seven hundred characters in twenty lines, each with its box."""
    lines = [" ".join(chance.choices(PIECES, k=4)) for _ in range(20)]
    answer = "\n".join(lines)
    seconds = chance.random() * 3
    return Run(
        run_id=f"01JFXYZ0000000000000{number:06d}",
        comparison_id=f"01JFXYZ0000000000000{number // 2:06d}",
        side="AB"[number % 2],
        order=number % 2,
        created_at=datetime(2026, 1, 31, tzinfo=UTC) + timedelta(seconds=7.123456 * number),
        model=("tesseract", "rapidocr")[number % 2],
        title="Tesseract 5",
        source="tesserocr",
        revision="5.5.0",
        adapter="tesseract",
        mode="embedded",
        quantization="none",
        dtype="auto",
        task="ocr",
        language="ru",
        prompt="Прочитай весь текст на изображении, сохраняя строки.",
        prompt_sha256=f"{number:064x}",
        image_sha256=f"{number * 7919:064x}",
        image_width=1240,
        image_height=1754,
        original_width=2480,
        original_height=3508,
        seen_width=1240,
        seen_height=1754,
        params={"max_new_tokens": 1024, "temperature": 0.0},
        seed=None,
        status="ok",
        error_kind=None,
        error_detail=None,
        text=answer,
        characters=len(answer),
        prompt_tokens=None,
        output_tokens=None,
        visual_tokens=None,
        retries=None,
        tokens_per_s=None,
        characters_per_s=len(answer) / (seconds + 0.1),
        reference=None,
        timeline=Timeline(0.0, None, 0.018, 0.31, None, seconds, seconds + 0.328, True),
        memory=Memory(peak_ram_mb=180 + chance.random()),
        device="Some CPU at 2.5 GHz (2 cores)",
        driver=None,
        app_version="0.1.0",
        app_commit="0123456789ab",
        python_version="3.11.2",
        library_versions={"tesserocr": "2.13.1", "tesseract": "5.5.0"},
        boxes=tuple(Box(10, 20.0 * at, 600, 20.0 * at + 18, line, "line", 0.93) for at, line in enumerate(lines)),
        scores={"cer": chance.random(), "wer": chance.random()},
    )


if __name__ == "__main__":
    print(measure())
