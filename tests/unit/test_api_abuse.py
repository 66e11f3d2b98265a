"""Bodies that no program sends: broken, endless, deep, of odd letters, with fields meant for a server behind."""

from __future__ import annotations

import csv
import io
import json
import socket
from collections.abc import Iterator

import httpx
import openai
import pytest
from openai_service import Service

from arena import export
from arena.api.errors import ApiError
from arena.api.images import from_data_url
from arena.api.route import MOST_VALUES
from tests.serving import Serving, get, own_models, serving
from tests.unit.test_api_chat import IMAGE, asking, post

JSON = {"content-type": "application/json"}


@pytest.fixture(scope="module")
def service() -> Iterator[Service]:
    started = Service(["some-model"])
    yield started
    started.stop()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, service: Service) -> Iterator[Serving]:
    """With a model `away`, which a service runs that keeps what it was asked."""
    modes = {"endpoint": {"endpoint": {"url": service.url, "model": "some-model"}}}
    away = {"adapter": "openai_chat", "modes": modes, "tasks": ["ocr", "question"]}
    with serving(own_models(tmp_path_factory.mktemp("api"), away=away)) as running:
        yield running


def send(server: Serving, body: bytes, **headers: str) -> httpx.Response:
    return httpx.post(f"{server.base}/chat/completions", content=body, headers=JSON | headers, timeout=30)


def chat(messages: str, more: str = "") -> bytes:
    return f'{{"model": "one"{more}, "messages": {messages}}}'.encode()


SAYS_X = '[{"role": "user", "content": "x"}]'
BROKEN = {
    "empty": b"",
    "half": b"{",
    "null": b"null",
    "list": b"[]",
    "text": b'"x"',
    "no-utf8": b"\xff\xfe",
    "deep": chat("[" * 49_000 + "]" * 49_000),
    "deeper": chat("[" * 1_000_000 + "]" * 1_000_000),
    "deep-beside": chat(SAYS_X, ', "x": ' + '{"a":' * 49_000 + "1" + "}" * 49_000),
    "nan": chat(SAYS_X, ', "temperature": NaN'),
    "infinite": chat(SAYS_X, ', "temperature": 1e999'),
    "digits": chat(SAYS_X, ', "max_tokens": ' + "9" * 5000),
    "many-messages": chat("[" + ",".join(["{}"] * 1001) + "]"),
    "many-values": chat(SAYS_X, ', "x": [' + "[],[],[]," * MOST_VALUES + "1]"),
}


@pytest.mark.battery("A10", "A12")
@pytest.mark.parametrize("body", BROKEN.values(), ids=BROKEN)
def test_broken_bodies_are_told_in_the_same_shape(server: Serving, body: bytes) -> None:
    answer = send(server, body)
    assert answer.status_code in (400, 413) and len(answer.content) < 2000
    assert set(answer.json()["error"]) == {"message", "type", "param", "code"}


@pytest.mark.battery("A10")
@pytest.mark.parametrize("kind", ["text/plain", "multipart/form-data; boundary=x", "application/x-www-form-urlencoded"])
def test_what_is_no_json_is_not_read_as_json(server: Serving, kind: str) -> None:
    answer = send(server, chat(SAYS_X), **{"content-type": kind})
    assert answer.status_code in (400, 415) and set(answer.json()["error"]) == {"message", "type", "param", "code"}


@pytest.mark.battery("A10")
def test_a_huge_body_is_refused_and_holds_up_nobody(server: Serving) -> None:
    """Of 200 MB, whatever it says of its length; between its pieces others are answered."""
    host, port = server.url.removeprefix("http://").split(":")
    for declared in (True, False):
        length = "Content-Length: 200000000" if declared else "Transfer-Encoding: chunked"
        with socket.create_connection((host, int(port))) as connection, connection.makefile("rb") as answer:
            head = (
                f"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n{length}\r\n\r\n"
            )
            connection.sendall(head.encode())
            piece = b" " * 10**7
            for number in range(20):
                connection.sendall(piece if declared else b"%x\r\n%b\r\n" % (len(piece), piece))
                if number % 5 == 0:
                    assert get(f"{server.url}/models/status").status_code == 200
            connection.sendall(b"" if declared else b"0\r\n\r\n")
            assert b" 413 " in answer.readline()
            assert b'"code":"too_large"' in answer.read()


@pytest.mark.battery("A8")
def test_an_image_of_more_than_may_be_is_not_even_decoded() -> None:
    with pytest.raises(ApiError) as caught:
        from_data_url("data:image/png;base64," + "A" * 74_000_000, 50 * 10**6)
    assert caught.value.status == 413 and "50" in caught.value.message("ru")


@pytest.mark.battery("A9")
@pytest.mark.parametrize("content", [[], "", " \n", None, [{"type": "text", "text": ""}]])
def test_nothing_asked_is_refused(server: Serving, content: object) -> None:
    for messages in (
        [{"role": "user", "content": content}],
        [*asking("x"), {"role": "assistant", "content": "y"}, {"role": "user", "content": content}],
    ):
        answer = post(server, {"model": "one", "messages": messages})
        assert (answer.status_code, answer.json()["error"]["param"]) == (400, "messages"), answer.text


@pytest.mark.battery("A9")
@pytest.mark.parametrize("count", [2, 500])
def test_more_than_one_image_is_refused_with_the_limit(server: Serving, count: int) -> None:
    answer = post(server, {"model": "one", "messages": asking("x", *[IMAGE] * count)})
    assert answer.status_code == 400 and str(count) in answer.json()["error"]["message"]
    assert "One image" in answer.json()["error"]["message"]


SMUGGLED = "smuggled"
MEANT_FOR_A_SERVER = {
    "chat_template": SMUGGLED,
    "chat_template_kwargs": {"enable_thinking": SMUGGLED},
    "mm_processor_kwargs": {"max_pixels": SMUGGLED},
    "media_io_kwargs": {"image": {"mode": SMUGGLED}},
    "api_base": f"http://127.0.0.1:1/{SMUGGLED}",
    "base_url": f"http://127.0.0.1:1/{SMUGGLED}",
    "api_key": SMUGGLED,
    "extra_body": {"x": SMUGGLED},
    "extra_headers": {"x": SMUGGLED},
    "served": SMUGGLED,
    "options": {"base_url": SMUGGLED},
    "vllm_xargs": {"x": SMUGGLED},
    "kv_transfer_params": {"x": SMUGGLED},
    "cache_salt": SMUGGLED,
}


@pytest.mark.battery("A13")
@pytest.mark.parametrize("name", MEANT_FOR_A_SERVER)
def test_what_is_meant_for_a_server_behind_never_reaches_it(server: Serving, service: Service, name: str) -> None:
    service.requests.clear()
    image = {"type": "image_url", "image_url": IMAGE["image_url"] | {name: MEANT_FOR_A_SERVER[name]}}
    plain = {"model": "away", "messages": asking("tokens=2", image), "max_tokens": 9}
    plain["messages"][0][name] = MEANT_FOR_A_SERVER[name]
    beside = post(server, plain | {name: MEANT_FOR_A_SERVER[name]})
    within = post(server, plain)
    assert within.status_code == 200, within.text
    if beside.status_code != 200:
        assert (beside.status_code, beside.json()["error"]["param"]) == (400, name)
    assert len(service.requests) == 1 + (beside.status_code == 200)
    for asked in service.requests:
        assert SMUGGLED not in json.dumps(asked)
        assert set(asked) <= {
            "model",
            "messages",
            "stream",
            "stream_options",
            "max_tokens",
            "max_completion_tokens",
            "temperature",
        }
        (image,) = [part for message in asked["messages"] for part in message["content"] if part["type"] == "image_url"]
        assert image["image_url"]["url"].startswith("data:"), "the service is given the image, never an address"


ODD = {
    "surrogate": "\ud800",
    "nul": "\x00",
    "bidi": "\u202e\u2066",
    "family": "\U0001f468\u200d\U0001f469\u200d\U0001f467",
    "controls": "\x07\x1b[2J\x7f",
    "megabyte": "слово, " * 80_000,
}


@pytest.mark.battery("A17")
@pytest.mark.parametrize("odd", ODD.values(), ids=ODD)
def test_odd_letters_pass_or_are_refused(server: Serving, odd: str) -> None:
    """What passes is kept as it was asked, and comes out of the CSV that way."""
    prompt = f"tokens=1 {odd}end"
    answer = send(server, json.dumps({"model": "one", "messages": asking(prompt)}).encode())
    if answer.status_code == 400:
        assert "\ud800" in odd and answer.json()["error"]["message"]
        return
    assert answer.status_code == 200, answer.text
    (run,) = server.arena.store.comparison(answer.json()["id"].removeprefix("chatcmpl-"))
    assert run.prompt.endswith("end") and abs(len(run.prompt) - len(prompt)) <= 1
    file = io.StringIO(newline="")
    assert export.write_csv([run], file) == 1
    csv.field_size_limit(10**8)
    (row,) = csv.DictReader(io.StringIO(file.getvalue().removeprefix("\ufeff"), newline=""))
    assert row["prompt"].endswith("end")


@pytest.mark.battery("M1", "M2", "M3", "M7")
@pytest.mark.parametrize(
    "name",
    [
        "../../x", "/etc", "C:\\x", "http://evil.example/x", "-rf", "--trust-remote-code", "a b", "a;b", "a\nb",
        "openbmb/MiniCPM-V-4", "o\u0301ne", "оne", "ONE", "one ", "x" * 299, "x" * 10_000, "one:" + "x" * 9_000,
    ],
)  # fmt: skip
def test_what_is_no_model_is_404(server: Serving, name: str) -> None:
    answer = post(server, {"model": name, "messages": asking("x")})
    status = 400 if name.startswith("one:") else 404
    assert answer.status_code == status and answer.json()["error"]["param"] == "model", answer.text
    assert len(answer.text) < 2000
    assert httpx.post(f"{server.url}/models/load", json={"model": name}, timeout=30).status_code == status


@pytest.mark.battery("A24")
def test_the_client_raises_its_own_errors(server: Serving) -> None:
    with openai.OpenAI(base_url=server.base, api_key="-", max_retries=0, timeout=30) as client:
        for body, error in (
            ({"model": "nobody"}, openai.NotFoundError),
            ({"model": "one", "n": 2}, openai.BadRequestError),
            ({"model": "Qwen/Qwen3-VL-2B-Instruct"}, openai.InternalServerError),
        ):
            for stream in (False, True):
                with pytest.raises(error):
                    client.chat.completions.create(messages=asking("x"), stream=stream, **body)


@pytest.mark.parametrize(
    ("method", "path", "code"),
    [
        ("POST", "/embeddings", "unknown_url"),
        ("DELETE", "/models", "unknown_url"),
        ("GET", "/a%0Aline/%D1%84", "unknown_url"),
        ("GET", "/models/no%0Asuch", "model_not_found"),
    ],
)
def test_a_call_that_there_is_none_of_is_refused_as_openai_does(server, method, path, code):
    said = httpx.request(method, server.base + path)
    assert said.status_code == 404 and said.json()["error"]["code"] == code
    with pytest.raises(openai.NotFoundError, match="There is no call POST /v1/embeddings"):
        openai.OpenAI(base_url=server.base, api_key="-").embeddings.create(input="a", model="one")
