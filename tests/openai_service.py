"""A small service that speaks OpenAI's protocol over real HTTP and fails on command, as services do.

The commands stand in the prompt, ``name`` or ``name=value``: ``busy=n`` 429 the first n times · ``fault=code`` with
``times=n`` · ``drop=n`` hangs up without an answer · ``after=n`` words, then ``reset``, ``garbage``, ``silence`` or
``unfinished`` · ``tokens=n`` ``delay=s`` ``huge=n`` ``usage=no`` ``filtered`` · ``say=…`` quoted as in a URL, ``~``
between the pieces.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import io
import itertools
import json
import socket
import struct
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote


class Service(ThreadingHTTPServer):
    """models: what it lists, None for no list at all. key: what it wants to see, "" for nothing. refuses: fields it
    does not take. requests: bodies of what it was asked. left: answers whose client went away before their end."""

    daemon_threads = True

    def __init__(self, models: list[str] | None = None, key: str = "", owner: str = "someone") -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.models, self.key, self.owner = models, key, owner
        self.refuses: set[str] = set()
        self.requests: list[dict[str, Any]] = []
        self.left = 0
        self.seen: dict[str, int] = {}
        self.connections: list[socket.socket] = []
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/v1"

    def get_request(self) -> Any:
        connection, address = super().get_request()
        self.connections.append(connection)
        return connection, address

    def stop(self) -> None:
        self.shutdown()
        self.server_close()
        for connection in self.connections:
            with contextlib.suppress(OSError):  # closed already
                connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is no news."""


class Handler(BaseHTTPRequestHandler):
    server: Service
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: Any) -> None:
        pass

    def answer(self, status: int, data: dict[str, Any], **headers: str) -> None:
        body = json.dumps(data).encode()
        self.send_response(status)
        for name, value in {**headers, "Content-Type": "application/json", "Content-Length": str(len(body))}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def complain(self, status: int, message: str, **headers: str) -> None:
        self.answer(status, {"error": {"message": message, "type": "invalid_request_error"}}, **headers)

    def allowed(self) -> bool:
        if not self.server.key or self.headers.get("Authorization") == f"Bearer {self.server.key}":
            return True
        self.complain(401, f"Incorrect API key provided: {self.headers.get('Authorization')}")
        return False

    def do_GET(self) -> None:
        if not self.allowed():
            return
        if self.path != "/v1/models" or self.server.models is None:
            self.complain(404, "not here")
            return
        listed = [{"id": name, "object": "model", "owned_by": self.server.owner} for name in self.server.models]
        self.answer(200, {"object": "list", "data": listed})

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if not self.allowed():
            return
        self.server.requests.append(body)
        prompt, digest = said(body["messages"])
        told = dict(word.partition("=")[::2] for word in prompt.split())
        nth = self.server.seen[prompt] = self.server.seen.get(prompt, 0) + 1
        if field := next(iter(self.server.refuses & set(body)), ""):
            self.complain(400, f"Unsupported parameter: '{field}' is not supported with this model.")
        elif self.server.models is not None and body["model"] not in self.server.models:
            self.complain(404, f"The model {body['model']} does not exist")
        elif digest is None:
            self.complain(400, "cannot identify image file")
        elif nth <= int(told.get("busy", 0)):
            self.complain(429, "slow down", Retry_After=told.get("wait", "0.01"))
        elif "fault" in told and nth <= int(told.get("times", 10**9)):
            self.complain(int(told["fault"]), f"fault {told['fault']} on command")
        elif nth <= int(told.get("drop", 0)):
            self.reset()
        else:
            self.stream(body, told, digest)

    def reset(self) -> None:
        """Hang up the hard way, so that the client gets a reset and not an end."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True
        self.connection.close()

    def stream(self, body: dict[str, Any], told: dict[str, str], digest: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        try:
            self.words(body, told, digest)
        except OSError:
            self.server.left += 1
            self.close_connection = True

    def words(self, body: dict[str, Any], told: dict[str, str], digest: str) -> None:
        limit = body.get("max_tokens") or body.get("max_completion_tokens") or 10**9
        words = unquote(told["say"]).split("~") if "say" in told else counted(digest)
        most = len(words) if isinstance(words, list) else min(int(told.get("tokens", 12)), limit)
        count = 0
        for count, word in enumerate(itertools.islice(words, most), 1):
            time.sleep(float(told.get("delay", 0)))
            self.send({"content": "x" * int(told["huge"]) if "huge" in told else word})
            if count == int(told.get("after", 3)) and self.misbehave(told):
                return
        reason = "content_filter" if "filtered" in told else "length" if count >= limit else "stop"
        self.send({}, finish_reason=reason)
        if body.get("stream_options") and told.get("usage") != "no":
            usage = {"prompt_tokens": 7, "completion_tokens": count, "total_tokens": 7 + count}
            self.chunk(json.dumps({**HEAD, "choices": [], "usage": usage}))
        self.chunk("[DONE]")
        self.wfile.write(b"0\r\n\r\n")

    def misbehave(self, told: dict[str, str]) -> bool:
        """Whether the answer ends here, and how."""
        if "garbage" in told:
            self.chunk('{"choices": [{"delta": ')
        elif "silence" in told:
            time.sleep(float(told["silence"]))
        elif "reset" in told:
            self.reset()
        elif "unfinished" in told:
            self.wfile.write(b"0\r\n\r\n")
        else:
            return False
        return True

    def send(self, delta: dict[str, Any], finish_reason: str | None = None) -> None:
        self.chunk(json.dumps({**HEAD, "choices": [{"index": 0, "delta": delta, "finish_reason": finish_reason}]}))

    def chunk(self, data: str) -> None:
        line = f"data: {data}\n\n".encode()
        self.wfile.write(f"{len(line):x}\r\n".encode() + line + b"\r\n")


HEAD = {"id": "x", "object": "chat.completion.chunk", "created": 0, "model": "m"}


def counted(digest: str) -> Iterator[str]:
    """Words without end."""
    return (f"{digest[number % 60 :][:4]}{number} " for number in itertools.count())


def said(messages: list[dict[str, Any]]) -> tuple[str, str | None]:
    """The last question, and a digest of the image before it, "no" for none and None for one that cannot be opened."""
    from PIL import Image

    prompt, digest = "", hashlib.sha256(b"").hexdigest()
    for message in messages:
        content = message["content"]
        for part in content if isinstance(content, list) else [{"type": "text", "text": content}]:
            if part["type"] == "text":
                prompt = part["text"]
                continue
            data = base64.b64decode(part["image_url"]["url"].partition("base64,")[2])
            try:
                with Image.open(io.BytesIO(data)) as image:
                    image.load()
            except (OSError, SyntaxError):
                return prompt, None
            digest = hashlib.sha256(data).hexdigest()
    return prompt, digest
