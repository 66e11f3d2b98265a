"""Many clients at once against one device: each is answered or told to come back, and never are two models loaded."""

from __future__ import annotations

import random
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from arena.store import RunQuery
from tests.serving import both_loaded, get, own_models, serving
from tests.unit.test_api_chat import asking, data_url

CLIENTS = 200


@pytest.mark.battery("A20")
def test_two_hundred_clients_are_answered_or_refused_and_none_is_lost(tmp_path: Path) -> None:
    """Three models of the test adapter and a real engine on one device, whole and streamed, some leave early."""
    answers: Counter[str] = Counter()
    texts: list[tuple[str, str]] = []
    gate = threading.Barrier(CLIENTS)

    def ask(number: int) -> None:
        chance = random.Random(number)
        model = chance.choice(["one", "two", "three", "tesseract"])
        image = {"type": "image_url", "image_url": {"url": data_url(60 + number % 3, 40)}}
        body = {
            "model": model,
            "messages": asking("tokens=20 delay=0.01", image),
            "stream": chance.random() < 0.5,
        }
        leaves = number % 10 == 0
        gate.wait(60)
        try:
            timeout = httpx.Timeout(90, read=0.4 if leaves else 90)
            answer = httpx.post(f"{server.base}/chat/completions", json=body, timeout=timeout)
        except httpx.ReadTimeout:
            assert leaves
            answers["left"] += 1
            return
        if answer.status_code == 429:
            assert 1 <= int(answer.headers["retry-after"]) <= 120
            assert answer.json()["error"]["type"] == "rate_limit_error"
            answers["refused"] += 1
            return
        assert answer.status_code == 200, answer.text
        if body["stream"]:
            assert answer.text.endswith("data: [DONE]\n\n") and '"error"' not in answer.text
        else:
            texts.append((answer.json()["id"], answer.json()["choices"][0]["message"]["content"]))
        answers["answered"] += 1

    settings = replace(own_models(tmp_path), queue_size=16)
    with serving(settings) as server:
        with ThreadPoolExecutor(CLIENTS) as clients:
            for done in [clients.submit(ask, number) for number in range(CLIENTS)]:
                done.result(110)
        assert server.free_again()
        assert sum(answers.values()) == CLIENTS and answers["answered"] >= 10, answers

        statuses = Counter(run.status for run in server.arena.store.iterate(RunQuery()))
        kept = {run.comparison_id: run.text for run in server.arena.store.iterate(RunQuery())}
        assert statuses["ok"] + statuses["empty"] >= answers["answered"], (statuses, answers)
        assert set(statuses) <= {"ok", "empty", "cancelled", "error"}
        assert all(kept[number.removeprefix("chatcmpl-")] == text for number, text in texts)
        busy = [run.error_kind for run in server.arena.store.iterate(RunQuery()) if run.error_kind]
        assert set(busy) <= {"busy", "cancelled"} and busy.count("busy") <= answers["refused"]
        assert both_loaded(tmp_path) == []
        assert len(server.arena.slots.pids()) == 1
        assert get(f"{server.base}/models").status_code == 200


@pytest.mark.battery("A20")
@pytest.mark.parametrize("stream", [False, True])
def test_when_the_queue_is_full_nothing_else_is_done(tmp_path: Path, stream: bool) -> None:
    """A refused request costs no decoding and is no row; the server answers other calls meanwhile."""
    with serving(replace(own_models(tmp_path), queue_size=1)) as server, ThreadPoolExecutor(2) as clients:

        def ask(prompt: str) -> httpx.Response:
            body = {"model": "one", "messages": asking(prompt), "stream": stream}
            return httpx.post(f"{server.base}/chat/completions", json=body, timeout=60)

        def state(what: str) -> object:
            return next((slot[what] for slot in server.arena.slots.status()), None)

        working = []
        for what, wanted in (("busy", True), ("waiting", 1)):
            working.append(clients.submit(ask, "tokens=150 delay=0.01"))
            while state(what) != wanted:
                assert not working[-1].done()
        refused = ask("tokens=1")
        assert refused.status_code == 429 and refused.json()["error"]["code"] == "busy"
        assert get(f"{server.url}/models/status").json()["devices"][0]["waiting"] == 1
        assert all(answer.result(60).status_code == 200 for answer in working)
        assert server.arena.store.count(RunQuery()) == 2
