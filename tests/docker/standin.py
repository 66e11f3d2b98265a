"""What stands in for vLLM inside a container: its endpoints and its log, and on command its ways to fail.

Faults, as ``--fault NAME`` among the arguments: ``crash`` ends during the start, ``never`` is never ready, ``die`` ends
in the middle of an answer, ``slow`` takes three seconds for every word, ``ill`` answers 503 to everything from its
first answer on, ``shut`` does not listen any more then, ``hungry`` takes a lot of memory for it, ``deaf`` ignores
SIGTERM, ``insomnia`` does not fall asleep, ``coma`` does not wake up. The answer tells what it was asked with. What
guards vLLM is asked here too, before all else.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import signal
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

ARGUMENTS = sys.argv[1:]


def argument(name: str, default: str = "") -> str:
    return ARGUMENTS[ARGUMENTS.index(name) + 1] if name in ARGUMENTS else default


FAULT = argument("--fault")
MODEL = argument("--served-model-name")
KEY = os.environ["VLLM_API_KEY"]
DEVELOPERS = os.environ.get("VLLM_SERVER_DEV_MODE") == "1" and "--enable-sleep-mode" in ARGUMENTS
GUARD = None
if named := argument("--middleware"):
    sys.path.insert(0, os.environ["PYTHONPATH"])
    module, _, name = named.rpartition(".")
    GUARD = getattr(importlib.import_module(module), name)
asleep = False
ill = False


def log(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def answer() -> str:
    weights = os.environ["HF_HUB_CACHE"]
    found = (
        [entry for entry in sorted(os.listdir(weights)) if not entry.startswith(".")] if os.path.isdir(weights) else []
    )
    try:
        with open(os.path.join(weights, "written"), "w"):
            writable = "writable"
    except OSError:
        writable = "read-only"
    with open(os.path.join("/cache", "count"), "a+") as count:
        count.write("x")
        count.seek(0)
        starts = len(count.read())
    return f"{MODEL} {','.join(found)} {writable} start {starts}"


class Server(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *about: object) -> None:
        log(f"INFO: {self.command} {self.path}")

    def say(self, value: object, status: int = 200) -> None:
        body = json.dumps(value).encode() if value is not None else b""
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def let_in(self) -> bool:
        """Whether the guard passes the request on, asked as vLLM asks it."""
        if GUARD is None:
            return True
        passed, sent = [], []

        async def app(*_: object) -> None:
            passed.append(True)

        async def send(message: dict) -> None:
            sent.append(message)

        headers = [(name.lower().encode(), value.encode()) for name, value in self.headers.items()]
        scope = {"type": "http", "method": self.command, "path": self.path.partition("?")[0], "headers": headers}
        with contextlib.suppress(StopIteration):
            GUARD(app)(scope, None, send).send(None)
        if not passed:
            self.close_connection = True
            self.say(json.loads(sent[1]["body"]), sent[0]["status"])
        return bool(passed)

    def allowed(self) -> bool:
        if self.headers.get("Authorization") == f"Bearer {KEY}":
            return True
        self.say({"error": {"message": "Unauthorized", "type": "invalid_request_error"}}, 401)
        return False

    def do_GET(self) -> None:
        if not self.let_in():
            return
        if self.path == "/is_sleeping" and DEVELOPERS:
            self.say({"is_sleeping": asleep})
        elif self.path == "/health":
            self.say(None, 503 if ill else 200)
        elif self.path == "/version":
            self.say({"version": "0.32.0+standin"})
        elif self.path == "/v1/models":
            if self.allowed():
                self.say({"object": "list", "data": [{"id": MODEL, "object": "model", "max_model_len": 1024}]})
        else:
            self.say({"error": {"message": "Not Found"}}, 404)

    def do_POST(self) -> None:
        global asleep, ill
        if not self.let_in():
            return
        if self.path in ("/sleep?level=1", "/wake_up") and DEVELOPERS:
            if {"/wake_up": "coma"}.get(self.path, "insomnia") == FAULT:
                self.say({"error": {"message": "Internal Server Error"}}, 500)
                return
            asleep = self.path != "/wake_up"
            self.say({"status": "sleeping" if asleep else "awake"})
            return
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if not self.allowed():
            return
        if asleep:
            self.say({"error": {"message": "The model is sleeping"}}, 503)
            return
        pictures = [part for m in asked["messages"] if isinstance(m["content"], list) for part in m["content"]]
        if not any(part.get("type") == "image_url" for part in pictures):
            self.say({"error": {"message": "an image is expected"}}, 400)
            return
        most = int(asked.get("max_tokens") or asked.get("max_completion_tokens") or 16)
        if FAULT in ("ill", "shut", "hungry") and most > 1:  # the first answer, of one word, shows that it is ready
            if FAULT == "hungry":
                bytearray(2**30)
            if FAULT == "shut":
                threading.Thread(target=self.server.shutdown).start()
            ill = True
        if ill:
            self.say({"error": {"message": "the engine is dead"}}, 503)
            return
        words = TEXT.split()[:most]
        finish = "length" if most < len(TEXT.split()) else "stop"
        usage = {"prompt_tokens": 9, "completion_tokens": len(words), "total_tokens": 9 + len(words)}
        if not asked.get("stream"):
            message = {"role": "assistant", "content": " ".join(words)}
            choice = {"index": 0, "message": message, "finish_reason": finish}
            self.say({"id": "1", "object": "chat.completion", "model": MODEL, "choices": [choice], "usage": usage})
            return
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        for number, word in enumerate(words):
            delta = {"role": "assistant", "content": word if number == 0 else f" {word}"}
            self.event([{"index": 0, "delta": delta, "finish_reason": None}])
            if FAULT == "die" and most > 1:
                log("RuntimeError: the engine core died")
                os._exit(7)
            if FAULT == "slow" and most > 1:
                time.sleep(3)
        self.event([{"index": 0, "delta": {}, "finish_reason": finish}])
        self.event([], usage)
        self.wfile.write(b"data: [DONE]\n\n")
        self.close_connection = True

    def event(self, choices: list, usage: object = None) -> None:
        chunk = {"id": "1", "object": "chat.completion.chunk", "model": MODEL, "choices": choices, "usage": usage}
        self.wfile.write(b"data: " + json.dumps(chunk).encode() + b"\n\n")
        self.wfile.flush()


if __name__ == "__main__":
    TEXT = answer()
    log(f"INFO: vLLM API server version 0.32.0+standin, key {KEY}")
    log("\x1b[36m(EngineCore pid=7)\x1b[0m INFO Starting to load model /weights...")
    if FAULT == "crash":
        log("ValueError: No supported config format found")
        sys.exit(3)
    while FAULT == "never":
        time.sleep(60)
    log("INFO: init engine (profile, create kv cache, warmup model) took 0.01 s")
    if FAULT == "deaf":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    with ThreadingHTTPServer(("0.0.0.0", int(argument("--port", "8000"))), Server) as server:
        server.serve_forever()
    while True:
        time.sleep(60)
