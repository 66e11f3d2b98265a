"""The pages beside the main one, at the door, of a class, of a comparison: axe-core finds nothing at all."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from arena.strings import tr
from tests.browser.conftest import serving
from tests.browser.test_accessibility import violations
from tests.browser.test_compare_tab import WIDE, ready, run
from tests.browser.test_links import link_of
from tests.browser.test_school import act, pupil_at, teacher_at

OpenPage = Callable[..., Page]
LOOKS = [("en", "light"), ("ru", "dark")]


@pytest.fixture(scope="module")
def app_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    home = tmp_path_factory.mktemp("pages") / "data"
    with serving(home, ARENA_SCHOOL="1", ARENA_TEACHER_PASSWORD="chalk") as url:
        yield url


def clean(page: Page) -> None:
    assert violations(page) == []
    assert not page.evaluate(WIDE)


@pytest.mark.parametrize(("lang", "look"), LOOKS)
@pytest.mark.parametrize("width", [1280, 360])
def test_the_door(browser: Browser, app_url: str, lang: str, look: str, width: int) -> None:
    page = browser.new_page(locale=lang, color_scheme=look, viewport={"width": width, "height": 800})
    page.goto(f"{app_url}login?next=/")
    clean(page)
    page.locator("#password").fill("chalk?")
    page.locator("button").click()
    expect(page.get_by_role("alert")).to_be_visible()
    clean(page)
    page.context.close()


@pytest.mark.parametrize(("lang", "look"), LOOKS)
def test_the_class_of_pupils_and_the_projector(open_page: OpenPage, app_url: str, lang: str, look: str) -> None:
    teacher = teacher_at(open_page, app_url, lang, width=1366, color_scheme=look)
    pupil = pupil_at(open_page, app_url, lang)
    pupil.emulate_media(color_scheme=look)
    pupil.reload()
    board = teacher.context.new_page()
    board.goto(f"{app_url}class/board?lang={lang}")
    for page in (pupil, board):
        expect(page.locator("#say")).to_have_text(tr("lesson.say.none", lang))
        clean(page)
    for side in range(2):
        teacher.locator("#class-lesson select").nth(side).select_option("fake")
    act(teacher, "panel.start", lang)
    expect(pupil.locator("#say")).to_have_text(tr("lesson.say.open", lang))
    pupil.locator("#votes button").first.click()
    expect(pupil.locator("#thanks")).not_to_be_empty()
    for page in (pupil, board):
        clean(page)
    act(teacher, "panel.reveal", lang)
    expect(pupil.locator("#bars li").first).to_be_visible()
    for page in (pupil, board, teacher):
        clean(page)
    act(teacher, "panel.reset", lang)
    expect(pupil.locator("#sides")).to_be_hidden()


@pytest.mark.parametrize(("lang", "look"), LOOKS)
def test_a_comparison_by_its_link_and_as_a_file(
    open_page: OpenPage, browser: Browser, app_url: str, tmp_path: Path, lang: str, look: str
) -> None:
    page = ready(open_page(locale=lang, width=1366, color_scheme=look))
    run(page)
    address = link_of(page)
    page.goto(f"{address}?lang={lang}")
    for width in (1366, 390):
        page.set_viewport_size({"width": width, "height": 900})
        clean(page)
    with page.expect_download() as saved:
        page.locator("a[download][href*='.html']").click()
    file = tmp_path / "report.html"
    file.write_bytes(saved.value.path().read_bytes())
    elsewhere = browser.new_page(locale=lang, color_scheme=look)
    elsewhere.goto(file.as_uri())
    clean(elsewhere)
    elsewhere.goto(f"{app_url}c/01ARZ3NDEKTSV4RRFFQ69G5FAV?lang={lang}")
    expect(elsewhere.locator("h1")).to_have_text(tr("report.missing", lang))
    clean(elsewhere)
    elsewhere.context.close()
