"""A database with very many runs in seconds: a few that are saved as usual, and copies of them by the database."""

from __future__ import annotations

import random
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta

from adapters.base import Box
from arena.columns import FIELDS
from arena.store import Store
from arena.types import Memory, Run, Timeline

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
# What a copy differs in: a day later than the one before, so that the order of time is that of the rows.
LATER = {
    "run_id": "run_id || '-' || n",
    "created_at": "strftime('%Y-%m-%d %H:%M:%f000', created_at, n || ' days')",
}


def multiply(store: Store, copies: int, changed: dict[str, str], score: str = "value") -> None:
    """As many copies of every run. `changed`, by columns, and `score` say in SQL what they differ in; n is the number
    of the copy. SQLite alone: without a journal, and with the indexes made afterwards. Searching does not find them."""
    store.close()  # it opens again by itself
    names = [field.name for field in FIELDS]
    quoted = ", ".join(f'"{name}"' for name in names)
    values = ", ".join(changed.get(name, f'"{name}"') for name in names)
    numbers = f"WITH RECURSIVE copy(n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM copy WHERE n < {copies})"  # noqa: S608
    with closing(sqlite3.connect(store._engine.url.database or "")) as file:
        for pragma in ("journal_mode = OFF", "synchronous = OFF", "cache_size = -500000", "temp_store = MEMORY"):
            file.execute(f"PRAGMA {pragma}")
        (few,) = file.execute("SELECT max(seq) FROM run").fetchone()
        made = file.execute(
            "SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL AND tbl_name IN ('run', 'score')"
            " AND type IN ('index', 'trigger')"
        ).fetchall()
        for kind, name, _ in made:
            file.execute(f"DROP {kind} {name}")
        for table, into, out in (
            ("run", f"(seq, box_count, {quoted})", f"seq + n * {few}, box_count, {values}"),
            ("score", "", f"run_seq + n * {few}, metric, {score}"),
        ):
            file.execute(f"INSERT INTO {table} {into} {numbers} SELECT {out} FROM copy, {table}")  # noqa: S608
        for _, _, sql in made:
            file.execute(sql)
        kinds = "model, task, status"
        file.execute("DELETE FROM run_count")
        file.execute(f"INSERT INTO run_count SELECT {kinds}, count(*) FROM run GROUP BY {kinds}")  # noqa: S608
        file.commit()
        file.execute("PRAGMA journal_mode = WAL")


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
