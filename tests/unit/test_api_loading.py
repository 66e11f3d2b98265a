"""Loading and unloading through the API: one load whoever asks, one after the other, and what is told meanwhile."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from arena.config import VERSION
from tests.serving import Serving, both_loaded, get, own_models, serving

ANSWERING = {"model": "one", "messages": [{"role": "user", "content": "tokens=40 delay=0.02"}]}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("api")


@pytest.fixture(scope="module")
def server(folder: Path) -> Iterator[Serving]:
    slow = {"options": {"record": str(folder / "record.txt"), "load_delay": 0.5}}
    with serving(own_models(folder, slow=slow)) as running:
        yield running


@pytest.fixture
def clients(server: Serving) -> Iterator[ThreadPoolExecutor]:
    assert post(server, "/models/unload").status_code == 200  # whatever is left of the tests before
    with ThreadPoolExecutor(4) as pool:
        yield pool


def post(server: Serving, path: str, body: object = None) -> httpx.Response:
    return httpx.post(server.url + path, json=body, timeout=30)


def load(server: Serving, model: str) -> httpx.Response:
    return post(server, "/models/load", {"model": model})


def loaded(server: Serving) -> list[str]:
    return [model["id"] for model in get(f"{server.base}/models").json()["data"] if model["loaded"]]


def until(true: Callable[[], object]) -> None:
    deadline = time.monotonic() + 20
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def state(server: Serving) -> dict[str, object]:
    return next(iter(server.arena.slots.status()), {})


def answering(server: Serving, clients: ThreadPoolExecutor) -> Future[httpx.Response]:
    asked = clients.submit(post, server, "/v1/chat/completions", ANSWERING)
    until(lambda: state(server).get("busy"))
    return asked


@pytest.mark.battery("A22")
def test_loading_and_unloading(server: Serving) -> None:
    assert post(server, "/models/unload").status_code == 200
    first = load(server, "one").json()
    assert first["status"] == "loaded" and first["cold"] and first["load_s"] >= 0 and loaded(server) == ["one"]
    assert load(server, "one").json()["cold"] is False
    assert load(server, "two").status_code == 200 and loaded(server) == ["two"]
    assert get(f"{server.url}/models/status").json()["devices"][0]["model"] == "two"
    assert post(server, "/models/unload", {"model": "one"}).json()["unloaded"] == []
    assert post(server, "/models/unload", {"model": "two"}).json()["unloaded"] == ["two"] and loaded(server) == []
    for _ in range(2):
        again = post(server, "/models/unload")
        assert (again.status_code, again.json()["unloaded"]) == (200, [])
    assert load(server, "nobody").status_code == 404
    assert post(server, "/models/load", {}).status_code == 400
    refused = load(server, "Qwen/Qwen3-VL-2B-Instruct")
    assert refused.status_code == 503 and "models download qwen3_vl_2b" in refused.json()["error"]["message"]


@pytest.mark.battery("A21")
def test_two_loads_of_one_model_are_one(server: Serving, folder: Path, clients: ThreadPoolExecutor) -> None:
    before = (folder / "record.txt").read_text().count("load ")
    both = [clients.submit(load, server, "slow") for _ in range(2)]
    assert sorted(answer.result(30).json()["cold"] for answer in both) == [False, True]
    assert (folder / "record.txt").read_text().count("load ") == before + 1


@pytest.mark.battery("A21")
def test_loads_of_two_models_are_one_after_the_other(
    server: Serving, folder: Path, clients: ThreadPoolExecutor
) -> None:
    first = clients.submit(load, server, "slow")
    until(lambda: state(server).get("state") == "starting")
    assert load(server, "two").json()["cold"] and loaded(server) == ["two"]
    assert first.result(30).json()["cold"] and both_loaded(folder) == []


@pytest.mark.battery("A21")
def test_a_load_waits_for_the_answer_that_is_being_given(server: Serving, clients: ThreadPoolExecutor) -> None:
    asked = answering(server, clients)
    assert load(server, "two").json()["cold"] and asked.done()
    assert asked.result().json()["usage"]["completion_tokens"] == 40 and loaded(server) == ["two"]


@pytest.mark.battery("A22")
def test_unloading_waits_for_the_answer_that_is_being_given(server: Serving, clients: ThreadPoolExecutor) -> None:
    asked = answering(server, clients)
    both = [clients.submit(post, server, "/models/unload") for _ in range(2)]
    assert sorted(answer.result(30).json()["unloaded"] for answer in both) == [[], ["one"]]
    assert asked.result(30).json()["choices"][0]["finish_reason"] == "stop"


@pytest.mark.battery("A23")
def test_health_tells_each_device_s_state(server: Serving, clients: ThreadPoolExecutor) -> None:
    """While a model loads too: no answer could say so if it had waited for the load."""

    def told() -> str:
        answer = get(f"{server.url}/health")
        assert answer.status_code == 200 and answer.json()["version"] == VERSION
        assert answer.json()["status"] == "ok" and "slow" not in answer.text
        return str(answer.json()["devices"]["cpu"])

    assert told() == "stopped"
    loading = clients.submit(load, server, "slow")
    until(lambda: told() == "starting")
    assert loading.result(30).status_code == 200 and told() == "ready"
    (worker,) = server.arena.slots.pids()
    os.kill(worker, signal.SIGKILL)
    until(lambda: told() == "stopped")
    assert loaded(server) == [] and load(server, "slow").json()["cold"] and told() == "ready"
