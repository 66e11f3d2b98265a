"""A lesson in real browsers: a teacher with a projector and two pupils with phones, in both languages."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect

from arena.address import lan_addresses
from arena.strings import strings, tr
from arena.ui.header import NAMES
from tests.browser.conftest import serving
from tests.browser.test_compare_tab import FOCUS, NAMELESS, WIDE, choose_fakes, ready, run

OpenPage = Callable[..., Page]


@pytest.fixture(scope="module")
def app_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The app in school mode: open to the network, a teacher's password set."""
    home = tmp_path_factory.mktemp("school") / "data"
    with serving(home, ARENA_SCHOOL="1", ARENA_TEACHER_PASSWORD="chalk") as url:
        yield url


def teacher_at(open_page: OpenPage, url: str, lang: str, **options: object) -> Page:
    """The teacher's page with the panel open."""
    page = open_page(locale=lang, **options)
    page.goto(f"{url}login?next=/")
    page.locator("#password").fill("chalk")
    page.get_by_role("button").click()
    ready(page)
    page.get_by_role("tab", name=tr("ui.tab.lesson", lang), exact=True).click()
    expect(page.locator("#class-lesson .step")).to_be_visible()
    return page


def act(page: Page, key: str, lang: str) -> None:
    page.get_by_role("button", name=tr(f"lesson.{key}", lang), exact=True).click()


def pupil_at(open_page: OpenPage, url: str, lang: str) -> Page:
    page = open_page(locale=lang, width=390, height=780)
    page.goto(f"{url}class")
    expect(page.locator("#say")).to_have_text(tr("lesson.say.none", lang))
    return page


def untranslated(page: Page) -> set[str]:
    """English lines of ours on a Russian page."""
    english, russian = set(strings("en").values()), {*strings("ru").values(), *NAMES.values()}
    return {line.strip() for line in page.locator("body").inner_text().splitlines()} & (english - russian)


def test_a_class_votes_on_its_phones_and_the_projector_shows_it_live(open_page: OpenPage, app_url: str) -> None:
    teacher = teacher_at(open_page, app_url, "ru", width=1366)
    board, asked = teacher.context.new_page(), set()
    board.on("request", lambda request: asked.add(urlsplit(request.url).netloc))
    board.goto(f"{app_url}class/board")
    expect(board.locator(".qr")).to_be_visible()
    masha, john = pupil_at(open_page, app_url, "ru"), pupil_at(open_page, app_url, "en")
    expect(board.locator("#here b")).to_have_text("2")
    masha.locator("#name").fill("Маша")
    masha.get_by_role("button", name="Сохранить").click()
    expect(masha.locator("#thanks")).to_have_text("Имя сохранено.")

    act(teacher, "panel.next", "ru")
    expect(teacher.locator(".step h2")).to_contain_text("Модель знает то")
    expect(john.locator("#title")).to_contain_text("A model knows")
    for side in range(2):
        teacher.locator("#class-lesson select").nth(side).select_option("fake" if side else "tesseract")
    act(teacher, "panel.start", "ru")
    for page in (masha, john, board):
        expect(page.locator("#sides .side.b pre")).not_to_be_empty()
        expect(page.locator("#sides .title").first).to_be_empty()  # nobody knows which is which
    expect(masha.locator("#say")).to_have_text(tr("lesson.say.open", "ru"))
    masha.get_by_role("button", name="Лучше A").click()
    expect(masha.locator("#thanks")).to_contain_text("Голос учтён")
    john.get_by_role("button", name="B is better").click()
    counts = board.locator("#bars .count")
    expect(counts).to_have_text(["1", "1", "0", "0"])
    john.get_by_role("button", name="A is better").click()
    expect(counts).to_have_text(["2", "0", "0", "0"])
    expect(john.locator("#bars ul")).to_be_hidden()  # the class does not follow the first
    expect(teacher.locator("#class-live .voted b")).to_have_text("2")
    expect(teacher.locator("#class-live .bar i:visible")).to_have_count(1)
    teacher.get_by_role("button", name=tr("lesson.rule.names", "ru")).click()
    expect(board.locator("#voters")).to_contain_text("Маша")
    teacher.get_by_role("button", name=tr("lesson.rule.hidden", "ru")).click()
    expect(john.locator("#picture")).to_have_attribute("alt", tr("lesson.class.hidden", "en"))
    john.reload()
    expect(john.get_by_role("button", name="A is better")).to_have_attribute("aria-pressed", "true")

    act(teacher, "panel.reveal", "ru")
    for page in (masha, john, board):
        expect(page.locator("#sides .title", has_text="Tesseract")).to_be_visible()
        expect(page.locator("#bars li").first).to_be_visible()
    expect(john.get_by_role("button", name="A is better")).to_be_disabled()
    expect(john.locator("#thanks")).to_be_empty()  # it said that the vote may be changed
    for page in (teacher, masha, board):
        assert not untranslated(page)
        assert not page.evaluate(NAMELESS)
        assert not page.evaluate(WIDE)
    assert asked == {urlsplit(app_url).netloc}, "nobody else is asked for anything"
    act(teacher, "panel.reset", "ru")
    expect(john.locator("#say")).to_have_text(tr("lesson.say.none", "en"))
    expect(board.locator("#sides")).to_be_hidden()


def test_what_the_teacher_locks_is_locked_on_the_server(open_page: OpenPage, app_url: str) -> None:
    teacher, pupil = teacher_at(open_page, app_url, "en"), ready(open_page(locale="ru", width=1280))
    pupil.get_by_role("tab", name="Класс").click()
    expect(pupil.locator("#class-door .address")).to_be_visible()
    expect(pupil.get_by_role("link", name="Я учитель")).to_be_visible()
    expect(pupil.locator("#class-lesson section")).to_have_count(0)
    pupil.get_by_role("tab", name="Сравнение").click()
    choose_fakes(pupil, "tokens=3")

    def refused(key: str) -> None:
        pupil.locator("#run").click()
        expect(pupil.locator(".toast-body", has_text=tr(f"lesson.refused.{key}", "ru"))).to_be_visible()
        expect(pupil.locator("#run")).to_be_enabled()

    for rule in ("locked", "paused", "own_prompts"):
        switch = teacher.get_by_role("button", name=tr(f"lesson.rule.{rule}", "en"))
        switch.click()
        expect(switch).to_have_attribute("aria-pressed", "false" if rule == "own_prompts" else "true")
        refused("prompt" if rule == "own_prompts" else rule)
        switch.click()
        expect(switch).to_have_attribute("aria-pressed", "true" if rule == "own_prompts" else "false")
    run(pupil)
    expect(pupil.locator("#head-b .chip.ok")).to_be_visible()
    waiting = teacher.locator("#class-live ol li")
    expect(waiting).to_have_count(0)  # a Stop for what is over stops nothing

    pupil.locator("#prompt textarea").fill("tokens=3000 delay=0.1")
    pupil.locator("#run").click()
    expect(waiting).to_contain_text("№")
    stop = waiting.get_by_role("button", name="Stop")
    stop.hover()
    teacher.mouse.down()
    stop.evaluate("(node) => node.replaceWith(node.cloneNode(true))")  # as news do, at any time
    teacher.mouse.up()
    expect(pupil.locator("#head-a .chip.cancelled")).to_be_visible()
    expect(pupil.locator("#run")).to_be_enabled()


def test_the_code_leads_pupils_to_the_class(open_page: OpenPage, app_url: str, tmp_path: Path) -> None:
    import cv2

    teacher = teacher_at(open_page, app_url, "en", width=1920, height=1080)
    teacher.goto(f"{app_url}class/board?lang=en")
    expect(teacher.locator("#say")).to_have_text(tr("lesson.say.none", "en"))
    teacher.locator(".qr").screenshot(path=tmp_path / "code.png")
    read, *_ = cv2.QRCodeDetector().detectAndDecode(cv2.imread(str(tmp_path / "code.png")))
    port = app_url.rstrip("/").rpartition(":")[2]
    assert read == f"http://{next(iter(lan_addresses()), 'localhost')}:{port}/class"
    expect(teacher.locator("#join")).to_contain_text(read.removeprefix("http://"))
    assert teacher.evaluate("document.documentElement.scrollHeight <= innerHeight"), "the projector does not scroll"

    pupil = open_page(locale="ru", width=360, height=640)
    pupil.goto(f"{app_url}class/board")
    expect(pupil.locator("#password")).to_be_visible()  # the projector's page is the teacher's
    pupil.goto(f"{app_url}class")
    assert not pupil.evaluate(WIDE)
    pupil.get_by_role("link", name="English").click()
    expect(pupil.locator("#say")).to_have_text(tr("lesson.say.none", "en"))
    for _ in range(3):
        pupil.keyboard.press("Tab")
        assert pupil.evaluate(FOCUS)[2], "what has the keyboard is seen"
