"""What visitors do: compare on the page and ask through the API, stop, leave in the middle, have models die."""

from __future__ import annotations

import base64
import contextlib
import io
import json
import random
import tempfile
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from PIL import Image

from tests.page_client import PageClient
from tests.soak.served import FAKE, MODELS, ROOT, Served

SAMPLES = {"en": ROOT / "assets" / "samples" / "receipt.jpg", "ru": ROOT / "assets" / "samples" / "form.jpg"}
FAULTS = ("crash=9", "crash=11", "exit=3", "raise=broken", "oom=1", "loop=1", "empty=1", "noise=500")


@dataclass
class Asked:
    """A comparison as it was asked. number: stands in its prompt, so that its rows are known by it.

    sides: how many rows it is to have; none is allowed too when it may have been left before it began.
    """

    number: int
    how: str
    sides: int
    certain: bool = True
    trouble: str = ""


@dataclass
class Visitor:
    """One of several people at the same time, each with his language and his own dice."""

    app: Served
    lang: str
    chance: random.Random
    page: PageClient | None = None
    broken: list[PageClient] = field(default_factory=list)  # that the server still takes for open
    folder: Path = field(default_factory=lambda: Path(tempfile.mkdtemp(prefix="arena-soak-")))

    def compare(self, number: int) -> Asked:
        """One comparison, in one of the ways there are."""
        ways: dict[Callable[[int], Asked], int] = {
            self.watch: 8,
            self.stop: 3,
            self.leave: 3,
            self.vanish: 1,
            self.fault: 3,
            self.kill: 2,
            self.api_whole: 3,
            self.api_stream: 3,
            self.api_leave: 3,
        }
        way = self.chance.choices(list(ways), list(ways.values()))[0]
        return way(number)

    # --- on the page

    def watch(self, number: int) -> Asked:
        """To the end."""
        asked = Asked(number, "watched", 2)
        said = "".join(self.events(self.prompt(number)))
        letters = sum("а" <= letter <= "я" for letter in said.lower())
        if '"success":true' not in said.replace(" ", "") or (self.lang == "ru" and letters < 20):
            asked.trouble = said[-300:]
        return asked

    def come_and_go(self, number: int) -> Asked:
        """To the end, and the page closed."""
        asked = self.watch(number)
        self.go()
        return asked

    def stop(self, number: int) -> Asked:
        """Stopped in the middle by the button, as a browser does it: the event cancelled, the handler called."""
        asked = Asked(number, "stopped", 2)
        page, last = self.visit(), self.chance.randint(1, 12)
        run = self.join(page, "run", **self.chosen(self.prompt(number, slow=True)))
        for event, _ in enumerate(self.stream(page, run)):
            if event == last:
                told = {"session_hash": page.session, "fn_index": page.dependency("run", "click")["id"]}
                page.http.post("/gradio_api/cancel", json=told | {"event_id": run})
                break
        for _ in self.stream(page, self.join(page, "stop")):
            pass
        return asked

    def leave(self, number: int) -> Asked:
        """Gone in the middle: the whole page, or for good only the stream of events, as when a network breaks."""
        asked = Asked(number, "left", 2)
        last = self.chance.randint(1, 12)
        with contextlib.closing(self.events(self.prompt(number, slow=True))) as events:
            for event, _ in enumerate(events):
                if event == last:
                    break
        if self.chance.random() < 0.7:
            self.go()
        elif self.page:
            self.broken.append(self.page)
            self.page = None
        return asked

    def vanish(self, number: int) -> Asked:
        """Gone right after the button was pressed, before anything came back."""
        page = self.visit()
        self.join(page, "run", **self.chosen(self.prompt(number)))
        self.go()
        return Asked(number, "vanished", 2, certain=False)

    def fault(self, number: int) -> Asked:
        """A model that dies, fails, repeats itself or says nothing."""
        fault = self.chance.choice(FAULTS)
        for _ in self.events(self.prompt(number, fault)):
            pass
        return Asked(number, f"fault {fault}", 2)

    def kill(self, number: int) -> Asked:
        """A worker ended from outside in the middle."""
        last = self.chance.randint(1, 8)
        for event, _ in enumerate(self.events(self.prompt(number, slow=True))):
            if event == last:
                self.app.kill_a_worker(self.chance)
        return Asked(number, "worker killed", 2)

    def visit(self) -> PageClient:
        """The page, open; with a picture of one's own."""
        if self.page is None:
            self.page = PageClient(self.app.url, **{"accept-language": self.lang})
            pulse = self.page.http.build_request("GET", f"/gradio_api/heartbeat/{self.page.session}")
            self.page.http.send(pulse, stream=True)
            self.page.open()
            self.page.bring(self.picture())
        elif self.chance.random() < 0.2:
            self.page.bring(self.picture())
        return self.page

    def go(self) -> None:
        """Close the page; the next comparison opens it anew."""
        if self.page:
            self.page.http.close()
        self.page = None
        self.hang_up()

    def hang_up(self) -> None:
        """Let the server notice which networks broke."""
        for page in self.broken:
            page.http.close()
        self.broken = []

    def events(self, prompt: str) -> Generator[str]:
        """The stream of a comparison on the page, to its end."""
        page = self.visit()
        return self.stream(page, self.join(page, "run", **self.chosen(prompt)))

    def chosen(self, prompt: str) -> dict[str, str]:
        one, two = self.chance.choices(MODELS, (4, 4, 2, 1, 2), k=2)
        return {"model_a": one, "model_b": two, "prompt": prompt, "document_language": self.lang}

    @staticmethod
    def join(page: PageClient, button: str, **values: str) -> str:
        """Press a button; the id of its event."""
        joined = page.http.post("/gradio_api/queue/join", json=page.body(button, "click", None, values))
        assert joined.status_code == 200, joined.text
        return str(joined.json()["event_id"])

    @staticmethod
    def stream(page: PageClient, event: str) -> Generator[str]:
        """What comes of an event, to its end."""
        told = {"session_hash": page.session}
        with page.http.stream("GET", "/gradio_api/queue/data", params=told) as stream:
            for line in stream.iter_lines():
                if not line.startswith("data:"):
                    continue
                message = json.loads(line[5:])
                if message.get("event_id") == event and message["msg"] in ("process_generating", "process_completed"):
                    yield line
                if message["msg"] == "close_stream":
                    return

    # --- through the API

    def api_whole(self, number: int) -> Asked:
        asked = Asked(number, "API", 1)
        answer = httpx.post(f"{self.app.url}/v1/chat/completions", json=self.body(number), timeout=300)
        if answer.status_code == 429:
            asked.sides = 0
        elif answer.status_code != 200 and answer.json()["error"]["code"] != "worker_died":
            asked.trouble = answer.text
        return asked

    def api_stream(self, number: int) -> Asked:
        asked, body = Asked(number, "API stream", 1), self.body(number) | {"stream": True}
        answer = httpx.post(f"{self.app.url}/v1/chat/completions", json=body, timeout=300)
        if answer.status_code == 429:
            asked.sides = 0
        elif answer.status_code == 200 and not answer.text.endswith("data: [DONE]\n\n"):
            asked.trouble = answer.text[-300:]
        return asked

    def api_leave(self, number: int) -> Asked:
        """Gone after a moment, wherever the run is by then."""
        asked = Asked(number, "API left", 1, certain=False)
        body = self.body(number, slow=True) | {"stream": self.chance.random() < 0.7}
        patience = httpx.Timeout(60, read=self.chance.uniform(0.05, 1.5))
        with contextlib.suppress(httpx.ReadTimeout):
            httpx.post(f"{self.app.url}/v1/chat/completions", json=body, timeout=patience)
        return asked

    def body(self, number: int, *, slow: bool = False) -> dict[str, Any]:
        shown = base64.b64encode(self.picture().read_bytes()).decode()
        content = [
            {"type": "text", "text": self.prompt(number, slow=slow)},
            {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{shown}"}},
        ]
        model = self.chance.choice(FAKE if slow else MODELS)
        return {"model": model, "messages": [{"role": "user", "content": content}], "language": self.lang}

    # ---

    def prompt(self, number: int, fault: str = "", *, slow: bool = False) -> str:
        said = {"en": "What does it say?", "ru": "Что здесь написано?"}[self.lang]
        pace = f"tokens=40 delay={self.chance.uniform(0.02, 0.1):.3f}" if slow else "tokens=20 delay=0.002"
        return f"{said} {pace} {fault} soak={number}"

    def picture(self) -> Path:
        """A piece of a page in his language, another one each time."""
        with Image.open(SAMPLES[self.lang]) as page:
            width, height = 360, 120
            x, y = self.chance.randrange(page.width - width), self.chance.randrange(page.height - height)
            data = io.BytesIO()
            page.crop((x, y, x + width, y + height)).save(data, "PNG")
        path = self.folder / "piece.png"
        path.write_bytes(data.getvalue())
        return path
