"""The server as a user starts it, and the programs he has: curl as in the guides, OpenAI's client, LangChain's."""

from __future__ import annotations

import base64
import contextlib
import json
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import openai
import psutil
import pytest

from tests.serving import page_serving

ROOT = Path(__file__).parent.parent.parent
SAMPLE = ROOT / "assets" / "samples" / "receipt.jpg"


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    home = tmp_path_factory.mktemp("home")
    with page_serving(home / "data", patience_s=90, ARENA_DEV="1") as url:
        yield url
    said = (home / "log.txt").read_text().splitlines()
    assert said == [f"{url}/".replace("127.0.0.1", "localhost")], "a fault of the program"


def image_url() -> str:
    return "data:image/jpeg;base64," + base64.b64encode(SAMPLE.read_bytes()).decode()


def curl(*arguments: str) -> dict:
    ended = subprocess.run(["curl", "-sS", *arguments], capture_output=True, text=True, timeout=60, check=True)
    return json.loads(ended.stdout)


def test_the_calls_of_the_guides_work_as_they_are_written(url: str, tmp_path: Path) -> None:
    kind = ("-H", "Content-Type: application/json")
    assert curl(f"{url}/health")["status"] == "ok"
    assert "dots_ocr" in [model["id"] for model in curl(f"{url}/v1/models")["data"]]
    loaded = curl("-X", "POST", f"{url}/models/load", *kind, "-d", '{"model": "rednote-hilab/dots.ocr"}')
    # It is known, and not here: its weights, or on a new machine its interpreter, are missing.
    assert re.search("models download dots_ocr|make models-legacy", loaded["error"]["message"])
    assert curl("-X", "POST", f"{url}/models/load", *kind, "-d", '{"model": "tesseract"}')["status"] == "loaded"
    asked = """{
    "model": "MODEL",
    "messages": [{"role": "user", "content": [
      {"type": "text", "text": "Extract text"},
      {"type": "image_url", "image_url": {"url": "IMAGE"}}
    ]}]
  }"""
    body = tmp_path / "body.json"
    body.write_text(asked.replace("MODEL", "tesseract").replace("IMAGE", image_url()))
    answer = curl("-X", "POST", f"{url}/v1/chat/completions", *kind, "-d", f"@{body}")
    assert "TOTAL" in answer["choices"][0]["message"]["content"].upper()
    # The guides abbreviate the image; what they print is told what is wrong with it.
    printed = asked.replace("MODEL", "rednote-hilab/dots.ocr").replace("IMAGE", "data:image/png;base64,...")
    said = curl("-X", "POST", f"{url}/v1/chat/completions", *kind, "-d", printed)
    assert "base64" in said["error"]["message"]


def test_openais_client_asks_an_engine_and_the_page_is_still_there(url: str) -> None:
    content = [{"type": "image_url", "image_url": {"url": image_url()}}]
    with openai.OpenAI(base_url=f"{url}/v1", api_key="-", max_retries=0) as client:
        answer = client.chat.completions.create(
            model="rapidocr", messages=[{"role": "user", "content": content}], stream=False
        )
        assert "TOTAL" in (answer.choices[0].message.content or "").upper()
        assert next(iter(client.models.list())).model_extra["ready"]
    assert "<html" in httpx.get(url, timeout=20).text and httpx.get(f"{url}/api", timeout=20).status_code == 200


@pytest.mark.battery("G12")
def test_ctrl_c_in_the_middle_of_an_answer_ends_the_program_and_its_models(tmp_path: Path) -> None:
    """While one asks and another waits."""
    body = {"model": "fake", "messages": [{"role": "user", "content": "tokens=99999 delay=0.02"}], "stream": True}
    with page_serving(tmp_path / "data", patience_s=90, ARENA_DEV="1") as url, httpx.Client(timeout=60) as client:
        port = url.rpartition(":")[2]
        (program,) = (each for each in psutil.Process().children() if port in each.cmdline())
        with contextlib.suppress(httpx.TransportError), contextlib.ExitStack() as answers:
            for _ in range(2):
                stream = client.stream("POST", f"{url}/v1/chat/completions", json=body)
                said = answers.enter_context(stream).iter_lines()
                next(said)
            family = program.children(recursive=True)
            assert len(family) > 1
            program.send_signal(signal.SIGINT)
            for _ in said:
                pass
        assert not psutil.wait_procs([program, *family], 10)[1]


def test_langchains_client_works_unchanged(url: str) -> None:
    """In a process of its own: its packages are no part of ours, nor are their warnings."""
    program = f"""
from langchain_core.messages import HumanMessage, SystemMessage
from langchain_openai import ChatOpenAI
model = ChatOpenAI(base_url={url + "/v1"!r}, api_key="-", model="fake", temperature=0, max_tokens=50, stop=["END"])
image = {{"type": "image_url", "image_url": {{"url": {image_url()!r}}}}}
asked = [SystemMessage("Be brief."),
         HumanMessage([{{"type": "text", "text": "say=one_two_END_three delay=0.01"}}, image])]
whole = model.invoke(asked)
print(repr(whole.content), whole.response_metadata["finish_reason"])
print(repr("".join(piece.content for piece in model.stream(asked))))
counted = ChatOpenAI(base_url={url + "/v1"!r}, api_key="-", model="fake").invoke("tokens=3")
print(counted.usage_metadata["output_tokens"])
"""
    ended = subprocess.run(
        [sys.executable, "-"], input=program, capture_output=True, text=True, timeout=100, check=False
    )
    assert ended.stdout.splitlines() == ["'one two ' stop", "'one two '", "3"], ended.stderr
