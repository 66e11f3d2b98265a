"""A newcomer's page opens with the model that comes with the project, which answers rightly, nothing downloaded."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, expect

from arena.ui.samples import samples
from tests.browser.conftest import serving
from tests.browser.test_compare_tab import choose, ready, run

OpenPage = Callable[..., Page]
ASK = {"en": "Answer a question", "ru": "Ответить на вопрос"}
STAR = {"en": "red", "ru": "красный"}


@pytest.fixture(scope="module")
def app_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with serving(tmp_path_factory.mktemp("newcomer") / "data", ARENA_FIRST_MODELS="", ARENA_DEV="0") as url:
        yield url


@pytest.mark.parametrize("lang", ["en", "ru"])
def test_it_opens_with_the_small_model_and_a_line_that_it_reads(open_page: OpenPage, lang: str) -> None:
    page = ready(open_page(locale=lang))
    expect(page.locator("#model-a input")).to_have_value("● Tiny VLM")
    expect(page.locator("#model-b input")).to_have_value("● Tesseract")
    expect(page.locator("#picture figcaption")).to_contain_text(samples()["line"].titles[lang])
    run(page, seconds=180)
    for letter in "AB":
        expect(page.locator(f"#head-{letter.lower()} .chip.ok")).to_be_visible()
        expect(page.locator(f"#answer-{letter}")).to_have_text(samples()["line"].reference)


@pytest.mark.parametrize("lang", ["en", "ru"])
def test_a_question_is_answered_in_the_visitors_language(open_page: OpenPage, lang: str) -> None:
    figures = samples()["figures"]
    page = ready(open_page(locale=lang))
    page.locator("[data-sample=figures]").click()
    expect(page.locator("#picture figcaption")).to_contain_text(figures.titles[lang])
    page.locator("#task label", has_text=ASK[lang]).click()
    expect(page.locator("#prompt textarea")).to_have_value(figures.question[lang])
    choose(page, "b", "Tiny VLM 8-bit")
    run(page, seconds=180)
    for letter in "AB":
        expect(page.locator(f"#answer-{letter}")).to_have_text(STAR[lang])
