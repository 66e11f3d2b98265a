"""``POST /v1/chat/completions``: one side of a comparison, through the same queue and into the same table."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass

import anyio
from fastapi import APIRouter, Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from adapters.base import adapter_class
from arena.api import conversation, errors
from arena.api.answer import Answer, failure
from arena.api.errors import ApiError, Json
from arena.api.flow import Flow, attended
from arena.api.images import bytes_of
from arena.api.names import found, language
from arena.api.remote import Fetcher
from arena.api.route import Door
from arena.api.schema import ChatRequest
from arena.catalog import ModelSpec, Task
from arena.compare import Request as Asked
from arena.compare import Side, compare
from arena.core import Arena
from arena.errors import RunError
from arena.strings import tr
from arena.types import Event, Run

PREPARED = 8  # requests whose images are unpacked and decoded at a time
FETCHED = 4  # images that are fetched from elsewhere at a time
PATIENCE_S = 10.0  # a failure within this time has its own HTTP status; then the stream begins and says it waits
SIGN_S = 10.0  # seconds between two signs of life in a silent stream
log = logging.getLogger(__name__)


def router(arena: Arena, door: Door, fetcher: Fetcher | None = None) -> APIRouter:
    """The route. fetcher: how remote images are fetched where the settings allow it; the usual way when None."""
    chats = Chats(arena, door, (fetcher or Fetcher()) if arena.settings.remote_images else None)
    routes = APIRouter(route_class=door.route("use"))

    streamed: dict[int | str, dict[str, object]] = {200: {"content": {"text/event-stream": {}}}}

    @routes.post("/v1/chat/completions", summary=tr("api.calls.chat"), responses=streamed)
    async def chat(body: ChatRequest, request: Request) -> Response:
        """Ask a model; the run is stored like every other."""
        asked = await attended(chats.prepared(body, language(request)), request)
        flow = Flow(lambda cancel: counted(door, compare(arena, asked, cancel)))
        talk = Talk(flow, Answer(asked.comparison_id, body.model), door, language(request))
        if not body.stream:
            return await talk.whole(request)
        return await talk.stream(request, bool(body.stream_options and body.stream_options.include_usage))

    return routes


def counted(door: Door, events: Iterator[Event]) -> Iterator[Event]:
    for event in events:
        if isinstance(event, Run):
            door.metrics.ran(event)
        yield event


class Chats:
    """From a request's body to what a comparison is asked."""

    def __init__(self, arena: Arena, door: Door, fetcher: Fetcher | None) -> None:
        self._arena = arena
        self._door = door
        self._fetcher = fetcher
        self._preparing = anyio.CapacityLimiter(PREPARED)
        self._fetching = anyio.CapacityLimiter(FETCHED)

    async def prepared(self, body: ChatRequest, lang: str) -> Asked:
        """Everything that can be refused before the device is asked for. Raises `ApiError`."""
        body.check()
        spec = found(self._arena, body.model, lang)
        said = conversation.read(body.messages)
        task = task_of(self._arena, spec, body.task, said, lang)
        if said.image is None and adapter_class(spec.adapter).needs_image:
            raise ApiError(400, "api.needs_image", param="messages", model=spec.id)
        slot = self._arena.slots.for_(spec)
        if (waiting := int(str(slot.status()["waiting"]))) >= self._arena.settings.queue_size:
            raise errors.busy(waiting, self._door.metrics.retry_after())
        remote = bool(said.image) and str(said.image)[:5].lower() != "data:"
        limiter = self._fetching if remote else self._preparing
        return await anyio.to_thread.run_sync(self._asked, body, spec, task, said, lang, limiter=limiter)

    def _asked(
        self, body: ChatRequest, spec: ModelSpec, task: Task, said: conversation.Conversation, lang: str
    ) -> Asked:
        image = None
        if said.image is not None:
            data = bytes_of(said.image, fetcher=self._fetcher, most=self._arena.settings.max_upload_mb * 10**6)
            try:
                image = self._arena.images.add(data)
            except RunError as error:
                raise errors.of_run_error(error, lang, "messages") from error
        prompt, params = said.prompt, body.params()
        if "chat" in spec.tasks:
            told = {"system": said.system, "history": [list(turn) for turn in said.history]}
            params |= {name: value for name, value in told.items() if value}
            if said.image_turn:
                params["image_turn"] = said.image_turn
        elif said.system and prompt:
            prompt = f"{said.system}\n\n{prompt}"
        language = body.language or ""
        prompt = prompt or task.prompt_for(language or "en")
        return Asked((Side(spec, params),), image, task, prompt, language)


def task_of(arena: Arena, spec: ModelSpec, wanted: str | None, said: conversation.Conversation, lang: str) -> Task:
    """The task that was named; else a chat where there are turns or nothing is shown, a question, or the first that
    the model has. Raises `ApiError`."""
    talking = bool(said.history) or said.image is None
    if wanted is not None:
        try:
            arena.catalog.task(wanted)
        except RunError as error:
            raise errors.of_run_error(error, lang, "task") from error
        if wanted not in spec.tasks:
            raise ApiError(400, "models.no_task", param="task", model=spec.id, task=wanted)
    elif talking and "chat" in spec.tasks:
        wanted = "chat"
    else:
        wanted = "question" if "question" in spec.tasks else spec.tasks[0]
    if said.history and "chat" not in spec.tasks and adapter_class(spec.adapter).prompted:
        raise ApiError(400, "api.no_conversation", param="messages", model=spec.id)
    return arena.catalog.task(wanted)


@dataclass
class Talk:
    """A run on its way to the caller."""

    flow: Flow
    answer: Answer
    door: Door
    lang: str

    async def whole(self, request: Request) -> Response:
        try:
            run = await attended(self._run(), request)
        finally:
            self.flow.leave()
        return Json(self.answer.whole(run))

    async def stream(self, request: Request, with_usage: bool) -> Response:
        """Raises `ApiError` for a failure that comes before any text and soon."""
        try:
            text = await attended(self.flow.next(PATIENCE_S), request)
            if text == "":
                await self._run()
        except BaseException:
            self.flow.leave()
            raise
        return EventStream(self.flow, self._events(text, with_usage))

    async def _run(self) -> Run:
        """The run when it is over. Raises `ApiError` for a failed one."""
        run = await self.flow.result()
        assert isinstance(run, Run)  # noqa: S101 - what `compare` ends with
        if error := errors.of_run(run, self.lang, self.door.metrics.retry_after()):
            raise error
        return run

    async def _events(self, text: str | None, with_usage: bool) -> AsyncIterator[bytes]:
        first = True
        while text != "":
            yield self._sign() if text is None else self.answer.piece(text, first=first)
            first = first and text is None
            text = await self.flow.next(SIGN_S)
        try:
            run = await self._run()
        except ApiError as error:
            yield failure(error, self.lang)
        except Exception:
            log.exception("a stream of the API ended by a fault of the program")
            yield failure(errors.fault(), self.lang)
        else:
            if first:
                yield self.answer.piece("", first=True)
            yield self.answer.end(run, with_usage=with_usage)

    def _sign(self) -> bytes:
        """A comment, which clients pass over and proxies take for life."""
        now = self.flow.progress
        place = f" {now.position}" if now and now.position else ""
        return f": {now.stage if now else 'waiting'}{place}\n\n".encode()


class EventStream(StreamingResponse):
    """Server-sent events; when the client leaves, wherever that is noticed, the run is stopped."""

    media_type = "text/event-stream"

    def __init__(self, flow: Flow, events: AsyncIterator[bytes]) -> None:
        super().__init__(events, headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
        self._flow = flow

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._flow.leave()
