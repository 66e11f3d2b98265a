"""Two visitors in two browsers, behind a password, in two languages: each sees what is his, nothing of the other."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml
from PIL import Image, ImageDraw
from playwright.sync_api import Page, expect

from arena.strings import strings, tr
from tests.browser.conftest import serving
from tests.browser.test_compare_tab import choose, choose_fakes, ready, run, upload

OpenPage = Callable[..., Page]
PASSWORD = "open sesame"


@pytest.fixture(scope="module")
def app_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    home = tmp_path_factory.mktemp("visitors") / "data"
    home.mkdir()
    slow = {"title": "Slow", "adapter": "fake", "modes": {"embedded": {}}, "options": {"load_delay": 600}}
    (home / "models.yaml").write_text(yaml.safe_dump({"models": {"slow": slow}}))
    with serving(home, ARENA_PASSWORD=PASSWORD, ARENA_KEEP_DAYS="7") as url:
        yield url


def enter(page: Page, lang: str) -> Page:
    """Through the door, which speaks the visitor's language, to the page that he asked for."""
    expect(page).to_have_title(tr("public.login.title", lang))
    expect(page.get_by_label(tr("public.login.password", lang))).to_be_focused()
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    return ready(page)


def bring(page: Page, word: str, folder: Path) -> str:
    """A picture of one's own with a word on it, read by two engines; the address under which the page shows it."""
    image = Image.new("RGB", (900, 160), "white")
    ImageDraw.Draw(image).text((30, 30), word, fill="black", font_size=90)
    image.save(folder / f"{word}.png")
    upload(page, folder / f"{word}.png")
    expect(page.locator("#picture figcaption")).to_contain_text(f"{word}.png")
    run(page)
    expect(page.locator("#answer-A")).to_contain_text(word)
    return str(page.locator("#picture img").get_attribute("src"))


def benchmark(page: Page, lang: str) -> None:
    page.get_by_role("tab", name=tr("ui.tab.benchmark", lang), exact=True).click()


def test_two_visitors_never_see_what_is_the_others(open_page: OpenPage, app_url: str, tmp_path: Path) -> None:
    anna, boris = enter(open_page(locale="en-US"), "en"), enter(open_page(locale="ru-RU", width=1366), "ru")
    hers, his = bring(anna, "MULBERRY", tmp_path), bring(boris, "HAZELNUT", tmp_path)

    for page, lang, own, others, picture in (
        (anna, "en", "MULBERRY", "HAZELNUT", his),
        (boris, "ru", "HAZELNUT", "MULBERRY", hers),
    ):
        assert page.request.get(app_url + picture).status == 404
        rows = page.request.get(f"{app_url}runs.csv").text()
        assert own in rows and others not in rows
        benchmark(page, lang)
        expect(page.locator("#runs-table tbody tr")).to_have_count(2)
        page.get_by_label(strings(lang)["benchmark.filter.text"]).fill(others)
        expect(page.locator("#runs-table tbody tr")).to_have_count(0)
        page.get_by_label(strings(lang)["benchmark.filter.text"]).fill(own)
        expect(page.locator("#runs-table tbody tr").first).to_be_visible()
        page.get_by_role("tab", name=tr("ui.tab.models", lang), exact=True).click()
        expect(page.locator("#models-found .card").first).to_be_visible()
        expect(page.locator("#machine, #downloads")).to_have_count(0)

    # He deletes what he left, is told what it was, and finds nothing of it; she keeps hers.
    boris.get_by_text(tr("public.kept.summary", "ru")).click()
    expect(boris.locator("#kept")).to_contain_text(tr("public.kept.shared", "ru"))
    boris.get_by_role("button", name=tr("public.kept.delete", "ru")).click()
    boris.get_by_role("button", name=tr("public.kept.confirm", "ru"), exact=True).click()
    told = boris.locator("#forget-dialog [role=status]")
    expect(told).to_contain_text("Удалено: 1 сравнение, 2 ответа, 1 запись о картинках, 1 картинка на диске.")
    told.get_by_role("button").click()
    ready(boris)
    benchmark(boris, "ru")
    expect(boris.locator("#runs-table")).to_contain_text(strings("ru")["benchmark.empty.all"])
    assert boris.request.get(app_url + his).status == 404
    assert "MULBERRY" in anna.request.get(f"{app_url}runs.csv").text()
    assert anna.request.get(app_url + hers).status == 200

    anna.get_by_role("button", name=tr("public.kept.leave", "en")).click()
    expect(anna).to_have_title(tr("public.login.title", "en"))
    assert anna.request.get(f"{app_url}runs.csv").status == 401


@pytest.mark.battery("W8")
def test_a_page_closed_while_a_model_loads_gives_the_device_to_whoever_waits(open_page: OpenPage) -> None:
    anna, boris = enter(open_page(locale="en-US"), "en"), enter(open_page(locale="ru-RU"), "ru")
    choose(anna, "a", "Slow")
    choose_fakes(boris, "tokens=5")
    anna.locator("#run").click()
    expect(anna.locator("#head-a")).to_contain_text(tr("stages.loading", "en"))
    boris.locator("#run").click()
    expect(boris.locator("#head-a")).to_contain_text("В очереди: 1")
    anna.close()
    for side in "ab":  # ten minutes of the load would be left
        expect(boris.locator(f"#head-{side} .chip.ok")).to_be_visible()
