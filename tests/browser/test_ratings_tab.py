"""The Ratings tab in the browser: from the first vote to the standings, live, filtered, in both languages."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from runs import make_run

from arena.config import load_settings
from arena.store import Store
from arena.votes import Outcome, Vote, Votes
from tests.browser.conftest import open_tab

TASK = "formatted_ocr"
RUNS = ("run-07000", "run-07001")


@pytest.fixture
def store(app_url: str, app_home: Path) -> Iterator[Store]:
    """The database of the app that runs; what a test put there is gone afterwards."""
    store = Store(load_settings({"ARENA_HOME": str(app_home)}).database_url)
    yield store
    store.delete(RUNS)
    for vote in list(Votes(store).iterate(task=TASK)):
        Votes(store).take_back(vote.id)
    store.close()


def cast(store: Store, number: int, a: str, b: str, outcome: Outcome, language: str) -> Vote:
    said = {"comparison_id": f"ratings-{number}", "run_a": f"a{number}", "run_b": f"b{number}", "task": TASK}
    return Votes(store).cast(Vote(**said, model_a=a, model_b=b, outcome=outcome, language=language))  # type: ignore[arg-type]


def choose(page: Page, field: str, option: str) -> None:
    page.locator(f"#{field} input").click()
    page.get_by_role("option", name=option, exact=True).click()


def test_votes_become_standings_while_one_looks(open_page: Callable[..., Page], store: Store) -> None:
    page = open_page("ru-RU", width=1366)
    open_tab(page, "Рейтинг")
    people = page.locator("#ratings-people")
    expect(people.get_by_role("heading", name="Что предпочли люди")).to_be_visible()
    # Nobody voted on this task: the page says how it begins.
    choose(page, "ratings-task", "Прочитать с оформлением")
    expect(people.locator(".empty")).to_contain_text("голосов пока нет")

    # Votes come in while the page is open, and nothing has to be pressed.
    for number in range(12):
        cast(store, number, "rapidocr", "tesseract", "a" if number < 9 else "tie", "ru" if number < 10 else "en")
    rows = people.locator(".standings tbody tr")
    expect(rows).to_have_count(2)
    expect(rows.first).to_contain_text("RapidOCR")
    expect(rows.first.locator(".tier")).to_have_text("предварительно")
    expect(rows.first.locator(".wins")).to_have_text("9")
    expect(rows.first.locator("svg .span")).to_have_count(1)
    expect(people.locator(".matrix tbody tr").first).to_contain_text("88 %")

    # Both bad is counted apart; a vote that is taken back is gone.
    extra = cast(store, 90, "rapidocr", "tesseract", "both_bad", "ru")
    expect(people.locator(".sums")).to_contain_text("Оба плохи: 1")
    Votes(store).take_back(extra.id)
    expect(people.locator(".sums")).to_contain_text("Оба плохи: 0")

    choose(page, "ratings-language", "Английский")
    expect(rows.first.locator(".votes")).to_have_text("2")

    # The other language, without a reload.
    page.locator("#header").get_by_role("button", name="EN").click()
    expect(people.get_by_role("heading", name="What people preferred")).to_be_visible()
    expect(rows.first.locator(".tier")).to_have_text("preliminary")
    people.get_by_text("How to read this").click()
    expect(people.locator(".about")).to_contain_text("Davidson")


def test_what_was_measured_stands_beside_it(open_page: Callable[..., Page], store: Store) -> None:
    for number, (model, cer) in enumerate((("rapidocr", 0.02), ("tesseract", 0.2))):
        run = make_run(7000 + number, model=model, title=model.title(), language="ko", scores={"cer": cer, "wer": 0.5})
        store.save(run)
    page = open_page("en-US", width=390, height=844)
    open_tab(page, "Ratings")
    choose(page, "ratings-language", "Korean")  # no other test's runs
    measured = page.locator("#ratings-measured")
    expect(measured.get_by_role("heading", name="What was measured")).to_be_visible()
    expect(measured.locator("tbody tr")).to_have_count(2)
    expect(measured.locator("tbody tr").first).to_contain_text("2.0%")
    plots = page.locator("#ratings-plots figure")
    expect(plots).to_have_count(2)
    expect(plots.first.locator("tr", has_text="Rapidocr")).to_contain_text("★")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "nothing sticks out of a phone"
