"""What people left is deleted: all of one visitor's when he asks, and what is older than it may be, in the background.

Votes stay, for a rating is made of them; that they were his does not.
"""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from pathlib import Path, PurePosixPath
from typing import Any

from sqlalchemy import Connection, Text, delete, or_, select, type_coerce, update

from arena.benchmarks_kept import ITEM
from arena.config import Settings
from arena.conversations import CONVERSATION, MESSAGE
from arena.errors import RunError
from arena.images import ImageStore
from arena.params import PAGES
from arena.pictures import EVERYBODY, PICTURE
from arena.store import Store
from arena.strings import tr
from arena.tables import COMPARISON, RUN
from arena.votes import VOTE

BATCH = 500
HOUR = 3600.0
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Left:
    """How much was deleted; of votes how many are nobody's now, of files how many pictures on the disk."""

    comparisons: int = 0
    runs: int = 0
    conversations: int = 0
    votes: int = 0
    pictures: int = 0
    files: int = 0

    def text(self, lang: str = "en") -> str:
        """One sentence that counts what there was."""
        counts = {each.name: getattr(self, each.name) for each in fields(self)}
        said = [tr(f"public.left.{name}", lang, count=count) for name, count in counts.items() if count]
        return tr("public.left.deleted", lang, what=", ".join(said)) if said else tr("public.left.nothing", lang)


def forget_visitor(store: Store, images: ImageStore, visitor: str) -> Left:
    """Everything that a visitor left. Raises `RunError` (``storage``).

    What he has under way must have ended."""
    if not visitor or visitor == EVERYBODY:
        return Left()
    return _forget(
        store,
        images,
        comparisons=COMPARISON.c.visitor == visitor,
        conversations=CONVERSATION.c.visitor == visitor,
        votes=VOTE.c.visitor == visitor,
        pictures=PICTURE.c.visitor == visitor,
    )


def forget_older(store: Store, images: ImageStore, days: float) -> Left:
    """Everything that visitors left more than so many days ago, and the files that nothing stands for any more.

    Runs that were not asked for on the page are not theirs and stay, with their pictures. Raises `RunError`
    (``storage``)."""
    moment = datetime.now(UTC) - timedelta(days=days)
    old = {path.stem for path in images.folder.glob("*/*.png") if _older(path, moment.timestamp())}
    return _forget(
        store,
        images,
        comparisons=COMPARISON.c.created_at < moment,
        conversations=CONVERSATION.c.updated_at < moment,
        votes=(VOTE.c.created_at < moment) & or_(VOTE.c.visitor != "", VOTE.c.name != ""),
        pictures=(PICTURE.c.created_at < moment) & (PICTURE.c.visitor != EVERYBODY),
        files=old,
    )


def _forget(
    store: Store,
    images: ImageStore,
    comparisons: Any,
    conversations: Any,
    votes: Any,
    pictures: Any,
    files: Iterable[str] = (),
) -> Left:
    """Rows first, then the files that no row stands for. files: hashes of pictures to look at besides."""
    with store.reading() as connection:
        ids = list(connection.scalars(select(COMPARISON.c.id).where(comparisons)))
        talks = list(connection.scalars(select(CONVERSATION.c.id).where(conversations)))
        shown = {*files, *connection.scalars(select(PICTURE.c.sha256).where(pictures))}
        runs: list[str] = []
        for some in _batches(ids):
            his = RUN.c.comparison_id.in_(some)
            runs += connection.scalars(select(RUN.c.run_id).where(his))
            shown |= _of_runs(connection, his)
        for some in _batches(talks):
            shown |= _of_messages(connection, MESSAGE.c.conversation_id.in_(some))
    deleted = sum(store.delete(some) for some in _batches(runs))
    for some in _batches(ids):
        with store.writing() as connection:
            connection.execute(delete(COMPARISON).where(COMPARISON.c.id.in_(some)))
    for some in _batches(talks):
        with store.writing() as connection:
            connection.execute(delete(CONVERSATION).where(CONVERSATION.c.id.in_(some)))
    with store.writing() as connection:
        nobodys = connection.execute(update(VOTE).where(votes).values(visitor="", name="")).rowcount
        brought = connection.execute(delete(PICTURE).where(pictures)).rowcount
    gone = sum(_remove(images, sha256) for sha256 in shown - _needed(store)) if shown else 0
    return Left(len(ids), deleted, len(talks), nobodys, brought, gone)


def _needed(store: Store) -> set[str]:
    """The hashes of all pictures that a row stands for."""
    with store.reading() as connection:
        return {
            *connection.scalars(select(PICTURE.c.sha256)),
            *_of_runs(connection, RUN.c.seq > 0),
            *_of_messages(connection, MESSAGE.c.position >= 0),
            *connection.scalars(select(ITEM.c.image_sha256)),  # of a benchmark that may be gone on with
        }


def _of_runs(connection: Connection, chosen: Any) -> set[str]:
    """The pictures of runs, the further pages of their documents included."""
    found = set(
        connection.scalars(select(RUN.c.image_sha256).where(chosen, RUN.c.image_sha256.is_not(None)).distinct())
    )
    with_pages = type_coerce(RUN.c.params, Text).contains(f'"{PAGES}"')
    for params in connection.scalars(select(RUN.c.params).where(chosen, with_pages)):
        pages = params.get(PAGES)
        found |= {PurePosixPath(str(page)).stem for page in pages} if isinstance(pages, list) else set()
    return found


def _of_messages(connection: Connection, chosen: Any) -> set[str]:
    return {sha256 for shown in connection.scalars(select(MESSAGE.c.images).where(chosen)) for sha256 in shown}


def _remove(images: ImageStore, sha256: str) -> bool:
    stored = images.get(sha256)
    if stored is None:
        return False
    with contextlib.suppress(OSError):
        stored.path.unlink()
        return True
    return False


def _older(path: Path, moment: float) -> bool:
    with contextlib.suppress(OSError):  # deleted meanwhile
        return path.stat().st_mtime < moment
    return False


def _batches(ids: list[str]) -> Iterator[list[str]]:
    return (ids[start : start + BATCH] for start in range(0, len(ids), BATCH))


@contextlib.contextmanager
def keeping(store: Store, images: ImageStore, settings: Settings) -> Iterator[None]:
    """Meanwhile what is older than `settings.keep_days` is deleted, now and every hour."""
    if not settings.keep_days:
        yield
        return
    over = threading.Event()

    def sweep() -> None:
        while True:
            started = time.monotonic()
            try:
                forget_older(store, images, settings.keep_days)
            except RunError as error:
                log.warning("what is old could not be deleted, the next try is in an hour: %s", error.kind)
            if over.wait(max(1.0, HOUR - (time.monotonic() - started))):
                return

    sweeper = threading.Thread(target=sweep, name="retention")
    sweeper.start()
    try:
        yield
    finally:
        over.set()
        sweeper.join()
