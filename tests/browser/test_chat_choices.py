"""Chat: how each model runs is chosen as in a comparison and kept, and of a PDF any page is asked about."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from tests.browser.test_chat_tab import ask, opened

OpenPage = Callable[..., Page]


def test_any_page_of_a_pdf_goes_with_a_question(open_page: OpenPage, tmp_path: Path) -> None:
    first, *rest = (Image.new("RGB", (90, 120), colour) for colour in ("teal", "gold", "plum"))
    first.save(tmp_path / "three.pdf", save_all=True, append_images=rest)
    page = opened(open_page(locale="ru-RU", width=1366))
    page.locator("#chat-composer input[type=file]").set_input_files(tmp_path / "three.pdf")
    attached = page.locator("#chat-attached li")
    expect(attached.locator(".pages")).to_have_text("‹1 / 3›")
    before = attached.locator("img").get_attribute("src")
    attached.get_by_role("button", name="Следующая страница").click()
    expect(attached.locator(".pages")).to_have_text("‹2 / 3›")
    second = attached.locator("img").get_attribute("src")
    assert second != before
    attached.get_by_role("button", name="Следующая страница").click()
    expect(attached.get_by_role("button", name="Следующая страница")).to_be_disabled()
    attached.get_by_role("button", name="Предыдущая страница").click()
    expect(attached.locator("img")).to_have_attribute("src", second)
    ask(page, "tokens=3")
    expect(page.locator("#chat-talk .mine img")).to_have_attribute("src", second)
    expect(attached).to_have_count(0)


@pytest.mark.timeout(240)
def test_how_a_model_runs_is_chosen_and_kept_with_the_conversation(open_page: OpenPage) -> None:
    page = opened(open_page(width=1366))
    ask(page, "tokens=3 first")
    page.locator("#chat-model-a input").click()
    page.get_by_role("option", name="Qwen2-VL 2B").first.click()
    box = page.locator("#variant-chat-a")
    expect(box).to_be_visible()
    box.locator(".label-wrap").click()
    box.locator("#quantization-chat-a").get_by_text("4-bit").click()
    expect(box.locator(".label-wrap")).to_contain_text("4bit")
    expect(page.locator("#variant-chat-b")).to_be_hidden()
    page.locator("#chat-who").get_by_text("Only B").click()
    ask(page, "tokens=3 second")
    name = page.locator("#chat-kept li.on .open").get_attribute("data-value")
    page.locator("#chat-kept .new").click()
    page.locator("#chat-who").get_by_text("Both").click()
    page.locator("#chat-model-a input").click()
    page.get_by_role("option", name="Test model").first.click()
    expect(box).to_be_hidden()
    page.locator(f"#chat-kept .open[data-value='{name}']").click()
    expect(box.locator(".label-wrap")).to_contain_text("4bit")
