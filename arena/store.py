"""Where runs are kept: saved, found, counted, streamed and deleted, in SQLite or PostgreSQL, from any thread."""

from __future__ import annotations

import threading
import time
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, Select, Text, delete, func, insert, select, type_coerce
from sqlalchemy.dialects import postgresql, sqlite

from arena.columns import FIELDS, Row, flatten, to_run
from arena.database import open_database, parse, writing
from arena.faults import said, told
from arena.query import RunPage, RunQuery, Way, counting, matching, ordered
from arena.tables import COLUMNS, RUN, RUN_COUNT, SCORE
from arena.types import Run
from benchmarks.metrics import METRICS

__all__ = ["Row", "RunPage", "RunQuery", "Store"]

# Matches from which a page is found faster by walking the sort's index than by gathering them all, and from which
# on such a walk it is faster to read texts than to list what contains the words; found with a million runs.
MANY = 5000
MOST = 50_000
BATCH = 500  # rows that are read at a time, and deleted in one transaction
COUNTS_KEPT = 200
STALE_S = 10.0  # after which runs are counted anew: another program may have deleted some

_VALUE = SCORE.alias()
# The columns of a `Row`.
FLAT = (
    *(
        RUN.c.box_count if field.kind is tuple else type_coerce(column, Text) if field.kind is dict else column
        for field, column in zip(FIELDS, COLUMNS, strict=True)
    ),
    *(
        select(_VALUE.c.value).where(_VALUE.c.run_seq == RUN.c.seq, _VALUE.c.metric == metric).scalar_subquery()
        for metric in METRICS
    ),
)
# What a plot wants.
POINT = (
    "run_id",
    "comparison_id",
    "created_at",
    "model",
    "title",
    "mode",
    "quantization",
    "task",
    "status",
    "device",
    "characters",
    "output_tokens",
    "tokens_per_s",
    "characters_per_s",
    "load_s",
    "first_token_s",
    "generate_s",
    "total_s",
    "cold",
    "peak_ram_mb",
    "peak_vram_process_mb",
    "peak_vram_device_mb",
)
Scores = dict[int, dict[str, float | None]]  # by seq, then by metric


class Store:
    """The runs in the database at `url`, an SQLAlchemy URL: ``sqlite:///file`` or ``postgresql://…``.

    timeout_s: how long to wait for another program that holds the database. Opening raises `ArenaError`, everything
    else `RunError` (``storage``; ``bad_input`` for a sort there is not), each saying what is wrong and what to do.
    """

    def __init__(self, url: str, timeout_s: float = 10.0) -> None:
        self._url = parse(url)
        self._engine = open_database(self._url, timeout_s)
        self._dialect = self._engine.dialect.name
        adding = sqlite.insert(RUN) if self._dialect == "sqlite" else postgresql.insert(RUN)
        self._adding = adding.on_conflict_do_nothing().returning(RUN.c.seq)
        self._counted: dict[RunQuery, tuple[int, float, int]] = {}  # by filters: newest seq, when, how many
        self._veiled: tuple[str, ...] = ()
        self._veiling = threading.Lock()  # protects the change of _veiled

    @property
    def name(self) -> str:
        """The database as people may see it: a path, or a URL without the password."""
        return said(self._url)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A connection that reads, for the tables of other modules. Raises `RunError` (``storage``)."""
        with told(self._url), self._engine.connect() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction that writes, done at the end unless something is raised. Raises `RunError` (``storage``)."""
        with told(self._url), writing(self._engine).begin() as connection:
            yield connection

    def veil(self, comparison_id: str, *, veiled: bool = True) -> None:
        """Keep the runs of a comparison out of every list, plot and file of this program, or no more: nobody shall
        learn from them who takes part in a battle that is not decided."""
        with self._veiling:
            others = tuple(each for each in self._veiled if each != comparison_id)
            self._veiled = (*others, comparison_id) if veiled else others

    def _unveiled(self, query: RunQuery) -> RunQuery:
        return replace(query, without=(*query.without, *self._veiled)) if self._veiled else query

    def save(self, run: Run) -> None:
        """Write a run down. When this returns, the row outlives the end of the process, whatever ends it.

        Saving the same run again changes nothing, so a save of unknown outcome may be repeated.
        """
        values = dict(zip((field.name for field in FIELDS), flatten(run), strict=True))
        with told(self._url), writing(self._engine).begin() as connection:
            seq = connection.scalar(self._adding, {**values, "box_count": len(run.boxes)})
            if seq is not None and run.scores:
                scores = [{"run_seq": seq, "metric": metric, "value": value} for metric, value in run.scores.items()]
                connection.execute(insert(SCORE), scores)

    def get(self, run_id: str) -> Run | None:
        return next(iter(list(self.iterate(RunQuery(run_ids=(run_id,))))), None)

    def comparison(self, comparison_id: str) -> list[Run]:
        """The runs of one comparison in the order they ran."""
        if not comparison_id:
            return []  # which as a filter would let everything through
        return list(self.iterate(RunQuery(comparison_id=comparison_id, sort="order", descending=False)))

    def page(self, query: RunQuery) -> RunPage:
        """One page, and how many runs match in all."""
        query = self._unveiled(query)
        with told(self._url), self._engine.connect() as connection:
            total = self._total(connection, query.filters)
            found, scores = self._slice(connection, query, COLUMNS, total)
        return RunPage([to_run(row[1:], scores.get(row[0], {})) for row in found], total)

    def points(self, query: RunQuery, limit: int) -> list[dict[str, Any]]:
        """The newest `limit` runs that match, oldest first: the columns of `POINT` and a key for every metric."""
        query = self._unveiled(query)
        newest = replace(query, sort="created_at", descending=True, offset=0, limit=limit)
        with told(self._url), self._engine.connect() as connection:
            total = self._total(connection, query.filters)
            found, scores = self._slice(connection, newest, [RUN.c[name] for name in POINT], total)
        return [dict(zip(POINT, row[1:], strict=True)) | scores.get(row[0], {}) for row in reversed(found)]

    def iterate(self, query: RunQuery) -> Generator[Run, None, None]:
        """Every run that matches, in the query's order, whatever its page; a few hundred are held at a time.

        Close it when it is not read to its end: until then it keeps a connection.
        """
        with closing(self._batches(self._unveiled(query), (RUN.c.seq, *COLUMNS))) as batches:
            for connection, found in batches:
                scores = _scores(connection, [row[0] for row in found])
                for row in found:
                    yield to_run(row[1:], scores.get(row[0], {}))

    def rows(self, query: RunQuery) -> Generator[Row, None, None]:
        """As `iterate`, but flat and without reading the boxes: what a CSV needs, in a fraction of the time."""
        with closing(self._batches(self._unveiled(query), FLAT)) as batches:
            for _, found in batches:
                yield from found

    def count(self, query: RunQuery) -> int:
        """How many runs match."""
        with told(self._url), self._engine.connect() as connection:
            return self._total(connection, self._unveiled(query).filters)

    def delete(self, runs: RunQuery | Iterable[str]) -> int:
        """Delete every run that matches now, or those with the given ids. Returns how many there were.

        In small transactions, so that nobody who saves a run has to wait.
        """
        filters = runs if isinstance(runs, RunQuery) else RunQuery(run_ids=tuple(runs))
        if filters is not runs and not filters.run_ids:
            return 0  # no ids, which as a filter would let everything through
        with told(self._url), self._engine.connect() as connection:
            doomed = connection.scalars(select(RUN.c.seq).where(*matching(filters, self._dialect))).all()
        deleted = 0
        try:
            for start in range(0, len(doomed), BATCH):
                some = delete(RUN).where(RUN.c.seq.in_(doomed[start : start + BATCH]))
                with told(self._url), writing(self._engine).begin() as connection:
                    deleted += connection.execute(some).rowcount
        finally:
            self._counted.clear()
        return deleted

    def facets(self, visitor: str | None = None) -> dict[str, list[str]]:
        """The ``models``, ``tasks`` and ``statuses`` that occur, in the runs of one visitor or in all; each sorted."""
        columns = {"models": RUN.c.model, "tasks": RUN.c.task, "statuses": RUN.c.status}
        with told(self._url), self._engine.connect() as connection:
            if visitor is None:
                return {name: _distinct(connection, column, self._veiled) for name, column in columns.items()}
            his = matching(self._unveiled(RunQuery(visitor=visitor)), self._dialect)
            found = {name: select(column).distinct().where(*his) for name, column in columns.items()}
            return {name: sorted(connection.scalars(chosen)) for name, chosen in found.items()}

    def counts(self) -> dict[str, int]:
        """How many ``runs`` there are in all, and how many with each status."""
        runs = func.sum(RUN_COUNT.c.runs)
        counting = select(RUN_COUNT.c.status, runs).group_by(RUN_COUNT.c.status).order_by(RUN_COUNT.c.status)
        with told(self._url), self._engine.connect() as connection:
            counts = {row.status: int(row[1]) for row in connection.execute(counting.having(runs > 0))}
        return {"runs": sum(counts.values()), **counts}

    def close(self) -> None:
        """Give every connection back."""
        self._engine.dispose()

    def _total(self, connection: Connection, filters: RunQuery) -> int:
        """Counted once for all pages of a list, until a run is added or deleted."""
        newest = connection.scalar(select(func.max(RUN.c.seq))) or 0
        then, at, total = self._counted.get(filters, (-1, 0.0, 0))
        if then != newest or time.monotonic() - at > STALE_S:
            total = connection.scalar(counting(filters, self._dialect)) or 0
            if len(self._counted) >= COUNTS_KEPT:
                self._counted.clear()
            self._counted[filters] = (newest, time.monotonic(), total)
        return total

    def _slice(
        self, connection: Connection, query: RunQuery, columns: Sequence[Any], total: int
    ) -> tuple[list[Any], Scores]:
        """The rows of the query's page, each led by its seq, and their scores."""
        way: Way = "gather" if total <= MANY else "walk" if total <= MOST else "read"
        offset, limit = max(query.offset, 0), max(query.limit, 0)
        seqs: list[int] = []  # which rows they are is found by indexes; only these are read then
        for part in ordered(query, (RUN.c.seq,), self._dialect, way):
            more = connection.scalars(part.offset(offset).limit(limit - len(seqs))).all()
            seqs += more
            if len(seqs) == limit:
                break
            # This part ends before the page does; so much of it as lies before the page is no longer to be skipped.
            offset = 0 if more or not offset else offset - _size(connection, part.limit(offset))
        found: dict[int, Any] = {}
        for start in range(0, len(seqs), BATCH):
            chosen = select(RUN.c.seq, *columns).where(RUN.c.seq.in_(seqs[start : start + BATCH]))
            found |= {row[0]: row for row in connection.execute(chosen)}
        return [found[seq] for seq in seqs if seq in found], _scores(connection, seqs)

    def _batches(
        self, query: RunQuery, columns: Sequence[Any]
    ) -> Generator[tuple[Connection, Sequence[Any]], None, None]:
        """All rows of the query, some at a time, with the connection they come from."""
        with told(self._url), self._engine.connect() as connection:
            for part in ordered(query, columns, self._dialect):
                with connection.execute(part, execution_options={"yield_per": BATCH}) as streamed:
                    for found in streamed.partitions():
                        yield connection, found


def _size(connection: Connection, chosen: Select[Any]) -> int:
    """How many rows a select has."""
    return connection.scalar(select(func.count()).select_from(chosen.with_only_columns(RUN.c.seq).subquery())) or 0


def _scores(connection: Connection, seqs: Sequence[int]) -> Scores:
    scores: Scores = {}
    for start in range(0, len(seqs), BATCH):
        chosen = select(SCORE).where(SCORE.c.run_seq.in_(seqs[start : start + BATCH]))
        for seq, metric, value in connection.execute(chosen):
            scores.setdefault(seq, {})[metric] = value
    return scores


def _distinct(connection: Connection, column: Any, veiled: tuple[str, ...]) -> list[str]:
    """The values of an indexed column, a step into its index for each: DISTINCT would read all of it."""
    values: list[str] = []
    lowest = select(func.min(column))
    while (value := connection.scalar(lowest.where(column > values[-1]) if values else lowest)) is not None:
        values.append(value)
    if not veiled:
        return values
    seen = select(RUN.c.seq).where(RUN.c.comparison_id.not_in(veiled)).limit(1)
    return [value for value in values if connection.scalar(seen.where(column == value)) is not None]
