"""Benchmarks in the database: what each asks, its items in their order, and which of its cells are filled.

The answers themselves are runs like all others; the table of runs holds a cell, that is a benchmark, an item, a side
and a repeat, once at most, whoever fills it. So what is filled is never asked again, after whatever ended a program.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, fields
from datetime import UTC, datetime
from typing import Any, Literal

from sqlalchemy import Column, Connection, ForeignKey, Index, Integer, Table, Text, delete, func, insert, select, update

from arena.store import Store
from arena.tables import METADATA, RUN, Bag, CleanText, Moment

State = Literal["running", "done", "stopped"]
BATCH = 500


@dataclass(frozen=True)
class Benchmark:
    """What a benchmark asks. plan: all that a repetition needs: the models as they run, prompts, parameters, versions;
    see `benchmarks.runs.plan`. dataset_sha256: of the items, their images included."""

    id: str
    name: str
    dataset: str
    dataset_sha256: str
    plan: Mapping[str, Any]
    state: State = "running"
    created_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    ended_at: datetime | None = None


@dataclass(frozen=True)
class KeptItem:
    """One item as it was asked. truth: see `benchmarks.metrics.truth.Truth.to_dict`. image_sha256: in the image store,
    "" when the image could not be read, and `error` says why. original_width, original_height: of the image before it
    was stored."""

    item: str
    position: int
    task: str
    language: str
    prompt: str
    truth: Mapping[str, Any]
    tags: Mapping[str, str]
    image_sha256: str
    error: str = ""
    original_width: int | None = None
    original_height: int | None = None


BENCHMARK = Table(
    "benchmark",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("name", CleanText, nullable=False),
    Column("dataset", CleanText, nullable=False),
    Column("dataset_sha256", Text, nullable=False),
    Column("plan", Bag, nullable=False),
    Column("state", Text, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("ended_at", Moment),
)
Index("ix_benchmark_created_at", BENCHMARK.c.created_at)
ITEM = Table(
    "benchmark_item",
    METADATA,
    Column("benchmark_id", ForeignKey(BENCHMARK.c.id, ondelete="CASCADE"), primary_key=True),
    Column("item", CleanText, primary_key=True),
    Column("position", Integer, nullable=False),
    *(Column(name, CleanText, nullable=False) for name in ("task", "language", "prompt")),
    *(Column(name, Bag, nullable=False) for name in ("truth", "tags")),
    Column("image_sha256", Text, nullable=False),
    Column("error", CleanText, nullable=False),
    *(Column(name, Integer) for name in ("original_width", "original_height")),
)


class Claims:
    """Who is at which cell, so that of several programs only one asks for it. In PostgreSQL these are advisory locks:
    they go with the program's connection, so nothing stays claimed by a program that was ended or a machine that is
    lost. SQLite has none, and every claim is granted; a cell is filled once all the same."""

    def __init__(self, benchmark_id: str, connection: Connection | None) -> None:
        self._benchmark_id, self._connection = benchmark_id, connection

    @contextmanager
    def on(self, place: tuple[str, str, int]) -> Iterator[bool]:
        """Whether the cell is ours until the block is left; not when another program is at it."""
        if self._connection is None:
            yield True
            return
        named = repr((self._benchmark_id, *place)).encode("utf-8", "surrogatepass")
        lock = int.from_bytes(hashlib.sha256(named).digest()[:8], "big", signed=True)
        ours = self._connection.scalar(select(func.pg_try_advisory_lock(lock)))
        try:
            yield bool(ours)
        finally:
            if ours:
                self._connection.execute(select(func.pg_advisory_unlock(lock)))


OF_BENCHMARK = [BENCHMARK.c[each.name] for each in fields(Benchmark)]
OF_ITEM = [ITEM.c[each.name] for each in fields(KeptItem)]


class Benchmarks:
    """The benchmarks in a store's database. Every method raises `RunError` (``storage``)."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def begin(self, benchmark: Benchmark, items: Iterable[KeptItem]) -> None:
        """Write down what will be asked, all of it or nothing."""
        rows = [{**asdict(item), "benchmark_id": benchmark.id} for item in items]
        with self._store.writing() as connection:
            connection.execute(insert(BENCHMARK), asdict(benchmark))
            for start in range(0, len(rows), BATCH):
                connection.execute(insert(ITEM), rows[start : start + BATCH])

    def get(self, benchmark_id: str) -> Benchmark | None:
        with self._store.reading() as connection:
            row = connection.execute(select(*OF_BENCHMARK).where(BENCHMARK.c.id == benchmark_id)).first()
        return Benchmark(*row) if row else None

    def newest(self, limit: int = 50) -> list[Benchmark]:
        """The latest first."""
        with self._store.reading() as connection:
            found = connection.execute(select(*OF_BENCHMARK).order_by(BENCHMARK.c.created_at.desc()).limit(limit))
            return [Benchmark(*row) for row in found]

    def items(self, benchmark_id: str) -> Iterator[KeptItem]:
        """In their order; a few hundred are held at a time."""
        chosen = select(*OF_ITEM).where(ITEM.c.benchmark_id == benchmark_id).order_by(ITEM.c.position)
        with self._store.reading() as connection:
            for row in connection.execute(chosen, execution_options={"yield_per": BATCH}):
                yield KeptItem(*row)

    def sizes(self, benchmark_ids: Collection[str]) -> dict[str, tuple[int, int]]:
        """Of each benchmark, how many items it has and how many of its cells are filled."""
        found = {name: [0, 0] for name in benchmark_ids}
        with self._store.reading() as connection:
            for at, of in enumerate((ITEM.c.benchmark_id, RUN.c.benchmark_id)):
                chosen = select(of, func.count()).where(of.in_(list(found))).group_by(of)
                for name, count in connection.execute(chosen):
                    found[name][at] = count
        return {name: (items, runs) for name, (items, runs) in found.items()}

    def filled(self, benchmark_id: str) -> set[tuple[str, str, int]]:
        """Item, side and repeat of every run there is."""
        chosen = select(RUN.c.item, RUN.c.side, RUN.c.repeat).where(RUN.c.benchmark_id == benchmark_id)
        with self._store.reading() as connection:
            return {(item, side, repeat) for item, side, repeat in connection.execute(chosen)}

    def ends(self, benchmark_id: str) -> list[tuple[str, str, bool, float | None]]:
        """Of every run but warm-ups: its side, its status, whether it was taken over, and the seconds it took."""
        columns = (RUN.c.side, RUN.c.status, RUN.c.cached_from.is_not(None), RUN.c.generate_s)
        chosen = select(*columns).where(RUN.c.benchmark_id == benchmark_id, RUN.c.repeat > 0)
        with self._store.reading() as connection:
            return [(side, status, bool(copied), took) for side, status, copied, took in connection.execute(chosen)]

    def is_filled(self, benchmark_id: str, place: tuple[str, str, int]) -> bool:
        """Whether this item, side and repeat has its run by now."""
        item, side, repeat = place
        here = (RUN.c.benchmark_id == benchmark_id, RUN.c.item == item, RUN.c.side == side, RUN.c.repeat == repeat)
        with self._store.reading() as connection:
            return connection.scalar(select(RUN.c.seq).where(*here)) is not None

    @contextmanager
    def claiming(self, benchmark_id: str) -> Iterator[Claims]:
        """For a program that fills cells while others may."""
        with self._store.reading() as connection:
            if connection.dialect.name != "postgresql":
                yield Claims(benchmark_id, None)
                return
            alone = connection.execution_options(isolation_level="AUTOCOMMIT")
            try:
                yield Claims(benchmark_id, alone)
            finally:
                alone.execute(select(func.pg_advisory_unlock_all()))

    def answered(self, like: Mapping[str, Any], without: str, limit: int = 20) -> list[str]:
        """Ids of runs of other benchmarks than `without` whose columns are as in `like`, that were answered well by
        the model itself, the newest first. The image's hash must be among the columns: it leads the index."""
        chosen = (
            select(RUN.c.run_id)
            .where(*(RUN.c[name] == value for name, value in like.items()))
            .where(RUN.c.status == "ok", RUN.c.benchmark_id != without, RUN.c.cached_from.is_(None))
            .order_by(RUN.c.seq.desc())
            .limit(limit)
        )
        with self._store.reading() as connection:
            return list(connection.scalars(chosen))

    def turn(self, benchmark_id: str, state: State) -> None:
        """It runs again, or has ended."""
        ended = None if state == "running" else datetime.now(UTC)
        with self._store.writing() as connection:
            chosen = update(BENCHMARK).where(BENCHMARK.c.id == benchmark_id)
            connection.execute(chosen.values(state=state, ended_at=ended))

    def forget(self, benchmark_id: str) -> None:
        """Delete a benchmark and its items; its runs stay in the table of runs."""
        with self._store.writing() as connection:
            connection.execute(delete(BENCHMARK).where(BENCHMARK.c.id == benchmark_id))
