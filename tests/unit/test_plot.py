"""The plot: what is drawn, what is left out, ticks, names that do not touch, and nothing unknown shown as zero."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arena.strings import LANGUAGES
from arena.ui.drawing import top
from arena.ui.plot import plot
from arena.ui.points import MEMORY, TIMES, picture
from arena.ui.scale import NOMINAL, Scale, place_names


def row(number: int = 0, model: str = "tesseract", **changes: Any) -> dict[str, Any]:
    usual: dict[str, Any] = {"run_id": f"run-{number}", "model": model, "title": model.title(), "status": "ok"}
    usual |= {"generate_s": 0.5, "total_s": 2.0, "first_token_s": 0.2, "cer": 0.1, "wer": 0.2}
    return usual | {"peak_ram_mb": 200.0, "peak_vram_process_mb": None, "peak_vram_device_mb": None} | changes


def drawn(rows: list[dict[str, Any]], x: str = "generate_s", y: str = "cer", lang: str = "en") -> str:
    return plot(picture(rows, sorted({row["model"] for row in rows}), x, y), lang)


def test_medians_are_of_the_runs_that_have_both_quantities() -> None:
    rows = [row(1, cer=0.1), row(2, cer=0.3), row(3, cer=0.2), row(4, cer=None), row(5, generate_s=None)]
    (group,) = picture(rows, [], "generate_s", "cer").groups
    assert [dot.run_id for dot in group.dots] == ["run-1", "run-2", "run-3"]
    assert (group.x, group.y, group.memory) == (0.5, 0.2, 200.0)


@pytest.mark.parametrize("status", ["cancelled", "timeout", "oom", "error"])
def test_a_run_that_did_not_answer_has_no_time_of_answering(status: str) -> None:
    assert picture([row(status=status)], [], "generate_s", "ram_mb").groups == []


def test_numbers_and_colours_do_not_jump_when_filtered() -> None:
    order = ["a", "b", "c"]
    (group,) = picture([row(model="c")], order, "generate_s", "cer").groups
    assert (group.rank, group.classes) == (3, "c2 m3")


def test_memory_of_the_gpu_counts_before_that_of_the_machine() -> None:
    assert picture([row()], [], "generate_s", "cer").memory is MEMORY["ram_mb"]
    mixed = picture([row(1), row(2, peak_vram_device_mb=900.0)], [], "generate_s", "cer")
    assert mixed.memory is MEMORY["vram_mb"]
    assert mixed.groups[0].memory == 900.0


def test_what_nobody_measured_is_a_dash() -> None:
    html = drawn([row(1, model="a", peak_vram_process_mb=512.0), row(2, model="b")])
    assert re.findall(r"<td[^>]*>([^<]*)</td>", html) == [
        *("1", "0.50\xa0s", "10%", "512\xa0MB"),
        *("1", "0.50\xa0s", "10%", "—"),
    ]


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("x", TIMES)
@pytest.mark.parametrize("y", ["cer", "anls", *MEMORY])
def test_every_pair_of_quantities_is_drawn_or_says_what_to_do(x: str, y: str, lang: str) -> None:
    full = drawn([row(peak_vram_process_mb=700.0, anls=0.8)], x, y, lang)
    assert full.count('class="dot') == full.count('class="middle') == 1
    none = drawn([row(cer=None, wer=None, peak_ram_mb=None)], x, y, lang)
    assert 'class="empty"' in none and "<svg" not in none
    others = {y, *MEMORY}
    assert none.count("<option") == len(TIMES) + len(others), "another quantity can still be chosen"


def test_every_metric_with_values_is_offered_and_the_better_end_is_marked() -> None:
    rows = [row(1, model="a", anls=0.9), row(2, model="b", anls=0.4), row(3, teds=1.0, status="error")]
    found = picture(rows, [], "generate_s", "anls")
    assert [*found.upwards] == ["cer", "wer", "anls", *MEMORY]
    html = plot(found, "en")
    assert re.findall(r'<td class="best">([^<]*%)<', html) == ["90%"]
    assert "↖" in html and "↙" in drawn(rows)


def test_titles_are_text_and_the_svg_is_well_formed() -> None:
    html = drawn([row(model="m", title="<script>alert('1')</script>&\"")])
    assert "<script" not in html
    ElementTree.fromstring(html[html.index("<svg") : html.index("</svg>") + 6])  # noqa: S314 our own


def test_answers_that_ran_wild_do_not_press_the_others_flat() -> None:
    rows = [row(number, cer=0.01 * number) for number in range(20)] + [row(99, cer=40.0)]
    assert top(picture(rows, [], "generate_s", "cer")) <= 0.25
    html = drawn(rows)
    assert "≥ " in html
    assert html.count('class="dot') == 21, "they are on the upper edge, not left out"


def test_a_model_with_only_bad_answers_is_still_inside() -> None:
    found = picture([row(cer=3.4)], [], "generate_s", "cer")
    assert top(found) >= 3.4


@given(st.floats(0, 1e6), st.floats(0, 1e6), st.booleans())
def test_every_scale_has_ticks_in_order_and_holds_its_values(one: float, other: float, logarithmic: bool) -> None:
    low, high = sorted((one, other))
    scale = Scale(low, high, logarithmic=logarithmic)
    assert scale.low < scale.high
    assert scale.ticks == sorted(set(scale.ticks)) and 1 <= len(scale.ticks) <= 8
    assert 0 <= scale.place(low) <= scale.place(high) <= 1
    if not logarithmic:
        assert scale.high >= high * 0.999


unit = st.floats(0, 1)


@given(st.lists(st.tuples(unit, unit, st.floats(11, 26), st.text(min_size=1, max_size=20)), max_size=12))
def test_names_stay_inside(marks: list[tuple[float, float, float, str]]) -> None:
    for mark, place in zip(marks, place_names(marks), strict=True):
        if place and place[0] == "start":
            assert mark[0] * NOMINAL[0] + place[1] < NOMINAL[0]


def test_a_name_avoids_its_neighbour_and_is_left_out_where_there_is_no_room() -> None:
    first, second = place_names([(0.5, 0.5, 20.0, "one"), (0.55, 0.5, 20.0, "two")])
    assert first and second
    assert first[0] == "end" and second[0] == "start"
    crowd = [(0.5 + dx / 25, 0.5 + dy / 12, 26.0, "a long name") for dx in (-2, -1, 0, 1, 2) for dy in (-1, 0, 1)]
    assert None in place_names(crowd)
