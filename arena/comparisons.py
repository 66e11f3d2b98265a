"""Whose a comparison is and whether it may be seen by its link; written when it begins, before there are runs."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import delete, insert, select, update

from arena.store import Store
from arena.tables import COMPARISON, RUN


class Comparisons:
    """In a store's database. Every method raises `RunError` (``storage``)."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def begin(self, comparison_id: str, visitor: str) -> None:
        values = {"id": comparison_id, "visitor": visitor, "shared": False, "created_at": datetime.now(UTC)}
        with self._store.writing() as connection:
            connection.execute(insert(COMPARISON), values)

    def visitor(self, comparison_id: str) -> str | None:
        """Whose it is; None for one that nobody began through the page."""
        with self._store.reading() as connection:
            return connection.scalar(select(COMPARISON.c.visitor).where(COMPARISON.c.id == comparison_id))

    def share(self, comparison_id: str, *, shared: bool = True) -> bool:
        """Let it be seen, or no more, by whoever has its link; whether there is such a comparison."""
        changed = update(COMPARISON).where(COMPARISON.c.id == comparison_id).values(shared=shared)
        with self._store.writing() as connection:
            return connection.execute(changed).rowcount > 0

    def is_shared(self, comparison_id: str) -> bool:
        with self._store.reading() as connection:
            return bool(connection.scalar(select(COMPARISON.c.shared).where(COMPARISON.c.id == comparison_id)))

    def of(self, visitor: str) -> list[str]:
        """Every comparison of a visitor, the oldest first."""
        chosen = select(COMPARISON.c.id).where(COMPARISON.c.visitor == visitor).order_by(COMPARISON.c.id)
        with self._store.reading() as connection:
            return list(connection.scalars(chosen))

    def shows(self, visitor: str, sha256: str) -> bool:
        """Whether the picture was shown to a model in a comparison of this visitor."""
        his = select(COMPARISON.c.id).where(COMPARISON.c.visitor == visitor)
        found = select(RUN.c.seq).where(RUN.c.comparison_id.in_(his), RUN.c.image_sha256 == sha256).limit(1)
        with self._store.reading() as connection:
            return connection.scalar(found) is not None

    def forget(self, comparison_ids: list[str]) -> None:
        with self._store.writing() as connection:
            connection.execute(delete(COMPARISON).where(COMPARISON.c.id.in_(comparison_ids)))
