"""A server that thousands visit keeps the state of open pages and of a few closed ones."""

from __future__ import annotations

from types import SimpleNamespace

from gradio.state_holder import StateHolder

from arena.ui.closed_pages import KEPT, release


def opened(holder: StateHolder, name: str, *, closed: bool = False) -> None:
    holder.session_data[name] = SimpleNamespace(is_closed=closed, config_values={1: {"props": {}}})
    holder.time_last_used[name] = None


def test_of_closed_pages_the_last_few_are_kept_and_none_with_its_looks() -> None:
    holder = StateHolder()
    for number in range(KEPT + 5):
        opened(holder, f"open {number}")
        opened(holder, f"closed {number}", closed=True)
        release(holder, f"closed {number}")
    last = {f"closed {5 + number}" for number in range(KEPT)}
    assert set(holder.session_data) == {f"open {number}" for number in range(KEPT + 5)} | last
    assert set(holder.time_last_used) == set(holder.session_data)
    assert {name for name, state in holder.session_data.items() if not state.config_values} == last


def test_a_page_that_came_back_outlives_those_that_did_not() -> None:
    holder = StateHolder()
    opened(holder, "back", closed=True)
    for number in range(KEPT + 5):
        opened(holder, f"closed {number}", closed=True)
        holder.session_data.move_to_end("back")  # it is used again
        release(holder, f"closed {number}")
    assert "back" in holder.session_data
