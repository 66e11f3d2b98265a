"""Hostile answers in a real browser, in every view: nothing runs, nothing is fetched, the page goes on working."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import pytest
from hostile import OUTPUTS
from playwright.sync_api import Page, expect
from runs import make_run
from ulid import ULID

from arena.store import RunQuery, Store
from arena.ui.render import SHOWN, plain
from arena.ui.safe_html import markdown, table_html
from tests.browser.test_compare_tab import choose_fakes, ready, run

OpenPage = Callable[..., Page]
# What in an answer's box is more than text and its structure.
FOREIGN = """(box) => [...box.querySelectorAll("*")].filter((node) =>
    /^(script|style|img|svg|iframe|object|embed|form|input|button|link|meta|base|video|details)$/i.test(node.tagName)
    || [...node.attributes].some(({name, value}) =>
      /^on|^style$|^id$|^class$|^src|^name$/.test(name) && !/^formula( block)?$|^cut$/.test(value)
      || name === "href" && !/^https?:/.test(value)
      || name === "target" && node.rel !== "noopener noreferrer nofollow"))
  .map((node) => node.outerHTML.slice(0, 200))"""
# Whether nothing has run, nothing lies over the button that matters, and nothing is wider than the window.
UNTOUCHED = """(button) => {
  const node = document.querySelector(button);
  node.scrollIntoView({ block: "center" });
  const box = node.getBoundingClientRect();
  const top = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
  return [window.hit ?? null, !!top && (node.contains(top) || top.contains(node)),
    document.documentElement.scrollWidth <= window.innerWidth, document.querySelectorAll("#run").length < 2,
    /VLM Arena/.test(document.title)];
}"""
FINE = [None, True, True, True, True]


def watched(page: Page) -> list[str]:
    """What the page opened that it should not; its console and its requests are watched by `open_page`."""
    faults: list[str] = []
    page.on("dialog", lambda dialog: (faults.append(dialog.message), dialog.dismiss()))
    page.on("popup", lambda popup: faults.append(popup.url))
    page.on("framenavigated", lambda frame: faults.append(frame.url))
    return faults


def say(page: Page, text: str, more: str = "") -> None:
    """Have both models answer with `text`."""
    page.locator("#prompt textarea").fill(f"quoted={quote(text)}{more}")
    run(page)


@pytest.mark.battery("X1", "X2", "X3", "X10")
def test_hostile_answers_are_shown_as_text_and_rendered_and_do_nothing(open_page: OpenPage) -> None:
    assert len(OUTPUTS) > 60
    page = ready(open_page(width=1366))
    faults = watched(page)
    choose_fakes(page, "quoted=first")
    texts, rendered = list(OUTPUTS.values()), page.locator("#said-a .rendered")
    for start in range(0, len(texts), 6):
        answer = "\n\n".join(texts[start : start + 6])
        page.locator("#view").get_by_text(("Formatted", "Text")[start % 12 // 6], exact=True).click()
        say(page, answer)
        shown = page.locator("#answer-A").evaluate("(node) => node.textContent")
        assert shown.split() == plain(answer.strip())[:SHOWN].split()
        assert rendered.evaluate(FOREIGN) == []
        assert page.evaluate(UNTOUCHED, "#run") == FINE
    # Each by itself, put into the same place of the page by the same means.
    page.locator("#view").get_by_text("Formatted", exact=True).click()
    for name, text in OUTPUTS.items():
        for html in (markdown(text, "en"), table_html(text)):
            rendered.evaluate("(box, html) => { box.innerHTML = html; }", html)
            assert rendered.evaluate(FOREIGN) == [], name
            assert page.evaluate(UNTOUCHED, "#run") == FINE, name
        assert markdown(text, "en").strip(), name
    assert faults == []


@pytest.mark.battery("X4")
def test_an_answer_of_ten_million_letters_is_cut_and_the_page_goes_on(open_page: OpenPage) -> None:
    page = ready(open_page(width=1366))
    choose_fakes(page, "quoted=first")
    say(page, "W", " times=10000000")
    expect(page.locator("#said-a")).to_contain_text("9980000")
    assert len(page.locator("#answer-A").inner_text()) == SHOWN
    assert page.evaluate(UNTOUCHED, "#run") == FINE
    with page.expect_download() as saving:
        page.locator("#said-a a.tool").click()
    assert saving.value.path().stat().st_size == 10_000_000, "all of it is kept"
    say(page, "and now <b>this</b>")
    expect(page.locator("#answer-A")).to_have_text("and now <b>this</b>")


@pytest.mark.battery("X1", "X2", "X3")
def test_hostile_answers_do_nothing_in_the_history_and_behind_a_link(
    open_page: OpenPage, app_url: str, app_home: Path
) -> None:
    texts = list(OUTPUTS.values())
    names = [str(ULID()) for _ in range(0, len(texts), 2)]
    store = Store(f"sqlite:///{app_home / 'arena.db'}")
    store.delete(RunQuery())
    for number, text in enumerate(texts):
        where = {"run_id": str(ULID()), "comparison_id": names[number // 2]}
        more = {"text": text, "title": text[:80], "prompt": text, "reference": text, "error_detail": text}
        store.save(make_run(number, **where, **more, status="error", error_kind="worker_died", image_sha256=None))
    try:
        page = open_page(width=1366)
        page.get_by_role("tab", name="Benchmark").click()
        page.locator("#runs-table .pager select").select_option("100")
        rows = page.locator("#runs-table tbody tr")
        expect(rows).to_have_count(len(texts))
        faults = watched(page)
        assert page.evaluate(UNTOUCHED, "#runs-table .pager") == FINE
        for number in range(0, len(texts), 4):
            rows.nth(number).click()
            page.locator("dialog[open] #run-answer, [role=dialog] #run-answer").wait_for()
            assert page.evaluate(UNTOUCHED, "#run-answer")[0] is None
            page.keyboard.press("Escape")
        for number, name in enumerate(names):
            page.goto(f"{app_url}c/{name}")
            for letter, text in zip("ab", texts[number * 2 : number * 2 + 2], strict=True):
                shown = page.locator(f"#answer-{letter}").evaluate("(node) => node.textContent")
                assert shown.split() == plain(text).split()
            assert page.evaluate(UNTOUCHED, "#answer-a")[:3] == FINE[:3], texts[number * 2 : number * 2 + 2]
        assert {fault.rpartition("/")[0] for fault in faults} == {f"{app_url}c"}, "nothing but the pages asked for"
    finally:
        store.delete(RunQuery())
        store.close()
