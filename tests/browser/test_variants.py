"""How a model runs is chosen on the page: tiny models of transformers with different weights and number formats."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest
import yaml
from playwright.sync_api import Page, Route, expect

from arena.strings import strings
from tests import tiny
from tests.browser.conftest import open_tab, serving
from tests.browser.test_compare_tab import WIDE, choose, ready, run

OpenPage = Callable[..., Page]
ANSWERED = "**/gradio_api/run/predict*"  # what the page asks without the queue


@pytest.fixture(scope="module")
def app_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """An app with two tiny models of the visitor's own, one of which vLLM could serve."""
    home = tmp_path_factory.mktemp("variants") / "data"
    home.mkdir()
    usual = {"tasks": ["ocr"], "params": {"max_new_tokens": 16}}
    qwen = {"transformers": {"vram_gb": {"none": 1.0, "8bit": 0.8, "4bit": 0.7}}, "vllm": {"vram_gb": {"none": 1.5}}}
    got = {
        "transformers": {"vram_gb": {"none": 1.0}},
        "vllm": {"why_not": {"en": "It has no such thing.", "ru": "Там такого нет."}},
    }
    models = {
        "tiny_qwen": {
            "title": "Tiny Qwen",
            "adapter": "transformers_chat",
            "source": str(tiny.built(tiny.qwen2_vl)),
            "modes": qwen,
        },
        "tiny_got": {
            "title": "Tiny GOT",
            "adapter": "got_ocr",
            "source": str(tiny.built(tiny.got_ocr)),
            "modes": got,
            "dtypes": ["auto"],
        },
    }
    text = yaml.safe_dump({"models": {name: usual | entry for name, entry in models.items()}}, sort_keys=False)
    (home / "models.yaml").write_text(text, encoding="utf-8")
    with serving(home, OMP_NUM_THREADS="1") as url:
        yield url


def opened(page: Page, side: str) -> None:
    """The side's choice of how the model runs, unfolded."""
    expect(page.locator(f"#variant-{side}")).to_be_visible()
    page.locator(f"#variant-{side} button").first.click()
    expect(page.locator(f"#mode-{side}")).to_be_visible()


def pick(page: Page, side: str, what: str, words: str) -> None:
    page.locator(f"#{what}-{side} label", has_text=words).click()


@pytest.mark.timeout(240)
@pytest.mark.parametrize("locale", ["en-US", "ru-RU"])
def test_two_different_models_one_after_the_other(open_page: OpenPage, locale: str) -> None:
    said = strings(locale[:2])
    page = ready(open_page(locale=locale))
    choose(page, "a", "Tiny Qwen")
    choose(page, "b", "Tiny GOT")
    run(page, seconds=180)
    for side, title in (("a", "Tiny Qwen"), ("b", "Tiny GOT")):
        head = page.locator(f"#head-{side}")
        expect(head).to_contain_text(title)
        expect(head.locator("h3 small")).to_have_text("transformers")
        for stage in ("start", "load", "first", "generate"):
            expect(head.locator(f".steps .{stage} b")).to_have_text(re.compile(r"\d"))
        assert page.locator(f"#answer-{side.upper()}").inner_text()
    expect(page.locator("#head-b .steps .unload b")).to_have_text(re.compile(r"\d"))  # A, before B was loaded
    row = page.locator(".figures tr", has_text=said["ui.figures.ram"])
    for cell in row.locator("td").all():
        assert re.search(r"\d+", cell.inner_text())
    open_tab(page, -2)
    expect(page.locator("#runs-table tbody tr").first).to_contain_text("B · transformers")


@pytest.mark.timeout(240)
def test_the_same_model_with_different_weights_on_both_sides(open_page: OpenPage) -> None:
    page = ready(open_page())
    for side in "ab":
        choose(page, side, "Tiny Qwen")
    expect(page.locator("#badge-b")).to_contain_text("1.0 GB of VRAM")
    opened(page, "b")
    pick(page, "b", "quantization", "8-bit")
    expect(page.locator("#badge-b")).to_contain_text("0.8 GB of VRAM")
    expect(page.locator("#badge-a")).to_contain_text("1.0 GB of VRAM")
    expect(page.locator("#variant-b")).to_contain_text("How it runs: transformers · 8bit")
    pick(page, "b", "dtype", "fp32")
    expect(page.locator("#variant-b")).to_contain_text("transformers · 8bit · fp32")
    run(page, seconds=180)
    expect(page.locator("#head-a h3")).to_have_text("Tiny Qwen transformers")
    expect(page.locator("#head-b h3")).to_have_text("Tiny Qwen transformers · 8bit · fp32")
    heads = page.locator(".figures thead th")
    expect(heads.nth(0)).to_contain_text("Tiny Qwen (transformers)")
    expect(heads.nth(1)).to_contain_text("Tiny Qwen (transformers · 8bit · fp32)")
    expect(page.locator("#said-b .tools")).to_be_visible()  # it was not only called so: it answered
    expect(page.locator("#head-b .chip.error")).to_have_count(0)
    page.locator("#swap").click()
    expect(page.locator("#variant-a")).to_contain_text("transformers · 8bit · fp32")
    expect(page.locator("#variant-b")).not_to_contain_text("8bit")
    open_tab(page, -2)
    expect(page.locator("#runs-table tbody tr").first).to_contain_text("B · transformers · 8bit · fp32")


def test_a_choice_stays_with_its_model_and_follows_the_language(open_page: OpenPage) -> None:
    page = ready(open_page())
    choose(page, "a", "Tiny Qwen")
    opened(page, "a")
    pick(page, "a", "mode", "vLLM")
    expect(page.locator("#badge-a")).to_contain_text("1.5 GB of VRAM")
    expect(page.locator("#quantization-a")).to_be_hidden()  # vLLM has one kind of weights of it
    pick(page, "a", "mode", "transformers")
    pick(page, "a", "quantization", "4-bit")
    page.locator("[data-lang=ru]").click()
    expect(page.locator("#variant-a")).to_contain_text("Как запускать: transformers · 4bit")
    expect(page.locator("#badge-a")).to_contain_text("0,7 ГБ видеопамяти")
    choose(page, "a", "Tiny GOT")
    expect(page.locator("#variant-a")).to_contain_text("Как запускать: transformers")
    expect(page.locator("#cannot-a")).to_contain_text("Там такого нет.")
    expect(page.locator("#cannot-a [aria-disabled=true]")).to_have_text("vLLM")
    expect(page.locator("#mode-a label", has_text="vLLM")).to_have_count(0)
    expect(page.locator("#dtype-a")).to_be_hidden()
    choose(page, "a", "Tiny Qwen")
    expect(page.locator("#variant-a")).not_to_contain_text("4bit")  # another model has come between
    choose(page, "a", "RapidOCR")
    expect(page.locator("#variant-a")).to_be_hidden()
    held: list[Route] = []
    slow = [True]
    page.route(ANSWERED, lambda route: held.append(route) if slow else route.continue_())
    with page.expect_request(ANSWERED):
        choose(page, "a", "Tiny Qwen")
    choose(page, "a", "Tesseract")  # while the page still waits to be told of the other
    slow.clear()
    for each in reversed(held):  # what was asked first is answered last
        with page.expect_response(ANSWERED):
            each.continue_()
    expect(page.locator("#badge-a")).not_to_contain_text("ГБ")
    expect(page.locator("#variant-a")).to_be_hidden()


def test_a_phone_shows_every_choice(open_page: OpenPage) -> None:
    page = ready(open_page(locale="ru-RU", width=390, height=844))
    choose(page, "a", "Tiny Qwen")
    opened(page, "a")
    for name in ("mode", "quantization", "dtype"):
        expect(page.locator(f"#{name}-a label").last).to_be_visible()
    assert not page.evaluate(WIDE)
