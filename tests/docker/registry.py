"""A registry of images on this machine, as small as one can be: what Docker asks of it when it pulls, and no more."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
CONFIG = "application/vnd.docker.container.image.v1+json"
LAYER = "application/vnd.docker.image.rootfs.diff.tar.gzip"


def digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


class Registry:
    """`name` with a port, for references. held: while it is set, no layer gets further than its first half."""

    def __init__(self) -> None:
        self.contents: dict[str, tuple[str, bytes]] = {}  # by tag or digest: type and bytes
        self.held = threading.Event()
        self.asked = threading.Event()  # a layer is being sent
        self.closed = threading.Event()
        registry = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *about: object) -> None:
                pass

            def do_HEAD(self) -> None:
                self.do_GET()

            def do_GET(self) -> None:
                kind, content = registry.contents.get(self.path.rpartition("/")[2], ("", b""))
                if self.path == "/v2/":
                    kind, content = "application/json", b"{}"
                self.send_response(200 if kind else 404)
                self.send_header("Content-Type", kind or "application/json")
                self.send_header("Content-Length", str(len(content)))
                self.send_header("Docker-Content-Digest", digest(content))
                self.end_headers()
                if self.command == "HEAD":
                    return
                half = len(content) // 2 if kind == LAYER else 0
                try:
                    self.wfile.write(content[:half])
                    self.wfile.flush()
                    if kind == LAYER:
                        registry.asked.set()
                        while registry.held.is_set() and not registry.closed.wait(0.05):
                            pass
                    self.wfile.write(content[half:])
                except OSError:  # whoever asked has gone
                    self.close_connection = True

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.name = f"127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def put(self, tag: str, content: bytes) -> str:
        """An image with one file of that content under the tag; its digest."""
        layer = io.BytesIO()
        with tarfile.open(fileobj=layer, mode="w") as tar:
            entry = tarfile.TarInfo("content")
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
        packed = gzip.compress(layer.getvalue(), compresslevel=1, mtime=0)
        rootfs = {"type": "layers", "diff_ids": [digest(layer.getvalue())]}
        config = json.dumps({"architecture": "amd64", "os": "linux", "config": {}, "rootfs": rootfs}).encode()
        told = {"schemaVersion": 2, "mediaType": MANIFEST}
        told["config"] = {"mediaType": CONFIG, "size": len(config), "digest": digest(config)}
        told["layers"] = [{"mediaType": LAYER, "size": len(packed), "digest": digest(packed)}]
        manifest = json.dumps(told).encode()
        self.contents |= {digest(config): (CONFIG, config), digest(packed): (LAYER, packed)}
        self.contents |= {tag: (MANIFEST, manifest), digest(manifest): (MANIFEST, manifest)}
        return digest(manifest)

    def close(self) -> None:
        self.closed.set()
        self._server.shutdown()
        self._server.server_close()
