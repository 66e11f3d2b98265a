"""A visitor has one thing running, in whatever tab he started it; the other tabs say where it is."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from arena.strings import strings, tr
from tests.browser.conftest import open_tab
from tests.browser.test_compare_tab import choose_fakes, ready

OpenPage = Callable[..., Page]


@pytest.mark.parametrize("lang", ["en", "ru"])
def test_what_runs_in_one_tab_is_told_in_the_others(open_page: OpenPage, lang: str) -> None:
    tabs = {name: strings(lang)[f"ui.tab.{name}"] for name in ("compare", "battle", "chat", "documents")}
    page = ready(open_page(locale=lang, width=1600))
    choose_fakes(page, "tokens=5000 delay=0.05")
    page.locator("#run").click()
    expect(page.locator("#stop")).to_be_enabled()
    told = page.locator(".toast-body", has_text=tr("ui.already_elsewhere", lang, tab=tabs["compare"]))
    for name, start, stop in (("battle", "#battle-run", "#battle-stop"), ("documents", "#doc-run", "#doc-stop")):
        open_tab(page, tabs[name])
        expect(page.locator(start)).to_be_enabled()
        page.locator(start).click()
        expect(told).to_be_visible()
        told.locator("button").first.click()
        expect(told).to_have_count(0)
        expect(page.locator(start)).to_be_enabled()
        expect(page.locator(stop)).to_be_disabled()
    open_tab(page, tabs["chat"])
    expect(page.locator("#chat-badge-b .chip")).to_be_visible()
    page.locator("#chat-samples summary").click()
    page.locator("#chat-samples [data-value=receipt]").click()
    expect(page.locator("#chat-attached img")).to_have_count(1)
    page.locator("#chat-message textarea").fill("hello")
    page.locator("#chat-send").click()
    expect(told).to_be_visible()
    expect(page.locator("#chat-message textarea")).to_have_value("hello")
    open_tab(page, tabs["compare"])
    expect(page.locator("#stop")).to_be_enabled()  # it still runs, and is stopped where it was started
    page.locator("#stop").click()
    expect(page.locator("#head-a .chip.cancelled")).to_be_visible()
    expect(page.locator("#run")).to_be_enabled()


@pytest.mark.parametrize("lang", ["en", "ru"])
def test_on_a_phone_every_tab_is_reached_by_touch_and_by_keys(open_page: OpenPage, lang: str) -> None:
    page = ready(open_page(locale=lang, width=390, height=844, has_touch=True))
    bar = page.locator("#tabs > .tab-wrapper [role=tablist]")
    tabs = bar.get_by_role("tab")
    names = [strings(lang)[f"ui.tab.{name}"] for name in ("compare", "battle", "chat", "documents", "ratings")]
    assert tabs.all_inner_texts()[: len(names)] == names
    assert not page.evaluate("document.documentElement.scrollWidth > innerWidth")
    assert bar.evaluate("(node) => node.scrollWidth > node.clientWidth && node.scrollLeft === 0")
    for tab in (tabs.last, tabs.nth(2), tabs.first):
        tab.tap()
        expect(tab).to_have_attribute("aria-selected", "true")
        expect(tab).to_be_in_viewport(ratio=0.99)
    tabs.first.focus()
    for _ in range(len(tabs.all()) - 1):
        page.keyboard.press("Tab")
    expect(tabs.last).to_be_focused()
    expect(tabs.last).to_be_in_viewport(ratio=0.99)
    page.keyboard.press("Enter")
    expect(tabs.last).to_have_attribute("aria-selected", "true")
