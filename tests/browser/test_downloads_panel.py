"""Models come and go in the real browser: started, watched by two, stopped, gone on with, refused, removed."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest
import yaml
from playwright.sync_api import Locator, Page, expect

from arena.strings import strings
from tests.browser.conftest import open_tab, serving
from tests.hub import Hub

OpenPage = Callable[..., Page]
SIZE = 40_000_000
FORGED = """(value) => {
  const button = Object.assign(document.createElement('button'), { textContent: 'forged' });
  Object.assign(button.dataset, { event: value.event, value: value.value });
  document.querySelector(value.block + ' [data-stamp], ' + value.block + ' .cards').append(button);
  button.click();
}"""


@pytest.fixture(scope="module")
def hub() -> Iterator[Hub]:
    served = Hub({"config.json": b"{}", "model.safetensors": bytes(SIZE), "tokenizer.json": b"{}"})
    yield served
    served.close()


@pytest.fixture(scope="module")
def app_url(hub: Hub, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """An app whose Hub is ours, with an empty cache, and a catalogue with one model of that Hub."""
    home = tmp_path_factory.mktemp("downloads")
    entry = {"title": "Tiny", "adapter": "transformers_chat", "source": "owner/tiny", "modes": {"transformers": {}}}
    more = {"tasks": ["description", "question"], "languages": ["en"], "licence": "MIT", "size_gb": 0.04}
    (home / "models.yaml").write_text(yaml.safe_dump({"models": {"tiny": entry | more}}))
    with serving(home, HF_ENDPOINT=hub.url, HF_HUB_OFFLINE="0", HF_HOME=str(home / "hf"), HF_TOKEN="") as url:
        yield url


@pytest.fixture
def opened(open_page: OpenPage, hub: Hub) -> Iterator[Callable[..., Page]]:
    """A visitor on the Models tab; at the end nothing is left of what was downloaded."""

    def opened(**how: object) -> Page:
        page = open_page(**how)
        open_tab(page, -1)
        page.locator("#models-found .card").first.wait_for()
        return page

    hub.mode = ""
    hub.go.clear()
    yield opened
    hub.go.set()


def row(page: Page) -> Locator:
    return page.locator("#downloads-list li[data-source='owner/tiny']")


def card(page: Page) -> Locator:
    return page.locator("#models-found [data-model=tiny]")


def press(where: Locator, lang: str, key: str) -> None:
    where.get_by_role("button", name=strings(lang)[f"downloads_panel.{key}"]).click()


def remove(page: Page, lang: str) -> None:
    press(row(page), lang, "remove")
    page.locator("#remove-dialog .danger").click()
    expect(row(page)).to_have_count(0)


@pytest.mark.parametrize(("lang", "locale", "width"), [("en", "en-US", 1280), ("ru", "ru-RU", 390)])
def test_start_watch_stop_go_on_and_remove(
    opened: Callable[..., Page], hub: Hub, lang: str, locale: str, width: int
) -> None:
    hub.mode = "held"
    page = opened(locale=locale, width=width)
    press(card(page), lang, "start")
    bar = row(page).get_by_role("progressbar", name="Tiny")
    expect(bar).to_have_attribute("aria-valuenow", re.compile("4[0-9]|50"))
    stop = row(page).get_by_role("button", name=strings(lang)["downloads_panel.stop"])
    expect(stop).to_be_focused()
    expect(row(page)).to_contain_text({"en": "of 40 MB", "ru": "из 40 МБ"}[lang])
    assert page.evaluate("document.documentElement.scrollWidth") <= width

    second = opened(locale=locale, width=1280)  # another visitor sees the same and may not start it twice
    expect(row(second).get_by_role("progressbar")).to_be_visible()
    expect(card(second)).to_contain_text(strings(lang)["downloads_panel.coming"])
    page.reload()
    open_tab(page, -1)
    expect(row(page).get_by_role("progressbar")).to_be_visible()

    press(row(page), lang, "stop")
    expect(row(page)).to_contain_text(strings(lang)["downloads_panel.partial"])
    expect(row(second)).to_contain_text(strings(lang)["downloads_panel.partial"])
    hub.go.set()  # what the Hub still sends is not taken
    hub.mode = ""
    hub.ranges.clear()
    press(row(page), lang, "resume")
    expect(row(page)).to_contain_text(strings(lang)["downloads_panel.whole"])
    begun = [int(asked[6:-1]) for asked in hub.ranges if asked]
    assert begun and begun[0] > SIZE / 4
    expect(card(page).get_by_role("button", name=strings(lang)["downloads_panel.start"])).to_have_count(0)

    press(row(page), lang, "remove")
    expect(page.locator("#remove-dialog")).to_contain_text("40")
    page.keyboard.press("Escape")
    expect(row(page)).to_be_visible()
    remove(page, lang)
    expect(card(page).get_by_role("button", name=strings(lang)["downloads_panel.start"])).to_be_visible()


@pytest.mark.parametrize(("lang", "locale"), [("en", "en-US"), ("ru", "ru-RU")])
def test_a_refusal_is_explained_and_tried_again(opened: Callable[..., Page], hub: Hub, lang: str, locale: str) -> None:
    hub.mode = "gated"
    page = opened(locale=locale)
    press(card(page), lang, "start")
    trouble = row(page).locator(".trouble")
    expect(trouble).to_contain_text({"en": "accepted its licence", "ru": "принял лицензию"}[lang])
    expect(trouble).to_contain_text("hf auth login")
    expect(trouble.get_by_role("link")).to_have_attribute("href", f"{hub.url}/owner/tiny")
    page.locator(f"[data-lang={'ru' if lang == 'en' else 'en'}]").click()
    expect(trouble).to_contain_text({"ru": "accepted its licence", "en": "принял лицензию"}[lang])
    page.locator(f"[data-lang={lang}]").click()
    hub.mode = ""
    press(row(page), lang, "again")
    expect(row(page)).to_contain_text(strings(lang)["downloads_panel.whole"])
    remove(page, lang)


def test_who_comes_through_a_proxy_may_only_look(opened: Callable[..., Page], hub: Hub) -> None:
    page = opened()
    press(card(page), "en", "start")
    expect(row(page)).to_contain_text("Whole")
    hub.ranges.clear()
    far = opened(extra_http_headers={"X-Forwarded-For": "203.0.113.5"})
    expect(row(far).get_by_role("button", name="Remove")).to_be_disabled()
    expect(row(far)).to_contain_text("python -m arena models cache --remove owner/tiny")
    download = far.locator("#models-found [data-model=smolvlm_256m]").get_by_role("button", name="Download")
    expect(download).to_be_disabled()
    expect(far.locator("#models-found [data-model=smolvlm_256m]")).to_contain_text(
        strings("en")["downloads_panel.remote"]
    )
    for event, value, block in (
        ("start_download", "smolvlm_256m", "#models-found"),
        ("start_download", "smolvlm_256m", "#downloads-list"),
        ("ask_remove", "owner/tiny", "#downloads-list"),
        ("stop_download", "owner/tiny", "#downloads-list"),
        ("forget_download", "owner/tiny", "#downloads-list"),
    ):
        toast = far.get_by_test_id("toast-body").filter(has_text=strings("en")["downloads_panel.remote"])
        far.evaluate(FORGED, {"event": event, "value": value, "block": block})
        expect(toast).to_be_visible()
        toast.get_by_test_id("toast-close").click()
        expect(toast).to_have_count(0)
    expect(far.locator("#remove-dialog dialog")).to_have_count(0)
    expect(far.locator("#downloads-list li")).to_have_count(1)
    assert hub.ranges == []
    expect(row(page)).to_be_visible()
    remove(page, "en")


def test_a_model_is_put_on_a_side_with_a_task_it_can_do(opened: Callable[..., Page]) -> None:
    page = opened()
    page.locator("#models-found [data-model=tesseract]").get_by_role("button", name="Use as A").click()
    expect(page.get_by_role("tab", name="Compare")).to_be_focused()
    expect(page.locator("#model-a input")).to_have_value(re.compile("Tesseract"))
    page.get_by_role("tab", name="Models").click()
    card(page).get_by_role("button", name="Use as B").click()
    expect(page.locator("#model-b input")).to_have_value(re.compile("Tiny"))
    expect(page.locator("#badge-b .chip")).to_have_text(re.compile("Not downloaded"))
    expect(page.get_by_label("Describe the image")).to_be_checked()
