"""A visitor who does without a browser: the page's events by their names, as whoever reads its configuration can."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
from starlette.requests import Request

from arena.access import COOKIE, visitor_of


class PageClient:
    """One browser's worth of cookies and one session of the page. password: what is typed at the door, if any is."""

    def __init__(self, url: str, password: str = "", **headers: str) -> None:
        self.http = httpx.Client(base_url=url, timeout=60, headers={"origin": url, "accept-language": "en"} | headers)
        if password:
            assert self.http.post("/login", data={"password": password}).status_code == 303
        assert self.http.get("/").status_code == 200
        self.session = secrets.token_hex(6)
        self.config = self.http.get("/config").json()

    @property
    def visitor(self) -> str:
        sent = [(b"cookie", f"{COOKIE}={self.http.cookies[COOKIE]}".encode())]
        return visitor_of(Request({"type": "http", "headers": sent}))

    def dependency(self, block: str, event: str) -> dict[str, Any]:
        """The event of the component with that id in the page."""
        numbers = {each["id"] for each in self.config["components"] if each["props"].get("elem_id") == block}
        for found in self.config["dependencies"]:
            if any(number in numbers and name == event for number, name in found["targets"]) and found["backend_fn"]:
                return found
        raise LookupError(f"{block}.{event}")

    def ask(self, block: str, event: str, told: dict[str, Any] | None = None, **values: Any) -> httpx.Response:
        """The answer to an event that does not wait in the queue. told: its data. values: of inputs, by id."""
        return self.http.post("/gradio_api/run/predict", json=self.body(block, event, told, values))

    def said(self, block: str, event: str, told: dict[str, Any] | None = None, **values: Any) -> str:
        """The answer as text, for what must not be in it; by way of the queue, where the event waits there."""
        if self.dependency(block, event)["queue"]:
            return self.run(block, event, told, **values)
        return self.ask(block, event, told, **values).text

    def run(self, block: str, event: str, told: dict[str, Any] | None = None, **values: Any) -> str:
        """The whole stream of an event that waits in the queue, to its end."""
        joined = self.http.post("/gradio_api/queue/join", json=self.body(block, event, told, values))
        assert joined.status_code == 200, joined.text
        text = ""
        with self.http.stream("GET", "/gradio_api/queue/data", params={"session_hash": self.session}) as stream:
            for line in stream.iter_lines():
                text += line
                if line.startswith("data:") and json.loads(line[5:])["msg"] in ("process_completed", "close_stream"):
                    return text
        return text

    def open(self) -> None:
        """What a browser asks once the page is there."""
        for found in self.config["dependencies"]:
            if found["backend_fn"] and any(name == "load" for _, name in found["targets"]):
                answer = self.http.post("/gradio_api/run/predict", json=self.filled(found, None, {}))
                assert answer.status_code == 200, answer.text

    def body(self, block: str, event: str, told: dict[str, Any] | None, values: dict[str, Any]) -> dict[str, Any]:
        return self.filled(self.dependency(block, event), told, values)

    def filled(self, found: dict[str, Any], told: dict[str, Any] | None, values: dict[str, Any]) -> dict[str, Any]:
        components = {each["id"]: each for each in self.config["components"]}
        data = []
        for number in found["inputs"]:
            props = components[number]["props"]
            key = str(props.get("elem_id") or "").replace("-", "_")
            data.append(values.get(key, values.get(str(number), props.get("value"))))
        return {
            "data": data,
            "event_data": told,
            "fn_index": found["id"],
            "trigger_id": found["targets"][0][0],
            "session_hash": self.session,
        }

    def upload(self, path: Path) -> str:
        """Where the framework has put the file."""
        with path.open("rb") as file:
            answer = self.http.post("/gradio_api/upload", files={"files": (path.name, file)})
        assert answer.status_code == 200, answer.text
        return str(answer.json()[0])

    def bring(self, path: Path) -> None:
        """Make a file the picture of the Compare tab."""
        given = {"path": self.upload(path), "orig_name": path.name, "meta": {"_type": "gradio.FileData"}}
        said = self.run("source", "upload", None, source=given)
        assert path.name in said, said


@contextmanager
def visiting(url: str, *passwords: str) -> Iterator[list[PageClient]]:
    """A visitor for each password."""
    clients = [PageClient(url, password) for password in passwords]
    try:
        yield clients
    finally:
        for client in clients:
            client.http.close()
