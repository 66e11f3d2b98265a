"""Takes the pictures of README anew from the running application: ``make pictures``, on an idle machine.

The figures in them are whatever this machine measures at that moment.
"""

from __future__ import annotations

import itertools
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from playwright.sync_api import Page, expect, sync_playwright

from tests.chromium import NONE as NO_CHROMIUM
from tests.chromium import chromium
from tests.serving import ROOT, page_serving

LANGUAGES = {"en": "en-US", "ru": "ru-RU"}
SIZE = {"width": 1280, "height": 900}
A_RUN_MS = 120_000
SETTLED_MS = 1000  # until everything is in its place


# Name of the picture: sample, task, the models in words.
COMPARED = {
    "compare": ("form", "ocr", ("RapidOCR", "Tesseract")),
    "question": ("figures", "question", ("Tiny VLM", "Tiny VLM 8-bit")),
}


def compare(page: Page, url: str, sample: str, task: str, models: Sequence[str]) -> None:
    """A sample through two models that need no download, done."""
    page.goto(url)
    expect(page.locator("#badge-b .chip")).to_be_visible(timeout=A_RUN_MS)
    page.locator(f"[data-sample={sample}]").click()
    expect(page.locator(f"[data-sample={sample}]")).to_have_attribute("aria-pressed", "true")
    page.locator(f"#task input[value={task}]").check()
    for side, title in zip("ab", models, strict=True):
        page.wait_for_timeout(SETTLED_MS)
        page.locator(f"#model-{side} input").click()
        page.get_by_role("option", name=title).first.click()
        expect(page.locator(f"#model-{side} input")).to_have_value(f"● {title}")
    page.wait_for_timeout(SETTLED_MS)
    page.locator("#run").click()
    page.wait_for_selector("#announcer [data-over]", timeout=A_RUN_MS, state="attached")
    page.wait_for_function("() => [...document.images].every((each) => each.complete)")
    page.wait_for_timeout(SETTLED_MS)
    page.evaluate("scrollTo(0, 0)")


def main() -> None:
    path = chromium()
    if path is None:
        sys.exit(NO_CHROMIUM)
    with (
        tempfile.TemporaryDirectory() as home,
        page_serving(Path(home) / "data", patience_s=180) as url,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=path, chromium_sandbox=os.geteuid() != 0)
        for (lang, locale), (name, what) in itertools.product(LANGUAGES.items(), COMPARED.items()):
            page = browser.new_page(locale=locale, viewport=SIZE)
            compare(page, url, *what)
            page.screenshot(path=ROOT / "docs" / "images" / f"{name}-{lang}.png", full_page=True)
            page.close()
        browser.close()


if __name__ == "__main__":
    main()
