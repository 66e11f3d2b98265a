"""Who has brought which picture, by the hash it is stored under: what a visitor may be shown again."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import Column, Index, Table, Text, select
from sqlalchemy.dialects import postgresql, sqlite

from arena.store import Store
from arena.tables import METADATA, Moment

EVERYBODY = "everybody"  # who has "brought" what all may see: the samples of the gallery

PICTURE = Table(
    "picture",
    METADATA,
    Column("visitor", Text, primary_key=True),
    Column("sha256", Text, primary_key=True),
    Column("created_at", Moment, nullable=False),
)
Index("ix_picture_sha256", PICTURE.c.sha256)


class Pictures:
    """In a store's database. Every method raises `RunError` (``storage``)."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def brought(self, visitor: str, sha256: str) -> None:
        """Write it down, with the time of the last time; "" is nobody, a browser that keeps no cookie."""
        if not visitor or (visitor == EVERYBODY and self.may_see("", sha256)):
            return
        values = {"visitor": visitor, "sha256": sha256, "created_at": datetime.now(UTC)}
        with self._store.writing() as connection:
            kind = sqlite if connection.dialect.name == "sqlite" else postgresql
            adding = kind.insert(PICTURE).values(values)
            again = {"created_at": adding.excluded.created_at}
            same = [PICTURE.c.visitor, PICTURE.c.sha256]
            connection.execute(adding.on_conflict_do_update(index_elements=same, set_=again))

    def may_see(self, visitor: str, sha256: str) -> bool:
        known = PICTURE.c.visitor.in_((visitor, EVERYBODY)), PICTURE.c.sha256 == sha256
        with self._store.reading() as connection:
            return connection.scalar(select(PICTURE.c.sha256).where(*known).limit(1)) is not None
