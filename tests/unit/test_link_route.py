"""The permanent page: who sees it and who does not, in which language, its image, and that nothing else is reached."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from PIL import Image
from runs import make_run
from starlette.requests import Request as HttpRequest

from arena.access import COOKIE, new_token, visitor_of
from arena.catalog import load_catalog
from arena.comparisons import Comparisons
from arena.config import load_settings
from arena.images import ImageStore
from arena.record import new_id
from arena.store import Store
from arena.strings import tr
from arena.ui.link_bar import bar
from arena.ui.link_route import router
from arena.ui.shell import COOKIE as LANGUAGE

ID = "01M7YY0G3RNA06W4S16GJ8J5BQ"  # the same in every process of the tests
OWNER, STRANGER = new_token(), new_token()
KINDS = ("", ".html", ".json", "/image.webp")
TRAVERSAL = (
    "..%2f..%2fetc%2fpasswd",
    "%2e%2e/%2e%2e/etc/passwd",
    "..\\..\\arena.db",
    "%00",
    ID.lower(),
    ID + "0",
    ID[:-1],
    f"{ID}%0d%0aX-Evil:1",
    "' OR 1=1 --",
    "*",
    "%",
    "<script>",
)


class Site:
    """The routes over a store with one comparison; `apart`: with strangers."""

    def __init__(self, home: Path, *, apart: bool) -> None:
        settings = replace(load_settings({"ARENA_HOME": str(home)}), share=apart)
        self.store = Store(settings.database_url)
        self.comparisons = Comparisons(self.store)
        self.images = ImageStore(settings.images)
        picture = home / "picture.png"
        Image.new("RGB", (80, 60), "white").save(picture)
        self.image = self.images.add(picture)
        self.comparisons.begin(ID, as_visitor(OWNER))
        for number in (0, 1):
            told: dict[str, Any] = {"comparison_id": ID, "image_sha256": self.image.sha256, "title": "<b>Model</b>"}
            self.store.save(make_run(number, **told))
        parts = SimpleNamespace(
            settings=settings,
            store=self.store,
            images=self.images,
            comparisons=self.comparisons,
            catalog=SimpleNamespace(tasks=load_catalog(settings).tasks),
        )
        self.app = FastAPI()
        self.app.include_router(router(parts))  # type: ignore[arg-type]

    def ask(self, path: str, token: str = "", method: str = "GET", **headers: str) -> httpx.Response:
        async def asked() -> httpx.Response:
            transport = httpx.ASGITransport(self.app)
            async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
                cookies = f"{COOKIE}={token}" if token else ""
                return await client.request(method, path, headers={"cookie": cookies} | headers)

        with ThreadPoolExecutor(1) as thread:  # that of the tests may have a loop of a browser's
            return thread.submit(asyncio.run, asked()).result()

    def codes(self, token: str = "") -> list[int]:
        return [self.ask(f"/c/{ID}{kind}", token).status_code for kind in KINDS]

    def close(self) -> None:
        self.store.close()
        self.images.close()


def as_visitor(token: str) -> str:
    return visitor_of(HttpRequest({"type": "http", "headers": [(b"cookie", f"{COOKIE}={token}".encode())]}))


@pytest.fixture(scope="module")
def together(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    site = Site(tmp_path_factory.mktemp("together"), apart=False)
    yield site
    site.close()


@pytest.fixture
def strangers(tmp_path: Path) -> Iterator[Site]:
    site = Site(tmp_path, apart=True)
    yield site
    site.close()


def test_where_visitors_are_not_apart_whoever_reaches_the_page_sees_it(together: Site) -> None:
    assert together.codes() == together.codes(STRANGER) == [200] * 4
    page = together.ask(f"/c/{ID}")
    assert "&lt;b&gt;Model&lt;/b&gt;" in page.text and "<b>Model" not in page.text
    assert f'src="{ID}/image.webp"' in page.text and "Кассовый чек № 1" in page.text
    assert "no-store" in page.headers["cache-control"] and page.headers["x-robots-tag"] == "noindex"
    assert tr("report.bar.do_share", "en") not in page.text and tr("report.bar.private", "en") not in page.text
    assert together.ask(f"/c/{ID}/image.webp").headers["content-type"] == "image/webp"


def test_the_files_are_downloads_with_the_image_in_them(together: Site) -> None:
    file = together.ask(f"/c/{ID}.html")
    assert file.headers["content-disposition"] == f'attachment; filename="vlm-arena-{ID}.html"'
    assert 'src="data:image/webp;base64,' in file.text and f"/c/{ID}" not in file.text
    said = together.ask(f"/c/{ID}.json?image=1").json()
    assert said["request"]["image"]["data_url"].startswith("data:image/png;base64,iVBOR")
    assert together.ask(f"/c/{ID}.json").json()["request"]["image"]["data_url"] is None


def test_among_strangers_only_the_owner_sees_it_until_he_shares_it(strangers: Site) -> None:
    site = strangers
    assert site.codes(OWNER) == [200] * 4
    assert site.codes(STRANGER) == site.codes() == [404] * 4
    assert tr("report.bar.private", "en") in site.ask(f"/c/{ID}", OWNER).text

    for token in ("", STRANGER):
        assert site.ask(f"/c/{ID}/share", token, "POST").status_code == 404
    assert site.codes(STRANGER) == [404] * 4

    shared = site.ask(f"/c/{ID}/share?lang=ru", OWNER, "POST")
    assert (shared.status_code, shared.headers["location"]) == (303, f"../{ID}?lang=ru")
    assert site.codes(STRANGER) == site.codes() == [200] * 4
    assert tr("report.bar.shared", "en") in site.ask(f"/c/{ID}", OWNER).text
    assert tr("report.bar.unshare", "en") not in site.ask(f"/c/{ID}", STRANGER).text

    assert site.ask(f"/c/{ID}/unshare", STRANGER, "POST").status_code == 404
    assert site.ask(f"/c/{ID}/unshare", OWNER, "POST").status_code == 303
    assert site.codes(STRANGER) == [404] * 4


def test_what_is_hidden_is_answered_as_what_is_not_there(strangers: Site) -> None:
    def bare(answer: httpx.Response) -> tuple[int, str, list[tuple[str, str]]]:
        return answer.status_code, answer.text, answer.headers.multi_items()

    for kind in KINDS:
        assert bare(strangers.ask(f"/c/{ID}{kind}", STRANGER)) == bare(strangers.ask(f"/c/{new_id()}{kind}", STRANGER))
    assert tr("report.missing", "en") in strangers.ask(f"/c/{ID}", STRANGER).text


def test_a_comparison_of_the_command_line_is_nobodys_among_strangers(strangers: Site) -> None:
    other = new_id()
    strangers.store.save(make_run(7, comparison_id=other))
    assert strangers.ask(f"/c/{other}", OWNER).status_code == strangers.ask(f"/c/{other}").status_code == 404
    assert strangers.ask(f"/c/{other}/share", "", "POST").status_code == 404


@pytest.mark.parametrize("name", TRAVERSAL)
@pytest.mark.parametrize("kind", KINDS)
def test_a_name_that_is_no_comparison_reaches_nothing(together: Site, name: str, kind: str) -> None:
    assert together.ask(f"/c/{name}{kind}").status_code == 404


def test_the_image_of_another_comparison_is_not_reached_through_this_one(strangers: Site) -> None:
    other = new_id()
    strangers.comparisons.begin(other, as_visitor(STRANGER))
    strangers.store.save(make_run(9, comparison_id=other, image_sha256=None))
    assert strangers.ask(f"/c/{other}", STRANGER).status_code == 200
    assert strangers.ask(f"/c/{other}/image.webp", STRANGER).status_code == 404


@pytest.mark.parametrize(
    ("query", "headers", "lang"),
    [
        ("", {}, "en"),
        ("", {"accept-language": "ru-RU,ru;q=0.9"}, "ru"),
        ("", {"accept-language": "ru", "cookie": f"{LANGUAGE}=en"}, "en"),
        ("?lang=ru", {"cookie": f"{LANGUAGE}=en"}, "ru"),
        ("?lang=xx", {"accept-language": "ru"}, "ru"),
    ],
)
def test_the_language_is_the_visitors(together: Site, query: str, headers: dict[str, str], lang: str) -> None:
    for kind in ("", ".html"):
        assert f'<html lang="{lang}">' in together.ask(f"/c/{ID}{kind}{query}", **headers).text
    assert f'<html lang="{lang}">' in together.ask(f"/c/{new_id()}{query}", **headers).text


def test_a_language_too_long_to_be_one_is_refused(together: Site) -> None:
    assert together.ask(f"/c/{ID}?lang={'x' * 100}").status_code == 422


def test_the_buttons_under_the_answers_share_only_where_there_is_something_to_share() -> None:
    assert f'data-link="c/{ID}"' in bar(ID, "en", shares=False) and "data-share" not in bar(ID, "en", shares=False)
    assert f'data-share="c/{ID}/share"' in bar(ID, "ru", shares=True)
    assert tr("report.bar.share", "ru") in bar(ID, "ru", shares=True)
