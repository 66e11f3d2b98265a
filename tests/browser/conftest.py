"""The real app in a process of its own and the real Chromium; a page fails on any error in its console."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect, sync_playwright

from tests.chromium import NONE as NO_CHROMIUM
from tests.chromium import chromium
from tests.serving import page_serving

ROOT = Path(__file__).parent.parent.parent
QUIET = [
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-sync",
    "--use-fake-device-for-media-stream",  # a camera that shows a moving figure
    "--use-fake-ui-for-media-stream",
]

expect.set_options(timeout=15_000)  # a busy machine is not a fault

# What the framework says of its own open connections when a page is left in the middle of an event.
LEAVING = (
    "AbortError: signal is aborted",
    "AbortError: BodyStreamBuffer was aborted",
    "Unexpected error Connection errored out",
)


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    path = chromium()
    if path is None:
        pytest.fail(NO_CHROMIUM)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=QUIET, chromium_sandbox=os.geteuid() != 0)
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def app_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data folder of the app."""
    return tmp_path_factory.mktemp("app") / "data"


@pytest.fixture(scope="package")
def app_url(app_home: Path) -> Iterator[str]:
    """The app as a user starts it, on a home of its own; its address."""
    with serving(app_home) as url:
        yield url


def open_tab(page: Page, which: int | str) -> None:
    """A tab by its place, from the end where negative, or its name."""
    bar = page.locator("#tabs > .tab-wrapper")
    tabs = bar.get_by_role("tab")
    expect(tabs.first).to_be_visible()
    found = bar.get_by_role("tab", name=which, exact=True) if isinstance(which, str) else tabs.nth(which % tabs.count())
    found.click()


@contextmanager
def serving(app_home: Path, **more: str) -> Iterator[str]:
    """The app in a process of its own, with further environment variables; its address."""
    with page_serving(app_home, patience_s=180, **{"ARENA_DEV": "1"} | more) as url:
        yield f"{url}/"


@pytest.fixture
def open_page(browser: Browser, app_url: str) -> Iterator[Callable[..., Page]]:
    """``open_page(locale="en-US", width=1280, height=900)``: a new user with an empty browser, on the page.

    At the end no page may have written an error to its console or asked any other host for anything.
    """
    contexts: list[BrowserContext] = []
    faults: list[str] = []

    def watch(page: Page) -> None:
        def console(said: ConsoleMessage) -> None:
            if said.type == "error" and not said.text.startswith(LEAVING):
                faults.append(f"console: {said.text}")

        page.on("console", console)
        page.on("pageerror", lambda error: faults.append(f"uncaught: {error}"))
        page.on(
            "request",
            lambda request: (
                None
                if request.url.startswith((app_url, "data:", "blob:"))
                else faults.append(f"asked another host: {request.url}")
            ),
        )

    def open_page(locale: str = "en-US", width: int = 1280, height: int = 900, **options: object) -> Page:
        context = browser.new_context(
            locale=locale, viewport={"width": width, "height": height}, accept_downloads=True, **options
        )
        contexts.append(context)
        page = context.new_page()
        watch(page)
        page.goto(app_url)
        page.wait_for_load_state("load")
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert not faults, "\n".join(faults)
