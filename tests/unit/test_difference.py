"""What two texts do not share: nothing of either is lost, the counts are those of CER and WER, the time is bounded."""

from __future__ import annotations

import random
import re
from html import unescape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arena.ui import difference as shown
from arena.ui.diff import MOST, SCALE, difference
from arena.ui.difference import How, marked
from benchmarks.metrics.text import character_error_rate, normalise, word_error_rate

# Control characters are shown by a mark; some of them count as white space.
TEXTS = st.text(st.one_of(st.characters(exclude_categories=("C", "Z")), st.sampled_from(" \n\u00a0")), max_size=200)
UNITS = st.sampled_from(["words", "characters"])


def letters(html: str) -> str:
    return "".join(unescape(re.sub(r"</?(mark|del|ins|span)[^>]*>", "", html)).split())


@given(TEXTS, TEXTS, UNITS, st.booleans())
def test_nothing_of_either_text_is_lost(said: str, wanted: str, unit: str, spaces: bool) -> None:
    found = difference(said, wanted, unit, spaces)  # type: ignore[arg-type]
    mine = "".join(each.said + each.after for each in found.stretches)
    theirs = "".join(each.wanted + each.wanted_after for each in found.stretches)
    assert normalise(mine) == normalise(said) and normalise(theirs) == normalise(wanted)
    if spaces:
        assert len(mine.splitlines()) == len(said.splitlines())
    same = said == wanted if spaces else normalise(said) == normalise(wanted)
    assert not same or found.count == 0
    assert [each.at for each in found.stretches] == sorted(each.at for each in found.stretches)


@given(TEXTS, TEXTS.filter(normalise))
def test_without_white_space_the_counts_are_the_error_rates(said: str, wanted: str) -> None:
    for unit, rate in (("characters", character_error_rate), ("words", word_error_rate)):
        found = difference(said, wanted, unit)  # type: ignore[arg-type]
        assert found.count / found.units == pytest.approx(rate(said, wanted))


@given(TEXTS, TEXTS)
def test_both_panes_hold_their_texts_and_the_errors_hold_both(said: str, wanted: str) -> None:
    visible = str.maketrans("", "", "⏎␣⇥⍽")
    found = difference(said, wanted)
    assert letters(marked(found.stretches)) == letters_of(said)
    assert letters(marked(found.turned)) == letters_of(wanted)
    html = marked(found.stretches, both=True)
    for left_out, whole in (("del", said), ("ins", wanted)):
        kept = re.sub(rf"<{left_out}>.*?</{left_out}>", "", html, flags=re.DOTALL)
        assert letters(kept).translate(visible) == letters_of(whole).translate(visible)


def letters_of(text: str) -> str:
    import unicodedata

    return "".join(unicodedata.normalize("NFC", text).split())


def kinds(said: str, wanted: str, *how: object) -> list[tuple[str, str, str]]:
    found = difference(said, wanted, *how)  # type: ignore[arg-type]
    return [(each.kind, each.said, each.wanted) for each in found.stretches if each.kind != "same"]


def test_words_characters_and_white_space() -> None:
    assert kinds("the red fox", "the brown fox") == [("wrong", "red", "brown")]
    assert kinds("the fox", "the brown fox") == [("missing", "", "brown")]
    assert kinds("the fox ran", "the fox") == [("extra", "ran", "")]
    assert kinds("cat", "cut", "characters") == [("wrong", "a", "u")]
    assert kinds("same\n\ntext", "same text") == []
    assert kinds("same\ntext", "same text", "words", True) == [("wrong", "\n", " ")]
    assert kinds("two  spaces", "two spaces", "characters") == []
    assert kinds("two  spaces", "two spaces", "characters", True) == [("extra", " ", "")]
    assert kinds("one word", "oneword", "characters") == [("extra", " ", "")]
    assert kinds("и\u0306од", "йод", "characters") == []
    assert kinds("a\r\nb", "a\nb", "characters", True) == []


def test_the_marks_are_seen() -> None:
    html = marked(difference("a red fox", "a brown fox").stretches)
    assert re.sub(r"</?span[^>]*>", "", html) == "a <mark>red</mark> fox"
    wrong = marked(difference("a red fox", "a brown fox").stretches, both=True)
    assert '<span class="wrong"><del>brown</del><ins>red</ins></span> ' in wrong
    assert "<ins>␣</ins>" in marked(difference("one word", "oneword", "characters").stretches, both=True)
    assert "<mark>⏎\n</mark>" in marked(difference("a\nb", "a b", "characters", True).stretches)


@pytest.mark.parametrize("reference", [None, "right <b>text</b>"])
def test_nothing_in_a_text_becomes_a_part_of_the_page(reference: str | None) -> None:
    hostile = "<img src=x onerror=hit()> \u202eright"
    html = shown.panes([hostile, "other"], ["<i>A</i>", "B"], reference, How(), "en")
    assert "<img" not in html and "<b>" not in html and "<i>" not in html and "\u202e" not in html


def test_what_there_is_to_say_of_two_answers() -> None:
    def facts(html: str) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for name, value in re.findall(r"<dt>(.*?)</dt><dd>(.*?)</dd>", html):
            found.setdefault(name, []).append(value)
        return found

    between = facts(shown.panes(["a b c", "a x"], ["A", "B"], None, How(), "en"))
    assert between == {"Other words:": ["1", "1"], "only here:": ["1", "0"]}
    errors = facts(shown.panes(["a b c", "a x"], ["A", "B"], "a b c d", How(), "en"))
    assert errors["Word error rate (WER)"] == ["25%", "75%"]
    assert (
        errors["Wrong words:"] == ["0", "1"] and errors["missing:"] == ["1", "2"] and errors["too many:"] == ["0", "0"]
    )
    assert "Различий нет" in shown.panes(["a  b", "a b"], ["A", "B"], None, How(), "ru")
    assert "<section" not in shown.panes(["a", ""], ["A", "B"], None, How(), "ru")
    one = shown.panes(["", "a b"], ["A", "B"], "a b", How("characters"), "ru")
    assert one.count("<section") == 1 and 'class="b"' in one


def test_a_book_is_compared_within_bounds() -> None:
    chance = random.Random(7)
    books = ["".join(chance.choice("abcdef \n") for _ in range(MOST + 50)) for _ in range(2)]
    html = shown.panes(books, ["A", "B"], None, How("characters"), "en")
    assert "first 100\u202f000 characters" in html
    assert html.count("<mark>") <= 2 * shown.MOST_MARKS
    whole = difference(books[0], books[0], "characters")
    assert SCALE <= len(whole.stretches) <= SCALE + 1 and whole.count == 0
