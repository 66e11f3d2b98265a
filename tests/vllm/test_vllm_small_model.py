"""The model that comes with the project says the same in vLLM as in transformers, and it is right."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from adapters.base import Adapter, Job, Output
from adapters.openai_chat import OpenAIChat
from adapters.transformers_chat import TransformersChat
from arena.catalog import load_catalog
from arena.config import load_settings
from benchmarks.tiny_vlm import evaluation, exam
from tests.vllm.conftest import Server


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    settings = load_settings({"ARENA_HOME": str(tmp_path_factory.mktemp("home"))})
    return Path(load_catalog(settings).find("tiny_vlm").source)


@pytest.fixture(scope="module")
def served(venv: Path, weights: Path) -> Iterator[OpenAIChat]:
    server = Server(venv, weights)
    adapter = OpenAIChat()
    options = {"family": "qwen2_vl", "base_url": server.url, "served": "tiny"}
    adapter.load({"id": "x", "options": options, "api_key": "a-key"})
    yield adapter
    adapter.close()
    server.stop()


@pytest.fixture(scope="module")
def own(weights: Path) -> TransformersChat:
    adapter = TransformersChat()
    adapter.load({"id": "x", "source": str(weights), "dtype": "fp32", "options": {"family": "qwen2_vl"}})
    return adapter


def said(adapter: Adapter, image: Path, question: str) -> str:
    *_, output = adapter.predict(Job(str(image), question, "question", params={"max_new_tokens": 200}))
    assert isinstance(output, Output)
    return output.text


def test_the_same_greedy_answers_and_right_ones(served: OpenAIChat, own: TransformersChat, tmp_path: Path) -> None:
    right = total = 0
    for name, items in exam.questions(4).items():
        for number, one in enumerate(items):
            path = tmp_path / f"{name}-{number}.png"
            Image.fromarray(one.picture.pixels).save(path)
            answer = said(own, path, one.question)
            assert said(served, path, one.question) == answer, (name, one.question, one.answer)
            if name in ("colour", "shape", "count"):
                right += evaluation.is_right(one, exam.worth(one, answer))
                total += 1
    assert right >= 0.7 * total
