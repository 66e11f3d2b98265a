"""The tables of runs: `run`, a column for every field of `arena.columns`, `score`, a row for every metric of a run, and
`comparison`, whose it is. Other tables stand beside the code that uses them.

Parameters, library versions and boxes are JSON text. A number that is NaN is unknown and stored as NULL, and so is a
whole number beyond 64 bits. Text goes through `arena.columns.clean`.
"""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Dialect,
    Double,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    TypeDecorator,
)

from arena.columns import FIELDS, clean, to_json

LARGEST = 2**63 - 1


class CleanText(TypeDecorator[str]):
    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        return None if value is None else clean(str(value))


class Bag(TypeDecorator[Any]):
    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        return clean(to_json(value))

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:
        return None if value is None else json.loads(value)


class Moment(TypeDecorator[datetime]):
    """A time in UTC; one without a zone is taken as UTC."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return (value if value.tzinfo else value.replace(tzinfo=UTC)).astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)


class Whole(TypeDecorator[int]):
    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: int | None, dialect: Dialect) -> int | None:
        return None if value is None or abs(value) > LARGEST else value


class Number(TypeDecorator[float]):
    impl = Double
    cache_ok = True

    def process_bind_param(self, value: float | None, dialect: Dialect) -> float | None:
        return None if value is None or math.isnan(value) else float(value)


SQL_TYPES: dict[type, Any] = {
    str: CleanText,
    int: Whole,
    float: Number,
    bool: Boolean,
    datetime: Moment,
    dict: Bag,
    tuple: Bag,
}
# What the page sorts by. A sort by another column works as well, but reads the whole table.
SORTED = (
    "created_at",
    "model",
    "task",
    "status",
    "characters",
    "output_tokens",
    "tokens_per_s",
    "characters_per_s",
    "load_s",
    "first_token_s",
    "generate_s",
    "total_s",
    "peak_ram_mb",
    "peak_vram_process_mb",
    "peak_vram_device_mb",
)

METADATA = MetaData()

RUN = Table(
    "run",
    METADATA,
    # Ascends with every insert and is never given twice: what stable paging stands on.
    Column("seq", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    # The boxes stand last and may be far larger than the rest of the row: their number is known without reading them.
    Column("box_count", BigInteger, nullable=False),
    *(Column(field.name, SQL_TYPES[field.kind], nullable=field.nullable) for field in FIELDS),
    sqlite_autoincrement=True,
)
Index("ux_run_run_id", RUN.c.run_id, unique=True)
Index("ix_run_comparison_id", RUN.c.comparison_id)
# Every cell of a benchmark is filled once, whoever fills it; runs of their own have none.
Index("ux_run_cell", RUN.c.benchmark_id, RUN.c.item, RUN.c.side, RUN.c.repeat, unique=True)
# What a model said of the same image before.
Index("ix_run_image", RUN.c.image_sha256, RUN.c.model)
# A benchmark's runs lie close together in time.
Index("ix_run_benchmark", RUN.c.benchmark_id, RUN.c.created_at, RUN.c.seq)
# The two count runs by any of the three, or by several, without reading a run.
Index("ix_run_status_task_model", RUN.c.status, RUN.c.task, RUN.c.model)
Index("ix_run_model_task_status", RUN.c.model, RUN.c.task, RUN.c.status)
for _name in SORTED:
    Index(f"ix_run_{_name}", RUN.c[_name], RUN.c.seq)

SCORE = Table(
    "score",
    METADATA,
    Column("run_seq", ForeignKey(RUN.c.seq, ondelete="CASCADE"), primary_key=True),
    Column("metric", Text, primary_key=True),
    Column("value", Number),
    sqlite_with_rowid=False,
)
Index("ix_score_value", SCORE.c.metric, SCORE.c.value, SCORE.c.run_seq)

# How many runs there are of each kind; the database keeps it, see arena/migrations.
RUN_COUNT = Table(
    "run_count",
    METADATA,
    *(Column(name, Text, primary_key=True) for name in ("model", "task", "status")),
    Column("runs", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

# Of what was asked through the page; `shared`: may be seen by whoever has its link.
COMPARISON = Table(
    "comparison",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("visitor", Text, nullable=False),
    Column("shared", Boolean, nullable=False),
    Column("created_at", Moment, nullable=False),
)
Index("ix_comparison_visitor", COMPARISON.c.visitor)
Index("ix_comparison_created_at", COMPARISON.c.created_at)

COLUMNS: tuple[Column[Any], ...] = tuple(RUN.c[field.name] for field in FIELDS)
# The columns that a search looks into.
SEARCHED: tuple[Column[Any], ...] = (RUN.c.text, RUN.c.prompt, RUN.c.model, RUN.c.error_detail)
