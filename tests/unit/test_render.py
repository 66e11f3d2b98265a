"""What a model wrote becomes harmless HTML: nothing runs, nothing is fetched, nothing of the text is lost."""

from __future__ import annotations

import re
import time
from html import unescape
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arena.ui import render, safe_html

HOSTILE = [
    "<script>window.__x=1</script>",
    "<img src=x onerror=window.__x=1>",
    "<svg onload=window.__x=1><circle/></svg>",
    "<td onclick=window.__x=1>cell</td>",
    "<iframe srcdoc='<script>1</script>'></iframe>",
    "<math><mtext><table><mglyph><style><img src=x onerror=window.__x=1></style></mglyph></table></mtext></math>",
    "<a href='javascript:window.__x=1'>link</a>",
    "[link](javascript:window.__x=1)",
    "![picture](https://elsewhere.example/beacon.png)",
    "<img src=https://elsewhere.example/beacon.png>",
    "<style>body{display:none}</style>",
    "<link rel=stylesheet href=//elsewhere.example/x.css>",
    "<form action=//elsewhere.example><input name=a><button>send</button></form>",
    "<base href=//elsewhere.example/>",
    "<meta http-equiv=refresh content='0;url=//elsewhere.example'>",
    "<div style='background:url(//elsewhere.example/x)' id=run class=chip>styled</div>",
    "<noscript><p title='</noscript><img src=x onerror=window.__x=1>'>",
]
TAG = re.compile(r"<\s*(/?)([a-zA-Z][a-zA-Z0-9]*)([^>]*)>")


@pytest.mark.parametrize("text", HOSTILE)
def test_nothing_of_a_hostile_answer_can_run_or_be_fetched(text: str) -> None:
    for html in (safe_html.markdown(text), safe_html.table_html(text)):
        for _, name, attributes in TAG.findall(html):
            assert name in safe_html.TAGS
            assert re.fullmatch(r'( (col|row)span="[1-9]\d?"| dir="auto"| (rel|target)="[a-z_ ]+")*', attributes), html


def test_there_is_no_other_way_into_the_page() -> None:
    sinks = re.compile(r"\b(nh3|markdown_it|latex2mathml)\b|gr\.(Markdown|Chatbot|HighlightedText)\(|datatype=")
    found = [path.name for path in Path(render.__file__).parent.glob("*.py") if sinks.search(path.read_text("utf-8"))]
    assert sorted(found) == ["formula.py", "safe_html.py"]


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


@pytest.mark.parametrize(
    "text",
    ["<div>" * 10_000, "[" * 20_000, "*a " * 7_000, "a" * 1_000_000, "<table>" + "<tr><td>x" * 100_000, "> " * 9_000],
)
def test_a_pathological_answer_is_rendered_within_a_second_or_two(text: str) -> None:
    began = time.perf_counter()
    html = safe_html.markdown(text)
    assert time.perf_counter() - began < 3
    assert len(html) < 12 * render.SHOWN


def test_long_text_is_shown_in_part_with_the_number_of_what_is_left() -> None:
    assert render.shown("abcdef", 4) == ("abcd", 2)
    assert render.shown("abc", 4) == ("abc", 0)
