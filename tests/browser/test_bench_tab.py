"""A benchmark in the real browser: asked for, watched, stopped, gone on with after a reload, its report opened; and a
set of one's own, uploaded on a phone."""

from __future__ import annotations

import csv
import shutil
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from arena.strings import strings, tr
from tests.browser.conftest import ROOT, open_tab
from tests.browser.test_accessibility import foreign, violations
from tests.serving import page_serving

OpenPage = Callable[..., Page]
SAMPLES = ROOT / "assets" / "samples"
PATIENCE = 60_000  # two engines load and answer on a busy machine


@pytest.fixture(scope="module")
def app_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """An app with a set in its data folder whose prompts make the test model take its time."""
    home = tmp_path_factory.mktemp("bench") / "data"
    folder = home / "datasets" / "slips"
    folder.mkdir(parents=True)
    with (folder / "items.csv").open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["image", "prompt", "language", "reference"])
        for name in ("receipt", "form", "table"):
            shutil.copy(SAMPLES / f"{name}.jpg", folder)
            text = (SAMPLES / f"{name}.txt").read_text(encoding="utf-8")
            rows.writerow([f"{name}.jpg", "tokens=40 delay=0.05", "ru" if name == "form" else "en", text])
    with page_serving(home, patience_s=180, ARENA_DEV="1") as url:
        yield f"{url}/"


def opened(page: Page, lang: str) -> Page:
    """The panel, unfolded."""
    open_tab(page, strings(lang)["ui.tab.benchmark"])
    box = page.locator("#benchmark-box")
    expect(box).to_be_visible()
    start = page.locator("#benchmark-start")
    if not start.is_visible():
        box.get_by_role("button", name=strings(lang)["bench_panel.title"]).click()
    expect(start).to_be_visible()
    return page


def choose(page: Page, *models: str) -> None:
    field = page.locator("#benchmark-models input")
    for name in models:
        field.click()
        page.get_by_role("option", name=name).first.click()
    page.keyboard.press("Escape")
    expect(page.locator("#benchmark-estimate p")).to_be_visible()


def button(where: Locator, lang: str, key: str) -> Locator:
    return where.get_by_role("button", name=strings(lang)[f"bench_panel.{key}"]).first


@pytest.mark.timeout(240)
def test_run_watch_stop_reload_go_on_and_open_the_report(open_page: OpenPage) -> None:
    lang = "ru"
    page = opened(open_page(locale="ru-RU", width=1366), lang)
    now, kept = page.locator("#benchmark-now"), page.locator("#benchmark-kept")
    page.locator("#benchmark-dataset input").click()
    page.get_by_role("option", name="slips").click()
    choose(page, "● Test model", "● Tesseract")
    expect(page.locator("#benchmark-estimate")).to_contain_text("8 ответов")
    page.locator("#benchmark-start").press("Enter")
    overall = now.get_by_role("progressbar", name=strings(lang)["bench_panel.live.overall"])
    expect(overall).to_be_visible(timeout=PATIENCE)
    expect(now.locator("tbody tr")).to_have_count(2)
    expect(now.locator("figure img")).to_be_visible(timeout=PATIENCE)
    expect(overall).not_to_have_attribute("aria-valuenow", "0", timeout=PATIENCE)
    assert violations(page) + foreign(page, lang) == []
    button(now, lang, "stop").click()
    expect(kept.locator("li.unfinished")).to_be_visible(timeout=PATIENCE)
    expect(now).to_contain_text("остановлен на")

    page.reload()
    opened(page, lang)
    expect(kept.locator("li.unfinished .chip")).to_have_text(strings(lang)["bench_panel.list.unfinished"])
    button(kept, lang, "resume").click()
    expect(now.locator(".bar.wide")).to_be_visible()
    summary = kept.locator(".summary")
    expect(summary).to_be_visible(timeout=PATIENCE)
    expect(now).to_contain_text("готово")
    expect(summary.locator("tbody tr")).to_have_count(2)
    expect(summary).to_contain_text("Tesseract")
    expect(page.locator("#runs-table .tools strong")).to_have_text("Запусков: 8")
    assert violations(page) + foreign(page, lang) == []
    with page.expect_popup() as opening:
        summary.get_by_role("link", name=strings(lang)["bench_panel.list.report"]).click()
    report = opening.value
    report.wait_for_load_state()
    expect(report.locator("h1").first).to_be_visible(timeout=PATIENCE)
    expect(report.locator("body")).to_contain_text("Tesseract")
    with page.expect_download(timeout=PATIENCE) as saving:
        summary.get_by_role("link", name="CSV").click()
    with Path(saving.value.path()).open(encoding="utf-8-sig", newline="") as file:
        assert len(list(csv.DictReader(file))) == 8
    button(kept, lang, "list.rows").click()
    expect(page.locator("#runs-table .tools strong")).to_have_text("Найдено: 8")


@pytest.mark.timeout(240)
def test_a_set_of_ones_own_on_a_phone(open_page: OpenPage, tmp_path: Path) -> None:
    lang, archive = "en", tmp_path / "my shop.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        for name in ("receipt.jpg", "receipt.txt", "table.jpg", "table.txt"):
            packed.write(SAMPLES / name, f"shop/{name}")
    page = opened(open_page(locale="en-US", width=390, height=844), lang)
    page.locator("[data-theme=switch]").click()
    with page.expect_file_chooser() as choosing:
        page.locator("#benchmark-own").click()
    choosing.value.set_files(archive)
    said = tr("bench_panel.own.done", lang, name="my-shop", count="2")
    expect(page.get_by_text(said)).to_be_visible(timeout=PATIENCE)
    expect(page.locator("#benchmark-dataset input")).to_have_value("my-shop")
    choose(page, "● Tesseract", "● RapidOCR")
    page.locator("#benchmark-start").click()
    kept = page.locator("#benchmark-kept")
    row = kept.locator("li", has_text="my-shop").first
    expect(row.locator(".summary tbody tr")).to_have_count(2, timeout=2 * PATIENCE)
    assert violations(page) + foreign(page, lang) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    button(row, lang, "list.delete").click()
    question = page.locator("#benchmark-ask dialog")
    expect(question).to_contain_text("my-shop")
    page.keyboard.press("Escape")
    expect(question).to_have_count(0)
    button(row, lang, "list.delete").click()
    page.locator("#benchmark-ask .danger").click()
    expect(kept.locator("li", has_text="my-shop")).to_have_count(0)
