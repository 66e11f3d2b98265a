"""Who may call the API and what for: keys, this machine, other sites; loading, unloading and what is counted."""

from __future__ import annotations

import contextlib
import hmac
import logging
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from arena.api import auth
from tests.serving import Serving, get, own_models, serving

ASKED = {"model": "one", "messages": [{"role": "user", "content": "tokens=2"}]}
CALLS = [
    ("GET", "/v1/models"),
    ("GET", "/v1/models/one"),
    ("GET", "/models/status"),
    ("GET", "/metrics"),
    ("POST", "/v1/chat/completions"),
]
ADMIN_CALLS = [("POST", "/models/load"), ("POST", "/models/unload")]


def call(server: Serving, method: str, path: str, key: str = "", **headers: str) -> httpx.Response:
    if key:
        headers["authorization"] = f"Bearer {key}"
    body = None if method == "GET" else ASKED
    return httpx.request(method, server.url + path, json=body, headers=headers, timeout=30)


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Serving]]:
    """Without keys; with both kinds; with keys for use alone."""
    with ExitStack() as stack:
        made = {}
        for name, keys in {
            "open": {},
            "both": {"api_keys": ("first-key", "ключ"), "admin_key": "admin-key"},
            "use": {"api_keys": ("first-key",)},
        }.items():
            settings = replace(own_models(tmp_path_factory.mktemp(name)), **keys)
            made[name] = stack.enter_context(serving(settings))
        yield made


@pytest.mark.battery("A14")
def test_keys_are_needed_once_there_are_any(servers: dict[str, Serving]) -> None:
    server = servers["both"]
    for method, path in CALLS:
        for key in ("", "first", "first-key2", "x" * 60_000, "first-key\x01"):
            answer = call(server, method, path, key)
            assert answer.status_code == 401, (path, key[:20])
            assert answer.json()["error"]["code"] == "invalid_api_key"
            assert answer.headers["www-authenticate"] == "Bearer"
        assert call(server, method, f"{path}?api_key=first-key&key=first-key").status_code == 401
        for key in ("first-key", "admin-key"):
            assert call(server, method, path, key).status_code == 200
    for given, status in {
        "bEaReR   first-key": 200,
        "Basic first-key": 401,
        "Bearerfirst-key": 401,
        "first-key": 401,
        "Bearer ключ": 401,  # bytes beyond Latin-1 are no header text
        "Bearer FIRST-KEY": 401,
    }.items():
        assert get(f"{server.base}/models", headers={"authorization": given.encode()}).status_code == status, given


def spoken(server: Serving, head: bytes) -> bytes:
    """The answer to these very bytes, as far as there is one."""
    host, port = server.url.removeprefix("http://").split(":")
    said = b""
    with socket.create_connection((host, int(port)), 20) as connection, contextlib.suppress(ConnectionError):
        before, _, body = head.partition(b"\r\n\r\n")
        connection.sendall(before + b"\r\nConnection: close\r\n\r\n" + body)
        while piece := connection.recv(65536):
            said += piece
    return said


@pytest.fixture
def log() -> Iterator[list[str]]:
    """What the server says of itself at any level."""
    lines: list[str] = []
    keeper = logging.Handler()
    keeper.emit = lambda record: lines.append(record.getMessage() + str(record.exc_info or ""))  # type: ignore[method-assign]
    kept = [logging.getLogger(name) for name in ("arena", "asyncio", "fastapi", "uvicorn", "uvicorn.error")]
    levels = [logger.level for logger in kept]
    for logger in kept:
        logger.addHandler(keeper)
        logger.setLevel(logging.DEBUG)
    yield lines
    for logger, level in zip(kept, levels, strict=True):
        logger.removeHandler(keeper)
        logger.setLevel(level)


@pytest.mark.battery("A14")
@pytest.mark.parametrize(
    "key",
    [b"first-key\0", b"\0first-key", b"first-\rkey", b"first-key" + b"x" * 10**6],
    ids=["nul", "begins", "cr", "mb"],
)
def test_a_key_that_no_client_would_send_is_none(servers: dict[str, Serving], log: list[str], key: bytes) -> None:
    said = spoken(servers["both"], b"GET /v1/models HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + key)
    assert said[9:12] in (b"400", b"401", b"431", b""), said  # nothing where it was hung up on before the end
    logging.getLogger("uvicorn.error").info("the log is kept")
    assert log and "first-" not in "".join(log)


@pytest.mark.battery("A14")
def test_no_key_is_in_the_log(servers: dict[str, Serving], log: list[str]) -> None:
    for key in ("first-key", "wrong-key", "admin-key"):
        for method, path in CALLS:
            call(servers["both"], method, f"{path}?api_key={key}", key)
    logging.getLogger("uvicorn.error").info("the log is kept")
    assert log and "-key" not in "".join(log)


@pytest.mark.battery("A14")
def test_every_known_key_is_compared_in_constant_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whichever of them it is, and also when the first one fits."""
    compared: list[tuple[bytes, bytes]] = []
    plain = hmac.compare_digest
    monkeypatch.setattr(hmac, "compare_digest", lambda one, other: compared.append((one, other)) or plain(one, other))
    known = [auth.digest(key) for key in ("a", "b", "c")]
    for given, found in (("a", True), ("c", True), ("d", False), ("", False)):
        compared.clear()
        assert auth.among(given, known) is found
        assert [one for one, _ in compared] == known and len({len(other) for _, other in compared}) == 1


@pytest.mark.battery("A15")
def test_a_key_for_asking_does_not_load(servers: dict[str, Serving]) -> None:
    for method, path in ADMIN_CALLS:
        assert call(servers["both"], method, path, "first-key").status_code == 403
        assert call(servers["both"], method, path).status_code == 401
        assert call(servers["both"], method, path, "admin-key").status_code == 200
        # Without an administrator's key it is this machine that may.
        assert call(servers["use"], method, path).status_code == 200
        assert call(servers["use"], method, path, **{"x-forwarded-for": "10.0.0.9"}).status_code == 401


@pytest.mark.parametrize(
    "headers",
    [
        {"x-forwarded-for": "127.0.0.1"},
        {"forwarded": "for=127.0.0.1"},
        {"x-real-ip": "127.0.0.1"},
        {"via": "1.1 proxy"},
        {"host": "elsewhere.example"},
        {"host": "127.0.0.1.elsewhere.example"},
        {"host": "x/?"},
        {"host": "[::1"},
    ],
)
def test_without_keys_only_this_machine_may(servers: dict[str, Serving], headers: dict[str, str]) -> None:
    for method, path in CALLS + ADMIN_CALLS:
        answer = call(servers["open"], method, path, **headers)
        assert answer.status_code in (400, 401), path
        if answer.status_code == 401:
            said = answer.json()["error"]["message"]
            assert ("ARENA_API_KEYS" if (method, path) in CALLS else "ARENA_ADMIN_KEY") in said
        assert call(servers["open"], method, path).status_code == 200


@pytest.mark.battery("A16")
@pytest.mark.parametrize(
    "path",
    [
        "/v1/models", "/models/load", "//v1/models", "/v1/../models/load", "/v1/%2e%2e/models/unload",
        "/%6dodels/unload",
        "/v1%2fmodels", "/v1/models/", "/V1/models", "/v1/models;x", "/health/../models/load", "/v1/models?/health",
        "http://x/health/../models/load", "/models/load%00", "/v1/models#/health",
    ],
)  # fmt: skip
def test_no_way_of_writing_a_path_leads_past_the_door(servers: dict[str, Serving], path: str) -> None:
    """Nor does a name of the host that looks like the beginning of a path."""
    for method in ("GET", "POST"):
        for host in ("127.0.0.1", "x/?", "x/health?", "127.0.0.1/health#"):
            body = "Content-Length: 2\r\n\r\n{}"
            said = spoken(servers["both"], f"{method} {path} HTTP/1.1\r\nHost: {host}\r\n{body}".encode())
            assert said[9:12] in (b"307", b"400", b"401", b"404", b"405"), (method, host, said)
            assert b"unloaded" not in said and b'"data"' not in said


def test_another_site_is_refused_in_the_same_shape(servers: dict[str, Serving]) -> None:
    answer = call(servers["open"], "POST", "/v1/chat/completions", origin="https://elsewhere.example")
    assert answer.status_code == 403 and answer.json()["error"]["type"] == "permission_error"
    assert "access-control-allow-origin" not in call(servers["open"], "GET", "/v1/models", origin="https://x").headers


def test_bodies_are_limited_by_what_they_may_hold(tmp_path: Path) -> None:
    settings = replace(own_models(tmp_path), max_upload_mb=1)
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64," + "A" * 1_600_000}}
    asked = {"model": "one", "messages": [{"role": "user", "content": [image]}]}
    with serving(settings) as server:
        answer = httpx.post(f"{server.base}/chat/completions", json=asked, timeout=30)
        assert (answer.status_code, answer.json()["error"]["param"]) == (413, "messages")
        huge = b'{"model": "' + b"x" * 6_000_000
        for path in ("/v1/chat/completions", "/models/load"):
            for content in (huge, iter([huge[:100], huge[100:]])):
                answer = httpx.post(server.url + path, content=content, timeout=30)
                assert answer.status_code == 413 and answer.json()["error"]["code"] == "too_large", path
        assert get(f"{server.base}/models").status_code == 200


def test_what_happens_is_counted(tmp_path: Path) -> None:
    with serving(own_models(tmp_path)) as server:
        assert call(server, "POST", "/v1/chat/completions").status_code == 200
        assert httpx.post(f"{server.base}/chat/completions", json={}, timeout=30).status_code == 400
        said = get(f"{server.url}/metrics")
        assert said.headers["content-type"].startswith("text/plain")
        found = {
            (sample.name, *sorted(sample.labels.values())): sample.value
            for family in text_string_to_metric_families(said.text)
            for sample in family.samples
        }
        assert found["arena_requests_total", "200", "chat"] == found["arena_requests_total", "400", "chat"] == 1
        assert found["arena_runs_total", "ok", "one"] == 1 and found["arena_model_loaded", "cpu", "one"] == 1
        assert found["arena_tokens_total", "one", "output"] == 2 and found["arena_tokens_total", "one", "prompt"] == 2
        for name in ("request", "first_token", "load"):
            assert found[f"arena_{name}_seconds_count", "one"] == 1
        assert found["arena_queue_length", "cpu"] == found["arena_device_busy", "cpu"] == 0
        assert not [name for name in found if "memory" in name[0]], "no GPU, so nothing is known of its memory"


def test_the_list_of_calls_is_a_page_of_our_own(servers: dict[str, Serving]) -> None:
    schema = get(f"{servers['both'].url}/openapi.json").json()
    for lang in ("en", "ru"):
        page = get(f"{servers['both'].url}/api", headers={"accept-language": lang})
        assert page.status_code == 200 and "<script" not in page.text and "https://" not in page.text
        assert all(path in page.text for path in schema["paths"])
    body = schema["paths"]["/v1/chat/completions"]["post"]["requestBody"]
    assert "ChatRequest" in str(body)


def test_keys_are_not_shown(servers: dict[str, Serving]) -> None:
    settings = servers["both"].arena.settings
    assert "first-key" not in repr(settings) and "admin-key" not in repr(settings)
