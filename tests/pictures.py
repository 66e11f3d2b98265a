"""Takes the pictures of README anew from the running application: ``make pictures``, on an idle machine.

The figures in them are whatever this machine measures at that moment.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Page, expect, sync_playwright

from tests.chromium import NONE as NO_CHROMIUM
from tests.chromium import chromium
from tests.serving import ROOT, page_serving

LANGUAGES = {"en": "en-US", "ru": "ru-RU"}
SIZE = {"width": 1280, "height": 900}
A_RUN_MS = 120_000


def compare(page: Page, url: str) -> None:
    """The Russian form through both models that need no download, done."""
    page.goto(url)
    expect(page.locator("#badge-b .chip")).to_be_visible(timeout=A_RUN_MS)
    page.locator("[data-sample=form]").click()
    page.wait_for_function("() => !document.querySelector('#picture img')?.src.includes('receipt')")
    page.locator("#run").click()
    page.wait_for_selector("#announcer [data-over]", timeout=A_RUN_MS, state="attached")
    page.wait_for_function("() => [...document.images].every((each) => each.complete)")
    page.wait_for_timeout(1000)  # of what moves into its place
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
        for lang, locale in LANGUAGES.items():
            page = browser.new_page(locale=locale, viewport=SIZE)
            compare(page, url)
            page.screenshot(path=ROOT / "docs" / "images" / f"compare-{lang}.png", full_page=True)
            page.close()
        browser.close()


if __name__ == "__main__":
    main()
