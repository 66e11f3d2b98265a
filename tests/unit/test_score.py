"""Error rates obey their definition, and the guard tells endless repetition from pages that repeat for a reason."""

import doctest
import json
import random
import unicodedata
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from adapters.base import Box, Output
from arena.score import is_loop, outcome, score
from benchmarks import metrics
from benchmarks.metrics import text as text_metrics
from benchmarks.metrics.text import character_error_rate, normalise, word_error_rate
from benchmarks.metrics.truth import Fact, Region, Truth

ROOT = Path(__file__).parent.parent.parent
TEXTS = [path for path in sorted((ROOT / "assets").glob("**/*.[ty][xa]*")) if path.stat().st_size]
words = st.text(st.characters(categories=("L", "M", "N", "P", "Zs")), max_size=40)
short = st.text("аб c", max_size=9)


def edits(one, two):
    """The textbook recursion of Levenshtein, row by row."""
    row = list(range(len(two) + 1))
    for i, a in enumerate(one, 1):
        before, row[0] = row[0], i
        for j, b in enumerate(two, 1):
            before, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, before + (a != b))
    return row[-1]


def test_the_documented_examples_hold():
    assert doctest.testmod(text_metrics).failed == 0


@given(short, short.filter(str.strip))
def test_error_rates_follow_their_definition(output, reference):
    target = normalise(reference)
    assert character_error_rate(output, reference) == edits(normalise(output), target) / len(target)
    expected = edits(normalise(output).split(), target.split()) / len(target.split())
    assert word_error_rate(output, reference) == expected


@given(words.filter(str.strip))
def test_form_and_spacing_cost_nothing(reference):
    same = "\n\t " + unicodedata.normalize("NFD", reference).replace(" ", "  \n") + " "
    assert character_error_rate(same, reference) == word_error_rate(same, reference) == 0


def test_an_answer_longer_than_the_reference_passes_one():
    assert character_error_rate("да " * 40, "да") > 1


RATES = ("cer", "wer")


def test_what_is_wanted_is_scored_where_the_truth_is_known():
    assert set(RATES) <= set(metrics.METRICS)
    for absent in (None, Truth(), Truth(text=""), Truth(text=" \n"), Truth(table="<table></table>")):
        assert score("text", (), absent, RATES) == {}
    assert score("", (), Truth(text="text"), RATES) == {"cer": 1.0, "wer": 1.0}
    assert score("", (), Truth(text="text"), ("wer", "unheard_of")) == {"wer": 1.0}


def test_a_truth_comes_back_from_plain_values():
    truth = Truth(
        text="Итого",
        answers=("42", "сорок два"),
        regions=(Region(0, 1, 2, 3, "Table"),),
        facts=(Fact("cell", "42", neighbours={"left": "Итого"}),),
    )
    assert Truth.from_dict(json.loads(json.dumps(truth.to_dict()))) == truth
    assert Truth.from_dict({}) == Truth() and Truth().to_dict() == {}
    assert truth.shown == "Итого" and Truth(answers=("a", "b")).shown == "a\nb" and Truth().shown is None


def test_a_metric_name_is_taken_once():
    with pytest.raises(ValueError, match="cer"):
        metrics.metric("cer", better="lower", against="text", source="")(character_error_rate)


@given(
    before=st.text(max_size=300),
    unit=st.text(st.characters(categories=("L", "N", "P", "Zs"), include_characters="\n"), min_size=1, max_size=200),
    cut=st.integers(0, 200),
)
@example(before="", unit="a", cut=0)
@example(before="Итого: ", unit="</td><td>сумма", cut=3)
@example(before="x", unit=" & ", cut=1)
def test_endless_repetition_is_caught_wherever_it_is_cut(before, unit, cut):
    assert is_loop(before + unit * (20 + 4000 // len(unit) + 1) + unit[:cut])


@given(st.text("абв ", min_size=1, max_size=40).filter(lambda unit: unit.strip()), st.integers(0, 3000))
def test_it_is_caught_in_a_stream_soon_after_it_began(unit, start):
    before = "".join(random.Random(start).choices("абвгдежз \n", k=start))
    text = before + unit * 2000
    asked = range(200, len(text), 200)
    caught = next(length for length in asked if is_loop(text[:length]))
    assert caught <= start + 20 * len(unit) + 500 + 200


@given(st.text(st.characters(codec="utf-8"), max_size=200), st.text("ab-\n", min_size=1, max_size=12))
def test_only_the_last_4000_characters_are_looked_at(before, unit):
    tail = (unit * 4000)[:4000]
    assert is_loop(before * 50 + tail) is is_loop(tail)


POEM = "\n".join(f"Строка номер {n}\nИ вечный бой! Покой нам только снится" for n in range(60))
ORDINARY = {
    "empty": "",
    "a rule of a table": "| a | b |\n|" + "-" * 400 + "|" + "-" * 400,
    "a separator of many columns": "|---" * 60 + "|",
    "dot leaders": "\n".join(f"Chapter {n} " + "." * 120 + f" {n}" for n in range(40)) + "\nIndex " + "." * 300,
    "fields to fill in": "Name " + "_" * 900,
    "a column of zeros": "0\n" * 800,
    "sums of money": "0.00 0.00 0.00\n" * 200,
    "an empty table": "|    |    |    |\n" * 100,
    "a table of zeros in HTML": "<table>" + ("<tr>" + "<td>0</td>" * 10 + "</tr>") * 30,
    "empty cells in HTML": '<td style="width: 20%">&nbsp;</td>' * 60,
    "a matrix of zeros": "0 & 0 & 0 & 0 \\\\ \\hline\n" * 60,
    "cells that repeat": "\n".join(f"| {n} | yes | no | yes | yes |" for n in range(200)),
    "a refrain": POEM,
    "laughter": "ха" * 200,
    "white space": " " * 900,
    "nineteen times": "Повторяй за мной. " * 19,
}


@pytest.mark.parametrize("text", ORDINARY.values(), ids=ORDINARY.keys())
def test_pages_that_repeat_for_a_reason_are_let_pass(text):
    for length in range(0, len(text) + 1, 50):
        assert not is_loop(text[:length])
    assert not is_loop(text)


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: path.name)
def test_real_texts_are_no_loops(path):
    text = path.read_text(encoding="utf-8")
    assert text and not any(is_loop(text[:length]) for length in range(200, len(text) + 200, 200))


@pytest.mark.battery("X10")
@pytest.mark.parametrize(
    ("output", "status"),
    [
        (Output("Привет"), "ok"),
        (Output("-"), "ok"),
        (Output(""), "empty"),
        (Output(" \n\t\u200b\ufeff\x1b\x00 "), "empty"),
        (Output("\n" * 9000), "empty"),
        (Output("", boxes=(Box(0, 0, 1, 1, kind="Table"),)), "ok"),
        (Output("", finish_reason="length"), "empty"),
        (Output("half an ans", finish_reason="length"), "truncated"),
        (Output("stopped by the engine", finish_reason="loop"), "loop"),
        (Output("и так далее, " * 300 + "\n\n"), "loop"),
        *(
            (Output(token * 8192, finish_reason="length"), "loop")
            for token in ("the ", "字", "<td>a</td>", "\x1b[31mx")
        ),
        (Output("\x1b[31mred\x1b[0m \x07 and\x08 \x00 more"), "ok"),
        (Output("и так далее, " * 300, finish_reason="length"), "loop"),
    ],
)
def test_the_status_of_an_answer(output, status):
    assert outcome(output) == status
