"""Conversations that are kept: their setup and, turn by turn, what was asked and what each model answered."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, Integer, Table, Text

from arena.tables import METADATA, Bag, CleanText, Moment

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
    Column("run_id", Text),  # of an answer
    Column("created_at", Moment, nullable=False),
)
