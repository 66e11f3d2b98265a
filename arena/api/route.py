"""The door of the API: who may come in, how many at a time, and how a refusal is told."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.convertors import Convertor, register_url_convertor
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import Response

from arena.api import errors
from arena.api.auth import Guard, Right
from arena.api.errors import ApiError
from arena.api.flow import Left
from arena.api.metrics import Metrics
from arena.api.names import language
from arena.core import Arena
from arena.errors import RunError

GONE = 499  # as proxies write down a client that left
# A long text is read at once, but a body of nothing but brackets and commas holds up everybody while it is read.
MOST_VALUES = 100_000
SLICE = 10**6
log = logging.getLogger(__name__)


class Anything(Convertor[str]):
    """As the framework's own ``path``, and with line breaks too, which that one takes for no address at all."""

    regex = "(?s:.*)"

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


register_url_convertor("anything", Anything())


class Door:
    """What all calls share."""

    def __init__(self, arena: Arena) -> None:
        self.metrics = Metrics(arena)
        self._guard = Guard(arena.settings)
        # Bodies may be large, so no more are read than could find a place in the queues of a GPU and of the processor.
        self._most = 2 * (arena.settings.queue_size + 1)
        self._inside = 0

    def route(self, right: Right) -> type[APIRoute]:
        """The class of the routes that need this right."""
        door = self

        class Checked(APIRoute):
            def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
                plain = super().get_route_handler()

                async def handler(request: Request) -> Response:
                    return await door._handle(request, right, plain, self.name)

                return handler

        return Checked

    async def _handle(self, request: Request, right: Right, plain: Callable[..., Any], call: str) -> Response:
        lang = language(request)
        try:
            try:
                self._guard.check(request, right)
                response = await self._let_in(request, plain)
            except RunError as error:
                raise errors.of_run_error(error, lang) from error
            except RequestValidationError as error:
                raise errors.of_validation(error) from error
            except HTTPException as error:  # the framework's own, for a body that it cannot read
                raise ApiError(error.status_code, "api.invalid", where="body", why=error.detail) from error
        except ApiError as error:
            response = errors.response(error, lang)
            await drained(request)
        except (Left, ClientDisconnect):
            response = Response(status_code=GONE)
        except Exception:
            log.exception("a call of the API ended by a fault of the program: %s", call)
            response = errors.response(errors.fault(), lang)
        self.metrics.called(call, response.status_code)
        return response

    async def _let_in(self, request: Request, plain: Callable[..., Any]) -> Response:
        if self._inside >= self._most:
            raise errors.busy(self._inside, self.metrics.retry_after())
        self._inside += 1
        try:
            await bound_values(await request.body())
            response: Response = await plain(request)
            return response
        finally:
            self._inside -= 1


async def bound_values(body: bytes) -> None:
    """Raises `ApiError` (413) for JSON of more values than any request has; counted from above, before it is parsed."""
    count = 0
    for start in range(0, len(body), SLICE):
        piece = body[start : start + SLICE]
        count += len(piece) - len(piece.translate(None, b"[{,"))
        if count > MOST_VALUES:
            raise ApiError(413, "api.too_many_values", code="too_large", most=MOST_VALUES)
        await asyncio.sleep(0)


async def drained(request: Request) -> None:
    """Take what the caller is still sending: he reads no answer before he has sent all."""
    try:
        async for _ in request.stream():
            pass
    except (ClientDisconnect, RuntimeError):  # he has left, or the body was read before
        return
