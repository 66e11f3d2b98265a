"""A machine with a card of 12 GB, told by a stub of its driver: what does not fit, what warns, what to take instead."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy
import pytest
import yaml
from playwright.sync_api import Page, expect
from safetensors.numpy import save_file

from arena.strings import strings
from tests.browser.conftest import open_tab, serving
from tests.browser.test_compare_tab import WIDE, choose, ready, run

pytest_plugins = ("nvml",)
OpenPage = Callable[..., Page]


@pytest.fixture(scope="module")
def app_url(nvml_library: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """An app on that machine, with the test model as four that have weights to load."""
    home = tmp_path_factory.mktemp("memory") / "data"
    home.mkdir()
    needs = {"roomy": {"none": 6.0, "8bit": 4.6, "4bit": 3.9}, "tight": {"none": 9.5}, "large": {"none": 19.0}}
    needs["shrinkable"] = {"none": 19.0, "8bit": 12.0, "4bit": 7.5}
    usual = {"adapter": "fake", "source": str(home), "tasks": ["ocr", "question"]}
    models = {
        name: usual | {"title": name.title(), "modes": {"transformers": {"vram_gb": gb}}} for name, gb in needs.items()
    }
    (home / "config.json").write_text("{}")
    save_file({"weight": numpy.zeros(4, numpy.float32)}, home / "model.safetensors")
    (home / "models.yaml").write_text(yaml.safe_dump({"models": models}, sort_keys=False))
    state = home.parent / "nvml.txt"
    state.write_text("gpu total=12288 used=300 name=Test_12GB uuid=GPU-a\n")
    with serving(home, LD_LIBRARY_PATH=str(nvml_library.parent), NVML_STUB_STATE=str(state)) as url:
        yield url


@pytest.mark.parametrize("locale", ["en-US", "ru-RU"])
def test_what_does_not_fit_is_refused_and_can_be_tried(open_page: OpenPage, locale: str) -> None:
    said = strings(locale[:2])
    page = ready(open_page(locale=locale))
    anyway = page.locator("#anyway")
    expect(anyway).to_be_hidden()
    choose(page, "a", "Large")
    expect(page.locator("#badge-a")).to_contain_text(said["models.badge.does_not_fit"])
    expect(page.locator("#badge-a")).to_contain_text("Qwen3-VL 2B")  # a smaller one
    expect(anyway).to_be_visible()
    choose(page, "b", "Roomy")
    run(page)
    expect(page.locator("#said-a .trouble")).to_contain_text(re.compile(r"19 (GB|ГБ).*Qwen3-VL 2B", re.S))
    expect(page.locator("#head-b .chip.ok")).to_be_visible()
    anyway.get_by_role("checkbox").check()
    run(page)
    expect(page.locator("#head-a .chip.ok")).to_be_visible()
    choose(page, "a", "Roomy")
    expect(anyway).to_be_hidden()
    choose(page, "a", "Large")
    expect(anyway.get_by_role("checkbox")).not_to_be_checked()


def test_the_setting_that_fits_is_chosen_and_a_tight_one_warns(open_page: OpenPage) -> None:
    page = ready(open_page())
    choose(page, "a", "Shrinkable")
    expect(page.locator("#variant-a")).to_contain_text("transformers · 4bit")
    expect(page.locator("#badge-a .chip")).to_contain_text("Ready")
    expect(page.locator("#anyway")).to_be_hidden()
    page.locator("#variant-a button").first.click()
    page.locator("#quantization-a label", has_text="8-bit").click()
    expect(page.locator("#badge-a .chip")).to_contain_text("Does not fit")
    expect(page.locator("#badge-a")).to_contain_text("It fits with less: 4-bit (7.5 GB).")
    expect(page.locator("#anyway")).to_be_visible()
    choose(page, "b", "Tight")
    expect(page.locator("#badge-b")).to_contain_text("9.5 GB of the 10 GB")
    expect(page.locator("#badge-b .chip")).to_contain_text("▲")


@pytest.mark.parametrize("locale", ["en-US", "ru-RU"])
def test_out_of_memory_names_what_fits(open_page: OpenPage, locale: str) -> None:
    page = ready(open_page(locale=locale))
    for side in "ab":
        choose(page, side, "Roomy")
    page.locator("#prompt textarea").fill("oom=1")
    run(page)
    words = "8-bit (4.6 GB), 4-bit (3.9 GB)" if locale == "en-US" else "8 бит (4,6 ГБ), 4 бита (3,9 ГБ)"
    for side in "ab":
        expect(page.locator(f"#head-{side} .chip.oom")).to_be_visible()
        expect(page.locator(f"#said-{side} .trouble")).to_contain_text(words)
        expect(page.locator(f"#said-{side} .trouble")).to_contain_text("GOT-OCR 2.0")


def test_the_models_tab_begins_with_what_the_machine_is_good_for(open_page: OpenPage) -> None:
    page = ready(open_page(locale="ru-RU", width=390, height=844))
    open_tab(page, -1)
    expect(page.locator("#machine-found li").first).to_contain_text("12 ГБ")
    expect(page.locator("#machine-found li").first).to_contain_text("qwen3_vl_2b")
    assert not page.evaluate(WIDE)
