"""The Models tab in the real browser: the machine, the catalogue with its status here, commands to copy."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import open_tab

OpenPage = Callable[..., Page]


@pytest.fixture
def opened(open_page: OpenPage) -> Callable[..., Page]:
    """A visitor on the Models tab, when its cards are there."""

    def opened(**how: object) -> Page:
        page = open_page(**how)
        open_tab(page, -1)
        page.locator("#models-found .card").first.wait_for()
        return page

    return opened


def card(page: Page, model: str) -> Locator:
    return page.locator(f"#models-found [data-model={model}]")


def test_the_machine_and_every_model_with_what_it_needs(opened: Callable[..., Page]) -> None:
    began = time.monotonic()
    page = opened()
    print(f"page and cards there after {time.monotonic() - began:.2f} s")
    expect(page.locator("#machine-found li").filter(has_text="Python 3.")).to_be_visible()
    expect(page.locator("#machine-found li").filter(has_text="Memory")).to_be_visible()
    rapid = card(page, "rapidocr")
    expect(rapid.locator(".chip")).to_contain_text("Ready")
    expect(rapid).to_contain_text("Apache-2.0")
    qwen = card(page, "qwen3_vl_2b")
    expect(qwen.locator(".chip")).not_to_contain_text("Ready")
    expect(qwen).to_contain_text("transformers 6 GB · 8bit 4.6 GB · 4bit 3.9 GB")
    expect(qwen).to_contain_text("2.1B")
    order = page.locator("#models-found .chip").all_inner_texts()
    ready = ["Ready" in chip for chip in order]
    assert ready == sorted(ready, reverse=True), "what can run now comes first"
    page.get_by_role("button", name="Look again").click()
    expect(page.locator("#machine-found li").first).to_be_visible()


def test_a_command_is_copied(opened: Callable[..., Page]) -> None:
    page = opened(permissions=["clipboard-read", "clipboard-write"])
    command = page.locator("#models-found .command").first
    command.get_by_role("button", name="Copy").click()
    expect(command.get_by_role("button", name="Copied")).to_be_visible()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == command.locator("code").inner_text() != ""


def test_filters_narrow_the_cards(opened: Callable[..., Page]) -> None:
    page = opened()
    search = page.locator("#models-search textarea, #models-search input")
    search.fill("qwen apache")
    expect(page.locator("#models-found .count")).to_contain_text(re.compile(r"Models: [2-9] of"))
    assert all("Qwen" in title for title in page.locator("#models-found h3").all_inner_texts())
    search.fill("no such model")
    expect(page.locator("#models-found .none")).to_be_visible()
    search.fill("")
    page.locator("#models-status input").click()
    page.get_by_role("option", name="Ready", exact=True).click()
    expect(card(page, "qwen3_vl_2b")).to_have_count(0)
    expect(card(page, "tesseract")).to_be_visible()
    page.keyboard.press("Escape")
    page.locator("#models-task input").click()
    page.get_by_role("option", name="Describe the image").click()
    expect(card(page, "tesseract")).to_have_count(0)


def test_a_phone_in_russian_and_after_a_switch(opened: Callable[..., Page]) -> None:
    page = opened(locale="ru-RU", width=360, height=740)
    expect(card(page, "rapidocr").locator(".chip")).to_contain_text("Готова")
    expect(card(page, "qwen3_vl_2b")).to_contain_text("6 ГБ")
    expect(page.locator("#machine-found")).to_contain_text("Оперативная память")
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    page.locator("[data-lang=en]").click()
    expect(card(page, "rapidocr").locator(".chip")).to_contain_text("Ready")
    expect(page.locator("#machine-found")).to_contain_text("Memory")
