"""Tab Compare in a real browser: the real engines, the fake for faults, both languages, a phone, two visitors."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from arena.strings import strings
from tests.browser.conftest import open_tab

SAMPLES = Path(__file__).parent.parent.parent / "assets" / "samples"
OpenPage = Callable[..., Page]
PASTE = """async (url) => {
  const blob = await (await fetch(url)).blob();
  const data = new DataTransfer();
  data.items.add(new File([blob], "pasted.webp", { type: "image/webp" }));
  document.dispatchEvent(new ClipboardEvent("paste", { clipboardData: data, bubbles: true }));
}"""
NAMELESS = """() => [...document.querySelectorAll("button, input, textarea, select, [role=tab], img")]
  .filter((node) => node.checkVisibility({ visibilityProperty: true }) && node.type !== "file")
  .filter((node) => !(node.ariaLabel || node.title || node.alt !== undefined && node.tagName === "IMG"
    || node.innerText?.trim() || node.labels?.length && [...node.labels].some((label) => label.innerText.trim())
    || node.textContent.trim() || node.placeholder))
  .map((node) => node.outerHTML.slice(0, 200))"""
FOCUS = """() => {
  const node = document.activeElement;
  const ring = [node, node.closest("label") || node].some((each) => getComputedStyle(each).outlineStyle !== "none");
  return [node.tagName, node.id || node.className, ring];
}"""
WIDE = "document.documentElement.scrollWidth > window.innerWidth"


def ready(page: Page) -> Page:
    """The page once the server has filled it in."""
    expect(page.locator("#badge-b .chip")).to_be_visible()
    expect(page.locator("#picture img")).to_be_visible()
    return page


def choose(page: Page, side: str, title: str) -> None:
    page.locator(f"#model-{side} input").click()
    page.get_by_role("option", name=title).first.click()
    expect(page.locator(f"#model-{side} input")).to_have_value(re.compile(re.escape(title)))


def choose_fakes(page: Page, prompt: str) -> None:
    for side in "ab":
        choose(page, side, "Test model")
    expect(page.locator("#prompt textarea")).to_be_enabled()
    page.locator("#prompt textarea").fill(prompt)


def run(page: Page, seconds: float = 60) -> None:
    over = page.locator("#announcer [data-over]")
    before = over.get_attribute("data-over") if over.count() else ""
    page.locator("#run").click()
    page.wait_for_function(
        "(before) => (document.querySelector('#announcer [data-over]')?.dataset.over ?? before) !== before",
        arg=before,
        timeout=seconds * 1000,
    )
    expect(page.locator("#run")).to_be_enabled()
    expect(page.locator("#stop")).to_be_disabled()


def upload(page: Page, path: Path) -> None:
    page.locator("#source input[type=file]").set_input_files(path)


def test_a_russian_document_through_both_engines(open_page: OpenPage) -> None:
    page = ready(open_page(locale="ru-RU", width=1366))
    upload(page, SAMPLES / "form.jpg")
    expect(page.locator("#picture figcaption")).to_contain_text("form.jpg")
    page.get_by_text("Правильный ответ, если он известен").click()
    expect(page.locator("#reference textarea")).to_have_value("")  # the sample's answer is not that of an upload
    page.locator("#reference textarea").fill((SAMPLES / "form.txt").read_text(encoding="utf-8"))
    run(page)

    texts = [page.locator(f"#answer-{letter}").inner_text() for letter in "AB"]
    assert texts[0] != texts[1]
    assert "ЗАЯВКА" in texts[1]
    for letter in "ab":
        expect(page.locator(f"#head-{letter} .chip").first).to_have_text(re.compile("готово"))
        expect(page.locator(f"#picture .boxes.{letter} rect").nth(5)).to_be_attached()
    row = page.locator(".figures tr", has_text="Ошибки в символах")
    expect(row).to_have_text(re.compile("%.*%", re.DOTALL))
    rates = re.findall(r"([\d,]+)\s%", row.inner_text())
    assert float(rates[0].replace(",", ".")) > float(rates[1].replace(",", "."))
    expect(row.locator("td").nth(1).locator(".best")).to_be_visible()
    assert row.locator("td .best").count() == 1
    expect(page.locator(".figures tr", has_text="Пик видеопамяти, модель").locator("td").first).to_have_text("—")

    page.get_by_text("Различия", exact=True).click()
    expect(page.locator("#differences .a")).to_contain_text("Неверных слов")
    assert page.locator("#differences .a del").count() > 5
    expect(page.locator("#answer-A")).to_be_hidden()
    page.get_by_text("С оформлением", exact=True).click()
    expect(page.locator("#said-b .rendered")).to_be_visible()
    page.get_by_text("Текст", exact=True).click()
    page.locator("#boxes label", has_text="A").click()
    expect(page.locator("#picture .boxes.a")).to_be_hidden()
    expect(page.locator("#picture .boxes.b")).to_be_visible()

    page.get_by_role("button", name="Увеличить").click()
    assert page.locator("#picture").bounding_box()["width"] > 1300  # type: ignore[index]
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Увеличить")).to_be_focused()
    with page.expect_download() as saved:
        page.locator("#said-b a.tool").click()
    assert saved.value.path().read_text(encoding="utf-8").split() == texts[1].split()

    page.get_by_role("tab", name="Результаты").click()
    expect(page.locator("#runs-table")).to_contain_text("Tesseract")
    expect(page.locator("#runs-table")).to_contain_text("RapidOCR")


def test_one_press_after_opening_shows_everything_in_english(open_page: OpenPage) -> None:
    page = ready(open_page(locale="en-GB"))
    run(page)
    assert "GREEN LANTERN" in page.locator("#answer-A").inner_text()
    expect(page.locator(".figures tr", has_text="Character error rate").locator(".best")).to_be_visible()
    page.locator("[data-lang=ru]").click()
    expect(page.locator("#run")).to_have_text("Запустить обе")
    expect(page.locator("#head-a .chip").first).to_contain_text("готово")
    expect(page.get_by_role("tab", name="Модели")).to_be_visible()
    assert page.locator("#picture .boxes.a rect").count() > 5, "the boxes stay"
    page.reload()
    expect(ready(page).locator("#run")).to_have_text("Запустить обе")
    page.locator("[data-lang=en]").click()
    expect(page.locator("#run")).to_have_text("Run both")


def test_nothing_is_left_untranslated(open_page: OpenPage) -> None:
    page = ready(open_page(locale="ru-RU"))
    choose_fakes(page, "raise=fault max_new_tokens=3")
    page.locator("#params-a .label-wrap").click()
    run(page)
    english, russian = set(strings("en").values()), set(strings("ru").values())
    for tab, shown in ((0, "#run"), (-2, "#runs-table"), (-1, "#models-found")):
        open_tab(page, tab)
        expect(page.locator(shown)).to_be_visible()
        lines = {line.strip() for line in page.locator("body").inner_text().splitlines()}
        assert not lines & (english - russian)
    assert not page.evaluate(NAMELESS)


def test_stop_gives_the_device_back(open_page: OpenPage) -> None:
    page = ready(open_page())
    choose_fakes(page, "tokens=3000 delay=0.1")
    page.locator("#run").click()
    expect(page.locator("#said-a .stream pre")).to_contain_text("2 ")
    expect(page.locator("#run")).to_be_disabled()
    page.locator("#stop").click()
    expect(page.locator("#run")).to_be_enabled()  # 300 s of answer would be left; `make bench` tells how long it took
    expect(page.locator("#head-a .chip.cancelled")).to_be_visible()
    expect(page.locator("#head-b .chip.cancelled")).to_be_visible()
    expect(page.locator("#answer-A")).to_contain_text("2 ")  # what had come is kept
    page.locator("#prompt textarea").fill("tokens=3")
    run(page)
    expect(page.locator("#head-b .chip.ok")).to_be_visible()


@pytest.mark.battery("W8")
def test_a_second_visitor_waits_his_turn_and_a_reload_gives_it_to_him(open_page: OpenPage) -> None:
    first, second = ready(open_page()), ready(open_page(locale="ru-RU", width=360, height=740))
    choose_fakes(first, "tokens=3000 delay=0.1")
    choose_fakes(second, "tokens=5 delay=0.02")
    first.locator("#run").click()
    expect(first.locator("#said-a .stream pre")).to_be_visible()
    second.locator("#run").click()
    expect(second.locator("#head-a")).to_contain_text("В очереди: 1")
    began = time.monotonic()
    first.reload()
    expect(second.locator("#head-a .chip.ok")).to_be_visible()
    assert time.monotonic() - began < 4, "two seconds to notice, the rest to answer"
    expect(second.locator("#run")).to_be_enabled()
    assert not second.evaluate(WIDE)
    ready(first)
    expect(first.locator("#run")).to_be_enabled()

    choose_fakes(first, "tokens=3000 delay=0.1")
    first.locator("#run").click()
    expect(first.locator("#said-a .stream pre")).to_be_visible()
    second.locator("#run").click()
    expect(second.locator("#head-a")).to_contain_text("В очереди: 1")
    first.close()
    expect(second.locator("#head-b .chip.ok")).to_be_visible()


def test_a_failed_model_stops_nothing_and_says_what_to_do(open_page: OpenPage) -> None:
    page = ready(open_page())
    choose(page, "a", "Test model")
    expect(page.locator("#prompt textarea")).to_be_enabled()
    page.locator("#prompt textarea").fill("exit=3")
    run(page)
    expect(page.locator("#head-a .chip.error")).to_be_visible()
    expect(page.locator("#said-a .trouble")).to_contain_text("ended unexpectedly")
    expect(page.locator("#said-a .trouble")).to_contain_text("exit code 3")
    expect(page.locator("#answer-A")).to_be_visible()  # the words before its end
    expect(page.locator("#head-b .chip.ok")).to_be_visible()
    assert "Harbour" in page.locator("#answer-B").inner_text()

    page.locator("#swap").click()
    expect(page.locator("#model-b input")).to_have_value(re.compile("Test model"))
    page.locator("#params-b .label-wrap").click()
    page.locator("#temperature-b textarea, #temperature-b input").fill("9")
    page.locator("#run").click()
    expect(page.locator(".toast-body")).to_contain_text("from 0 to 2")
    expect(page.locator("#run")).to_be_enabled()


def test_pictures_pasted_taken_turned_and_refused(open_page: OpenPage, tmp_path: Path) -> None:
    page = ready(open_page())
    caption = page.locator("#picture figcaption")
    page.evaluate(PASTE, "media/sample/table.webp")
    expect(caption).to_contain_text("pasted.webp")

    images = [Image.new("RGB", (300, 200), colour) for colour in ("white", "navy")]
    images[0].save(tmp_path / "two.pdf", save_all=True, append_images=images[1:])
    upload(page, tmp_path / "two.pdf")
    expect(page.locator("#picture .notices")).to_contain_text("Page 1 of 2")
    before = page.locator("#picture img").get_attribute("src")
    page.locator("#pages input").fill("2")
    page.keyboard.press("Enter")
    expect(page.locator("#picture .notices")).to_contain_text("Page 2 of 2")
    assert page.locator("#picture img").get_attribute("src") != before

    (tmp_path / "words.png").write_text("no picture at all")
    upload(page, tmp_path / "words.png")
    expect(page.locator("#image-trouble [role=alert]")).to_contain_text("neither an image nor a PDF")
    expect(caption).to_contain_text("two.pdf")  # what was there stays
    with (tmp_path / "huge.png").open("wb") as file:
        file.truncate(51 * 10**6)
    upload(page, tmp_path / "huge.png")
    expect(page.locator("#image-trouble [role=alert]")).to_contain_text("50 MB")

    page.get_by_role("button", name="Camera").click()
    page.get_by_role("button", name="Take the picture").click()
    expect(caption).to_contain_text("camera.png")
    expect(page.locator("#camera")).to_be_hidden()
    page.locator("[data-sample=form]").click()
    expect(caption).to_contain_text("Russian form")
    expect(page.locator("#document-language input")).to_have_value("Russian")
    page.locator("#task label", has_text="Answer a question").click()
    expect(page.locator("#prompt textarea")).to_have_value(
        "What was wrong with the device, and what was done about it?"
    )
    page.locator("[data-sample=receipt]").click()
    expect(page.locator("#prompt textarea")).to_have_value("How much did the customer pay in total, and how?")
    expect(page.locator("#image-trouble [role=alert]")).to_have_count(0)


def test_a_phone_shows_it_all_without_scrolling_sideways(open_page: OpenPage) -> None:
    page = ready(open_page(locale="ru-RU", width=360, height=740, color_scheme="dark", has_touch=True))
    choose_fakes(page, f"say={'длинноеслово' * 60}")
    assert not page.evaluate(WIDE)
    expect(page.locator("#run")).to_be_in_viewport()
    run(page)
    for view in ("С оформлением", "Различия", "Текст"):
        page.get_by_text(view, exact=True).click()
        assert not page.evaluate(WIDE), view
    for tab, shown in ((0, "#run"), (-2, "#runs-table"), (-1, "#models-found")):
        open_tab(page, tab)
        expect(page.locator(shown)).to_be_visible()
        assert not page.evaluate(WIDE), tab


def test_the_keyboard_does_it_all_and_is_always_seen(open_page: OpenPage) -> None:
    page = ready(open_page())
    choose_fakes(page, "tokens=2")
    page.locator("[data-lang=en]").focus()
    seen: list[str] = []
    while "run" not in seen:
        page.keyboard.press("Tab")
        tag, name, ring = page.evaluate(FOCUS)
        # A closing list takes the focus for a moment and loses it to the page.
        assert ring or tag in ("BODY", "UL"), f"no focus to be seen on {tag} {name}"
        seen.append(name)
        assert len(seen) < 60, seen
    assert seen.index("swap") > 10
    page.locator("#prompt textarea").focus()
    page.keyboard.press("Control+Enter")
    expect(page.locator("#head-b .chip.ok")).to_be_visible(timeout=20_000)
