"""What is asked of the stored runs, as SQL: filter, search, order and page, each by an index.

A page is found in one of three ways. When few runs match, they are gathered by the filters' indexes and sorted. When
many match, the index of the sort column is walked until the page is full; when a great many contain the words that
are sought, their texts are read on the way, which takes less than listing all that contain them. The matches are
counted first, so the way is known. SQLite, which keeps no statistics worth trusting, is told by a unary plus, that
takes a column's index away; PostgreSQL decides for itself.

Unknown values come last, whichever way the sort goes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Select,
    and_,
    cast,
    column,
    exists,
    func,
    literal_column,
    or_,
    select,
    table,
    text,
)

from arena.columns import clean
from arena.errors import RunError
from arena.tables import COMPARISON, RUN, RUN_COUNT, SCORE, SEARCHED
from arena.types import Run
from benchmarks.metrics import METRICS

SHORTEST = 3  # characters that the index of trigrams can look for
WINDOW = 50_000  # newest runs whose texts are read for a shorter word
FOUND = table("run_search", column("rowid"), column("run_search"))  # SQLite's index, see arena/migrations
OTHER = RUN.alias("other")
Way = Literal["gather", "walk", "read"]


@dataclass(frozen=True)
class RunQuery:
    """Which runs, in which order, and which page of them. An empty filter lets everything through.

    text: words that must all occur, as any piece of the answer, the prompt, the model's id or the error's detail,
    upper or lower case; the first ten words count, and of each its first hundred characters; words of one or two
    characters are looked for in the newest 50,000 runs. visitor: whose runs, None for
    everybody's. without: comparisons that are left out. sort: a column of the CSV or the name of a metric.
    """

    text: str = ""
    models: tuple[str, ...] = ()
    tasks: tuple[str, ...] = ()
    statuses: tuple[str, ...] = ()
    run_ids: tuple[str, ...] = ()
    comparison_id: str = ""
    benchmark_id: str = ""
    visitor: str | None = None
    without: tuple[str, ...] = ()
    sort: str = "created_at"
    descending: bool = True
    offset: int = 0
    limit: int = 50

    @property
    def filters(self) -> RunQuery:
        """The query without order and page: equal for all pages of one list."""
        return replace(self, sort="", descending=True, offset=0, limit=0)


@dataclass(frozen=True)
class RunPage:
    """One page of runs and how many there are in all."""

    runs: list[Run] = field(default_factory=list)
    total: int = 0


def words(text: str) -> list[str]:
    """What a search looks for, in lower case."""
    return [word[:100] for word in clean(text).lower().split()[:10]]


def matching(query: RunQuery, dialect: str, way: Way | None = None) -> list[ColumnElement[bool]]:
    """The conditions of the query's filters; those of a walk are kept from using an index of their own."""
    walked = dialect == "sqlite" and way in ("walk", "read")
    conditions: list[ColumnElement[bool]] = []
    for name, wanted in (("model", query.models), ("task", query.tasks), ("status", query.statuses)):
        if wanted:
            conditions.append(_among(name, wanted) if walked else RUN.c[name].in_(wanted))
    if query.run_ids:
        conditions.append(RUN.c.run_id.in_(query.run_ids))
    if query.comparison_id:
        conditions.append(RUN.c.comparison_id == query.comparison_id)
    if query.benchmark_id:
        # Its runs lie close together in time: a walk along all of time might pass most of the table before the first.
        # A walk along another column looks each run up in the list of the benchmark's, which is faster than to read it.
        if walked and query.sort != "created_at":
            its = select(OTHER.c.seq).where(OTHER.c.benchmark_id == query.benchmark_id)
            conditions.append(
                (literal_column("+score.run_seq") if query.sort in METRICS else _plain("seq", True)).in_(its)
            )
        else:
            conditions.append(RUN.c.benchmark_id == query.benchmark_id)
    if query.visitor is not None:
        his = select(COMPARISON.c.id).where(COMPARISON.c.visitor == query.visitor)
        conditions.append(RUN.c.comparison_id.in_(his))
    if query.without:
        conditions.append(RUN.c.comparison_id.not_in(query.without))
    sought = words(query.text)
    if any(len(word) < SHORTEST for word in sought):
        conditions.append(_plain("seq", walked) > select(func.max(RUN.c.seq)).scalar_subquery() - WINDOW)
    if dialect != "sqlite":
        return conditions + [or_(*(text.icontains(word, autoescape=True) for text in SEARCHED)) for word in sought]
    indexed = [word for word in sought if len(word) >= SHORTEST and way != "read"]
    if indexed:
        # With a filter it is the filter's index that leads, so that no run has to be looked up to be counted.
        conditions.append(_plain("seq", walked or bool(conditions)).in_(select(FOUND.c.rowid).where(_match(indexed))))
    return conditions + [func.contains(word, *SEARCHED) for word in sought if word not in indexed]


def counting(query: RunQuery, dialect: str) -> Select[Any]:
    """How many runs match."""
    if (kinds := _kinds(query, dialect)) is not None:
        return kinds
    sought = words(query.text)
    only_words = query.filters == RunQuery(text=query.text).filters
    if dialect == "sqlite" and sought and only_words and min(map(len, sought)) >= SHORTEST:
        return select(func.count()).select_from(FOUND).where(_match(sought))  # the index alone knows
    return select(func.count()).select_from(RUN).where(*matching(query, dialect))


def _kinds(query: RunQuery, dialect: str) -> Select[Any] | None:
    """How many runs match, from what is counted already; None where the query asks for more than kinds of runs."""
    kinds = RunQuery(models=query.models, tasks=query.tasks, statuses=query.statuses, without=query.without)
    if query.filters != kinds.filters:
        return None
    wanted = {"model": query.models, "task": query.tasks, "status": query.statuses}
    counted = select(func.coalesce(func.sum(RUN_COUNT.c.runs), 0))
    total: ColumnElement[Any] = counted.where(
        *(RUN_COUNT.c[name].in_(some) for name, some in wanted.items() if some)
    ).scalar_subquery()
    if query.without:
        hidden = select(func.count()).where(RUN.c.comparison_id.in_(query.without))
        hidden = hidden.where(*(_plain(name, dialect == "sqlite").in_(some) for name, some in wanted.items() if some))
        total = total - hidden.scalar_subquery()
    return select(cast(total, BigInteger))


def ordered(
    query: RunQuery, columns: Sequence[ColumnElement[Any]], dialect: str, way: Way | None = None
) -> list[Select[Any]]:
    """The matching runs in their order, as selects to be read one after the other: known values, then unknown ones.

    Raises `RunError` (``bad_input``) for a sort that is neither a column nor a metric.
    """
    base = select(*columns).where(*matching(query, dialect, way))
    gathered = dialect == "sqlite" and way == "gather"

    def sorted_by(chosen: Select[Any], *keys: ColumnElement[Any]) -> Select[Any]:
        return chosen.order_by(*(key.desc() if query.descending else key.asc() for key in keys))

    if query.sort in RUN.c:
        key = _plain(query.sort, gathered)
        known = sorted_by(base.where(key.is_not(None)) if RUN.c[query.sort].nullable else base, key, RUN.c.seq)
        unknown = sorted_by(base.where(key.is_(None)), _plain("seq", gathered))
        return [known, unknown] if RUN.c[query.sort].nullable else [known]
    if query.sort not in METRICS:
        raise RunError("bad_input", key="store.sort", name=query.sort)
    scored = and_(SCORE.c.run_seq == RUN.c.seq, SCORE.c.metric == query.sort, SCORE.c.value.is_not(None))
    return [
        sorted_by(base.join_from(SCORE, RUN, scored), SCORE.c.value, SCORE.c.run_seq),
        sorted_by(base.where(~exists().where(scored)), _plain("seq", gathered)),
    ]


def _plain(name: str, plus: bool) -> ColumnElement[Any]:
    """A column of `run`, without its index where `plus` says so."""
    return literal_column(f'+run."{name}"', RUN.c[name].type) if plus else RUN.c[name]


def _among(name: str, wanted: Sequence[str]) -> ColumnElement[bool]:
    """For a walk in SQLite: whether the run is one of these, by the column's own index, without reading the run."""
    other: Select[Any] = select(literal_column("1")).select_from(text(f"run AS other INDEXED BY ix_run_{name}"))
    its = other.where(literal_column(f"other.{name}").in_(wanted), literal_column("other.seq") == RUN.c.seq)
    return its.correlate(RUN).exists()


def _match(sought: list[str]) -> ColumnElement[bool]:
    """Full-text search for all of the words, each as a phrase of trigrams."""
    return FOUND.c.run_search.op("MATCH")(" AND ".join('"' + word.replace('"', '""') + '"' for word in sought))
