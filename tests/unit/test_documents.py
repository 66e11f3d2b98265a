"""Documents of many pages: page ranges, reading order, tables, what the answers add up to, and who may fetch it."""

from __future__ import annotations

import csv
import io
import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from adapters.base import Box, understood
from adapters.dots_layout import boxes as dots_boxes
from arena.access import COOKIE, visitor_of
from arena.compare import Request, Side
from arena.config import load_settings
from arena.core import Arena, arena_of
from arena.documents.blocks import blocks, categories, laid_out, lines
from arena.documents.document import Document, Page
from arena.documents.pages import MOST, page_range
from arena.documents.tables import WIDEST, tables, to_csv
from arena.errors import RunError
from arena.strings import LANGUAGES, tr
from arena.types import Memory, Run, Timeline
from arena.ui import document_route
from arena.ui.document_file import html_document
from arena.ui.document_page import page_html
from arena.ui.document_progress import progress, strip
from arena.ui.document_reading import Reading

LAYOUT = [
    {"bbox": [100, 50, 900, 110], "category": "Title", "text": "Report 2026"},
    {"bbox": [100, 130, 900, 300], "category": "Text", "text": "Energy <b>is</b> conserved."},
    {"bbox": [100, 320, 500, 400], "category": "Formula", "text": r"E = \frac{m v^2}{2}"},
    {
        "bbox": [100, 420, 900, 700],
        "category": "Table",
        "text": '<table><tr><th colspan="2">Year</th></tr><tr><td>2025</td><td onclick="hit()">=1+1</td></tr></table>',
    },
    {"bbox": [100, 720, 900, 760], "category": "List-item", "text": "first"},
    {"bbox": [100, 800, 500, 900], "category": "Picture"},
    {"bbox": [100, 910, 900], "category": "Picture"},
]


def run_of(text: str, found: tuple[Box, ...] = (), task: str = "ocr", **more: object) -> Run:
    fields: dict[str, object] = {
        **dict.fromkeys(("title", "source", "revision", "adapter", "mode", "quantization", "dtype", "language"), ""),
        **dict.fromkeys(("prompt", "prompt_sha256", "device", "app_version", "python_version"), ""),
        **dict.fromkeys(("original_width", "original_height", "seen_width", "seen_height", "seed", "driver")),
        **dict.fromkeys(("error_kind", "error_detail", "prompt_tokens", "output_tokens", "visual_tokens", "retries")),
        **dict.fromkeys(("tokens_per_s", "characters_per_s", "reference", "app_commit")),
        "run_id": "R",
        "comparison_id": "C",
        "side": "A",
        "order": 0,
        "created_at": datetime.now(UTC),
        "model": "m",
        "image_sha256": "0" * 64,
        "image_width": 1000,
        "image_height": 1000,
        "params": {},
        "status": "ok",
        "timeline": Timeline(generate_s=1.0),
        "memory": Memory(),
        "library_versions": {},
        "text": text,
        "characters": len(text),
        "boxes": found,
        "task": task,
    }
    return Run(**{**fields, **more})  # type: ignore[arg-type]


def dots_page() -> Page:
    said = json.dumps(LAYOUT)
    found = understood(dots_boxes(said, (1000, 1000), (1000, 1000)))
    run = run_of(said, task="layout", **found)
    return Page(1, "0" * 64, 1000, 1000, {"A": run})


# --- which pages


def test_pages_are_written_as_people_write_them() -> None:
    assert page_range("", 3) == page_range("  ", 3) == (1, 2, 3)
    assert page_range("5, 1–3 ;2", 9) == (5, 1, 2, 3)
    assert page_range("8-", 9) == (8, 9) and page_range("-2", 9) == (1, 2)


@pytest.mark.parametrize(
    ("said", "key"),
    [
        *((said, "documents.range.form") for said in ("0", "a", "3-1", "1 2", "1,,2", "1.5", "--", "1-2-3")),
        *((said, "documents.range.beyond") for said in ("10", "8-12", "999999")),
    ],
)
def test_what_is_no_page_is_told(said: str, key: str) -> None:
    with pytest.raises(RunError) as told:
        page_range(said, 9)
    assert told.value.key == key and told.value.text("ru") != told.value.text("en")


@pytest.mark.battery("P1")
def test_a_book_is_read_in_parts() -> None:
    with pytest.raises(RunError, match=str(MOST)):
        page_range("", MOST + 1)
    assert len(page_range(f"-{MOST}", MOST + 1)) == MOST


@given(st.text(alphabet="0123456789-,; –a", max_size=20))
def test_nothing_that_is_typed_breaks_it(said: str) -> None:
    try:
        found = page_range(said, 40)
    except RunError:
        return
    assert found and all(1 <= page <= 40 for page in found) and len(set(found)) == len(found)


# --- what is on a page


def test_words_become_lines_and_a_column_stays_one() -> None:
    def word(text: str, x: float, y: float, sure: float = 1.0) -> Box:
        return Box(x, y, x + 40, y + 20, text, "word", sure)

    found = lines([word("a", 0, 0), word("b", 50, 3, 0.5), word("c", 400, 0), word("d", 0, 30), word("e", 50, 29)])
    assert [line.text for line in found] == ["a b", "c", "d e"]
    assert (found[0].x0, found[0].x1, found[0].y1, found[0].confidence) == (0, 90, 23, 0.75)
    assert [block.number for block in blocks([word("a", 0, 0), word("b", 50, 3)])] == [1]
    assert not laid_out(blocks([word("a", 0, 0)])) and laid_out(blocks([Box(0, 0, 9, 9, "x", "Table")]))


def test_categories_have_an_order_and_are_counted_a_side() -> None:
    one = blocks([Box(0, 0, 9, 9, "x", "Title"), Box(0, 0, 9, 9, "x", "Table")])
    other = blocks([Box(0, 0, 9, 9, "x", "Table"), Box(0, 0, 9, 9, "x", "stamp")])
    assert list(categories([one, other])) == [("Table", [1, 1]), ("Title", [1, 0]), ("stamp", [0, 1])]


def test_a_layout_of_dots_becomes_markdown_with_its_table_and_formula() -> None:
    said = dots_page().markdown("A")
    assert said.startswith("# Report 2026\n\n")
    assert "$$\nE = \\frac{m v^2}{2}\n$$" in said and "<table>" in said and "\n\n- first" in said
    assert dots_page().tables("A") == [[["Year", ""], ["2025", "=1+1"]]]
    plain = Page(1, runs={"A": run_of("one\ntwo")})
    assert plain.text("A") == "one\ntwo" and plain.markdown("A") == "one  \ntwo"


@pytest.mark.parametrize("lang", ["en", "ru"])
def test_a_layout_of_dots_is_shown_with_boxes_table_and_formula(lang: str) -> None:
    html = page_html(dots_page(), {"A": "<i>dots</i>"}, "parts", "DOC", lang)
    for number in range(1, 7):
        assert html.count(f'data-box="a{number}"') == 2, "one on the picture, one in the text"
    assert "<mfrac>" in html and '<th colspan="2"' in html
    assert "onclick" not in html and "<i>dots" not in html
    assert "DOC/1-A-1.csv" in html and tr("ui.answer.boxes_left_out", lang, count=1) in html
    assert {"en": "Heading", "ru": "Заголовок раздела"}[lang] not in html and {"en": "Title", "ru": "Заглавие"}[
        lang
    ] in html
    formatted = page_html(dots_page(), {"A": "dots"}, "rendered", "DOC", lang)
    assert "<mfrac>" in formatted and "<h1" in formatted and "<td" in formatted


# --- tables


def test_tables_of_html_and_markdown_in_the_order_of_the_text() -> None:
    text = """| a | b \\| c |
|---|:-:|
| 1 | 2 |
after <TABLE border=1><tr><td rowspan=2>x<br>y<td>1 &amp; 2</tr><tr><td><table><tr><td>in</td></tr></table></td></TABLE>
a | b
no rule
"""
    assert tables(text) == [[["a", "b | c"], ["1", "2"]], [["x y", "1 & 2"], ["", "in"]]]
    assert tables("no table at all | here") == []


@pytest.mark.parametrize(
    "text",
    [
        "<table>" * 5000,
        "<table><tr><td colspan=9999 rowspan=9999>x" + "<td>" * 3000,
        "<table><tr>" + "<td colspan=500 rowspan=500>x<tr>" * 2000,
        "|" * 200_000,
        "a|b\n|" + "-|" * 100_000,
        "a|b\n-|-\n" + "|" * 100_000,
    ],
)
def test_a_table_without_end_takes_no_time_without_end(text: str) -> None:
    assert all(len(row) <= WIDEST for rows in tables(text) for row in rows)


def test_a_table_as_csv_holds_no_formula() -> None:
    said = to_csv([["a;b", '"'], ["=cmd()", "naïve"]], ";")
    rows = list(csv.reader(io.StringIO(said.removeprefix("\ufeff")), delimiter=";"))
    assert said[0] == "\ufeff" and rows == [["a;b", '"'], ["'=cmd()", "naïve"]]


# --- a whole document


def test_a_document_as_markdown_and_json() -> None:
    pages = (
        dots_page(),
        Page(2, None, trouble={"en": "damaged"}),
        Page(3, "1" * 64, 10, 20, {"B": run_of("x", side="B")}),
    )
    document = Document("a.pdf", "layout", {"A": "one", "B": "two"}, pages)
    assert document.markdown("B") == "x\n" and document.markdown("A").count("# Report") == 1
    told = json.loads(json.dumps(document.json()))
    assert [page["page"] for page in told["pages"]] == [1, 2, 3]
    answer = told["pages"][0]["answers"]["A"]
    assert answer["blocks"][0] == {
        "order": 1,
        "category": "Title",
        "text": "Report 2026",
        "confidence": None,
        "bbox": [100, 50, 900, 110],
    }
    assert answer["tables"][0][1] == ["2025", "=1+1"] and "error" in answer and answer["boxes_left_out"] == 1


@pytest.fixture(scope="module")
def arena(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Arena]:
    home = str(tmp_path_factory.mktemp("home"))
    with arena_of(load_settings({"ARENA_HOME": home, "ARENA_DEV": "1", "ARENA_SCHOOL": "1"})) as arena:
        yield arena


def reading_of(arena: Arena, tmp_path: Path, prompt: str, visitor: str = "", pages: int = 3) -> Reading:
    images = [Image.new("RGB", (120 + 10 * at, 80), "white") for at in range(pages)]
    images[0].save(tmp_path / "a.pdf", save_all=True, append_images=images[1:])
    side = Side(arena.catalog.find("fake"))
    request = Request((side, side), None, arena.catalog.task("ocr"), prompt, visitor=visitor)
    source = (tmp_path / "a.pdf").read_bytes()
    return Reading(arena, request, "en", source, "<b>a</b>.pdf", range(1, pages + 1), "parts")


def finish(reading: Reading) -> None:
    deadline = time.monotonic() + 60
    while not reading.done:
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_every_page_goes_through_the_first_model_and_then_through_the_second(arena: Arena, tmp_path: Path) -> None:
    reading = reading_of(arena, tmp_path, "tokens=3")
    assert reading.left() is None
    reading.start()
    finish(reading)
    assert not reading.failed and reading.left() == 0
    runs = [run for page in reading.pages.values() for run in page.runs.values()]
    assert len(runs) == 6 and all(run.status == "ok" for run in runs)
    by_time = sorted(runs, key=lambda run: run.created_at)
    assert [run.side for run in by_time] == ["A", "A", "A", "B", "B", "B"]
    assert [run.timeline.cold for run in by_time].count(True) <= 1, "loaded once"
    for page in reading.pages.values():
        assert len({run.comparison_id for run in page.runs.values()}) == 1
        assert [run.order for run in page.runs.values()] == [0, 1]
    for lang in ("en", "ru"):
        assert "3" in progress(reading, lang)
        html = strip(reading, lang)
        assert html.count("data-page=") == 3 and html.count("good") == 6 and f"documents/{reading.id}.json" in html


def test_stop_keeps_what_is_done(arena: Arena, tmp_path: Path) -> None:
    reading = reading_of(arena, tmp_path, "tokens=30 delay=0.05")
    reading.start()
    deadline = time.monotonic() + 60
    while not reading.pages[2].sha256:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert reading.left()
    reading.stop()
    finish(reading)
    assert reading.pages[1].runs["A"].status == "ok" and reading.pages[2].runs["A"].status == "cancelled"
    assert not reading.pages[3].runs and "B" not in reading.pages[1].runs
    assert "Stopped" in progress(reading, "en") and "Остановлено" in progress(reading, "ru")


def test_a_page_that_cannot_be_drawn_and_a_model_that_fails_stop_nothing(arena: Arena, tmp_path: Path) -> None:
    reading = reading_of(arena, tmp_path, "raise=fault", pages=2)
    reading.pages[9] = Page(9)
    reading.start()
    finish(reading)
    assert reading.pages[9].trouble["ru"] != reading.pages[9].trouble["en"]
    assert [run.status for page in reading.pages.values() for run in page.runs.values()] == ["error"] * 4
    assert "fault" in page_html(reading.pages[1], {"A": "x"}, "parts", reading.id, "en")
    assert 'role="alert"' in page_html(reading.pages[9], {"A": "x"}, "parts", reading.id, "ru")


def test_results_are_fetched_by_their_owner_alone_and_stand_alone(arena: Arena, tmp_path: Path) -> None:
    app = FastAPI()
    app.include_router(document_route.router(arena))
    mine, yours = TestClient(app, cookies={COOKIE: "mine"}), TestClient(app, cookies={COOKIE: "yours"})

    class Asked:
        cookies = {COOKIE: "mine"}  # noqa: RUF012

    table = "<table><tr><td>1</td></tr></table><script>hit()</script><img_src=//elsewhere.example>"
    reading = reading_of(arena, tmp_path, f"say={table}", visitor_of(Asked()), 2)  # type: ignore[arg-type]
    reading.start()
    finish(reading)
    paths = [f"/documents/{reading.id}{rest}" for rest in (".md?side=B", ".json", ".html?lang=ru", "/2-B-1.csv")]
    for path in paths:
        assert yours.get(path).status_code == TestClient(app).get(path).status_code == 404
        answer = mine.get(path)
        assert answer.status_code == 200 and answer.headers["content-disposition"].startswith("attachment")
        assert "no-store" in answer.headers["cache-control"]
    assert mine.get(f"/documents/{reading.id}/2-B-2.csv").status_code == 404
    assert mine.get(paths[3]).text == "\ufeff1\r\n"
    html = mine.get(paths[2]).text
    assert "Страница 2" in html and "data:image/webp;base64," in html and "&lt;b&gt;a&lt;/b&gt;.pdf" in html
    assert "<script" not in html and "http" not in html.replace("http-equiv", "").split("</style>")[1]
    assert len(mine.get(paths[1]).json()["pages"]) == 2
    arena.store.delete([run.run_id for page in reading.pages.values() for run in page.runs.values()])
    assert mine.get(paths[0]).text == "\n", "what was deleted is gone here too"


def test_what_is_kept_of_documents_is_bounded_by_number_and_age() -> None:
    now = 0.0
    kept = document_route.Kept(lambda: now)

    def begin(name: str, visitor: str = "v") -> None:
        kept.begin(name, visitor, "a.pdf", "ocr", {})

    for number in range(document_route.MOST):
        begin(str(number))
    assert kept.get("0"), "used again"
    begin("one more")
    assert kept.get("0") and not kept.get("1")
    now = document_route.DAY * 0.9
    begin("later", "w")
    assert kept.get("0")
    now = document_route.DAY * 1.5
    assert not kept.get("2") and kept.get("0") and kept.get("later")
    now = document_route.DAY * 9
    begin("alone")
    assert kept.get("alone") and not kept.get("0") and not kept.get("later")
    begin("another's", "w")
    kept.forget("v")
    assert not kept.get("alone") and kept.get("another's")


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_document_that_is_gone_is_told_of_politely(arena: Arena, lang: str) -> None:
    app = FastAPI()
    app.include_router(document_route.router(arena))
    client = TestClient(app, headers={"accept-language": lang})
    for rest in ("01J9ZZZZZZZZZZZZZZZZZZZZZZ.md", "x.json", "x.html", "x/1-A-1.csv"):
        page = client.get(f"/documents/{rest}", headers={"accept": "text/html,*/*"})
        assert (
            page.status_code == 404 and tr("documents.missing_why", lang) in page.text and f'lang="{lang}"' in page.text
        )
        data = client.get(f"/documents/{rest}")
        assert (data.status_code, data.json()) == (404, {"detail": tr("documents.gone", lang)})


def test_a_document_without_pictures_is_still_a_file(arena: Arena) -> None:
    html = html_document(Document("a.pdf", "layout", {"A": "one"}, (dots_page(),)), arena.images, "en")
    assert "<mfrac>" in html and "<figure" not in html
