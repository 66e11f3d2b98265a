"""The client against a real vLLM: the answers of transformers, token for token, and a stop that vLLM notices."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from adapters.base import AdapterError, Job, Output
from adapters.openai_chat import OpenAIChat
from adapters.transformers_chat import TransformersChat
from tests.vllm.conftest import OPTIONS, QUESTION, Server, agree
from tests.vllm.conftest import page as drawn


@pytest.fixture(scope="module")
def client(server: Server) -> Iterator[OpenAIChat]:
    adapter = OpenAIChat()
    adapter.load({"id": "x", "options": OPTIONS | {"base_url": server.url, "served": "tiny"}, "api_key": "a-key"})
    yield adapter
    adapter.close()


@pytest.fixture(scope="module")
def own(weights: Path) -> TransformersChat:
    adapter = TransformersChat()
    adapter.load({"id": "x", "source": str(weights), "dtype": "fp32", "options": OPTIONS})
    return adapter


@pytest.fixture
def page(tmp_path: Path) -> str:
    return str(drawn(tmp_path))


def ask(adapter: OpenAIChat | TransformersChat, job: Job) -> Output:
    *_, output = adapter.predict(job)
    assert isinstance(output, Output)
    return output


PENALTY, SYSTEM, HISTORY = (
    {"repetition_penalty": 1.3},
    {"system": "Be brief."},
    {"history": [["What is it?", "A page."]]},
)


# Of each kind what random weights answer far from a tie and without special tokens between the halves of a letter.
@pytest.mark.parametrize(
    ("prompt", "params"),
    [
        (QUESTION, {}),
        ("Say yes.", {}),
        ("Tell me more.", PENALTY),
        ("How many lines?", PENALTY),
        ("Что на картинке?", SYSTEM),
        ("Какого она цвета?", SYSTEM),
        ("Почему?", HISTORY),
        ("Who are you?", HISTORY),
    ],
)
def test_the_same_weights_give_the_same_answer(client, own, page: str, prompt: str, params: dict) -> None:
    job = Job(page, prompt, "question", params={"max_new_tokens": 32, **params})
    a, b = ask(own, job), ask(client, job)
    assert agree(a.text, b.text) and a.output_tokens == b.output_tokens
    assert (a.prompt_tokens, a.visual_tokens, a.boxes) == (b.prompt_tokens, b.visual_tokens, b.boxes)
    assert (a.seen_width, a.seen_height, a.finish_reason) == (b.seen_width, b.seen_height, b.finish_reason)
    assert b.retries == 0


def test_without_an_image_too(client, own) -> None:
    job = Job("", "And without a picture?", "chat", params={"max_new_tokens": 5})
    assert agree(ask(own, job).text, ask(client, job).text)


def test_the_same_seed_gives_the_same_sample(client, page: str) -> None:
    job = Job(page, "Well?", "question", params={"max_new_tokens": 16, "temperature": 1.0, "top_p": 0.9, "seed": 7})
    assert ask(client, job).text == ask(client, job).text


def test_a_stop_ends_the_work_in_vllm(client, server: Server, page: str) -> None:
    pieces = client.predict(Job(page, "Go on.", "question", params={"max_new_tokens": 900, "repetition_penalty": 1.5}))
    assert any(pieces) and server.figure("vllm:num_requests_running") == 1
    pieces.close()
    deadline = time.monotonic() + 2
    while server.figure("vllm:num_requests_running") and time.monotonic() < deadline:
        time.sleep(0.02)
    assert server.figure("vllm:num_requests_running") == 0
    assert server.figure("vllm:generation_tokens_total") < 900 * 2


def test_what_does_not_fit_is_bad_input(client, page: str) -> None:
    with pytest.raises(AdapterError) as caught:
        ask(client, Job(page, "word " * 2000, "question"))
    assert caught.value.kind == "bad_input" and "1024" in caught.value.detail


def test_the_key_is_asked_for(server: Server) -> None:
    adapter = OpenAIChat()
    with pytest.raises(AdapterError, match="401"):
        adapter.load({"options": {"base_url": server.url, "served": "tiny", "key_variable": "X_KEY"}, "api_key": "no"})
    adapter.close()
