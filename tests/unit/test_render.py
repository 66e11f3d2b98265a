"""What a model wrote becomes harmless HTML: nothing runs, nothing is fetched, nothing of the text is lost."""

from __future__ import annotations

import re
from dataclasses import replace
from html import unescape
from html.parser import HTMLParser

import pytest
from hostile import OUTPUTS
from hypothesis import given
from hypothesis import strategies as st
from runs import make_run

from adapters.base import Box
from arena.documents.document import Page
from arena.ui import answer, formula, render, safe_html
from arena.ui.document_page import drawing, legend
from arena.ui.picture import MOST_BOXES, layer

TAG = re.compile(r"<\s*(/?)([a-zA-Z][a-zA-Z0-9]*)([^>]*)>")


# What an attribute may say: nothing that names a place of the page, runs or leads anywhere but to a page of the web.
ALLOWED = {
    "href": re.compile(r"https?://[a-z0-9.]+(/[^\s\"<>]*)?"),
    "target": re.compile("_blank"),
    "rel": re.compile("noopener noreferrer nofollow"),
    "dir": re.compile("auto|ltr"),
    "class": re.compile("formula|formula block|cut"),
    "colspan": re.compile(r"[1-9]\d?"),
    "rowspan": re.compile(r"[1-9]\d?"),
}


class Parts(HTMLParser):
    """Every element of some HTML, and whether they are closed in order."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, list[tuple[str, str | None]]]] = []
        self.open: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, attrs))
        if tag not in safe_html.VOID | {"img"}:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.mark.battery("X1", "X2", "X3", "X4", "X10")
@pytest.mark.parametrize("name", OUTPUTS)
def test_nothing_of_a_hostile_answer_can_run_or_be_fetched(name: str) -> None:
    tables = safe_html.TABLE | safe_html.INLINE | {"span"} | formula.ELEMENTS
    for html, tags in (
        (safe_html.markdown(OUTPUTS[name], "en"), safe_html.TAGS | formula.ELEMENTS),
        (safe_html.table_html(OUTPUTS[name]), tables),
    ):
        parts = Parts(html)
        assert parts.open == []
        for tag, attributes in parts.found:
            assert tag in tags
            for attribute, value in attributes:
                rule = (formula.ATTRIBUTES if tag in formula.ELEMENTS else ALLOWED)[attribute]
                assert rule.fullmatch(value or ""), f"{tag} {attribute}={value}"


@pytest.mark.battery("X7")
@pytest.mark.parametrize("name", OUTPUTS)
def test_what_a_box_says_and_is_called_is_text_in_both_overlays(name: str) -> None:
    said = OUTPUTS[name]
    box = Box(1, 2, 30, 40, said, said, 0.5)
    parts = Parts(layer("a", [box], 100, 80))
    assert [tag for tag, _ in parts.found] == ["svg", "rect", "title"] and parts.open == []
    page = Page(1, 100, 80, runs={"A": make_run(0, text="x", boxes=(box,))})
    block = replace(page.blocks("A")[0], category=said)
    parts = Parts(drawing(page, {"A": [block]}, "x.webp", "en") + legend({"A": [block]}, "en"))
    assert {tag for tag, _ in parts.found} <= {"div", "img", "svg", "g", "rect", "text", "title", "ul", "li", "i", "b"}
    assert not [name for _, attributes in parts.found for name, _ in attributes if name.startswith("on")]
    assert all(re.fullmatch("[a-z0-9 -]*", dict(attributes).get("class") or "") for _, attributes in parts.found)


@pytest.mark.battery("X5")
def test_more_boxes_than_a_browser_can_draw_are_left_out() -> None:
    assert layer("a", [Box(n, 0, n + 1, 1) for n in range(50_000)], 50_000, 1).count("<rect ") == MOST_BOXES


@pytest.mark.battery("X6")
def test_boxes_that_could_not_be_understood_are_told_with_their_number() -> None:
    said = {1: "1 рамку", 3: "3 рамки", 5: "5 рамок", 21: "21 рамку"}
    for count, words in said.items():
        assert f"нарисовать {words}." in answer.left_out(make_run(0, boxes_left_out=count), "ru")
    assert "1 box could not be understood and is not" in answer.left_out(make_run(0, boxes_left_out=1), "en")
    assert "2 boxes could not be understood and are not" in answer.left_out(make_run(0, boxes_left_out=2), "en")
    assert answer.left_out(make_run(0, boxes_left_out=0), "en") == answer.left_out(make_run(0), "ru") == ""


@pytest.mark.battery("X3")
def test_formulas_are_mathml_in_every_notation_that_models_use() -> None:
    said = "$x^2$ and \\(x^2\\)\n\n$$x^2$$\n\n\\[x^2\\]\n\n\\begin{equation}x^2\\end{equation}\n\n|a|\n|-|\n|$x^2$|"
    for html in (safe_html.markdown(said), safe_html.table_html(f"<table><tr><td>{said}</table>")):
        assert html.count("<msup><mi>x</mi><mn>2</mn></msup>") == 6
        assert html.count('class="formula block"') == 3
    assert "<math" not in safe_html.markdown("It costs $5, not $10; `$x$` is code.\n```\n$$y$$\n```\nand 5$ or 6$")
    assert safe_html.markdown("$\\frac{1}$").count("<code>") == 1, "what is no formula is shown as it is"
    aligned = safe_html.markdown("$$\\begin{aligned}a&=1\\\\b&amp;=2\\end{aligned}$$")
    assert aligned.count("<mtr>") == 2 and "&amp;" not in aligned


def test_a_link_says_nothing_to_the_other_side_and_a_picture_is_its_description() -> None:
    html = safe_html.markdown("[a](https://b.example/c?d=1&e=2) ![**seen**](https://b.example/x.png) [f](/media/x)")
    assert re.findall(r"<a href=[^>]*>", html) == [
        '<a href="https://b.example/c?d=1&amp;e=2" target="_blank" rel="noopener noreferrer nofollow">'
    ]
    assert "seen" in html and "x.png" not in html
    assert "href" not in safe_html.markdown('<a href="https://bank.example@b.example/">x</a>')


def test_an_answer_that_is_nothing_but_dead_markup_is_shown_as_text() -> None:
    assert safe_html.markdown("<iframe src=x></iframe>") == '<pre dir="auto">&lt;iframe src=x&gt;&lt;/iframe&gt;</pre>'
    assert safe_html.markdown(" ") == ""


def test_what_is_left_out_is_counted() -> None:
    assert "Не показаны ещё 2 знака." in safe_html.markdown("abcd", "ru", limit=2)
    assert "cut" not in safe_html.markdown("abcd", "ru")


def test_tables_survive_in_both_notations() -> None:
    html = safe_html.markdown("|a|b|\n|-|-|\n|1|2|\n\n<table><tr><td colspan=2 onclick=x>merged</td></tr></table>")
    assert html.count("<table>") == 2
    assert '<td colspan="2" dir="auto">merged</td>' in html


@given(st.text())
def test_text_shows_exactly_what_was_written(text: str) -> None:
    html = render.text(text)
    assert "<" not in html and '"' not in html and "'" not in html
    assert unescape(html) == render.INVISIBLE.sub("\N{REPLACEMENT CHARACTER}", text)


@given(st.text(alphabet="<>/ab=\"' \n|*`[]()!&;-#"))
def test_no_mixture_of_signs_gets_through_the_sanitiser(text: str) -> None:
    assert {name for _, name, _ in TAG.findall(safe_html.markdown(text))} <= safe_html.TAGS


@pytest.mark.battery("X4")
@pytest.mark.parametrize(
    "text",
    [
        "<div>" * 10_000,
        "<table>" + "<tr><td>x</td></tr>" * 100_000 + "</table>",
        "<table><tr><td>" * 10_000,
        "[" * 20_000,
        "*a " * 7_000,
        "a" * 1_000_000,
        "<table>" + "<tr><td>x" * 100_000,
        "> " * 9_000,
        "\\(" * 9_000,
        "\\[" * 9_000,
    ],
)
@pytest.mark.timeout(30)  # each takes a second at most; the square of that would be an hour
def test_a_pathological_answer_does_not_hold_the_page_up(text: str) -> None:
    html = safe_html.markdown(text)
    assert len(html) < 12 * render.SHOWN


def test_long_text_is_shown_in_part_with_the_number_of_what_is_left() -> None:
    assert render.shown("abcdef", 4) == ("abcd", 2)
    assert render.shown("abc", 4) == ("abc", 0)
