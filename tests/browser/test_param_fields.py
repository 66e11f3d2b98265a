"""Parameters that only some models know, in the real browser: shown where they count, handed on, refused in words."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from arena.strings import strings
from tests.browser.test_compare_tab import choose, ready, run, upload

OpenPage = Callable[..., Page]


def test_a_choice_of_the_models_own_reaches_the_run(open_page: OpenPage) -> None:
    page = ready(open_page())
    expect(page.locator("#psm-a")).to_be_hidden()  # RapidOCR has no such thing
    page.locator("#params-b").get_by_role("button").first.click()
    expect(page.locator("#temperature-b")).to_be_hidden()
    page.get_by_label("Layout of the page (psm)").locator("visible=true").click()
    page.get_by_role("option", name="11", exact=True).click()
    run(page)
    page.get_by_role("tab", name="Benchmark").click()
    page.locator("#runs-table tbody tr", has_text="Tesseract").first.locator(".of-text").click()
    expect(page.locator("#run-detail")).to_contain_text("psm")
    expect(page.locator("#run-detail dl div", has_text="Parameters").last).to_contain_text("11")


@pytest.mark.parametrize(("lang", "locale", "width"), [("en", "en-US", 1280), ("ru", "ru-RU", 390)])
def test_pages_and_prompts_of_documents(
    open_page: OpenPage, tmp_path: Path, lang: str, locale: str, width: int
) -> None:
    said = strings(lang)
    page = ready(open_page(locale=locale, width=width))
    choose(page, "a", "GOT-OCR 2.0")
    choose(page, "b", "dots.ocr")
    page.locator("#params-a").get_by_role("button").first.click()
    page.locator("#params-b").get_by_role("button").first.click()
    page.locator("#prompt-b.extra:visible input").click()
    expect(page.get_by_role("option", name="prompt_layout_all_en")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("option", name="prompt_layout_all_en")).to_be_hidden()
    expect(page.locator("#color-b")).to_be_hidden()
    assert page.evaluate("document.documentElement.scrollWidth") <= width

    pages = page.locator("#pages-a input, #pages-a textarea")
    pages.fill("2")
    page.locator("#run").click()  # the sample is no PDF
    expect(page.locator(".toast-body").last).to_contain_text(said["params.no_pdf"])
    sheets = [Image.new("RGB", (300, 400), "white") for _ in range(3)]
    sheets[0].save(tmp_path / "three.pdf", save_all=True, append_images=sheets[1:])
    upload(page, tmp_path / "three.pdf")
    expect(page.locator("#picture figcaption")).to_contain_text("three.pdf")
    pages.fill("x")
    page.locator("#run").click()
    expect(page.locator(".toast-body").filter(has_text="2-4, 7")).to_be_visible()
    pages.fill("2-3")
    run(page)  # the models are not here, but the request was one
    for side in "ab":
        # Its weights are missing; on a new machine, of one of them, the interpreter.
        missing = re.compile("python -m arena models download|make models-legacy")
        expect(page.locator(f"#said-{side}")).to_contain_text(missing)
