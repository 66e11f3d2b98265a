"""Fixtures of the tests of reports: `arena`, open over a home of its own, and `two`, a benchmark kept in it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from benchmark_rows import paired

from arena.config import load_settings
from arena.core import Arena, arena_of


@pytest.fixture(scope="module")
def arena(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Arena]:
    with arena_of(load_settings({"ARENA_HOME": str(tmp_path_factory.mktemp("home"))})) as opened:
        yield opened


@pytest.fixture(scope="module")
def two(arena: Arena) -> str:
    return paired(arena)
