"""Tab Chat in a real browser: turns, pictures, edits, another answer, files, two strangers; both languages, a phone."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

from conftest import serving
from PIL import Image
from playwright.sync_api import Browser, Locator, Page, expect

from arena.strings import strings

OpenPage = Callable[..., Page]
WIDE = "document.documentElement.scrollWidth > window.innerWidth"


def opened(page: Page) -> Page:
    page.locator("[role=tab][data-tab-id=chat]").click()
    expect(page.locator("#chat-badge-b .chip")).to_be_visible()
    expect(page.locator("#chat-kept .new")).to_be_visible()
    return page


def message(page: Page) -> Locator:
    return page.locator("#chat-message textarea")


def turns(page: Page) -> Locator:
    return page.locator("#chat-talk .turn")


def ask(page: Page, text: str) -> None:
    """Ask, and wait until the answer is kept."""
    before = turns(page).count()
    message(page).fill(text)
    message(page).press("Enter")
    expect(turns(page)).to_have_count(before + 1)
    over(page)


def over(page: Page) -> None:
    expect(page.locator("#chat-talk [data-event=again]")).to_be_visible()
    expect(page.locator("#chat-send")).to_be_enabled()
    expect(page.locator("#chat-stop")).to_be_disabled()


def answers(page: Page, turn: int) -> list[str]:
    return turns(page).nth(turn).locator(".one .source").all_text_contents()


def test_a_conversation_about_pictures_from_the_first_question_to_its_file(open_page: OpenPage, tmp_path: Path) -> None:
    page = opened(open_page(locale="ru-RU", width=1366))
    page.locator("#chat-settings .label-wrap").click()
    page.locator("#chat-system textarea").fill("Сэр,")
    page.locator("#chat-samples summary").click()
    page.locator("#chat-samples [data-value=receipt]").click()
    expect(page.locator("#chat-attached img")).to_have_count(1)
    Image.new("RGB", (90, 60), "teal").save(tmp_path / "own.png")
    page.locator("#chat-composer input[type=file]").set_input_files(tmp_path / "own.png")
    expect(page.locator("#chat-attached img")).to_have_count(2)
    page.get_by_role("button", name="Убрать изображение 1").click()
    expect(page.locator("#chat-attached img")).to_have_count(1)

    message(page).fill("recall=1")
    message(page).press("Shift+Enter")
    expect(message(page)).to_have_value("recall=1\n")
    ask(page, "recall=1 Что здесь?")
    expect(message(page)).to_have_value("")
    expect(page.locator("#chat-attached img")).to_have_count(0)
    assert answers(page, 0) == ["[picture] Сэр,\n\nrecall=1 Что здесь? →  | "] * 2
    assert "первый текст" in turns(page).first.locator(".cost").first.inner_text()
    page.locator("#chat-who label", has_text="Только B").click()
    ask(page, "say=ответ_B")
    expect(turns(page).nth(1).locator(".one.b")).to_have_text(re.compile("ответ B"))
    expect(turns(page).nth(1).locator(".one")).to_have_count(1)
    page.locator("#chat-who label", has_text="Обе").click()
    ask(page, "recall=1 А теперь?")
    one, two = answers(page, 2)
    assert "say=ответ_B → ответ B  | recall=1 А теперь? →" in two and "ответ B" not in one

    turns(page).nth(1).get_by_role("button", name="Изменить").click()
    edit = turns(page).nth(1).locator("form.edit textarea")
    expect(edit).to_be_focused()
    expect(turns(page).nth(1)).to_contain_text("будет удалено")
    edit.press("Escape")
    expect(edit).to_be_hidden()
    turns(page).nth(1).get_by_role("button", name="Изменить").click()
    edit.fill("say=иначе")
    edit.press("Enter")
    expect(turns(page)).to_have_count(2)
    over(page)
    expect(turns(page).nth(1).locator(".one .source")).to_have_text(["иначе"] * 2)
    page.get_by_role("button", name="Другой ответ").click()
    expect(page.locator("#chat-now .said, #chat-talk .turn:nth-child(2) .said")).to_be_visible()
    over(page)
    expect(turns(page).nth(1).locator(".one .source")).to_have_text(["иначе"] * 2)

    for name, kind in (("Markdown", "md"), ("JSON", "json")):
        with page.expect_download() as saved:
            page.get_by_role("link", name=name).click()
        text = saved.value.path().read_text(encoding="utf-8")
        assert saved.value.suggested_filename.endswith(f".{kind}") and "иначе" in text
    told = json.loads(text)
    assert told["setup"]["system"] == "Сэр," and len(told["turns"]) == 2
    assert told["turns"][1]["answers"]["A"]["run"]["status"] == "ok"
    lines = {line.strip() for line in page.locator("#chat").inner_text().splitlines()}
    assert not lines & (set(strings("en").values()) - set(strings("ru").values()))
    page.locator("[data-lang=en]").click()
    expect(page.get_by_role("button", name="Another answer")).to_be_visible()
    expect(page.locator("#chat-send")).to_have_text("Send")


def test_conversations_are_stopped_kept_renamed_and_deleted_on_a_phone(open_page: OpenPage) -> None:
    page = opened(open_page(locale="en-GB", width=390, height=844))
    message(page).fill("tokens=2000 delay=0.05")
    message(page).press("Enter")
    expect(page.locator("#chat-now .one.a .stream")).to_contain_text("2 ")
    message(page).fill("the next question, written meanwhile")
    page.locator("#chat-stop").click()
    over(page)
    expect(turns(page).first.locator(".one.a .trouble.cancelled")).to_be_visible()
    assert "2 " in answers(page, 0)[0]
    expect(message(page)).to_have_value("the next question, written meanwhile")
    assert not page.evaluate(WIDE)

    page.locator("#chat-kept .new").click()
    expect(page.locator("#chat-talk .none")).to_be_visible()
    ask(page, "say=<b>bold</b> & _<i>")
    assert answers(page, 0)[0] == "<b>bold</b> "
    page.locator("#chat-kept summary").click()
    first = page.locator("#chat-kept li").first
    expect(first.locator(".open")).to_contain_text("say=")
    first.get_by_role("button", name="Rename").click()
    first.locator("form.edit input").fill("Renamed <i>talk</i>")
    first.locator("form.edit input").press("Enter")
    expect(page.locator("#chat-kept .open").first).to_contain_text("Renamed <i>talk</i>")
    page.locator("#chat-kept summary").click()
    page.locator("#chat-kept .open", has_text="tokens=2000").click()
    expect(turns(page).first.locator(".trouble.cancelled").first).to_be_visible()
    assert not page.evaluate(WIDE)
    page.reload()
    opened(page).locator("#chat-kept summary").click()
    page.locator("#chat-kept .open", has_text="Renamed").click()
    expect(turns(page).first.locator(".one")).to_have_count(2)
    page.locator("#chat-kept summary").click()
    page.get_by_role("button", name="Delete “Renamed").click()
    page.locator("#chat-kept .sure:not([hidden]) .bad").click()
    expect(page.locator("#chat-talk .none")).to_be_visible()
    expect(page.locator("#chat-kept .open", has_text="Renamed")).to_have_count(0)


def test_two_strangers_do_not_reach_each_others_conversations(browser: Browser, tmp_path: Path) -> None:
    with serving(tmp_path / "data", ARENA_PASSWORD="sesame") as url:
        contexts = [browser.new_context(locale="en-GB") for _ in range(2)]
        mine, other = (context.new_page() for context in contexts)
        for page in (mine, other):
            page.goto(url)
            page.locator("input[type=password]").fill("sesame")
            page.locator("input[type=password]").press("Enter")
            opened(page)
        ask(mine, "say=mine")
        link = str(mine.locator("#chat-files a").first.get_attribute("href"))
        assert [context.request.get(url + link).status for context in contexts] == [200, 404]
        name = link.split("/")[1].split(".")[0]
        ask(other, "say=other")
        expect(other.locator("#chat-kept li")).to_have_count(1)
        # Forged events: the buttons of one's own conversation with the name of another's.
        forge = "(node, name) => { node.dataset.value = name; node.click(); }"
        other.locator("#chat-kept .bad").evaluate(forge, name)
        other.locator("#chat-kept .open").evaluate(forge, name)
        expect(other.locator(".toast-body")).to_contain_text("no longer there")
        other.reload()
        expect(opened(other).locator("#chat-kept li")).to_have_count(1)
        mine.reload()
        opened(mine).locator("#chat-kept .open").click()
        expect(turns(mine).first.locator(".one.a")).to_contain_text("mine")
        for context in contexts:
            context.close()
