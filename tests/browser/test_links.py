"""A finished comparison outside the Compare tab: its page, its file without a network, its repetition, its sharing."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect
from starlette.requests import Request as HttpRequest

from arena.access import COOKIE, visitor_of
from arena.comparisons import Comparisons
from arena.images import ImageStore
from arena.record import new_id
from arena.store import Store
from tests.browser.conftest import ROOT, serving
from tests.browser.test_compare_tab import choose, ready, run
from tests.runs import make_run

OpenPage = Callable[..., Page]
DRAWN = "(image) => image.complete && image.naturalWidth > 0"
LEFT_OUT = "2 boxes could not be understood and are not drawn."


def drawn(page: Page) -> bool:
    return bool(page.locator(".picture img").evaluate(DRAWN))


def link_of(page: Page) -> str:
    return str(
        page.locator("#links [data-link]").evaluate("(node) => new URL(node.dataset.link, document.baseURI).href")
    )


@pytest.mark.battery("X6")
def test_a_comparison_becomes_a_link_and_a_file_that_needs_no_network(
    open_page: OpenPage, browser: Browser, tmp_path: Path
) -> None:
    page = ready(open_page(permissions=["clipboard-read", "clipboard-write"]))
    choose(page, "a", "Tesseract")
    choose(page, "b", "Test model")
    page.locator("#prompt textarea").fill("say=<b>bold</b> boxes=3")
    run(page)
    expect(page.get_by_text(LEFT_OUT)).to_be_visible()
    link = page.locator("#links [data-link]")
    expect(link).to_have_accessible_name("Copy link")
    link.focus()
    page.keyboard.press("Enter")
    expect(link).to_have_text(re.compile("Link copied"))
    address = page.evaluate("navigator.clipboard.readText()")
    assert address == link_of(page)
    texts = [page.locator(f"#answer-{letter}").inner_text() for letter in "AB"]
    with page.expect_download() as saved:
        page.locator("#links").get_by_role("link", name="JSON").click()
    told = json.loads(saved.value.path().read_text(encoding="utf-8"))
    assert [each["model"] for each in told["runs"]] == ["tesseract", "fake"] and told["request"]["image"]["sha256"]
    with page.expect_download() as saved:
        page.locator("#links").get_by_role("link", name="Report (HTML)").click()
    file = tmp_path / "report.html"
    file.write_bytes(saved.value.path().read_bytes())

    page.goto(address)
    assert drawn(page)
    expect(page.get_by_text(LEFT_OUT)).to_be_visible()
    shown = [page.locator(f"#answer-{letter}").inner_text() for letter in "ab"]
    assert [said.split() for said in shown] == [said.split() for said in texts]
    page.get_by_role("link", name="RU", exact=True).click()
    expect(page.get_by_role("link", name="Отчёт (HTML)")).to_be_visible()
    assert page.locator("html").get_attribute("lang") == "ru"

    context = browser.new_context(offline=True, viewport={"width": 390, "height": 800})
    alone = context.new_page()
    faults: list[str] = []
    alone.on("console", lambda said: faults.append(said.text) if said.type == "error" else None)
    alone.on("request", lambda each: None if each.url.startswith(("file:", "data:")) else faults.append(each.url))
    alone.goto(file.as_uri())
    assert drawn(alone)
    shown = [alone.locator(f"#answer-{letter}").inner_text() for letter in "ab"]
    assert [said.split() for said in shown] == [said.split() for said in texts]
    assert "<b>bold</b>" in shown[1] and alone.locator("#answer-b b").count() == 0
    assert alone.locator(".boxes.a rect").count() > 5 and alone.locator(".boxes.b rect").count() == 1
    expect(alone.get_by_text(LEFT_OUT)).to_be_visible()
    alone.locator(".show-a").uncheck()
    expect(alone.locator(".boxes.a")).to_be_hidden()
    assert not alone.evaluate("document.documentElement.scrollWidth > window.innerWidth")
    context.close()
    assert not faults


def test_a_comparison_is_run_again_and_held_beside_the_one_before(open_page: OpenPage, app_home: Path) -> None:
    page = ready(open_page(locale="ru-RU", width=1366))
    for side in "ab":
        choose(page, side, "Test model")
    page.locator("#prompt textarea").fill("tokens=6")
    page.locator("#side-a .label-wrap", has_text="Параметры").click()
    page.locator("#seed-a textarea, #seed-a input").fill("7")
    run(page)
    comparison_id = link_of(page).rpartition("/")[2]
    store = Store(f"sqlite:///{app_home / 'arena.db'}")
    other = new_id()
    for each in store.comparison(comparison_id):
        text = each.text if each.side == "A" else each.text[:-1] + "!"
        versions = each.library_versions | {"torch": "1.0"}
        store.save(replace(each, run_id=new_id(), comparison_id=other, text=text, library_versions=versions))
    store.close()

    page.goto(page.url.split("?")[0] + f"c/{other}")
    page.get_by_role("link", name="Запустить ещё раз").click()
    again = page.locator("#links [data-event=run_again]")
    expect(again).to_be_focused()
    page.keyboard.press("Enter")
    verdicts = page.locator("#links .verdict")
    expect(verdicts).to_have_count(2, timeout=60_000)
    expect(verdicts.nth(0)).to_contain_text("Тот же ответ, символ в символ.")
    expect(verdicts.nth(1)).to_contain_text("Отличается 1 символ")
    expect(verdicts.nth(1).locator("del")).to_have_text("!")
    expect(verdicts.nth(0).locator("tr", has_text="torch")).to_contain_text("1.0")
    expect(page.locator("#model-b input")).to_have_value(re.compile("Test model"))
    expect(page.locator("#prompt textarea")).to_have_value("tokens=6")
    for side, seed in (("a", "7"), ("b", "")):
        page.locator(f"#side-{side} .label-wrap", has_text="Параметры").click()
        expect(page.locator(f"#seed-{side} textarea, #seed-{side} input")).to_have_value(seed)
    expect(page.locator("#picture img")).to_be_visible()

    page.get_by_role("tab", name="Результаты").click()
    page.locator("#runs-table button.open").first.click()
    page.locator("#run-detail [data-event=run_again]").click()
    expect(page.locator("#run")).to_be_visible()
    expect(page.locator("#run")).to_be_enabled(timeout=60_000)
    expect(verdicts).to_have_count(2)
    expect(verdicts.nth(1)).to_contain_text("Тот же ответ, символ в символ.")


def test_a_stranger_sees_a_comparison_only_while_it_is_shared(browser: Browser, tmp_path: Path) -> None:
    home, comparison_id = tmp_path / "data", new_id()
    with serving(home, ARENA_SCHOOL="1", ARENA_TEACHER_PASSWORD="chalk") as url:
        owner = browser.new_context(locale="en-GB", permissions=["clipboard-read", "clipboard-write"])
        stranger = browser.new_context(locale="ru-RU", viewport={"width": 390, "height": 800})
        mine, theirs = owner.new_page(), stranger.new_page()
        mine.goto(url)
        theirs.goto(url)
        token = next(cookie["value"] for cookie in owner.cookies() if cookie["name"] == COOKIE)
        asked = HttpRequest({"type": "http", "headers": [(b"cookie", f"{COOKIE}={token}".encode())]})
        store = Store(f"sqlite:///{home / 'arena.db'}")
        image = ImageStore(home / "images").add(ROOT / "assets" / "samples" / "form.jpg")
        Comparisons(store).begin(comparison_id, visitor_of(asked))
        for number in (0, 1):
            store.save(make_run(number, comparison_id=comparison_id, image_sha256=image.sha256))
        store.close()

        page = f"{url}c/{comparison_id}"
        assert theirs.goto(page).status == 404  # type: ignore[union-attr]
        expect(theirs.locator("h1")).to_have_text("Такого сравнения нет")
        mine.get_by_role("tab", name="Benchmark").click()
        mine.locator("#runs-table button.open").first.click()
        mine.get_by_role("button", name="Copy link and share").click()
        expect(mine.locator("#run-detail .tool.done")).to_have_text(re.compile("Link copied"))
        assert mine.evaluate("navigator.clipboard.readText()") == page
        assert theirs.goto(page).status == 200  # type: ignore[union-attr]
        assert drawn(theirs)
        expect(theirs.locator("#answer-b")).to_contain_text("Кассовый чек № 1")
        expect(theirs.get_by_role("button", name="Закрыть доступ")).to_have_count(0)
        mine.goto(page)
        mine.get_by_role("button", name="Stop sharing").click()
        expect(mine.get_by_role("button", name="Share")).to_be_visible()
        expect(mine).to_have_url(re.compile(re.escape(page)))
        assert theirs.reload().status == 404  # type: ignore[union-attr]
        owner.close()
        stranger.close()
