"""The nastiest answers, models and pupils with nasty names: in chat, documents, battles, a class. They do nothing."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from urllib.parse import quote

import pytest
import yaml
from hostile import HIT, HOST, OUTPUTS
from playwright.sync_api import Page, expect

from arena.strings import tr
from arena.ui.render import plain
from tests.browser.conftest import open_tab, serving
from tests.browser.test_compare_tab import ready
from tests.browser.test_hostile import FINE, FOREIGN, UNTOUCHED, watched
from tests.browser.test_school import act, pupil_at, teacher_at

OpenPage = Callable[..., Page]
# Two halves, one for each model; each by another way into the page.
NASTY = (
    "script, image error, svg onload, javascript link, markdown picture, style, formula link, null bytes",
    "iframe, meta refresh, overlay, form of the page, closing the block, unbalanced table, base, writing direction",
)
ANSWERS = ["\n\n".join(OUTPUTS[name] for name in names.split(", ")) for names in NASTY]
TITLES = {
    "nasty": f"Nasty <img src=x onerror={HIT}>",
    "nastier": f"Nastier <svg onload={HIT}> ![x](https://{HOST}/t.png)",
}
DRAWN = ["title", "rect", "g", "rect", "text"]  # of a box, whatever it says
# On the pages of a class, which have no buttons of a comparison.
UNHARMED = """() => {
  const say = document.querySelector("#say"), box = say.getBoundingClientRect();
  say.scrollIntoView({ block: "center" });
  const at = say.getBoundingClientRect(), top = document.elementFromPoint(at.x + 9, at.y + at.height / 2);
  return [window.hit ?? null, !!top && (say.contains(top) || top.contains(say)),
    document.documentElement.scrollWidth <= window.innerWidth];
}"""


@pytest.fixture(scope="module")
def app_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """In school mode, with two models that always answer so."""
    home = tmp_path_factory.mktemp("nasty") / "data"
    home.mkdir()
    usual = {"adapter": "fake", "modes": {"embedded": {}}}
    tasks = ["ocr", "formatted_ocr", "layout", "question", "chat"]
    models = {
        name: usual | {"title": title, "tasks": tasks, "options": {"always": f"boxes=1 box={said} quoted={said}"}}
        for (name, title), said in zip(TITLES.items(), map(quote, ANSWERS), strict=True)
    }
    (home / "models.yaml").write_text(yaml.safe_dump({"models": models}))
    with serving(home, ARENA_SCHOOL="1", ARENA_TEACHER_PASSWORD="chalk") as url:
        yield url


def choose(page: Page, field: str, title: str) -> None:
    page.locator(f"{field} input").click()
    page.get_by_role("option", name=title).first.click()


def harmless(page: Page, boxes: str, button: str, faults: list[str]) -> None:
    """Each box is text and its structure, and the page around it is as it was."""
    found = page.locator(boxes)
    expect(found.first).to_be_visible()
    for box in found.all():
        assert box.evaluate(FOREIGN) == []
    assert page.evaluate(UNTOUCHED, button) == FINE
    assert faults == []


@pytest.mark.battery("X1", "X2")
def test_a_conversation(open_page: OpenPage, app_url: str) -> None:
    page = open_page(width=1366)
    open_tab(page, "Chat")
    expect(page.locator("#chat-badge-b .chip")).to_be_visible()
    faults = watched(page)
    for letter, title in zip("ab", TITLES.values(), strict=True):
        choose(page, f"#chat-model-{letter}", title)
    page.locator("#chat-message textarea").fill(ANSWERS[0])
    page.locator("#chat-send").click()
    expect(page.locator("#chat-talk [data-event=again]")).to_be_visible()
    expect(page.locator("#chat-talk .one")).to_have_count(2)
    harmless(page, "#chat-talk .rendered", "#chat-send", faults)
    assert page.locator("#chat-talk .mine .text").text_content().split() == plain(ANSWERS[0]).split()
    page.locator("#chat-kept [data-act=rename]").first.click()
    page.locator("#chat-kept .edit input").first.fill(f"<img src=x onerror={HIT}>")
    page.locator("#chat-kept .edit [type=submit]").first.click()
    expect(page.locator("#chat-kept .open").first).to_contain_text("<img src=x")
    harmless(page, "#chat-talk .rendered", "#chat-send", faults)


@pytest.mark.battery("X1", "X2", "X7")
def test_a_document(open_page: OpenPage, app_url: str) -> None:
    page = ready(open_page(width=1366))
    open_tab(page, "Documents")
    expect(page.locator("#doc-picture img")).to_be_visible()
    faults = watched(page)
    page.locator("#doc-task label").nth(1).click()
    for letter, title in zip("ab", TITLES.values(), strict=True):
        choose(page, f"#doc-model-{letter}", title)
    page.locator("#doc-run").click()
    expect(page.locator("#doc-run")).to_be_enabled(timeout=60_000)
    expect(page.locator("#doc-strip i.good")).to_have_count(2)
    for view, boxes in (
        ("parts", "#doc-page li[data-box]"),
        ("rendered", "#doc-page .rendered"),
        ("diff", "#doc-differences pre"),
    ):
        page.locator("#doc-view").get_by_text(tr(f"documents.view.{view}", "en"), exact=True).click()
        expect(page.locator(boxes).first).to_be_visible()
        assert page.evaluate(UNTOUCHED, "#doc-run") == FINE, view
        if view == "parts":
            for letter, answer in zip("ab", ANSWERS, strict=True):
                overlay = page.locator(f"#doc-page svg.{letter} g[data-box]")
                page.locator(f"#doc-page .said.{letter} li[data-box]").hover()
                expect(overlay).to_have_class(re.compile("lit"))
                page.locator(f"#doc-page .said.{letter} li[data-box]").focus()
                page.keyboard.press("Enter")
                expect(overlay).to_be_focused()
                assert plain(answer).split()[0] in overlay.locator("title").text_content()
                assert overlay.evaluate("(g) => [...g.querySelectorAll('*')].map((node) => node.tagName)") == DRAWN
            assert page.evaluate(UNTOUCHED, "#doc-run") == FINE
        if view == "rendered":
            harmless(page, boxes, "#doc-run", faults)
    assert faults == []


@pytest.mark.battery("X1", "X2")
def test_a_battle(open_page: OpenPage, app_url: str) -> None:
    page = ready(open_page(width=1366))
    open_tab(page, "Battle")
    expect(page.locator("#battle-ring .how")).to_be_visible()
    for title in TITLES.values():
        choose(page, "#battle-pool", title)
        expect(page.locator("#battle-pool .token", has_text=title[:9])).to_be_visible()
    page.keyboard.press("Escape")
    faults = watched(page)
    page.locator("#battle-run").click()
    expect(page.locator("#battle-ring [data-phase=voting]")).to_be_visible(timeout=60_000)
    page.locator("#battle-ring [data-view=rendered]").click()
    harmless(page, "#battle-ring .as-rendered", "#battle-run", faults)
    page.locator("#battle-ring [data-vote=tie]").click()
    expect(page.locator("#battle-ring [data-phase=decided]")).to_be_visible()
    expect(page.locator("#battle-ring .result.a")).to_contain_text("<")  # the names, as they are written
    harmless(page, "#battle-ring .as-rendered", "#battle-run", faults)


@pytest.mark.battery("X1", "X2")
def test_a_class(open_page: OpenPage, app_url: str) -> None:
    teacher, pupil = teacher_at(open_page, app_url, "en", width=1366), pupil_at(open_page, app_url, "ru")
    board = teacher.context.new_page()
    board.goto(f"{app_url}class/board")
    faults = [each for page in (pupil, board) for each in [watched(page)]]
    called = f"<img src=x onerror={HIT}>"
    pupil.locator("#name").fill(called)
    pupil.locator("#named button").click()
    for side, name in enumerate(TITLES):
        teacher.locator("#class-lesson select").nth(side).select_option(name)
    teacher.get_by_role("button", name=tr("lesson.rule.names", "en")).click()
    act(teacher, "panel.start", "en")
    expect(pupil.locator("#say")).to_have_text(tr("lesson.say.open", "ru"))
    said = {pupil.locator(f"#sides .{letter} pre").text_content().strip()[:9] for letter in "ab"}
    assert said == {plain(answer).strip()[:9] for answer in ANSWERS}
    pupil.locator("#votes button").first.click()
    expect(board.locator("#voters")).to_have_text(called[:30])
    act(teacher, "panel.reveal", "en")
    for page in (pupil, board):
        expect(page.locator("#sides .title", has_text="Nastier <svg")).to_be_visible()
        assert (
            page.locator("#sides").evaluate("(node) => node.querySelectorAll('img, svg, script, a, form').length") == 0
        )
        assert page.evaluate(UNHARMED) == [None, True, True]
    assert faults == [[], []]
    expect(teacher.locator("#class-live")).to_contain_text("<img")
    assert teacher.evaluate(UNTOUCHED, "#class-live .say") == FINE
