"""Who may call the API and what for: keys, this machine, other sites; loading, unloading and what is counted."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

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
    given = {"authorization": "bEaReR   ключ".encode()}
    assert (
        httpx.get(f"{server.base}/models", headers=given).status_code == 401
    )  # bytes beyond Latin-1 are no header text


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


@pytest.mark.parametrize("path", ["//v1/models", "/v1/../models/load", "/v1/%2e%2e/models/unload", "/%6dodels/unload"])
def test_no_way_of_writing_a_path_leads_past_the_door(servers: dict[str, Serving], path: str) -> None:
    for method in ("GET", "POST"):
        with httpx.Client(base_url=servers["both"].url) as client:
            request = client.build_request(method, "/", json={})
            request.url = request.url.copy_with(raw_path=path.encode())
            assert client.send(request).status_code in (401, 404, 405)


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
