"""A Hub of our own on this machine: serves files as huggingface_hub expects them, and fails when told to."""

from __future__ import annotations

import hashlib
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

COMMIT = "a" * 40


class Hub:
    """files: what ``owner/tiny`` consists of. further: of other repositories, by name. commit: of every branch main.

    mode: "", "gated", "absent", "bad_token", "broken" or "held". broken: half of a large file, then nothing. held: half
    of a large file, the rest only after `go`. ranges: the Range headers of requests for files.
    """

    def __init__(self, files: dict[str, bytes], further: dict[str, dict[str, bytes]] | None = None) -> None:
        self.files = files
        self.further = further or {}
        self.commit = COMMIT
        self.mode = ""
        self.go = threading.Event()
        self.ranges: list[str | None] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def close(self) -> None:
        self.go.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        hub = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_: object) -> None:
                pass

            def answer(self, status: int, content: bytes = b"", **headers: str) -> None:
                self.send_response(status)
                for name, value in ({"Content_Length": str(len(content))} | headers).items():
                    self.send_header(name.replace("_", "-"), value)
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(content)

            def do_HEAD(self) -> None:
                self.do_GET()

            def do_GET(self) -> None:
                path = urlsplit(self.path).path
                parts = path.removeprefix("/api/models").strip("/").split("/")
                files = {"owner/tiny": hub.files, **hub.further}.get("/".join(parts[:2]), {})
                if hub.mode in ("gated", "absent"):
                    code = {"gated": "GatedRepo", "absent": "RepoNotFound"}[hub.mode]
                    self.answer(403 if hub.mode == "gated" else 404, X_Error_Code=code)
                elif hub.mode == "bad_token":
                    self.answer(401, X_Error_Message="Invalid credentials in Authorization header")
                elif files and parts[2:] in (["revision", "main"], ["revision", hub.commit]):
                    self.json({"id": "/".join(parts[:2]), "sha": hub.commit, "siblings": []})
                elif files and parts[2:] == ["tree", hub.commit]:
                    self.json([{"type": "file", "path": name} | described(each) for name, each in files.items()])
                elif parts[2:4] == ["resolve", hub.commit]:
                    self.file(files[parts[-1]])
                else:
                    self.answer(404, X_Error_Code="RevisionNotFound")

            def json(self, value: object) -> None:
                self.answer(200, json.dumps(value).encode(), Content_Type="application/json")

            def file(self, content: bytes) -> None:
                headers = {"ETag": f'"{described(content)["oid"]}"', "X_Repo_Commit": hub.commit}
                if self.command == "HEAD":
                    self.answer(200, Content_Length=str(len(content)), **headers)
                    return
                begin = int((self.headers["Range"] or "bytes=0-")[6:].split("-")[0])
                hub.ranges.append(self.headers["Range"])
                if hub.mode == "broken" and len(content) > 1000:
                    if begin:
                        self.answer(503)
                        return
                    half = content[: len(content) // 2]
                    self.answer(200, half, Content_Length=str(len(content)), **headers)
                    self.close_connection = True
                    return
                part = content[begin:]
                if hub.mode == "held" and len(part) > 1000:
                    self.answer(
                        206 if begin else 200, Content_Length=str(len(part)), **headers | ranged(begin, content)
                    )
                    half = len(part) // 2
                    self.wfile.write(part[:half])
                    hub.go.wait(60)
                    self.wfile.write(part[half:])
                    return
                self.answer(206 if begin else 200, part, **headers | ranged(begin, content))

        return Handler


def ranged(begin: int, content: bytes) -> dict[str, str]:
    """The header of an answer that does not begin at the beginning."""
    return {"Content_Range": f"bytes {begin}-{len(content) - 1}/{len(content)}"} if begin else {}


def described(content: bytes) -> dict[str, object]:
    """Size and hash of a file as git has them."""
    return {"size": len(content), "oid": hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()}  # noqa: S324
