"""Tab Battle in a real browser: blind until the vote, in both languages, by keys, taken back, two visitors apart."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml
from playwright.sync_api import Page, expect

from arena.config import load_settings
from arena.store import Store
from arena.strings import strings
from arena.votes import Vote, Votes
from tests.browser.conftest import open_tab, serving
from tests.browser.test_compare_tab import FOCUS, NAMELESS, PASTE, WIDE, ready

OpenPage = Callable[..., Page]
ENGINES = {"rapidocr": "RapidOCR", "tesseract": "Tesseract"}
BIRDS = {"quiet_heron": "Quiet Heron", "bold_otter": "Bold Otter"}
CSV = "async () => await (await fetch('runs.csv')).text()"
# Everything the page is told from now on, streams included.
LISTEN = """() => {
  const heard = window.heard = [];
  const [ask, Source] = [window.fetch, window.EventSource];
  const follow = async (body) => {
    const [reader, at] = [body.pipeThrough(new TextDecoderStream()).getReader(), heard.push("") - 1];
    for (let piece; !(piece = await reader.read()).done;) heard[at] += piece.value;
  };
  window.fetch = async (...given) => {
    const response = await ask(...given);
    const copy = response.clone();
    if (copy.body) follow(copy.body).catch(() => {});
    return response;
  };
  window.EventSource = class extends Source {
    constructor(...given) { super(...given); this.addEventListener("message", (event) => heard.push(event.data)); }
  };
}"""


@pytest.fixture(scope="module")
def app_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With the test model as two that differ in how much they say."""
    home = tmp_path_factory.mktemp("battle") / "data"
    home.mkdir()
    usual = {"adapter": "fake", "modes": {"embedded": {}}, "tasks": ["ocr", "question"]}
    models = {
        name: usual | {"title": title, "params": {"max_new_tokens": 5 + 4 * at}}
        for at, (name, title) in enumerate(BIRDS.items())
    }
    (home / "models.yaml").write_text(yaml.safe_dump({"models": models}))
    return home


@pytest.fixture(scope="module")
def app_url(app_home: Path) -> Iterator[str]:
    with serving(app_home, ARENA_DEV="0") as url:
        yield url


@pytest.fixture
def votes(app_home: Path, app_url: str) -> Iterator[Callable[[], list[Vote]]]:
    """The votes that count, read beside the app."""
    store = Store(load_settings({"ARENA_HOME": str(app_home)}).database_url)
    yield lambda: list(Votes(store).iterate())
    store.close()


def entered(page: Page, titles: dict[str, str]) -> Page:
    """The tab, with these and no others in the pool."""
    open_tab(ready(page), 1)
    expect(page.locator("#battle-ring .how")).to_be_visible()
    expect(page.locator("#battle-prompt textarea")).not_to_have_value("")
    for title in titles.values():
        page.locator("#battle-pool input").click()
        page.get_by_role("option", name=title, exact=True).click()
        expect(page.locator("#battle-pool .token", has_text=title)).to_be_visible()
    page.keyboard.press("Escape")
    return page


def ended(page: Page, phase: str) -> None:
    expect(page.locator(f"#battle-ring [data-phase={phase}]")).to_be_visible(timeout=60_000)
    expect(page.locator("#battle-stop")).to_be_disabled()


def rows(page: Page) -> int:
    """How many runs the page gives out as a file."""
    return len(list(csv.DictReader(io.StringIO(page.evaluate(CSV)))))


ABSENT = "Qwen2-VL 7B"  # in no pool here: what names it too is the list of all models, which tells nothing


def names_in(said: str, pool: dict[str, str] = ENGINES | BIRDS) -> set[str]:
    words = {*pool, *pool.values()}
    return {word for word in words if word.lower() in said.lower()}


@pytest.mark.battery("X9")
@pytest.mark.parametrize(("locale", "pool"), [("en-US", ENGINES), ("ru-RU", BIRDS)])
def test_who_answers_is_known_to_nobody_before_the_vote(
    open_page: OpenPage, votes: Callable[[], list[Vote]], locale: str, pool: dict[str, str]
) -> None:
    said, other = strings(locale[:2]), strings("ru" if locale == "en-US" else "en")
    page = entered(open_page(locale=locale, width=1366), pool)
    before, runs = votes(), rows(page)
    page.evaluate(LISTEN)
    page.locator("#battle-run").click()
    ended(page, "voting")
    texts = [page.locator(f"#battle-answer-{letter}").inner_text() for letter in "AB"]
    assert texts[0].split() != texts[1].split() and all(texts)
    assert rows(page) == runs
    open_tab(page, -2)
    expect(page.locator("#runs-table section")).to_be_visible()
    open_tab(page, 1)
    heard = page.evaluate("heard")
    assert [said for said in heard if texts[0][:8] in said], "the answers were heard"
    assert not [said for said in heard if names_in(said, pool) and ABSENT not in said]
    assert not names_in(page.locator("#battle-ring").inner_html() + page.locator("#battle-state").inner_html())
    for texts_of, lang in ((other, "ru" if locale == "en-US" else "en"), (said, locale[:2])):
        page.locator("#header .languages button", has_text=lang.upper()).click()
        expect(page.locator("#battle-question")).to_have_text(texts_of["battle.question"])
        assert not names_in(page.locator("#battle-ring").inner_html())
    lines = {line.strip() for line in page.locator("#battle").inner_text().splitlines()}
    assert not lines & (set(other.values()) - set(said.values()))
    assert not page.evaluate(NAMELESS)

    page.locator("#battle-prompt textarea").press("2")
    expect(page.locator("#battle-prompt textarea")).to_have_value(re.compile("2"))
    ended(page, "voting")
    page.locator("#battle-ring label", has_text=said["battle.reasons.layout"]).click()
    page.keyboard.press("2")
    ended(page, "decided")
    expect(page.locator("#battle-state")).to_contain_text(said["battle.vote.b"])
    assert names_in(page.locator("#battle-ring").inner_text()) >= set(pool.values())
    expect(page.locator("#battle-ring .result.b .chip.ok", has_text=said["battle.better"])).to_be_visible()
    expect(page.locator("#battle-ring .figures tr", has_text=said["ui.figures.generate"])).to_be_visible()
    expect(page.locator("#battle-ring [data-next=same]")).to_be_focused()
    assert page.evaluate(FOCUS)[2], "the focus is seen"
    assert rows(page) == runs + 2
    (vote,) = [each for each in votes() if each not in before]
    assert (vote.outcome, vote.source, vote.reasons) == ("b", "battle", ("layout",))
    assert {vote.model_a, vote.model_b} == set(pool) and vote.visitor
    shown = page.locator("#battle-ring .result.b h3").inner_text()
    assert shown == pool[vote.model_b]


def test_a_vote_is_taken_back_and_the_next_battle_begins(open_page: OpenPage, votes: Callable[[], list[Vote]]) -> None:
    page, said = entered(open_page(), BIRDS), strings("en")
    before = votes()
    page.locator("#battle-run").click()
    ended(page, "voting")
    page.keyboard.press("1")
    ended(page, "decided")
    assert [each.source for each in votes() if each not in before] == ["battle"]
    page.locator("[data-event=take_back]").click()
    ended(page, "open")
    expect(page.locator("#battle-state")).to_have_text(said["battle.state.open"])
    assert votes() == before
    page.locator("#battle-ring [data-vote=tie]").click()
    ended(page, "decided")
    assert [each.source for each in votes() if each not in before] == ["compare"]
    page.locator("[data-next=sample]").click()
    ended(page, "voting")
    expect(page.locator("#battle-picture figcaption")).to_contain_text("Russian form")
    page.locator("[data-event=skip_battle]").click()
    ended(page, "skipped")
    page.locator("#battle-prompt textarea").fill("delay=60")
    page.locator("[data-next=same]").click()
    expect(page.locator("#battle-state .fighting")).to_contain_text("1 of 2")
    page.locator("#battle-stop").click()
    ended(page, "void")
    assert len(votes()) == len(before) + 1
    page.evaluate(PASTE, "media/sample/form.webp")
    expect(page.locator("#battle-picture figcaption")).to_contain_text("pasted.webp")
    expect(page.locator("#picture figcaption")).to_contain_text("Till receipt")


def test_the_same_answers_and_no_answers_need_no_vote(open_page: OpenPage, votes: Callable[[], list[Vote]]) -> None:
    said = strings("ru")
    page = entered(open_page(locale="ru-RU", width=390, height=844), BIRDS)
    before = votes()
    page.locator("#battle-prompt textarea").fill("say=one_and_the_same")
    page.locator("#battle-run").click()
    ended(page, "decided")
    expect(page.locator("#battle-state")).to_have_text(said["battle.state.same"])
    expect(page.locator("[data-event=take_back]")).to_have_count(0)
    (vote,) = [each for each in votes() if each not in before]
    assert (vote.outcome, vote.automatic) == ("tie", True)
    assert not page.evaluate(WIDE)
    page.locator("#battle-prompt textarea").fill("raise=Bold_Otter")
    page.locator("#battle-ring [data-next=same]").click()
    ended(page, "void")
    expect(page.locator("#battle-state")).to_have_text(said["battle.state.void"])
    assert page.locator("#battle-ring .result .hint").all_inner_texts() == [said["battle.no_answer"]] * 2
    assert not names_in(page.locator("#battle-ring").inner_html())
    assert len(votes()) == len(before) + 1
    page.locator("#battle-pool .token-remove").first.click()
    page.locator("#battle-run").click()
    expect(page.locator(".toast-body")).to_contain_text(said["battle.too_few_chosen"])


def test_two_visitors_vote_apart(open_page: OpenPage, votes: Callable[[], list[Vote]]) -> None:
    before = votes()
    pages = [entered(open_page(width=width), BIRDS) for width in (1366, 390)]
    for page in pages:
        page.locator("#battle-prompt textarea").fill("delay=0.1")
        page.locator("#battle-run").click()
    for page in pages:
        ended(page, "voting")
        assert not page.evaluate(WIDE)
    pages[0].locator("[data-vote=a]").click()
    ended(pages[0], "decided")
    ended(pages[1], "voting")
    pages[1].keyboard.press("4")
    ended(pages[1], "decided")
    cast = [each for each in votes() if each not in before]
    assert [each.outcome for each in cast] == ["a", "both_bad"]
    assert len({each.visitor for each in cast}) == len({each.comparison_id for each in cast}) == 2
