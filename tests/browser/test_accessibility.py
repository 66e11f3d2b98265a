"""Every tab in both languages and themes, on a desktop and on a phone: axe-core finds nothing, no word of the
other language is seen or read out, and what has the keyboard is always visible."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from tests.browser.conftest import open_tab
from tests.browser.test_compare_tab import FOCUS, ready, run

OpenPage = Callable[..., Page]
DESKTOP, PHONE = (1366, 900), (390, 844)
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
# Once nothing has changed for a moment.
SETTLED = """() => new Promise((done) => {
  let timer = 0;
  const watch = new MutationObserver(() => { clearTimeout(timer); timer = setTimeout(end, 400); });
  const end = () => { watch.disconnect(); done(); };
  watch.observe(document.body, { subtree: true, childList: true, characterData: true });
  timer = setTimeout(end, 400);
})"""
# Every text that is seen or read out, but for what stands there in a language of its own or was read by a model.
SAID = """() => {
  const lang = document.documentElement.lang;
  const own = `script, style, code, pre, dd, [lang]:not(:lang(${lang})), .languages, .of-text, [dir=auto]`;
  const said = [];
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const [text, place] = [texts.currentNode.data.trim(), texts.currentNode.parentElement];
    if (text && place.checkVisibility({ visibilityProperty: true }) && !place.closest(own)) said.push(text);
  }
  for (const node of document.querySelectorAll("[aria-label], [title], [placeholder], [alt]"))
    if (node.checkVisibility() && !node.closest(own))
      for (const name of ["aria-label", "title", "placeholder", "alt"])
        if (node.getAttribute(name)) said.push(node.getAttribute(name));
  return said;
}"""
# Names of programs, models, licences, files, commands and formats are the same in every language.
NAMES = re.compile(
    r"\S*[\d_/.:]\S*|\b(VLM|Arena|[A-Za-z]*OCR|Tesseract|Test|model|Apache|MIT|BSD|Llama|Qwen\w*|SmolVLM|Moondream|Phi|Gemma|"
    r"DeepSeek|MiniCPM\w*|InternVL\w*|Florence|GOT|GLM|Vision|Tiny|Community|License|terms|Model|earlier|revisions|InternLM|licence|agreement|NVIDIA|Docker|"
    r"Engine|Python|torch|transformers|vllm|vLLM|fake|rapidocr|tesseract|arena|models|download|sudo|systemctl|start|"
    r"python|docker|endpoint|Instruct|fp|bf|bit|hf|JSON|CSV|XLSX|Parquet|PDF|HTML|Markdown|README|Hugging|Face|Hub|Terms|of|Use|"
    r"CER|WER|VRAM|RAM|GPU|CPU|Ctrl|Shift|Enter|Esc|id|cookie|QR)\b"
)


def violations(page: Page) -> list[str]:
    """What axe finds, one line an element."""
    found = Axe().run(page, options=RULES).response["violations"]
    return [
        f"{each['id']}: {node['html'][:160]} — {node['failureSummary'].splitlines()[1].strip()}"
        for each in found
        for node in each["nodes"]
    ]


def foreign(page: Page, lang: str) -> list[str]:
    """Texts on the page that are in the other language."""
    said = set(page.evaluate(SAID))
    if lang == "en":
        return [text for text in said if re.search("[а-яё]", text, re.IGNORECASE)]
    english = (text for text in said if not re.search("[а-яё]", text, re.IGNORECASE))
    return [text for text in english if re.search("[A-Za-z]{3}", NAMES.sub("", text))]


def tabs(page: Page) -> Iterator[str]:
    """Every tab, one after the other, each when it is there."""
    for name in page.locator("#tabs > .tab-wrapper").get_by_role("tab").all_inner_texts():
        open_tab(page, name)
        page.evaluate(SETTLED)
        yield name


@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    ("locale", "theme", "size"),
    [("en-US", "light", DESKTOP), ("ru-RU", "dark", DESKTOP), ("ru-RU", "light", PHONE), ("en-US", "dark", PHONE)],
)
def test_no_tab_shuts_anybody_out(open_page: OpenPage, locale: str, theme: str, size: tuple[int, int]) -> None:
    page = ready(open_page(locale=locale, width=size[0], height=size[1], reduced_motion="reduce"))
    if theme == "dark":
        page.locator("[data-theme=switch]").click()
    run(page)
    found: dict[str, list[str]] = {}
    for name in tabs(page):
        found[name] = violations(page) + foreign(page, locale[:2])
        if page.locator("#runs-table tbody button.open").first.is_visible():
            page.locator("#runs-table tbody button.open").first.click()
            page.locator("#run-answer").wait_for()
            found[f"{name}: a run"] = violations(page) + foreign(page, locale[:2])
            page.keyboard.press("Escape")
        if (locale, size) == ("en-US", DESKTOP):
            page.locator("#tabs [role=tab][aria-selected=true]").focus()
            for _ in range(15):
                page.keyboard.press("Tab")
                tag, what, ring = page.evaluate(FOCUS)
                if tag != "BODY" and not ring:
                    found[name].append(f"has the keyboard and does not show it: {tag} {what}")
    assert len(found) > 3
    assert {name: faults for name, faults in found.items() if faults} == {}
