"""Conversations that are kept: their setup and, turn by turn, what was asked and what each model answered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Column, ForeignKey, Index, Integer, Table, Text, delete, insert, select, update
from ulid import ULID

from arena.errors import RunError
from arena.store import Store
from arena.tables import METADATA, Bag, CleanText, Moment

TITLE = 60  # characters of the first question that become the title
LISTED = 200  # conversations in a visitor's list

CONVERSATION = Table(
    "conversation",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("visitor", Text, nullable=False),
    Column("title", CleanText, nullable=False),
    Column("setup", Bag, nullable=False),  # models, system prompt, parameters
    Column("created_at", Moment, nullable=False),
    Column("updated_at", Moment, nullable=False),
)
Index("ix_conversation_visitor", CONVERSATION.c.visitor, CONVERSATION.c.updated_at)

MESSAGE = Table(
    "message",
    METADATA,
    Column("conversation_id", ForeignKey(CONVERSATION.c.id, ondelete="CASCADE"), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("side", Text, primary_key=True),  # A or B; "" for what the visitor said
    Column("text", CleanText, nullable=False),
    Column("images", Bag, nullable=False),  # hashes
    Column("model", Text),  # of an answer, and so its run
    Column("run_id", Text),
    Column("created_at", Moment, nullable=False),
)


@dataclass(frozen=True)
class Answer:
    """What one side said. model: id of the catalogue. run_id: leads to what it cost while the run is kept."""

    text: str
    model: str
    run_id: str


@dataclass(frozen=True)
class Turn:
    """What was asked, with the hashes of the pictures shown along, and the answers by side."""

    text: str
    images: tuple[str, ...] = ()
    answers: dict[str, Answer] = field(default_factory=dict)


@dataclass(frozen=True)
class Conversation:
    """visitor: whose it is. setup: as the page gave it."""

    id: str
    visitor: str
    title: str
    setup: dict[str, Any]
    created_at: datetime
    updated_at: datetime
    turns: tuple[Turn, ...] = ()


class Conversations:
    """In a store's database. Every method raises `RunError` (``storage``).

    visitor: who asks; he reaches only what is his. None reaches everybody's.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    def list(self, visitor: str | None, limit: int = LISTED) -> Sequence[Conversation]:
        """Without their turns, the one that was last used first."""
        chosen = _of(select(CONVERSATION), visitor).order_by(CONVERSATION.c.updated_at.desc(), CONVERSATION.c.id.desc())
        with self._store.reading() as connection:
            return [Conversation(**row._mapping) for row in connection.execute(chosen.limit(limit))]

    def load(self, conversation_id: str, visitor: str | None) -> Conversation:
        """With all turns. Raises `RunError` (``bad_input``) for one that is not there, or not his."""
        chosen = _of(select(CONVERSATION), visitor).where(CONVERSATION.c.id == conversation_id)
        said = select(MESSAGE).where(MESSAGE.c.conversation_id == conversation_id)
        with self._store.reading() as connection:
            row = connection.execute(chosen).one_or_none()
            if row is None:
                raise gone()
            messages = connection.execute(said.order_by(MESSAGE.c.position, MESSAGE.c.side)).all()
        turns: list[Turn] = []
        for each in messages:  # the question has the side that comes first
            if not each.side:
                turns.append(Turn(each.text, tuple(each.images)))
            elif turns:
                turns[-1].answers[each.side] = Answer(each.text, each.model, each.run_id)
        return Conversation(**row._mapping, turns=tuple(turns))

    def begin(self, conversation: Conversation) -> None:
        """Keep a new one with its first question."""
        values = {column.name: getattr(conversation, column.name) for column in CONVERSATION.columns}
        first = conversation.turns[0]
        with self._store.writing() as connection:
            connection.execute(insert(CONVERSATION), values)
            connection.execute(insert(MESSAGE), _message(conversation.id, 0, "", first.text, first.images))

    def ask(self, conversation: Conversation, visitor: str | None) -> None:
        """Write its last turn down, with its setup. What was kept from that turn on is replaced.

        Raises `RunError` (``bad_input``) for a conversation that is not there, or not his, or was shortened."""
        name, position = conversation.id, len(conversation.turns) - 1
        question = conversation.turns[position]
        known = select(MESSAGE.c.position).where(MESSAGE.c.conversation_id == name, MESSAGE.c.side == "")
        from_there = delete(MESSAGE).where(MESSAGE.c.conversation_id == name, MESSAGE.c.position >= position)
        changed = _of(update(CONVERSATION), visitor).where(CONVERSATION.c.id == name)
        with self._store.writing() as connection:
            used = changed.values(setup=conversation.setup, updated_at=datetime.now(UTC))
            if not connection.execute(used).rowcount or position > len(connection.scalars(known).all()):
                raise gone()
            connection.execute(from_there)
            connection.execute(insert(MESSAGE), _message(name, position, "", question.text, question.images))

    def answered(self, conversation_id: str, position: int, side: str, answer: Answer) -> bool:
        """Keep what a side answered; whether its question is still there and had no answer of that side."""
        there = select(MESSAGE.c.side).where(
            MESSAGE.c.conversation_id == conversation_id, MESSAGE.c.position == position
        )
        with self._store.writing() as connection:
            sides = connection.scalars(there).all()
            if "" not in sides or side in sides:
                return False
            told = _message(conversation_id, position, side, answer.text)
            connection.execute(insert(MESSAGE), {**told, "model": answer.model, "run_id": answer.run_id})
            return True

    def rename(self, conversation_id: str, visitor: str | None, title: str) -> None:
        """Raises `RunError` (``bad_input``) for one that is not there, or not his."""
        changed = _of(update(CONVERSATION), visitor).where(CONVERSATION.c.id == conversation_id)
        with self._store.writing() as connection:
            if not connection.execute(changed.values(title=title_of(title))).rowcount:
                raise gone()

    def delete(self, conversation_id: str, visitor: str | None) -> bool:
        """Whether it was there, and his; its runs stay in the table of runs."""
        removed = _of(delete(CONVERSATION), visitor).where(CONVERSATION.c.id == conversation_id)
        with self._store.writing() as connection:
            return connection.execute(removed).rowcount > 0


def fresh(visitor: str, text: str, setup: dict[str, Any], images: Sequence[str] = ()) -> Conversation:
    """A new conversation with its first question, and the title made of that; not kept yet."""
    now = datetime.now(UTC)
    return Conversation(str(ULID()), visitor, title_of(text), setup, now, now, (Turn(text, tuple(images)),))


def title_of(text: str) -> str:
    """The first words of a text.

    >>> title_of("  What is\\nthe total?")
    'What is the total?'
    """
    line = " ".join(text.split())
    if len(line) <= TITLE:
        return line or "…"
    whole = line[:TITLE].rpartition(" ")[0] or line[:TITLE]
    return f"{whole.rstrip(',;:.–—-')}…"


def gone() -> RunError:
    return RunError("bad_input", key="chat.gone")


def _of(statement: Any, visitor: str | None) -> Any:
    """The statement, for what is the visitor's only."""
    return statement if visitor is None else statement.where(CONVERSATION.c.visitor == visitor)


def _message(
    conversation_id: str, position: int, side: str, text: str, images: Sequence[str] = ()
) -> dict[str, object]:
    return {
        "conversation_id": conversation_id,
        "position": position,
        "side": side,
        "text": text,
        "images": list(images),
        "model": None,
        "run_id": None,
        "created_at": datetime.now(UTC),
    }
