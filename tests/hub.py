"""A Hub of our own on this machine: serves files as huggingface_hub expects them, and fails when told to."""

from __future__ import annotations

import hashlib
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

COMMIT = "a" * 40


class Hub:
    """files: what ``owner/tiny`` consists of. commit: of its branch main. mode: "", "gated", "absent" or "broken";
    broken: half of a large file, then nothing. ranges: the Range headers of requests for files."""

    def __init__(self, files: dict[str, bytes]) -> None:
        self.files = files
        self.commit = COMMIT
        self.mode = ""
        self.ranges: list[str | None] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def close(self) -> None:
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
                if hub.mode in ("gated", "absent"):
                    code = {"gated": "GatedRepo", "absent": "RepoNotFound"}[hub.mode]
                    self.answer(403 if hub.mode == "gated" else 404, X_Error_Code=code)
                elif path == "/api/models/owner/tiny/revision/main":
                    self.json({"id": "owner/tiny", "sha": hub.commit, "siblings": []})
                elif path == f"/api/models/owner/tiny/tree/{hub.commit}":
                    listed = [
                        {"type": "file", "path": name} | described(content) for name, content in hub.files.items()
                    ]
                    self.json(listed)
                elif path.startswith(f"/owner/tiny/resolve/{hub.commit}/"):
                    self.file(hub.files[path.rpartition("/")[2]])
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
                if begin:
                    headers["Content_Range"] = f"bytes {begin}-{len(content) - 1}/{len(content)}"
                self.answer(206 if begin else 200, part, **headers)

        return Handler


def described(content: bytes) -> dict[str, object]:
    """Size and hash of a file as git has them."""
    return {"size": len(content), "oid": hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()}  # noqa: S324
