"""The table of runs: what a visitor presses while it is written anew is not undone by the answer to the refresh."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gradio as gr
import pytest
from runs import make_run

from arena.config import load_settings
from arena.core import Arena, arena_of
from arena.ui.tab_benchmark import Benchmark, Looked

CALLER: Any = SimpleNamespace(cookies={}, headers={"host": "localhost"}, client=SimpleNamespace(host="127.0.0.1"))


@pytest.fixture
def arena(tmp_path: Path) -> Iterator[Arena]:
    with arena_of(load_settings({"ARENA_HOME": str(tmp_path)})) as arena:
        for number in range(3):
            arena.store.save(make_run(number))
        yield arena


class Slow(Benchmark):
    """Whose visitor presses the head of a column while the plot is drawn."""

    def drawing(self, *args: Any) -> str:
        if not getattr(self, "told", ""):
            pressed: Any = SimpleNamespace(_data={"value": "model"})
            self.told = self.sort(self.looked, pressed, CALLER)
        return super().drawing(*args)


def test_a_sort_that_is_pressed_while_the_table_is_refreshed_stays(arena: Arena) -> None:
    answers = Slow(arena)
    answers.looked = looked = Looked()
    late = answers.refresh(looked, "generate_s", "cer", CALLER)
    assert looked.query.sort == "model"
    assert 'aria-sort="ascending"' in answers.told
    assert late[2] == late[3] == gr.skip() and "value" not in late[0]
    again = answers.refresh(looked, "generate_s", "cer", CALLER)
    assert again[2].count('aria-sort="ascending"') == 1, "the next one is of what was pressed"
    asked = [float(html.partition('data-asked="')[2].partition('"')[0]) for html in (answers.told, again[2])]
    assert asked == sorted(asked) and asked[0] > 0
