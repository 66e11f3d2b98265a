"""Tab Documents in a real browser: three pages through two real engines, boxes and texts linked, results saved."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from tests.browser.test_compare_tab import NAMELESS, WIDE, choose, ready, run

SAMPLES = Path(__file__).parent.parent.parent / "assets" / "samples"
OpenPage = Callable[..., Page]


def three_pages(folder: Path) -> Path:
    """A PDF small enough to be read quickly."""
    pages = [Image.open(SAMPLES / f"{name}.jpg").convert("RGB") for name in ("receipt", "formula", "form")]
    for each in pages:
        each.thumbnail((900, 900))
    pages[0].save(folder / "three.pdf", save_all=True, append_images=pages[1:], resolution=200)
    return folder / "three.pdf"


def opened(page: Page, tab: str, path: Path) -> Page:
    page.get_by_role("tab", name=tab).click()
    expect(page.locator("#doc-picture img")).to_be_visible()
    page.locator("#doc-source input[type=file]").set_input_files(path)
    expect(page.locator("#doc-pages input")).to_be_visible()
    return page


def saved(page: Page, name: str) -> str:
    with page.expect_download() as download:
        page.locator("#doc-strip a", has_text=name).click()
    return download.value.path().read_text(encoding="utf-8")


@pytest.mark.timeout(240)
def test_three_pages_through_two_engines(open_page: OpenPage, tmp_path: Path) -> None:
    page = opened(ready(open_page(locale="ru-RU", width=1366)), "Документы", three_pages(tmp_path))
    page.locator("#doc-range input, #doc-range textarea").fill("4")
    page.locator("#doc-run").click()
    expect(page.locator(".toast-body")).to_contain_text("Страницы 4 нет: в документе всего 3 страницы")
    page.locator("#doc-range input, #doc-range textarea").fill("1, 3")
    page.locator("#doc-run").click()
    expect(page.locator("#doc-progress .left")).to_contain_text("Все страницы прочитаны", timeout=90_000)
    expect(page.locator("#doc-strip i.good")).to_have_count(4)
    expect(page.locator("#doc-run")).to_be_enabled()

    # A box and its text light each other, by the mouse and by the keyboard.
    page.locator("#doc-strip [data-page='1']").click()
    expect(page.locator("#doc-strip [data-page='1']")).to_have_attribute("aria-current", "page")
    text = page.locator("#doc-page li[data-box]", has_text="TOTAL").first
    key = text.get_attribute("data-box")
    box = page.locator(f"#doc-page svg g[data-box={key}]")
    text.hover()
    expect(box).to_have_class(re.compile("lit"))
    page.mouse.move(0, 0)
    expect(text).not_to_have_class(re.compile("lit"))
    place = box.locator("> rect").bounding_box()
    assert place
    page.mouse.move(place["x"] + place["width"] / 2, place["y"] + place["height"] / 2)
    expect(text).to_have_class(re.compile("lit"))
    expect(page.locator("#doc-page .said.b li.lit")).to_have_count(1)  # the other model's reading of the same place
    page.mouse.move(0, 0)
    page.locator("#doc-page li[data-box=b1]").focus()
    page.keyboard.press("ArrowDown")
    expect(page.locator("#doc-page svg g[data-box=b2]")).to_have_class(re.compile("lit"))
    page.keyboard.press("Enter")
    expect(page.locator("#doc-page svg g[data-box=b2]")).to_be_focused()
    expect(page.locator("#doc-page svg.a")).to_be_visible()
    page.locator("#doc-page [data-toggle=a]").click()
    expect(page.locator("#doc-page svg.a")).to_be_hidden()
    page.locator("#doc-strip [data-page='3']").click()
    expect(page.locator("#doc-page svg.a")).to_be_hidden()
    expect(page.locator("#doc-page svg.b")).to_be_visible()

    page.locator("#doc-view label", has_text="Различия").click()
    expect(page.locator("#doc-differences mark").first).to_be_visible()
    assert not page.evaluate(NAMELESS) and not page.evaluate(WIDE)
    told = json.loads(saved(page, "JSON"))
    assert [each["page"] for each in told["pages"]] == [1, 3]
    assert "ЗАЯВКА" in told["pages"][1]["answers"]["B"]["text"]
    assert "---" in saved(page, "Markdown A") and "data:image/webp" in saved(page, "HTML")

    page.locator("[data-lang=en]").click()
    expect(page.locator("#doc-progress .left")).to_have_text("All pages are read.")
    expect(page.locator("#doc-strip [data-page='3']")).to_have_attribute("aria-current", "page")


def test_stop_keeps_the_pages_that_were_read_and_a_phone_shows_them(open_page: OpenPage, tmp_path: Path) -> None:
    page = ready(open_page(locale="en-US", width=1366, color_scheme="dark", has_touch=True))
    opened(page, "Documents", three_pages(tmp_path))
    page.set_viewport_size({"width": 390, "height": 800})
    for side in "ab":
        page.locator(f"#doc-model-{side} input").click()
        page.get_by_role("option", name="Test model" if side == "a" else "No second model").first.click()
    expect(page.locator("#doc-prompt textarea")).to_be_visible()
    page.locator("#doc-prompt textarea").fill("tokens=40 delay=0.05 say=" + "_".join(["words"] * 40))
    page.locator("#doc-run").click()
    expect(page.locator("#doc-strip i.good")).to_have_count(1, timeout=60_000)
    page.locator("#doc-stop").click()
    expect(page.locator("#doc-progress .left")).to_contain_text("Stopped")
    expect(page.locator("#doc-run")).to_be_enabled()
    page.locator("#doc-strip [data-page='1']").click()
    expect(page.locator("#doc-page .said.a")).to_contain_text("words words")
    expect(page.locator("#doc-strip i.good")).to_have_count(1)
    assert not page.evaluate(WIDE)


def test_the_difference_of_two_answers_and_the_errors_of_each(open_page: OpenPage) -> None:
    page = ready(open_page())
    choose(page, "a", "Test model")
    choose(page, "b", "Test model")
    expect(page.locator("#prompt textarea")).to_be_enabled()
    words = [f"word{number}" for number in range(300)]
    page.locator("#prompt textarea").fill("say=" + "_".join(words))
    page.get_by_text("The right answer, if you know it").click()
    wanted = [word for word in words if word != "word7"]
    wanted[0] = "ward0"
    page.locator("#reference textarea").fill("\n".join(wanted))
    run(page)
    page.locator("#view label", has_text="Differences").click()
    pane = page.locator("#differences .a")
    expect(pane.locator("del")).to_have_text("ward0")
    expect(pane.locator("ins").nth(1)).to_have_text("word7")
    expect(pane).to_contain_text(re.compile(r"Wrong words:\s*1\s*missing:\s*0\s*too many:\s*1"))
    expect(pane).to_contain_text(re.compile(r"Word error rate \(WER\)\s*0\.7%"))
    page.locator("#how-different label", has_text="Characters").click()
    expect(pane.locator("del").first).to_have_text("a")
    page.locator("#how-different label", has_text="White space counts").click()
    expect(pane.locator("del").nth(1)).to_contain_text("⏎")

    page.locator("#differences .a .pane").hover()
    page.mouse.wheel(0, 700)
    same = "() => [...document.querySelectorAll('#differences .pane')].map((pane) => Math.round(pane.scrollTop))"
    page.wait_for_function(f"() => {{ const [a, b] = ({same})(); return a > 200 && Math.abs(a - b) < 3; }}")
