"""What is asked of the stored runs, as SQL: filter, search, order and page, each by an index.

A page is found in one of two ways. When few runs match, they are gathered by the filters' indexes and sorted. When
many match, the index of the sort column is walked until the page is full. Which way is known, as the matches are
counted first; SQLite, which keeps no statistics worth trusting, is told by a unary plus, that takes a column's index
away. PostgreSQL decides for itself. Unknown values come last, whichever way the sort goes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from sqlalchemy import ColumnElement, Select, and_, column, exists, func, literal_column, or_, select, table

from arena.columns import clean
from arena.errors import RunError
from arena.tables import RUN, SCORE, SEARCHED
from arena.types import Run
from benchmarks.metrics import METRICS

SHORTEST = 3  # characters that the index of trigrams can look for
Way = Literal["gather", "walk"]


@dataclass(frozen=True)
class RunQuery:
    """Which runs, in which order, and which page of them. An empty filter lets everything through.

    text: words that must all occur, as any piece of the answer, the prompt, the model's id or the error's detail,
    upper or lower case; the first ten words count, and of each its first hundred characters. sort: a column of the
    CSV or the name of a metric.
    """

    text: str = ""
    models: tuple[str, ...] = ()
    tasks: tuple[str, ...] = ()
    statuses: tuple[str, ...] = ()
    run_ids: tuple[str, ...] = ()
    comparison_id: str = ""
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
    plus = dialect == "sqlite" and way == "walk"
    conditions: list[ColumnElement[bool]] = []
    for name, wanted in (("model", query.models), ("task", query.tasks), ("status", query.statuses)):
        if wanted:
            conditions.append(_plain(name, plus).in_(wanted))
    if query.run_ids:
        conditions.append(RUN.c.run_id.in_(query.run_ids))
    if query.comparison_id:
        conditions.append(RUN.c.comparison_id == query.comparison_id)
    search = _search_sqlite if dialect == "sqlite" else _search_postgresql
    return conditions + search(words(query.text), plus)


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


def _search_sqlite(wanted: list[str], plus: bool) -> list[ColumnElement[bool]]:
    long, short = ([word for word in wanted if (len(word) >= SHORTEST) == is_long] for is_long in (True, False))
    conditions: list[ColumnElement[bool]] = [func.contains(word, *SEARCHED) for word in short]
    if long:
        phrases = " AND ".join('"' + word.replace('"', '""') + '"' for word in long)
        index = table("run_search", column("rowid"), column("run_search"))
        found = select(index.c.rowid).where(index.c.run_search.op("MATCH")(phrases))
        conditions.append(_plain("seq", plus).in_(found))
    return conditions


def _search_postgresql(wanted: list[str], plus: bool) -> list[ColumnElement[bool]]:
    return [or_(*(text.icontains(word, autoescape=True) for text in SEARCHED)) for word in wanted]
