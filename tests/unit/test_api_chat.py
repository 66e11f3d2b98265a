"""Chats through the API: whole and streamed, with every parameter, refused with the field that is wrong."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator

import httpx
import openai
import pytest
from PIL import Image

from arena.store import RunQuery
from tests.serving import Serving, own_models, serving


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    with serving(own_models(tmp_path_factory.mktemp("api"))) as running:
        yield running


@pytest.fixture
def client(server: Serving) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=server.base, api_key="none is needed", max_retries=0, timeout=30) as client:
        yield client


def data_url(width: int = 120, height: int = 80, colour: str = "white") -> str:
    out = io.BytesIO()
    Image.new("RGB", (width, height), colour).save(out, "PNG")
    return "data:image/png;base64," + base64.b64encode(out.getvalue()).decode()


IMAGE = {"type": "image_url", "image_url": {"url": data_url()}}


def asking(text: str, *parts: dict) -> list[dict]:
    return [{"role": "user", "content": [{"type": "text", "text": text}, *(parts or (IMAGE,))]}]


def post(server: Serving, body: object, **options: object) -> httpx.Response:
    return httpx.post(f"{server.base}/chat/completions", json=body, **{"timeout": 30, **options})  # type: ignore[arg-type]


def run_of(server: Serving, answer: object):
    (run,) = server.arena.store.comparison(answer.id.removeprefix("chatcmpl-"))
    return run


@pytest.mark.battery("A24")
def test_models_are_listed_and_found_by_any_name(client: openai.OpenAI) -> None:
    listed = list(client.models.list())
    ready = [model.model_extra["ready"] for model in listed]
    assert ready == sorted(ready, reverse=True) and {"one", "rapidocr"} <= {model.id for model in listed}
    assert client.models.retrieve("one").model_extra["title"] == "One"
    for name in ("rednote-hilab/dots.ocr", "dots_ocr", "dots_ocr:transformers"):
        assert client.models.retrieve(name).id == "dots_ocr"
    assert client.models.retrieve("qwen2_vl_2b:vllm").model_extra["mode"] == "vllm"


@pytest.mark.battery("A11", "A24")
def test_an_unknown_model_is_404_with_those_like_it(client: openai.OpenAI) -> None:
    for ask in (
        lambda: client.models.retrieve("tesserakt"),
        lambda: client.chat.completions.create(model="tesserakt", messages=asking("x")),
    ):
        with pytest.raises(openai.NotFoundError) as caught:
            ask()
        assert caught.value.code == "model_not_found" and caught.value.param == "model"
        assert "tesseract" in str(caught.value)


def test_a_chat_about_an_image_is_a_run(server: Serving, client: openai.OpenAI) -> None:
    answer = client.chat.completions.create(
        model="one", messages=asking("tokens=5"), temperature=0.5, top_p=0.9, seed=7, max_tokens=9,
        extra_body={"repetition_penalty": 1.2},
    )  # fmt: skip
    run = run_of(server, answer)
    (choice,) = answer.choices
    assert choice.message.content == run.text and run.output_tokens == 5 and choice.finish_reason == "stop"
    assert answer.usage and answer.usage.completion_tokens == 5 and answer.usage.total_tokens == 7
    assert answer.model == "one" and answer.model_extra["arena"]["run_id"] == run.run_id
    assert (run.task, run.prompt, run.image_width, run.seed) == ("question", "tokens=5", 120, 7)
    wanted = {"max_new_tokens": 9, "temperature": 0.5, "top_p": 0.9, "seed": 7, "repetition_penalty": 1.2}
    assert run.params == wanted


@pytest.mark.parametrize("name", ["max_tokens", "max_completion_tokens"])
def test_a_limit_is_kept_and_told(client: openai.OpenAI, name: str) -> None:
    answer = client.chat.completions.create(model="one", messages=asking("tokens=9"), **{name: 2})
    assert answer.choices[0].finish_reason == "length"
    assert answer.usage and answer.usage.completion_tokens == 2


@pytest.mark.battery("A24")
def test_a_stream_says_the_same_piece_by_piece(server: Serving, client: openai.OpenAI) -> None:
    asked = {"model": "one", "messages": asking("tokens=6 delay=0.02")}
    whole = client.chat.completions.create(**asked)
    chunks = list(client.chat.completions.create(**asked, stream=True, stream_options={"include_usage": True}))
    *pieces, last = chunks
    assert "".join(chunk.choices[0].delta.content or "" for chunk in pieces) == whole.choices[0].message.content
    assert len(pieces) > 3 and pieces[0].choices[0].delta.role == "assistant"
    assert pieces[-1].choices[0].finish_reason == "stop"
    assert last.choices == [] and last.usage and last.usage.completion_tokens == 6
    assert run_of(server, last).text == whole.choices[0].message.content
    assert {chunk.id for chunk in chunks} == {last.id}


@pytest.mark.battery("A24")
def test_a_stream_ends_with_done_and_without_usage_unless_asked(server: Serving) -> None:
    body = {"model": "one", "messages": asking("tokens=3"), "stream": True}
    answer = post(server, body)
    lines = [line for line in answer.text.split("\n\n") if line]
    assert answer.headers["content-type"].startswith("text/event-stream") and lines[-1] == "data: [DONE]"
    assert "usage" not in answer.text


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("prompt", "stop", "text"),
    [("say=one_two_three", "o th", "one tw"), ("say=one_two_three", ["four", "e "], "on"), ("say=a_b", ["q"], "a b ")],
)
def test_a_stop_string_cuts_exactly(
    server: Serving, client: openai.OpenAI, prompt: str, stop: object, text: str, stream: bool
) -> None:
    answer = client.chat.completions.create(model="one", messages=asking(prompt), stop=stop, stream=stream)
    if stream:
        chunks = list(answer)
        said, answer = "".join(chunk.choices[0].delta.content or "" for chunk in chunks), chunks[-1]
    else:
        said = answer.choices[0].message.content
    assert said == text == run_of(server, answer).text
    assert answer.choices[0].finish_reason == "stop"


def test_turns_and_what_is_told_before_them_reach_the_model(server: Serving, client: openai.OpenAI) -> None:
    answer = client.chat.completions.create(
        model="one",
        messages=[
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "Hello"},
            {"role": "assistant", "content": "Hi."},
            *asking("And"),
            {"role": "user", "content": "now?"},
        ],
    )
    run = run_of(server, answer)
    assert run.task == "chat" and run.prompt == "And\nnow?"
    told = {"system": "Be brief.", "history": [["Hello", "Hi."]], "image_turn": 1}
    assert run.params == told and run.image_width == 120


def test_a_chat_without_an_image(server: Serving, client: openai.OpenAI) -> None:
    answer = client.chat.completions.create(model="one", messages=[{"role": "user", "content": "tokens=2"}])
    run = run_of(server, answer)
    assert (run.task, run.image_sha256, run.status) == ("chat", None, "ok")


def test_an_engine_reads_whatever_it_is_asked(server: Serving, client: openai.OpenAI) -> None:
    """The default task is the model's first; its words are ignored, a task of ours can be named, tokens are unknown."""
    messages = [{"role": "system", "content": "You are kind."}, *asking("Extract text")]
    answer = client.chat.completions.create(model="tesseract", messages=messages, extra_body={"language": "en"})
    run = run_of(server, answer)
    assert (run.task, run.language, run.status) == ("ocr", "en", "empty") and answer.usage is None
    chunks = client.chat.completions.create(
        model="tesseract", messages=messages, extra_body={"task": "ocr"}, stream=True,
        stream_options={"include_usage": True},
    )  # fmt: skip
    assert list(chunks)[-1].usage is None


def test_an_image_alone_is_asked_the_task_s_own_question(server: Serving, client: openai.OpenAI) -> None:
    asked = {"model": "one", "messages": [{"role": "user", "content": [IMAGE]}]}
    answer = client.chat.completions.create(**asked, extra_body={"task": "ocr", "language": "ru"})
    assert run_of(server, answer).prompt == server.arena.catalog.task("ocr").prompt_for("ru")


@pytest.mark.battery("A9", "A11", "A12", "A13")
@pytest.mark.parametrize(
    ("changes", "param"),
    [
        ({"n": 2}, "n"),
        ({"n": 10**9}, "n"),
        ({"tools": [{"type": "function"}]}, "tools"),
        ({"logprobs": True}, "logprobs"),
        ({"response_format": {"type": "json_schema"}}, "response_format"),
        ({"chat_template": "{{ x }}"}, "chat_template"),
        ({"top_k": 5}, "top_k"),
        ({"presence_penalty": 0.5}, "presence_penalty"),
        ({"n": True}, "n"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"max_tokens": -1}, "max_tokens"),
        ({"max_completion_tokens": -1}, "max_completion_tokens"),
        ({"max_tokens": 10**9}, "max_tokens"),
        ({"temperature": -1}, "temperature"),
        ({"temperature": 1e308}, "temperature"),
        ({"top_p": 0}, "top_p"),
        ({"stop": ["x"] * 1000}, "stop"),
        ({"model": None}, "model"),
        ({"model": 5}, "model"),
        ({"messages": []}, "messages"),
        ({"messages": None}, "messages"),
        ({"messages": "x"}, "messages"),
        ({"messages": [{"content": "x"}]}, "messages.0.role"),
        ({"messages": [{"role": "judge", "content": "x"}]}, "messages.0.role"),
        ({"messages": [{"role": "user", "content": 5}]}, "messages.0.content"),
        ({"messages": [{"role": "assistant", "content": "x"}]}, "messages.0.role"),
        ({"messages": [*asking("x"), {"role": "assistant", "content": "x"}]}, "messages"),
        ({"messages": [{"role": "system", "content": [IMAGE]}, *asking("x")]}, "messages.0.content"),
        ({"messages": asking("x", IMAGE, IMAGE)}, "messages"),
        ({"messages": asking("x", {"type": "input_audio"})}, "messages.0.content.1"),
        ({"messages": asking("x", {"type": "image_url"})}, "messages.0.content.1"),
        ({"task": "sing"}, "task"),
        ({"task": "layout"}, "task"),
        ({"language": "Russian"}, "language"),
        ({"model": "one:vllm"}, "model"),
        ({"model": "tesseract", "messages": [{"role": "user", "content": "x"}]}, "messages"),
    ],
)
def test_what_cannot_be_is_refused_by_name(server: Serving, changes: dict, param: str) -> None:
    before = server.arena.store.count(RunQuery())
    asked = {"model": "one", "messages": asking("x"), **changes}
    answer = post(server, {name: value for name, value in asked.items() if value is not None})
    error = answer.json()["error"]
    assert answer.status_code == 400, answer.text
    assert error["type"] == "invalid_request_error" and error["message"]
    assert (error["param"] or "").startswith(param)
    assert server.arena.store.count(RunQuery()) == before


def test_what_clients_send_besides_does_no_harm(server: Serving) -> None:
    more = {
        "n": 1, "user": "u", "store": False, "metadata": {"a": "b"}, "parallel_tool_calls": True, "tools": None,
        "tool_choice": "none", "logprobs": False, "presence_penalty": 0, "frequency_penalty": 0.0, "logit_bias": {},
        "response_format": {"type": "text"}, "service_tier": "auto", "top_k": -1, "stop": None, "something_new": [1],
        "stream": None, "reasoning_effort": "low",
    }  # fmt: skip
    assert post(server, {"model": "one", "messages": asking("tokens=1"), **more}).status_code == 200


@pytest.mark.battery("A6", "A8")
@pytest.mark.parametrize(
    "url",
    [
        "data:image/png;base64,...",
        "data:image/png;base64",
        "data:image/png;base64,",
        "data:image/png,abc",
        "data:image/png;base64,aGVsbG8",
        "data:image/png;base64,aGVsbG8=",
        "iVBORw0KGgo=",
        "",
        "file:///etc/passwd",
        "FILE:/etc/passwd",
        "/etc/passwd",
        "../x.png",
        "ftp://example.org/x.png",
        "gopher://127.0.0.1:70/x",
        "http://127.0.0.1/x.png",
    ],
)
def test_an_image_that_is_none_is_refused(server: Serving, url: str) -> None:
    answer = post(server, {"model": "one", "messages": asking("x", {"type": "image_url", "image_url": {"url": url}})})
    assert answer.status_code == 400 and answer.json()["error"]["param"] == "messages"


@pytest.mark.battery("A8")
def test_a_data_url_may_be_written_in_any_way(server: Serving) -> None:
    plain = data_url()
    data = plain.partition(",")[2]
    for url in (
        f"DATA:image/JPEG;BASE64,{data}",
        f"data:;base64,{data}",
        f"data:image/png;charset=x;base64,{data[:40]}\n {data[40:]}",
    ):
        for part in ({"url": url, "detail": "high"}, url):
            body = {"model": "one", "messages": asking("tokens=1", {"type": "image_url", "image_url": part})}
            assert post(server, body).status_code == 200


@pytest.mark.battery("A24")
@pytest.mark.parametrize(
    ("prompt", "status", "code"),
    [
        ("crash=9", 502, "worker_died"),
        ("oom=1", 507, "out_of_memory"),
        ("raise=bug", 502, "model_error"),
        ("bad_input=1", 400, "bad_input"),
    ],
)
def test_a_failure_has_its_status_and_after_the_first_word_its_event(
    server: Serving, client: openai.OpenAI, prompt: str, status: int, code: str
) -> None:
    for stream in (False, True):
        early = prompt if prompt != "crash=9" else "crash=9 after=0"
        with pytest.raises(openai.APIStatusError) as caught:
            client.chat.completions.create(model="one", messages=asking(early), stream=stream)
        assert (caught.value.status_code, caught.value.code) == (status, code)
    answer = post(server, {"model": "one", "messages": asking("crash=9 delay=0.05 after=3"), "stream": True})
    assert answer.status_code == 200 and answer.text.endswith("data: [DONE]\n\n")
    said = []
    with pytest.raises(openai.APIError) as broken:
        for chunk in client.chat.completions.create(
            model="one", messages=asking("crash=9 delay=0.05 after=3"), stream=True
        ):
            said.append(chunk.choices[0].delta.content)
    assert len(said) >= 2 and broken.value.code == "worker_died"


def test_messages_come_in_the_caller_s_language(server: Serving) -> None:
    answer = post(server, {"model": "one", "messages": asking("x"), "n": 3}, headers={"accept-language": "ru"})
    assert "не поддерживается" in answer.json()["error"]["message"]


def test_a_model_that_cannot_run_here_says_what_helps(client: openai.OpenAI) -> None:
    with pytest.raises(openai.InternalServerError) as caught:
        client.chat.completions.create(model="Qwen/Qwen3-VL-2B-Instruct", messages=asking("Extract text"))
    assert caught.value.status_code == 503 and "python -m arena models download qwen3_vl_2b" in str(caught.value)
