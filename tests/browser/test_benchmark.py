"""The Benchmark tab in the real browser over a real database: found, sorted, opened, saved as CSV, deleted."""

from __future__ import annotations

import csv
import io
import re
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

import pandas
import pytest
from playwright.sync_api import APIResponse, Locator, Page, Request, Route, expect
from runs import make_run

from adapters.base import Box
from arena.images import ImageStore
from arena.store import RunQuery, Store
from arena.types import Memory, Run, Timeline
from tests.browser.conftest import open_tab
from tests.browser.test_accessibility import SETTLED

ROOT = Path(__file__).parent.parent.parent
HOSTILE = "<img src=x onerror=\"document.title='hacked'\"><script>document.title='hacked'</script> **bold**"
OpenPage = Callable[..., Page]


def runs(image: str) -> list[Run]:
    """Sixty runs of three models, without a GPU but for the last model; every fifth one is out of the ordinary."""
    made = []
    for number in range(60):
        model = ("tesseract", "rapidocr", "qwen3_vl_2b")[number % 3]
        title = {"tesseract": "Tesseract", "rapidocr": "RapidOCR", "qwen3_vl_2b": "Qwen3-VL 2B"}[model]
        failed = number % 10 == 5
        made.append(
            make_run(
                number,
                model=model,
                title=title,
                task=("ocr", "question")[number % 2],
                image_sha256=image,
                status="oom" if failed else "loop" if number % 10 == 0 else "ok",
                error_kind="out_of_memory" if failed else None,
                error_detail="CUDA out of memory. Tried to allocate 1.2 GiB" if failed else None,
                text="" if failed else HOSTILE if number == 59 else f"=1+{number} Ответ № {number}, ещё одно слово",
                reference=None if number % 4 == 3 else "Эталон",
                scores={} if failed or number % 4 == 3 else {"cer": number / 100, "wer": number / 50},
                timeline=Timeline(queue_s=0.0, start_s=0.02, load_s=1.5, generate_s=0.1 + number / 20, total_s=2.0),
                memory=Memory(peak_ram_mb=100.0 + number, peak_vram_process_mb=4000.0 if number % 3 == 2 else None),
                boxes=(Box(0, 1, 20, 30),),
            )
        )
    return made


@pytest.fixture(scope="module")
def receipt(app_home: Path) -> str:
    """An image among those of the app; its name."""
    images = ImageStore(app_home / "images", 50 * 10**6, 40_000_000)
    return images.add(ROOT / "assets/samples/receipt.jpg").sha256


@pytest.fixture
def filled(app_url: str, app_home: Path, receipt: str) -> Iterator[Store]:
    """The app's own database with the runs in it and no others; what a test leaves of them is taken away."""
    store = Store(f"sqlite:///{app_home / 'arena.db'}")
    store.delete(RunQuery())
    for run in runs(receipt):
        store.save(run)
    yield store
    store.delete(RunQuery())
    store.close()


@pytest.fixture
def opened(open_page: OpenPage, filled: Store) -> Callable[..., Page]:
    """A visitor on the Benchmark tab, when its table is there."""

    def opened(**how: object) -> Page:
        page = open_page(**how)
        asked: set[Request] = set()
        page.on("request", lambda request: asked.add(request) if "/gradio_api/run" in request.url else None)
        page.on("requestfinished", lambda request: asked.discard(request))
        open_tab(page, -2)
        page.locator("#runs-table tbody tr").first.wait_for()
        deadline = time.monotonic() + 30
        while asked and time.monotonic() < deadline:
            page.wait_for_timeout(50)  # the table comes with the page and once more with its tab
        return page

    return opened


def column(page: Page, key: str) -> list[str]:
    return [cell.replace("\xa0", " ") for cell in page.locator(f"#runs-table tbody .of-{key}").all_inner_texts()]


def count(page: Page) -> Locator:
    return page.locator("#runs-table .tools strong")


def choose(page: Page, label: str, option: str) -> None:
    page.get_by_label(label, exact=True).locator("visible=true").click()
    page.get_by_role("option", name=option, exact=True).click()
    page.keyboard.press("Escape")


def test_runs_are_sorted_and_paged_in_the_database(opened: Callable[..., Page]) -> None:
    began = time.monotonic()
    page = opened()
    print(f"page and table there after {time.monotonic() - began:.2f} s")
    expect(count(page)).to_have_text("Runs: 60")
    expect(page.locator("#runs-table tbody tr")).to_have_count(25)
    head = page.locator("#runs-table th.of-cer")
    head.get_by_role("button").press("Enter")
    expect(head).to_have_attribute("aria-sort", "ascending")
    expect(head.get_by_role("button")).to_be_focused()
    assert column(page, "cer")[:3] == ["0%", "1.0%", "2.0%"]
    page.get_by_role("button", name="Last page").click()
    expect(page.locator("#runs-table .pager")).to_contain_text("51–60 of 60")
    assert column(page, "cer") == ["—"] * 10, "unknown comes last and is never 0"
    page.locator("#runs-table .pager select").select_option("100")
    expect(page.locator("#runs-table tbody tr")).to_have_count(60)
    known = [float(cell.rstrip("%")) for cell in column(page, "cer") if cell != "—"]
    assert known == sorted(known)
    head.get_by_role("button").click()
    expect(head).to_have_attribute("aria-sort", "descending")
    assert column(page, "cer")[0] == "58%" and column(page, "cer")[-1] == "—"


def test_search_and_filters_narrow_the_table_and_the_plot(opened: Callable[..., Page]) -> None:
    page = opened()
    page.get_by_label("Search").locator("visible=true").fill("ОТВЕТ № 5")
    expect(count(page)).to_have_text(re.compile(r"Found: \d"))
    expect(page.locator("#runs-table tbody tr").first).to_contain_text("Ответ № 5")
    page.get_by_label("Search").locator("visible=true").fill("there is no such word")
    expect(page.locator("#runs-table .empty")).to_contain_text("Nothing matches")
    page.get_by_role("button", name="Clear the filter").click()
    expect(count(page)).to_have_text("Runs: 60")
    choose(page, "Status", "out of memory")
    expect(count(page)).to_have_text("Found: 6")
    assert set(column(page, "status")) == {"out of memory"}
    page.get_by_role("button", name="Clear the filter").wait_for(state="detached")
    expect(page.locator("#runs-plot .empty")).to_contain_text("reference")


def test_the_plot_has_a_dot_a_run_and_leads_to_it(opened: Callable[..., Page]) -> None:
    page = opened()
    expect(page.locator("#runs-plot .dot")).to_have_count(42)  # with a reference and an answer
    expect(page.locator("#runs-plot .middle")).to_have_count(3)
    expect(page.locator("#runs-plot svg")).to_have_attribute("aria-label", re.compile("42 runs of 3 models"))
    page.get_by_label("Quantity upwards").select_option("vram_mb")
    expect(page.locator("#runs-plot .middle")).to_have_count(1)
    page.get_by_label("Quantity upwards").select_option("ram_mb")
    expect(page.locator("#runs-plot .middle")).to_have_count(3)
    page.locator("#runs-plot").get_by_role("button", name="RapidOCR").click()
    expect(count(page)).to_have_text("Found: 20")
    expect(page.locator("#runs-plot .middle")).to_have_count(1)
    page.locator("#runs-plot .dot").first.hover()
    expect(page.locator("#runs-plot .tip")).to_contain_text("RapidOCR · ")
    page.locator("#runs-plot .dot").first.click()
    expect(page.get_by_role("dialog").get_by_role("heading", name="RapidOCR")).to_be_visible()


def test_a_row_opens_the_whole_run_and_its_text_is_text(opened: Callable[..., Page]) -> None:
    page = opened()
    title = page.title()
    page.locator("#runs-table .open").first.focus()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog")
    expect(dialog.locator("#run-answer")).to_have_text(HOSTILE)
    expect(dialog.locator("script, [onerror]")).to_have_count(0)
    image = dialog.get_by_role("img")
    expect(image).to_have_count(1)
    assert image.evaluate("async (node) => { await node.decode(); return node.naturalWidth }") > 100
    expect(dialog.locator(".timeline li")).to_have_count(4 if dialog.locator(".timeline .first").count() else 3)
    expect(dialog).to_contain_text("max_new_tokens = 256, temperature = 0.5")
    expect(dialog).to_contain_text("tesserocr 2.13.1")
    dialog.get_by_role("button", name="Open side A").click()
    expect(dialog.locator("#run-answer")).to_contain_text("Ответ № 58")
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    assert page.title() == title
    page.get_by_role("row").filter(has_text="out of memory").first.locator(".of-text").click()
    expect(dialog.locator(".failure")).to_contain_text("CUDA out of memory")
    dialog.get_by_role("button", name="Close").click()
    expect(dialog).to_have_count(0)


def download(page: Page, link: str) -> str:
    page.locator("#runs-table summary").click()
    with page.expect_download() as started:
        page.get_by_role("link", name=link).click()
    today = datetime.now().astimezone()
    assert started.value.suggested_filename == f"vlm-arena-{today:%Y-%m-%d}.csv"
    return Path(started.value.path()).read_text(encoding="utf-8")


def test_csv_holds_what_is_filtered(opened: Callable[..., Page], filled: Store) -> None:
    page = opened()
    choose(page, "Model", "Tesseract")
    expect(count(page)).to_have_text("Found: 20")
    page.locator("#runs-table th.of-generate_s button").click()
    expect(page.locator("#runs-table th.of-generate_s")).to_have_attribute("aria-sort", "ascending")
    comma = download(page, "With commas")
    assert comma.startswith("\ufeffrun_id,")
    rows = list(csv.DictReader(io.StringIO(comma.lstrip("\ufeff"))))
    assert [row["run_id"] for row in rows] == [f"run-{number:05d}" for number in range(0, 60, 3)]
    assert rows[1]["text"] == "'=1+3 Ответ № 3, ещё одно слово", "no spreadsheet takes it for a formula"
    frame = pandas.read_csv(io.StringIO(download(page, "With semicolons")), sep=";", decimal=",")
    assert len(frame) == 20 and set(frame["model"]) == {"tesseract"}
    assert frame["generate_s"].tolist() == pytest.approx([0.1 + number / 20 for number in range(0, 60, 3)])
    assert frame["cer"].isna().sum() == sum(number % 4 == 3 or number % 10 == 5 for number in range(0, 60, 3))


def test_deletion_asks_with_the_number_and_deletes_just_that(opened: Callable[..., Page], filled: Store) -> None:
    page = opened()
    for index in (0, 2):
        page.locator("#runs-table tbody .check input").nth(index).check()
    page.get_by_role("button", name="Delete selected: 2").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("heading")).to_have_text("Delete 2 runs?")
    expect(dialog.get_by_role("button", name="Keep")).to_be_focused()
    page.keyboard.press("Enter")
    expect(dialog).to_have_count(0)
    assert filled.count(RunQuery()) == 60

    page.get_by_role("button", name="Delete selected: 2").click()
    dialog.get_by_role("button", name="Delete 2").click()
    expect(count(page)).to_have_text("Runs: 58")
    assert filled.get("run-00059") is None and filled.get("run-00057") is None and filled.get("run-00058")
    expect(page.locator("#runs-table tbody .check input:checked")).to_have_count(0)

    choose(page, "Model", "RapidOCR")
    expect(count(page)).to_have_text("Found: 20")
    page.get_by_role("button", name="Delete all found").click()
    expect(dialog.get_by_role("heading")).to_have_text("Delete 20 runs?")
    filled.save(make_run(777, model="rapidocr", title="RapidOCR"))
    dialog.get_by_role("button", name="Delete 20").click()
    expect(dialog.get_by_role("heading")).to_have_text("Delete 21 runs?")
    expect(dialog).to_contain_text("The number has changed")
    assert filled.count(RunQuery(models=("rapidocr",))) == 21
    dialog.get_by_role("button", name="Delete 21").click()
    expect(count(page)).to_have_text("Runs: 38")
    assert filled.count(RunQuery(models=("rapidocr",))) == 0


def test_in_russian_and_after_a_switch(opened: Callable[..., Page]) -> None:
    page = opened(locale="ru-RU")
    expect(count(page)).to_contain_text("Запусков:")
    heads = page.locator("#runs-table thead").inner_text().split()
    assert heads[0] == "Время" and "Состояние" in heads
    assert re.fullmatch(r"\d\d\.\d\d\.\d{4}, \d\d:\d\d", column(page, "created_at")[0])
    seen = page.locator("#runs-plot, #runs-table .tools, #runs-table thead, #runs-table .pager").all_inner_texts()
    english = re.sub(r"Tesseract|RapidOCR|Qwen3-VL 2B|CER|WER|VRAM|CSV", "", " ".join(seen))
    assert not re.search("[A-Za-z]", english), english
    page.locator("[data-lang=en]").click()
    expect(count(page)).to_contain_text("Runs:")
    expect(page.get_by_label("Search").locator("visible=true")).to_be_visible()
    assert "Time to answer" in page.locator("#runs-plot").inner_text()


def test_a_phone_shows_cards_and_never_scrolls_sideways(opened: Callable[..., Page]) -> None:
    page = opened(locale="ru-RU", width=360, height=740)

    def fits() -> bool:
        return page.evaluate("document.documentElement.scrollWidth") <= 360

    assert fits()
    row = page.locator("#runs-table tbody tr").first
    assert row.bounding_box()["width"] <= 340  # type: ignore[index]
    page.locator("#runs-table .order select").select_option("generate_s")
    expect(page.locator("#runs-table .order button")).to_have_text("↑")
    page.locator("#runs-table summary").click()
    for link in page.locator("#runs-table .menu a").all():
        box = link.bounding_box()
        assert box and box["x"] >= 0 and box["x"] + box["width"] <= 360
    page.keyboard.press("Escape")
    expect(page.locator("#runs-table .menu a").first).to_be_hidden()
    row.locator(".open").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_be_visible()
    assert dialog.evaluate("node => node.scrollWidth <= node.clientWidth")
    assert fits()


def test_a_late_answer_does_not_undo_what_was_pressed_meanwhile(opened: Callable[..., Page]) -> None:
    page = opened()
    late: list[tuple[Route, APIResponse]] = []

    def hold(route: Route) -> None:
        answer = route.fetch()
        if not late and "data-asked" in answer.text():
            late.append((route, answer))
        else:
            route.fulfill(response=answer)

    page.route("**/gradio_api/run/predict*", hold)
    page.get_by_role("tab", name="Models").click()
    page.get_by_role("tab", name="Benchmark").click()
    deadline = time.monotonic() + 15
    while not late:
        assert time.monotonic() < deadline, "the table is refreshed when its tab is opened"
        page.wait_for_timeout(50)
    head = page.locator("#runs-table thead th.of-model")
    head.locator("button").click()
    expect(head).to_have_attribute("aria-sort", "ascending")
    route, answer = late[0]
    with page.expect_response(route.request.url):
        route.fulfill(response=answer)
    page.evaluate(SETTLED)
    expect(head).to_have_attribute("aria-sort", "ascending")
