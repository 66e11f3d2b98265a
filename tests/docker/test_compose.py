"""The compose file and the proxy's configuration as their own programs read them; the proxy in front of a server."""

from __future__ import annotations

import http.client
import json
import os
import shutil
import socket
import struct
import subprocess
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import pytest
import yaml

DOCKER = Path(__file__).parent.parent.parent / "docker"
NGINX = shutil.which("nginx") or "/usr/sbin/nginx"  # where an ordinary user does not look
ADDRESS = "127.0.0.77"  # where the name of the model's container leads to in these tests
PROFILES = [[], ["multi-model"], ["proxy"], ["app"], ["app-gpu"], ["qwen2_vl_7b"], ["multi-model", "proxy"]]


def compose(*arguments: str, **environ: str) -> str:
    """What Docker Compose says, the plugin or the older program."""
    plugin = subprocess.run(["docker", "compose", "version"], capture_output=True, check=False).returncode == 0
    command = ["docker", "compose"] if plugin else ["docker-compose"]
    done = subprocess.run(
        [*command, "-f", str(DOCKER / "compose.yaml"), *arguments],
        env={name: os.environ[name] for name in ("PATH", "HOME")} | environ,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("profiles", PROFILES, ids=lambda profiles: "+".join(profiles) or "default")
def test_every_profile_is_accepted(profiles):
    flags = [word for profile in profiles for word in ("--profile", profile)]
    read = yaml.safe_load(compose(*flags, "config"))["services"]
    dots = read["vllm-dots-ocr"]
    assert dots["command"][dots["command"].index("--limit-mm-per-prompt") + 1] == '{"image": 1}'
    cache = Path(os.environ["HOME"]) / ".cache" / "huggingface" / "hub"
    assert dots["volumes"][0]["source"] == str(cache / "models--rednote-hilab--dots.ocr")


def test_what_a_machine_has_can_be_told():
    told = {
        "VLLM_API_KEY": "secret",
        "HF_HUB_CACHE": "/models",
        "SHARE_DOTS_OCR": "0.4",
        "GPU_DOTS_OCR": "1",
        "ARENA_VLLM_IMAGE": "vllm/vllm-openai:other",
    }
    dots = yaml.safe_load(compose("config", **told))["services"]["vllm-dots-ocr"]
    assert dots["environment"]["VLLM_API_KEY"] == "secret" and dots["image"] == "vllm/vllm-openai:other"
    assert dots["volumes"][0]["source"] == "/models/models--rednote-hilab--dots.ocr"
    assert dots["command"][dots["command"].index("--gpu-memory-utilization") + 1] == "0.4"
    (device,) = dots["deploy"]["resources"]["reservations"]["devices"]
    assert device["device_ids"] == ["1"]


# --- the proxy


class Model(BaseHTTPRequestHandler):
    """A server of OpenAI's API, as far as a proxy can tell."""

    protocol_version = "HTTP/1.1"
    seen: ClassVar[list[tuple[str, str, dict[str, str]]]] = []
    going_on = threading.Event()

    def do_GET(self) -> None:
        self.answer(200, b'{"object": "list", "data": []}')

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if b"refuse" in body:
            self.answer(400, b'{"error": {"message": "its own"}}')
            return
        self.note()
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(b'data: {"n": 1}\n\n')
        self.wfile.flush()
        self.going_on.wait(20)  # the second piece is made only when the first has arrived
        self.wfile.write(b"data: [DONE]\n\n")
        self.close_connection = True

    def answer(self, status: int, body: bytes) -> None:
        self.note()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def note(self) -> None:
        self.seen.append((self.command, self.path, dict(self.headers)))

    def log_message(self, *arguments: object) -> None:
        pass


def name_server(names: dict[str, str]) -> tuple[socket.socket, int]:
    """Answers which address a name has, as Docker's own does; of other names that there are none."""
    listening = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    listening.bind(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                question, sender = listening.recvfrom(512)
            except OSError:
                return
            labels, at = [], 12
            while size := question[at]:
                labels.append(question[at + 1 : at + 1 + size].decode())
                at += 1 + size
            address = names.get(".".join(labels))
            flags, count = (0x8180, 1) if address else (0x8183, 0)
            reply = question[:2] + struct.pack(">HHHHH", flags, 1, count, 0, 0) + question[12 : at + 5]
            if address:
                reply += b"\xc0\x0c" + struct.pack(">HHIH", 1, 1, 1, 4) + socket.inet_aton(address)
            listening.sendto(reply, sender)

    threading.Thread(target=serve, daemon=True).start()
    return listening, listening.getsockname()[1]


@pytest.fixture(scope="module")
def proxy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """nginx with our configuration, but for where it listens, whom it asks for names, and its folder: its port."""
    folder = tmp_path_factory.mktemp("nginx")
    folder.chmod(0o755)
    for name in ("body", "proxy", "fastcgi", "uwsgi", "scgi"):
        (folder / name).mkdir()
    names, dns = name_server({"vllm-dots-ocr": ADDRESS})
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    text = (DOCKER / "nginx.conf").read_text(encoding="utf-8")
    assert text.count("listen 8080") == 2 and text.count("127.0.0.11") == 1
    text = text.replace("listen 8080", f"listen 127.0.0.1:{port}").replace("127.0.0.11", f"127.0.0.1:{dns}")
    text = text.replace("/tmp/", f"{folder}/").replace("/dev/stderr warn", f"{folder}/error.log warn")
    if os.geteuid() == 0:  # in the container all of it is one user, and not this one
        text = f"user root;\n{text}"
    (folder / "nginx.conf").write_text(text, encoding="utf-8")
    nginx = [NGINX, "-e", str(folder / "error.log"), "-c", str(folder / "nginx.conf")]
    model = ThreadingHTTPServer((ADDRESS, 8000), Model)
    threading.Thread(target=model.serve_forever, daemon=True).start()
    with subprocess.Popen([*nginx, "-g", "daemon off;"], stderr=subprocess.PIPE, text=True) as process:
        deadline = time.monotonic() + 20
        while process.poll() is None and time.monotonic() < deadline:
            with socket.socket() as test:
                if test.connect_ex(("127.0.0.1", port)) == 0:
                    break
        assert process.poll() is None, process.stderr and process.stderr.read()
        yield port
        process.terminate()
    model.shutdown()
    model.server_close()
    names.close()
    log = (folder / "error.log").read_text(encoding="utf-8")
    assert "a question nobody may read" not in log and "emerg" not in log


def ask(port: int, path: str, body: bytes | None = None, **headers: str) -> tuple[int, dict, http.client.HTTPResponse]:
    """Status, JSON and the response. `headers` with _ for -."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    told = {name.replace("_", "-"): value for name, value in headers.items()}
    connection.request("GET" if body is None else "POST", path, body, told)
    answer = connection.getresponse()
    try:
        return answer.status, json.loads(answer.read()), answer
    finally:
        connection.close()


def test_nginx_accepts_its_configuration_as_it_is():
    command = [NGINX, "-t", "-q", "-e", "/dev/null", "-c", str(DOCKER / "nginx.conf")]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)
    assert done.returncode == 0, done.stderr


def test_a_path_a_model_and_the_key_goes_with_it(proxy):
    status, answer, _ = ask(proxy, "/dots_ocr/v1/models", Authorization="Bearer secret")
    assert status == 200 and answer == {"object": "list", "data": []}
    assert Model.seen[-1][:2] == ("GET", "/v1/models") and Model.seen[-1][2]["Authorization"] == "Bearer secret"


def test_an_answer_comes_piece_by_piece(proxy):
    Model.going_on.clear()
    connection = http.client.HTTPConnection("127.0.0.1", proxy, timeout=10)
    connection.request("POST", "/dots_ocr/v1/chat/completions", b'{"stream": true, "x": "a question nobody may read"}')
    answer = connection.getresponse()
    assert answer.status == 200 and answer.headers["Content-Type"] == "text/event-stream"
    assert answer.readline() == b'data: {"n": 1}\n'
    Model.going_on.set()
    assert b"[DONE]" in answer.read()
    connection.close()


def test_a_large_image_gets_through_and_a_larger_one_is_refused(proxy):
    Model.going_on.set()
    connection = http.client.HTTPConnection("127.0.0.1", proxy, timeout=30)
    connection.request("POST", "/dots_ocr/v1/chat/completions", b"x" * 68_000_000)
    assert connection.getresponse().status == 200
    connection.close()
    with socket.create_connection(("127.0.0.1", proxy), timeout=10) as sent:
        head = "POST /dots_ocr/v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Length: 80000000\r\n\r\n"
        sent.sendall(head.encode())
        assert sent.recv(4096).startswith(b"HTTP/1.1 413")


@pytest.mark.parametrize(
    "path",
    [
        "/dots_ocr/sleep",
        "/dots_ocr/v1/../sleep",
        "/dots_ocr/v1/%2e%2e/wake_up",
        "/dots_ocr/v1/..%2fcollective_rpc",
        "/dots_ocr/v1/load_lora_adapter",
        "/dots_ocr/v1/models%0d%0aX-Key:%20a",
        "/dots_ocr/metrics",
        "/dots_ocr/docs",
        "/dots_ocr//v1/models/x",
        "/no_model/v1/models",
        "/v1/models",
        "/",
    ],
)
def test_nothing_else_of_a_server_can_be_reached(proxy, path):
    before = len(Model.seen)
    status, answer, _ = ask(proxy, path)
    assert status == 404 and answer["error"]["type"] == "invalid_request_error"
    assert len(Model.seen) == before


def test_a_model_that_is_not_up_is_said_in_openais_form(proxy):
    status, answer, response = ask(proxy, "/qwen3_vl_2b/v1/chat/completions", b"{}")
    assert status == 503 and answer["error"]["code"] == "not_running" and response.headers["Retry-After"]


def test_what_a_server_refuses_is_passed_on_as_it_is(proxy):
    status, answer, _ = ask(proxy, "/dots_ocr/v1/chat/completions", b"refuse")
    assert status == 400 and answer == {"error": {"message": "its own"}}


def test_pages_of_a_browser_and_foreign_names_are_refused(proxy):
    before = len(Model.seen)
    assert ask(proxy, "/dots_ocr/v1/models", Origin="http://evil.example")[0] == 403
    assert ask(proxy, "/dots_ocr/v1/models", Host="evil.example")[0] == 403
    assert len(Model.seen) == before
    assert ask(proxy, "/health")[:2] == (200, {"status": "ok"})


def test_too_many_requests_are_told_so(proxy):
    """The last: it uses up what is allowed for a while."""
    statuses, refused = [], {}
    for _ in range(60):
        status, answer, response = ask(proxy, "/dots_ocr/v1/models")
        statuses.append(status)
        if status == 429:
            refused = answer | {"after": response.headers["Retry-After"]}
    assert statuses.count(200) >= 20 and statuses.count(429) >= 1
    assert refused["error"]["type"] == "rate_limit_error" and refused["after"] == "1"
