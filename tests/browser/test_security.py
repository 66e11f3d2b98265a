"""What models, files and visitors write never becomes a part of the page: nothing runs, nothing is fetched."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from tests.browser.test_compare_tab import choose_fakes, ready, run, upload

OpenPage = Callable[..., Page]
# HOST would note what it is asked. The fake writes an underscore of its `say` as a space.
ATTACKS = (
    "<img_src='x'_onerror='window.hit=1'>"
    "<svg_onload='window.hit=1'></svg>"
    "<script>window.hit=1</script>"
    "<iframe_srcdoc='<script>parent.hit=1</script>'></iframe>"
    "<td_onclick='window.hit=1'>cell</td>"
    "<style>#run{display:none}body{background:url(http://HOST/style.png)}</style>"
    "<link_rel='stylesheet'_href='http://HOST/x.css'>"
    "<p_style='background:url(http://HOST/p.png)'>p</p>"
    "<form_action='http://HOST/form'><button>send</button></form>"
    "<img_src='http://HOST/beacon.png'_srcset='http://HOST/2.png_2x'>"
    "<video_poster='http://HOST/v.png'></video><iframe_src='http://HOST/frame'></iframe>"
    "![](http://HOST/markdown.png)"
    "[link](javascript:window.hit=1)"
    "<table><tr><td_colspan='2'>kept</td></tr></table>"
    "${window.hit=1}{{#with_window}}{{hit}}{{/with}}"
)


@pytest.fixture
def beacon() -> Iterator[tuple[str, list[str]]]:
    """A server of somebody else's: where it listens, and the paths that it was asked for."""
    asked: list[str] = []

    class Noting(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_error(404)

        do_POST = do_GET

        def log_message(self, *_: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Noting) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"127.0.0.1:{server.server_port}", asked
        server.shutdown()
        thread.join()


def untouched(page: Page) -> None:
    assert page.evaluate("window.hit") is None
    expect(page.locator("#run")).to_be_visible()


@pytest.mark.battery("X1", "X2", "X7")
def test_a_hostile_answer_is_shown_and_does_nothing(open_page: OpenPage, beacon: tuple[str, list[str]]) -> None:
    host, asked = beacon
    httpx.get(f"http://{host}/itself")
    page = ready(open_page())
    attacks = ATTACKS.replace("HOST", host)
    choose_fakes(page, f"say={attacks} boxes=1 box={quote(attacks)}")
    run(page)
    for letter in "ab":
        box = page.locator(f"#picture .boxes.{letter} rect")
        box.hover(force=True)  # the other model's lies at the same place
        expect(box.locator("title")).to_have_text(re.compile(f"^{letter.upper()}: .*<script>window.hit=1</script>"))
        assert page.locator(f"#picture .boxes.{letter} *").count() == 2
    untouched(page)
    text = page.locator("#answer-A").inner_text()
    assert "<script>window.hit=1</script>" in text
    assert "${window.hit=1}" in text
    for view in ("Formatted", "Differences", "Text"):
        page.get_by_text(view, exact=True).click()
        untouched(page)
    html = page.locator("#said-a .rendered").inner_html()
    assert '<td colspan="2" dir="auto">kept</td>' in html
    assert not re.search(r"<(img|svg|script|iframe|form|button|style|a)\b|<[^>]*\bon\w+=", html)
    page.get_by_role("tab", name="Benchmark").click()
    expect(page.locator("#runs-table")).to_contain_text("Test model")
    assert page.evaluate("window.hit") is None
    assert asked == ["/itself"], "nobody else has heard of it"


@pytest.mark.battery("X1")
def test_a_hostile_error_and_a_hostile_toast_are_shown_and_do_nothing(open_page: OpenPage, tmp_path: Path) -> None:
    page = ready(open_page())
    choose_fakes(page, "raise=<img/src=x/onerror=window.hit=1>")
    run(page)
    expect(page.locator("#said-a .trouble")).to_contain_text("<img/src=x/onerror=window.hit=1>")
    untouched(page)
    Image.new("RGB", (200, 120), "white").save(tmp_path / "a.png")
    (tmp_path / "list.jsonl").write_text('{"image": "a.png", "language": "<img src=x onerror=window.hit=1>"}')
    page.get_by_role("tab", name="Benchmark").click()
    page.locator("#benchmark-box .label-wrap").first.click()
    with page.expect_file_chooser() as choosing:
        page.locator("#benchmark-own").click()
    choosing.value.set_files([tmp_path / "a.png", tmp_path / "list.jsonl"])
    expect(page.locator(".toast-body")).to_contain_text("<img src=x onerror=window.hit=1>")
    assert page.locator(".toast-body img").count() == 0 and page.evaluate("window.hit") is None


@pytest.mark.battery("I18", "X1")
def test_a_hostile_file_name_is_only_a_name(open_page: OpenPage, tmp_path: Path) -> None:
    page = ready(open_page())
    for width, name in enumerate(('"><img src=x onerror=window.hit=1>.png', "\u202egnp.exe.png", "=1+1.png"), 200):
        Image.new("RGB", (width, 120), "white").save(tmp_path / name)
        upload(page, tmp_path / name)
        expect(page.locator("#picture figcaption")).to_contain_text(str(width))
        untouched(page)


def test_the_page_gives_no_secret_away(open_page: OpenPage, app_url: str) -> None:
    page = ready(open_page())
    config = page.evaluate("JSON.stringify(window.gradio_config)")
    assert "session" not in re.findall(r'"(token|secret|password|session)"', config)
    assert page.request.get(f"{app_url}gradio_api/runs").status == 403
    answer = page.request.post(
        f"{app_url}gradio_api/queue/join", headers={"origin": "https://elsewhere.example"}, data="{}"
    )
    assert answer.status == 403
