"""No answer, however odd or large, makes a metric raise, leave its range, or take longer than the test may."""

import random

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from benchmarks.metrics import METRICS, measured
from benchmarks.metrics.facts import beginnings, facts_true, plain
from benchmarks.metrics.formulas import formula_edit, formulas
from benchmarks.metrics.grids import Grid
from benchmarks.metrics.latex import tokens
from benchmarks.metrics.table_reading import tables
from benchmarks.metrics.tables import teds
from benchmarks.metrics.truth import Fact, Region, Said, Truth

WHOLE = Truth(
    text="Итого 7",
    answers=("7", "семь"),
    table="<table><tr><th>a</th><th>b</th></tr><tr><td>1</td><td>2</td></tr></table>",
    formula=r"\frac{a}{b} \leq x_1",
    regions=(Region(0, 0, 10, 10, "Text"), Region(0, 10, 10, 20, "Table")),
    facts=(
        Fact("present", "Итого", max_diffs=1),
        Fact("absent", "page 3", case_sensitive=False, first_n=100),
        Fact("order", "a", after="b", max_diffs=1),
        Fact("cell", "2", neighbours={"left": "1", "top_heading": "b"}),
        Fact("formula", "x_1"),
    ),
)
PERFECT = Said(
    "Итого 7",
    (Region(0, 0, 10, 10, "Text", score=0.9), Region(0, 10, 10, 20, "Table")),
)
ABOVE_ONE = ("cer", "wer")
PIECES = """<table> </table> <tr> </tr> <td> </td> <td_colspan="0"_rowspan=99999999> <th <!-- --> <tbody> </thead>
<caption> <b> </b> <br/> &amp; &#x110000; | |--| a $ $$ \\ { } ^ _ \\begin \\left \\[ \\] \\mathrm ' ** _a_ й"""
pieces = st.sampled_from([*(piece.replace("_", " ") for piece in PIECES.split()), "_", "_a_", "\n", "\x00", "\ud800"])
markup = st.lists(pieces, max_size=40).map("".join)
numbers = st.one_of(st.floats(allow_nan=False, allow_infinity=False, width=32), st.integers(-5, 50))
some_regions = st.lists(
    st.builds(Region, *[numbers] * 4, kind=st.sampled_from(["", "Text"]), score=st.none() | st.just(1.0))
)


@settings(max_examples=80)
@given(st.one_of(markup, st.text(max_size=60)), some_regions)
@example("", [])
def test_any_answer_has_scores_in_their_range(text, regions):
    found = measured(Said(text, tuple(regions)), WHOLE, METRICS)
    assert found.keys() == METRICS.keys()
    for name, value in found.items():
        assert value is not None and 0 <= value <= (1 if name not in ABOVE_ONE else 1000), name


@settings(max_examples=60)
@given(markup, markup)
def test_any_truth_can_be_measured_against(text, odd):
    truth = Truth(text=odd, answers=(odd,), table=odd, formula=odd, facts=(Fact("cell", odd), Fact("formula", odd)))
    for name, value in measured(Said(text), truth, METRICS).items():
        assert value is None or 0 <= value <= (1 if name not in ABOVE_ONE else 1000), name


def test_a_perfect_answer_is_the_best_there_is():
    said = Said("\n\n".join([WHOLE.text, WHOLE.table, f"$${WHOLE.formula}$$ $x_1$"]), PERFECT.regions)
    only = {"teds": 1, "teds_s": 1, "formula_edit": 0, "facts_true": 1, "reading_order": 0}
    only |= dict.fromkeys(["box_precision", "box_recall", "box_map", "box_iou"], 1)
    assert measured(said, WHOLE, only) == only
    only = {"cer": 0, "wer": 0, "word_f1": 1}
    assert measured(PERFECT, WHOLE, only) == only
    assert measured(Said("семь"), WHOLE, ["anls", "exact_match"]) == {"exact_match": 1, "anls": 1}


LONG = 100_000
ROW = "<tr>" + "<td>0.5</td>" * 10 + "</tr>"
HOSTILE = {
    "one letter": "a" * LONG,
    "random letters": "".join(random.Random(1).choices("абвгд ежз\n", k=LONG)),
    "tags that never end": "<a " * (LONG // 3),
    "angles": "<" * LONG,
    "comments that never end": "<!--" * (LONG // 4),
    "ends": "</" * (LONG // 2),
    "nested tags": "<table><tr><td>" + "<b><i>" * (LONG // 6),
    "nested tables": "<table><tr><td>" * (LONG // 15),
    "tables in a row": "<table><tr><td>a</table>" * (LONG // 24),
    "a million cells": "<table>" + ROW * 100_000 + "</table>",
    "endless spans": "<table>" + "<tr><td rowspan=9999 colspan=9999>x" * (LONG // 36),
    "a wide row": "<table><tr>" + "<td>1" * (LONG // 5),
    "4000 cells": "<table>" + ROW * 400 + "</table>",
    "one large cell": "<table><tr><td>" + "ab " * (LONG // 3),
    "bars": "|" * LONG,
    "rules": "|-|\n" * (LONG // 4),
    "a pipe table": "|a|b|\n|-|-|\n" + "|1|2|\n" * (LONG // 12),
    "dollars": "$" * LONG,
    "open formulas": r"\[ x " * (LONG // 5),
    "many formulas": "$x$ " * (LONG // 4),
    "braces": "{" * LONG,
    "pairs of braces": "{x" * (LONG // 3) + "}" * (LONG // 3),
    "environments": r"\begin{" * (LONG // 7),
    "scripts": "x^a_b" * (LONG // 5),
    "emphasis": "*_" * (LONG // 2),
    "unclosed emphasis": "**a__b" * (LONG // 6),
}


@pytest.mark.timeout(60)
@pytest.mark.parametrize("name", HOSTILE)
def test_large_and_hostile_answers_are_scored_in_time(name):
    found = measured(Said(HOSTILE[name]), WHOLE, METRICS)
    assert found.keys() == METRICS.keys()


@pytest.mark.timeout(60)
def test_too_many_cells_or_regions_are_unknown_rather_than_waited_for():
    large = "<table>" + ROW * 5000
    assert teds(large, large) is None
    page = [Region(0, n, 10, n + 1) for n in range(3000)]
    found = measured(Said("", tuple(page)), Truth(regions=tuple(page)), METRICS)
    assert set(found.values()) == {None} and len(found) == 5


@pytest.mark.timeout(60)
def test_long_texts_are_looked_for_in_time():
    for wanted in ("a" * 900 + "b", "да" * 300):
        fact = Fact("present", wanted, max_diffs=3)
        assert facts_true("a" * LONG, [fact]) == float(wanted[0] == "a")


# --- facts


@pytest.mark.parametrize(
    ("said", "fact", "holds"),
    [
        ("Total: 7", Fact("present", "total"), False),
        ("Total: 7", Fact("present", "total", case_sensitive=False), True),
        ("It’s “so” — yes", Fact("present", 'It\'s "so" - yes'), True),
        ("**Su**m\n of  parts", Fact("present", "Sum of parts"), True),
        ("Sum of partz", Fact("present", "Sum of parts"), False),
        ("Sum of partz", Fact("present", "Sum of parts", max_diffs=1), True),
        ("Sum of pa", Fact("present", "Sum of parts", max_diffs=1), False),
        (" ", Fact("present", "two words"), False),
        (" ", Fact("absent", "two words"), True),
        ("head, body, foot", Fact("absent", "foot", first_n=10), True),
        ("head, body, foot", Fact("present", "foot", last_n=4), True),
        ("head, body, foot", Fact("absent", "body", first_n=4, last_n=4), True),
        ("b a b", Fact("order", "a", after="b"), True),
        ("b a b", Fact("order", "b", after="a"), True),
        ("b b a", Fact("order", "a", after="b"), False),
        ("first thinq, last thing", Fact("order", "first thing", after="last thing", max_diffs=1), True),
        ("only this", Fact("order", "only", after="that"), False),
        ("Let \\[ x_{1} \\leq 2 \\] be", Fact("formula", r"x_1 \le 2"), True),
        ("Let x_1 be", Fact("formula", "x_1"), False),
    ],
)
def test_facts_hold_or_do_not(said, fact, holds):
    assert facts_true(said, [fact]) == holds


SHEET = """<table><thead><tr><th rowspan="2">Year</th><th colspan="2">Sum</th></tr>
<tr><th>net</th><th>gross</th></tr></thead>
<tr><td>2023</td><td>5</td><td>6</td></tr><tr><td>2024</td><td>7</td><td>8</td></tr></table>"""


@pytest.mark.parametrize(
    ("text", "neighbours", "holds"),
    [
        ("7", {"up": "5", "left": "2024", "right": "8"}, True),
        ("7", {"down": "5"}, False),
        ("8", {"top_heading": "gross"}, True),
        ("8", {"top_heading": "Sum"}, True),
        ("8", {"top_heading": "net"}, False),
        ("8", {"left_heading": "2024"}, True),
        ("8", {"left_heading": "7"}, False),
        ("Sum", {"left": "Year", "down": "net"}, True),
        ("Sum", {"down": "gross"}, True),
        ("net", {"left": "Year"}, True),
        ("7", {"aside": "5"}, False),
        ("9", {}, False),
    ],
)
def test_cells_have_their_neighbours(text, neighbours, holds):
    assert facts_true(SHEET, [Fact("cell", text, neighbours=neighbours)]) == holds


@given(st.text("ab", max_size=12), st.text("ab", min_size=1, max_size=4))
def test_without_edits_a_text_begins_where_it_is_found(text, wanted):
    expected = [place for place in range(len(text)) if text.startswith(wanted, place)]
    assert beginnings(text, wanted, 0).tolist() == expected


def test_the_grid_covers_what_spans_claim():
    (table,) = tables(SHEET)
    grid = Grid(table)
    assert [cell.text for cell in grid.cells] == ["Year", "Sum", "net", "gross", "2023", "5", "6", "2024", "7", "8"]
    assert grid.neighbours(1, "down") == {2, 3} and grid.neighbours(0, "right") == {1, 2}


@given(st.text(max_size=60))
def test_plain_text_stays_plain(text):
    assert plain(plain(text)).count(" ") <= len(text)
    assert plain(text) == plain(" " + text.replace(" ", "\n ") + "\t")


# --- formulas


@pytest.mark.parametrize(
    ("one", "same"),
    [
        (r"\frac{a}{b}", r"\dfrac a b"),
        (r"$$x^2$$", r"\[ x^{2} \]"),
        (r"x_i^2", r"x^2_i"),
        (r"\left(\frac{1}{2}\right)", r"\bigl( \tfrac12 \bigr)"),
        (r"\begin{equation*} a = b, \tag{1} \end{equation*}", "a=b"),
        (r"f'(x)", r"f^{\prime}(x)"),
        (r"a \leqslant b", r"a\leqslant{}b"),
        (r"\operatorname{rank} A", r"\mathrm{rank}\,A"),
        (r"x_{\text{max}}", r"x_\mathrm{max}"),
        (r"α ≤ ∞", r"\alpha \le \infty"),
        (r"{{x}}", "x"),
        (r"\left. f \right|_0", r"f|_{0}"),
    ],
)
def test_what_looks_the_same_is_the_same(one, same):
    assert tokens(one) == tokens(same)
    assert formula_edit(one, same) == formula_edit(same, one) == 0


@pytest.mark.parametrize(
    ("one", "other"), [("x^{ab}", "x^ab"), (r"\mathbf{x}", "x"), ("a_b", "a^b"), (r"\{a\}", "{a}")]
)
def test_what_looks_different_is_different(one, other):
    assert formula_edit(one, other) > 0


@given(markup)
def test_one_spelling_has_no_other(text):
    once = tokens(text)
    assert formula_edit(f"${text}$" if not formulas(text) and "$" not in text else text, "q") is not None
    assert all(token.strip() for token in once)
