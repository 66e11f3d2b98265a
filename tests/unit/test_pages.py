"""The HTML of the tabs Benchmark and Models: escaped, complete in both languages, and careful with who deletes."""

from __future__ import annotations

import re
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from runs import make_run

from arena.catalog import load_catalog
from arena.config import Settings, load_settings
from arena.local import is_local
from arena.spec import Mode, ModelSpec
from arena.status import Fit, ModelStatus
from arena.store import RunPage, RunQuery
from arena.strings import LANGUAGES
from arena.types import Memory, Timeline
from arena.ui.model_cards import Entry, cards
from arena.ui.run_detail import confirmation, detail, timeline
from arena.ui.run_table import COLUMNS, SNIPPET, Reader, csv_link, table
from arena.ui.visitor import may_administer

EVIL = "<script>alert(1)</script>\"'&"


def cells(html: str, key: str) -> list[str]:
    return re.findall(rf'of-{key}[^>]*data-label="[^"]*">(.*?)</t[hd]>', html)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_no_text_of_a_run_becomes_markup(lang: str) -> None:
    texts = {"title": EVIL, "text": EVIL, "task": EVIL, "mode": EVIL, "model": EVIL, "device": EVIL, "prompt": EVIL}
    run = make_run(1, **texts, run_id=EVIL, params={EVIL: EVIL}, error_kind="worker_died", error_detail=EVIL)
    reader = Reader(lang, {})
    html = table(RunPage([run], 1), RunQuery(text=EVIL, models=(EVIL,)), reader) + detail(
        run, [run], reader, picture=True, links=""
    )
    assert "<script" not in html
    assert html.count("&lt;script&gt;") > 8


def test_unknown_is_a_dash_in_the_table_and_in_the_detail(settings: Settings) -> None:
    run = make_run(1, scores={}, timeline=Timeline(), memory=Memory(), output_tokens=None, tokens_per_s=None)
    reader = Reader("en", load_catalog(settings).tasks)
    html = table(RunPage([run], 1), RunQuery(), reader)
    for column in COLUMNS:
        if column.figure:
            assert cells(html, column.key) == ["—"], column.key
    facts = dict(re.findall(r"<dt>([^<]*)</dt><dd>([^<]*)</dd>", detail(run, [], reader, picture=False, links="")))
    assert {facts[name] for name in ("RAM", "Tokens of the answer", "Character error rate (CER)")} == {"—"}
    assert timeline(run.timeline, "en") == ""


def test_a_real_zero_is_not_a_dash() -> None:
    html = table(RunPage([make_run(1, scores={"cer": 0.0})], 1), RunQuery(), Reader("en", {}))
    assert cells(html, "cer") == ["0%"]


def test_vram_of_the_device_stands_in_for_that_of_the_process() -> None:
    run = make_run(1, memory=Memory(peak_vram_device_mb=2048.0))
    assert cells(table(RunPage([run], 1), RunQuery(), Reader("en", {})), "vram_mb") == ["2.0\xa0GB"]


def test_long_answers_are_cut_in_the_table_and_counted_in_the_detail() -> None:
    run = make_run(1, text="x" * 30_000)
    reader = Reader("en", {})
    assert len(cells(table(RunPage([run], 1), RunQuery(), reader), "text")[0]) < SNIPPET + 30
    html = detail(run, [], reader, picture=False, links="")
    assert "10\u202f000 more characters" in html and len(html) < 60_000


def test_the_csv_link_repeats_the_filter() -> None:
    query = RunQuery(text="a&b", models=("m", "n"), statuses=("ok",), sort="cer", descending=False, offset=50, limit=25)
    link = csv_link(query, ";")
    assert link == "runs.csv?text=a%26b&sort=cer&descending=0&model=m&model=n&status=ok&delimiter=%3B"


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_question_states_the_number(lang: str) -> None:
    assert confirmation(12345, lang).count("12\u202f345") == 2
    assert "failed" not in confirmation(1, lang)
    assert "failed" in confirmation(1, lang, changed=True)


@pytest.mark.parametrize(
    ("host", "headers", "local"),
    [
        ("127.0.0.1", {"host": "127.0.0.1:7860"}, True),
        ("127.0.0.1", {"host": "localhost"}, True),
        ("::1", {"host": "[::1]:7860"}, True),
        ("192.168.0.7", {"host": "192.168.0.1:7860"}, False),
        ("192.168.0.7", {"host": "localhost:7860"}, False),
        ("127.0.0.1", {"host": "rebound.example:7860"}, False),
        ("127.0.0.1", {"host": "localhost", "x-forwarded-for": "192.168.0.7"}, False),
        ("127.0.0.1", {"host": "localhost", "forwarded": "for=192.168.0.7"}, False),
        ("127.0.0.1", {"host": "localhost", "via": "1.1 proxy"}, False),
        ("127.0.0.1", {}, False),
        (None, {"host": "localhost"}, False),
    ],
)
def test_only_who_sits_at_this_machine_deletes_and_downloads(
    host: str | None, headers: dict[str, str], local: bool
) -> None:
    request: Any = SimpleNamespace(headers=headers, client=SimpleNamespace(host=host) if host else None, cookies={})
    assert is_local(request) is local
    assert may_administer(request, load_settings({})) is local


def entry(**changes: Any) -> Entry:
    modes = (Mode("transformers", {"none": 6.0, "4bit": 3.9}), Mode("vllm", why_not={"en": "no such", "ru": "нет"}))
    spec = ModelSpec(
        "m", EVIL, "fake", "owner/name", modes=modes, mode="transformers", languages=("ru",), licence="MIT"
    )
    usual = Entry(spec, ModelStatus("needs_download", "hf download owner/name"), Fit("tight", 6.0, 12.0, 10.0, 8.0), 0)
    return replace(usual, **changes)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_card_says_what_is_needed_and_the_command(lang: str) -> None:
    html = cards([entry()], 3, {}, lang)
    assert "<script" not in html
    assert '<code id="command-of-m">hf download owner/name</code>' in html
    assert 'class="fit tight"' in html and "width:50%" in html
    assert {"en": "no such", "ru": "нет"}[lang] in html


def test_size_on_disk_takes_the_place_of_the_download() -> None:
    assert "On disk" not in cards([entry()], 1, {}, "en")
    assert "4.3\xa0GB" in cards([entry(disk=4_312_000_000)], 1, {}, "en")


@pytest.mark.parametrize(("words", "found"), [("", True), ("OWNER mit", True), ("ru", True), ("mit zh", False)])
def test_every_word_of_a_search_must_occur(words: str, found: bool) -> None:
    assert entry().has(words, "en") is found
