"""The web server: light to start, closed to what the page does not need, refusing what is too large or foreign."""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from page_client import PageClient, visiting
from PIL import Image

from arena.config import VERSION
from arena.errors import ArenaError
from arena.harden import MAX_EVENT_BYTES
from arena.server import listen
from arena.strings import LANGUAGES, tr
from arena.ui.shell import locale_module
from tests.serving import page_serving

ROOT = Path(__file__).parent.parent.parent
HEAVY = ("torch", "torchvision", "transformers", "onnxruntime", "rapidocr", "tesserocr", "cv2", "pypdfium2", "docker")
MAX_UPLOAD = 2 * 10**6
# Every event that changes what is on this machine, and the words for whoever may not.
ADMINISTERING = {
    ("models-found", "start_download"): "downloads_panel.remote",
    ("downloads-list", "stop_download"): "downloads_panel.remote",
    ("downloads-list", "forget_download"): "downloads_panel.remote",
    ("downloads-list", "ask_remove"): "downloads_panel.remote",
    ("remove-dialog", "confirm_remove"): "downloads_panel.remote",
    ("benchmark-own", "upload"): "bench_panel.remote",
    ("benchmark-start", "click"): "bench_panel.remote",
    ("benchmark-now", "bench_act"): "bench_panel.remote",
    ("benchmark-kept", "bench_act"): "bench_panel.remote",
    ("benchmark-ask", "confirm_bench"): "bench_panel.remote",
    ("runs-table", "ask_delete"): "benchmark.delete.remote",
    ("run-detail", "confirm_delete"): "benchmark.delete.remote",
}


def sample() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (120, 90), "white").save(out, "PNG")
    return out.getvalue()


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def client(home: Path) -> Iterator[httpx.Client]:
    """The app as a user starts it, in a process of its own; uploads up to 2 MB."""
    more = {"ARENA_MAX_UPLOAD_MB": "2", "GRADIO_TEMP_DIR": str(home / "uploads")}
    with page_serving(home / "data", **more) as url, httpx.Client(base_url=url, timeout=20) as client:
        yield client
    said = (home / "log.txt").read_text().splitlines()
    assert said == [f"{url}/".replace("127.0.0.1", "localhost")], (
        "a line that is not the address: a fault of the program"
    )


@pytest.fixture(scope="module")
def far(client: httpx.Client) -> Iterator[PageClient]:
    """Somebody on the page who does not sit at this machine."""
    there = PageClient(str(client.base_url).rstrip("/"), **{"x-forwarded-for": "203.0.113.7"})
    yield there
    there.http.close()


@pytest.fixture(scope="module")
def page(client: httpx.Client) -> Iterator[PageClient]:
    with visiting(str(client.base_url).rstrip("/"), "") as (page,):
        yield page


def test_health_is_told(client: httpx.Client) -> None:
    assert client.get("/health").json() == {"status": "ok", "version": VERSION, "devices": {}}


@pytest.mark.parametrize(("asked", "lang"), [("ru-RU,ru;q=0.9", "ru"), ("de", "en")])
def test_the_page_is_ours_in_the_visitors_language(client: httpx.Client, asked: str, lang: str) -> None:
    page = client.get("/", headers={"accept-language": asked})
    assert page.status_code == 200
    assert f'<html\n\tlang="{lang}"' in page.text
    assert "og:image" not in page.text and "huggingface.co" not in page.text.split("window.gradio_config")[0]
    assert page.headers["cache-control"] == "no-store"


def test_the_language_can_be_switched_without_a_reload() -> None:
    """The framework's module that does it has a name of its own in every version; the page must have found it."""
    assert re.fullmatch(r"\./assets/core-[\w-]+\.js", locale_module())


def test_every_answer_carries_the_safe_headers(client: httpx.Client) -> None:
    for path in ("/", "/health", "/config", "/nothing-here", "/gradio_api/proxy=http://x"):
        headers = client.get(path).headers
        assert "default-src 'self'" in headers["content-security-policy"]
        assert "frame-ancestors 'self'" in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "same-origin"


@pytest.mark.battery("W3", "W7")
@pytest.mark.parametrize(
    "path",
    [
        "/monitoring",
        "/monitoring/summary",
        "/Monitoring/summary",
        "/gradio_api/monitoring/summary",
        "/gradio_api/runs",
        "/gradio_api/run-history",
        "/docs",
        "/redoc",
        "/gradio_api/openapi.json",
        "/gradio_api/docs",
        "/gradio_api/file=https://example.org/x",
        "/gradio_api/file=http://169.254.169.254/latest",
        "/gradio_api/file=//169.254.169.254/latest",
        "/gradio_api/file=%68ttp://127.0.0.1/",
        "/gradio_api/file=/etc/passwd",
        "/gradio_api/proxy=https://example.org/",
        "/media/../arena.db",
        "/media/run/none.txt",
        f"/media/{'0' * 64}.webp",
        "/media/sample/..%2f..%2fmodels.webp",
    ],
)
def test_what_the_page_does_not_need_is_closed(client: httpx.Client, path: str) -> None:
    asked = path.lower()
    closed = asked.startswith(("/monitoring", "/gradio_api")) and not asked.endswith("docs")
    assert client.get(path).status_code == (403 if closed else 404)


@pytest.mark.battery("W4")
@pytest.mark.parametrize("host", ["", "0123456789abcdef.gradio.live"])
@pytest.mark.parametrize(
    "origin", ["https://elsewhere.example", "null", "http://127.0.0.1.evil.example", "http://127.0.0.1:1"]
)
def test_a_post_from_another_site_is_refused_and_no_answer_is_for_its_eyes(
    client: httpx.Client, origin: str, host: str
) -> None:
    """The framework lets every site read what it says under a host that is none of this machine's own."""
    sent = {"origin": origin} | ({"host": host} if host else {})
    for path in ("/gradio_api/queue/join", "/gradio_api/upload", "/gradio_api/cancel", "/gradio_api/run/predict"):
        assert client.post(path, headers=sent, json={}).status_code == 403
    asks = sent | {"access-control-request-method": "POST"}
    for answer in (client.get("/config", headers=sent), client.options("/gradio_api/queue/join", headers=asks)):
        assert not [name for name in answer.headers if name.startswith("access-control-")]


def test_a_post_from_the_page_itself_is_not(client: httpx.Client) -> None:
    files = {"files": ("a.txt", b"x")}
    assert client.post("/gradio_api/upload", headers={"origin": str(client.base_url)}, files=files).status_code == 200


@pytest.mark.battery("W3")
def test_a_file_as_an_address_is_refused_before_anything_is_fetched(client: httpx.Client) -> None:
    for address in (
        "http://169.254.169.254/x",
        "HTTPS://example.org/x",
        "//example.org/x",
        "file:///etc/passwd",
        " ftp://x",
    ):
        body = {"data": [{"path": address, "meta": {"_type": "gradio.FileData"}}], "fn_index": 0, "session_hash": "s"}
        for path in ("queue/join", "run/predict", "api/predict", "call/take"):
            assert client.post(f"/gradio_api/{path}", json=body).status_code == 403, (path, address)


def test_a_prompt_may_hold_an_address(client: httpx.Client) -> None:
    body = {"data": {"prompt": "see https://example.org"}}
    assert client.post("/gradio_api/queue/join", json=body).status_code == 422


UPLOAD = "/gradio_api/upload"
HEAD = b'--x\r\nContent-Disposition: form-data; name="files"; filename="%b"\r\n\r\n'
FORM = {"content-type": "multipart/form-data; boundary=x"}


def unfinished(home: Path) -> list[Path]:
    """Files of an upload lie here while they come."""
    return [path for path in (home / "uploads").iterdir() if path.is_file()]


@pytest.mark.battery("I19")
def test_one_byte_more_than_allowed_is_refused_with_the_limit(client: httpx.Client) -> None:
    assert client.post(UPLOAD, files={"files": ("a.bin", b"x" * MAX_UPLOAD)}).status_code == 200
    for more in (1, 600_000):
        answer = client.post(UPLOAD, files={"files": ("a.bin", b"x" * (MAX_UPLOAD + more))})
        assert answer.status_code == 413 and re.search(r"\b2[05]00000 bytes", answer.text)


@pytest.mark.battery("I20")
@pytest.mark.parametrize(
    ("count", "size", "why"),
    [
        (40, MAX_UPLOAD // 10, "at most 2500000 bytes"),
        (900, 4_000, "at most (2500000 bytes|256 files)"),
        (900, 1, "at most 256 files"),
    ],
    ids=["40 large", "900", "900 small"],
)
@pytest.mark.parametrize("told", [True, False], ids=["with its length", "in pieces"])
def test_many_small_files_are_limited_together_and_leave_nothing(
    client: httpx.Client, home: Path, count: int, size: int, why: str, told: bool
) -> None:
    file = HEAD % b"a.bin" + b"x" * size + b"\r\n"
    body = file * count + b"--x--\r\n"
    content = body if told else (body[at : at + 50_000] for at in range(0, len(body), 50_000))
    answer = client.post(UPLOAD, content=content, headers=FORM)
    assert answer.status_code == 413 and re.search(why, answer.text)
    assert unfinished(home) == []


@pytest.mark.battery("I19")
def test_a_body_without_its_length_is_limited_too(client: httpx.Client, home: Path) -> None:
    def endless() -> Iterator[bytes]:
        yield HEAD % b"a.bin"
        for _ in range(60):
            yield b"x" * 100_000

    for path in (UPLOAD, "/gradio_api/queue/join", "/gradio_api/cancel"):
        kind = FORM if path == UPLOAD else {"content-type": "application/json"}
        answer = client.post(path, content=endless(), headers=kind)
        assert answer.status_code == 413 and re.search(r"\b[24]000000 bytes", answer.text), path
    assert unfinished(home) == []


def test_an_upload_whose_sender_leaves_is_taken_away(client: httpx.Client, home: Path) -> None:
    def until(there: bool) -> None:
        deadline = time.monotonic() + 20
        while bool(unfinished(home)) != there:
            assert time.monotonic() < deadline
            time.sleep(0.01)

    def left_in_the_middle() -> Iterator[bytes]:
        yield HEAD % b"a.bin" + b"x" * 300_000
        until(there=True)
        raise ConnectionAbortedError

    with pytest.raises(ConnectionAbortedError):
        client.post(UPLOAD, content=left_in_the_middle(), headers=FORM)
    until(there=False)


@pytest.mark.battery("I18")
@pytest.mark.parametrize(
    ("name", "seen"),
    [
        ("../../x.png", ">x.png<"),
        ("n" * 300 + ".png", "nnn.png<"),
        ("a\0b.png", ">ab.png<"),
        ("\u202egnp.exe.png", "gnp.exe.png<"),
        ("=1+1.png", ">=1+1.png<"),
        ('\\"><img src=x onerror=hit()>.png', "onerror=hit"),
    ],
    ids=["leads out", "long", "null", "right to left", "formula", "markup"],
)
def test_a_hostile_name_is_only_shown(page: PageClient, home: Path, name: str, seen: str) -> None:
    body = HEAD % name.encode() + sample() + b"\r\n--x--\r\n"
    (lies,) = page.http.post(UPLOAD, content=body, headers=FORM).json()
    assert Path(lies).resolve().parent.parent == home / "uploads" and len(Path(lies).name.encode()) < 256
    given = {"path": lies, "orig_name": name, "meta": {"_type": "gradio.FileData"}}
    shown = page.run("source", "upload", None, source=given)
    assert "120\N{NO-BREAK SPACE}×\N{NO-BREAK SPACE}90" in shown and seen in shown
    assert "\u202e" not in shown and "<img src=x" not in shown
    images = [path for path in (home / "data" / "images").rglob("*") if path.is_file()]
    assert images and all(re.fullmatch("[0-9a-f]{64}.png", path.name) for path in images)


@pytest.mark.battery("I22")
def test_a_script_that_begins_like_a_picture_is_refused_and_never_served(page: PageClient) -> None:
    script = b"GIF89a/*<html><script>alert(document.cookie)</script>*/=1;"
    body = HEAD % b"a.gif" + script + b"\r\n--x--\r\n"
    (lies,) = page.http.post(UPLOAD, content=body, headers=FORM).json()
    given = {"path": lies, "orig_name": "a.gif", "meta": {"_type": "gradio.FileData"}}
    assert "GIF file is damaged" in page.run("source", "upload", None, source=given)
    for path in (f"/gradio_api/file={lies}", f"/gradio_api/file/{lies}", f"/file={lies}", lies):
        answer = page.http.get(path)
        assert answer.status_code in (403, 404) and "alert" not in answer.text
        assert answer.headers["x-content-type-options"] == "nosniff"


def test_a_huge_or_broken_event_does_no_harm(client: httpx.Client) -> None:
    kind = {"content-type": "application/json"}
    assert client.post("/gradio_api/queue/join", content=b"x" * (MAX_EVENT_BYTES + 1), headers=kind).status_code == 413
    deep = b"[" * 100_000 + b"]" * 100_000
    for body in (b"", b"{", b"null", deep, json.dumps({"data": []}).encode()):
        assert client.post("/gradio_api/queue/join", content=body, headers=kind).status_code < 600
    assert client.get("/health").status_code == 200


@pytest.mark.battery("W2")
@pytest.mark.parametrize("way", ["queue/join", "run/predict"])
def test_a_forged_event_is_refused_before_anything_of_it_is_done(far: PageClient, way: str) -> None:
    real = far.body("run", "click", None, {})
    values = real["data"]
    forged = [
        *({"fn_index": number} for number in (9999, -1, None, "1", True, 1.5, 10**400)),
        *({"data": data} for data in ([], values[:-1], [*values, None], {"prompt": "x"}, None, "x")),
        *({"session_hash": session} for session in ("", None, 7, ["s"])),
        *(far.body("runs-table", "open_run", told, {}) for told in ("x", 7, ["value"])),
        *({name: True} for name in ("batched", "simple_format")),
        {"oauth_token": "x"},
    ]
    for each in forged:
        answer = far.http.post(f"/gradio_api/{way}", json=real | each)
        assert answer.status_code == 422 and answer.json()["detail"], each
    typed = far.body("models-search", "change", "qwen", {"models_search": "qwen"})  # what a browser tells of a text
    assert far.http.post(f"/gradio_api/{way}", json=typed).status_code == 200
    scripts = next(found for found in far.config["dependencies"] if not found["backend_fn"])
    body = real | {"fn_index": scripts["id"], "data": [None] * len(scripts["inputs"])}
    assert far.http.post(f"/gradio_api/{way}", json=body).status_code == 422, "what is the browser's alone"
    for session in ("x" * 65, "x" * 1_000_000):
        assert far.http.post(f"/gradio_api/{way}", json=real | {"session_hash": session}).status_code == 403
    for path in ("queue/data?session_hash=", "heartbeat/"):
        assert far.http.get(f"/gradio_api/{path}{'x' * 65}").status_code == 403
    assert far.http.get("/runs.csv").text.count("\n") == 1, "nothing ran"


@pytest.mark.battery("W2")
@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_choice_that_is_not_offered_is_refused_in_words(client: httpx.Client, lang: str) -> None:
    with visiting(str(client.base_url).rstrip("/"), "") as (there,):
        there.http.headers["accept-language"] = lang
        for field, value in (("task", "fake"), ("model_a", ["tesseract"]), ("dtype_b", {"value": 7})):
            assert tr("ui.choice_gone", lang) in there.run("run", "click", None, **{field: value})
        for value in (["ready", "no such"], "ready"):
            assert tr("ui.choice_gone", lang) in there.said("models-search", "change", models_status=value)
        assert "Tesseract" in there.said("models-search", "change", models_status=["ready"])


@pytest.mark.battery("W1")
@pytest.mark.parametrize(("block", "event"), ADMINISTERING)
def test_what_changes_this_machine_is_refused_to_who_sits_elsewhere(far: PageClient, block: str, event: str) -> None:
    """Whatever the page shows or hides: its events are asked for raw, as anybody can."""
    told = {"value": "qwen2_vl_2b", "verb": "stop", "ids": ["x"]}
    found = far.dependency(block, event)
    direct = far.http.post("/gradio_api/run/predict", json=far.body(block, event, told, {}))
    said = far.run(block, event, told) if found["queue"] else direct.text
    assert tr(ADMINISTERING[block, event]) in said
    assert direct.status_code == (404 if found["queue"] else 500)
    for path in (f"call/{event}", f"api/{event}", f"run/{event}"):
        assert far.http.post(f"/gradio_api/{path}", json={"data": []}).status_code in (403, 422)


@pytest.mark.battery("W1")
def test_no_event_is_offered_by_name(client: httpx.Client) -> None:
    config = client.get("/config").json()
    assert {dependency["api_visibility"] for dependency in config["dependencies"]} == {"private"}
    assert not client.get("/gradio_api/info").json()["named_endpoints"]
    assert config["footer_links"] == []


def test_the_config_tells_no_path_of_this_machine(client: httpx.Client, home: Path) -> None:
    said = client.get("/config").text + client.get("/").text
    assert str(home) not in said
    assert str(ROOT) not in said


def test_starting_imports_nothing_heavy(tmp_path: Path) -> None:
    code = (
        "import sys; from arena.config import load_settings; from arena.core import arena_of; "
        "from arena.server import create_app; from fastapi import FastAPI\n"
        "with arena_of(load_settings()) as arena: assert isinstance(create_app(arena), FastAPI)\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules])"
    )
    environ = os.environ | {"ARENA_HOME": str(tmp_path / "home")}
    ended = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environ, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.strip().splitlines()[-1] == "[]"


def test_a_taken_port_is_told_or_passed_over() -> None:
    with listen("127.0.0.1", 0) as holder:
        port = holder.getsockname()[1]
        with pytest.raises(ArenaError) as caught:
            listen("127.0.0.1", port)
        for lang in LANGUAGES:
            assert str(port) in caught.value.text(lang) and "--port" in caught.value.text(lang)
        with listen("127.0.0.1", port, any_port=True) as other:
            assert other.getsockname()[1] > port


def test_an_address_that_is_not_ours_is_told() -> None:
    with pytest.raises(ArenaError) as caught:
        listen("192.0.2.1", 0)
    assert "192.0.2.1" in caught.value.text("ru")
