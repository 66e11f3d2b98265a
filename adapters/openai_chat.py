"""Any service that speaks OpenAI's protocol: vLLM, Ollama, llama.cpp, LM Studio, a cloud.

The image goes as the PNG it is, before the question. Nothing is sent again once the first text has come; what fails
before that is, a few times, if it may pass: too many requests, a fault of the server, a connection that broke off.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import random
import struct
from collections import deque
from collections.abc import AsyncGenerator, Iterator
from pathlib import Path
from typing import Any

from adapters.base import Adapter, AdapterError, FinishReason, Job, Output, understood
from adapters.coordinates import Size
from adapters.dialects import DIALECTS
from adapters.shown import shown
from adapters.torch_generation import MAX_NEW_TOKENS, PARAMS, number

TICK = 0.1  # seconds between two signs of life while nothing comes, so that a stop is noticed
CONNECT_S, READ_S = 10.0, 600.0
RETRIES = 4
FIRST_WAIT_S, LONGEST_WAIT_S = 0.5, 30.0
PASSING = (408, 409, 429, 500, 502, 503, 504)
# Said by us and not by the user, so that a service that refuses one can do without; OpenAI renamed one of them.
DISPENSABLE = ("stream_options", "temperature", "max_tokens", "mm_processor_kwargs")


class OpenAIChat(Adapter):
    """Options: ``base_url``, up to ``/v1``; ``served``, the model's name there; ``family``, whose prompts and marks are
    used, one of `adapters.dialects`; ``image_processor``, what vLLM's is told, as in the family's own adapter;
    ``timeout_s``, the longest silence. The key comes as ``api_key``, beside the options.
    Params besides: ``history``, ``system``, ``image_turn``, ``earlier_images``; for dots.ocr and DeepSeek-OCR
    ``prompt``, the name of an official prompt."""

    tasks = ("ocr", "formatted_ocr", "description", "question", "chat", "layout", "grounding")
    prompted = True
    needs_image = False
    several_images = True
    requires = ("openai",)
    preload = ("openai", "openai.resources.chat.completions", "openai.resources.models")
    params = PARAMS

    def load(self, model: dict[str, Any]) -> None:
        import openai

        options = model.get("options") or {}
        self._options, self._device = options, str(model.get("device", "cpu"))
        self._key = str(model.get("api_key") or "")
        self._url, self._served = str(options.get("base_url") or "").rstrip("/"), str(options.get("served") or "")
        if not self._url or not self._served:
            raise AdapterError("start_failed", "options must name base_url, up to /v1, and served, the model there")
        family = str(options.get("family") or "")
        if family not in DIALECTS:
            raise AdapterError("start_failed", f"family must be one of {', '.join(DIALECTS)[2:]}, not {family!r}")
        self._dialect = DIALECTS[family]
        self._refused: set[str] = set()
        self._loop = asyncio.new_event_loop()
        self._client = openai.AsyncOpenAI(
            base_url=self._url,
            api_key=self._key or "none",
            max_retries=0,
            timeout=openai.Timeout(float(options.get("timeout_s") or READ_S), connect=CONNECT_S),
        )
        self._vllm = False
        self._loop.run_until_complete(self._look())

    async def _look(self) -> None:
        """Whether the service is there and has the model. Not every service lists its models."""
        import openai

        try:
            listed = [each async for each in self._client.models.list()]
        except (openai.NotFoundError, openai.APIResponseValidationError, AttributeError, TypeError, ValueError):
            return
        except openai.APIStatusError as error:
            if error.status_code in (405, 501):
                return
            raise self._told(error) from error
        except openai.OpenAIError as error:
            raise self._told(error) from error
        self._vllm = any(each.owned_by == "vllm" for each in listed)
        names = [str(each.id) for each in listed]
        if names and self._served not in names and f"{self._served}:latest" not in names:
            more = f" and {len(names) - 20} more" if len(names) > 20 else ""
            shown = f"{', '.join(names[:20])}{more}"
            raise AdapterError("endpoint", f"{self._url} has no model {self._served!r}; it has {shown}")

    def predict(self, job: Job) -> Iterator[str | Output]:
        picture = Picture(job.image) if job.image else None
        answer = Streamed()
        raw: list[str] = []
        said: list[str] = []
        for piece in self._dialect.shown(job, self._pieces(job, picture, answer), raw):
            said.append(piece)
            yield piece
        seen, several = self._seen(picture), bool(job.params.get("earlier_images"))
        yield Output(
            text="".join(said),
            **understood(self._dialect.boxes(job, "".join(raw), picture.size, seen) if picture else ()),
            finish_reason=answer.finish_reason,
            seen_width=seen[0] if seen else None,
            seen_height=seen[1] if seen else None,
            prompt_tokens=answer.prompt_tokens,
            output_tokens=answer.output_tokens,
            visual_tokens=seen[0] * seen[1] // self._dialect.side**2 if seen and not several else None,
            retries=answer.retries,
        )

    def _seen(self, picture: Picture | None) -> Size | None:
        """Width and height of what the model is given, None where the service does not let us know."""
        if not picture or not self._vllm:
            return None
        if "mm_processor_kwargs" in self._refused:
            return self._dialect.seen_by_default(picture.size)
        return self._dialect.seen(picture.size, self._options, self._device)

    def _body(self, job: Job, picture: Picture | None) -> dict[str, Any]:
        """The request: what every service knows, and for vLLM what makes its answer the one of the own adapter."""
        params, seen = job.params, self._seen(picture)
        body: dict[str, Any] = {
            "model": self._served,
            "messages": self._messages(job, picture, seen),
            "stream": True,
            "stream_options": {"include_usage": True},
            "max_tokens": int(number(params, "max_new_tokens", MAX_NEW_TOKENS, 1, 1_000_000)),
            "temperature": number(params, "temperature", 0.0, 0.0, 100.0),
        }
        top_p = number(params, "top_p", 1.0, 1e-6, 1.0)
        if body["temperature"] and params.get("top_p") is not None:
            body["top_p"] = top_p
        if params.get("seed") is not None:
            body["seed"] = int(params["seed"]) % 2**63
        if self._dialect.stop:
            body["stop"] = list(self._dialect.stop)
        penalty = number(params, "repetition_penalty", 1.0, 0.01, 100.0)
        if not self._vllm:
            if penalty != 1.0:
                raise AdapterError("bad_input", "this service takes no repetition_penalty; leave it out")
            return body
        # What the checkpoint's generation_config.json prefers is not asked for; the own adapters do not either.
        more = {"top_p": top_p, "top_k": 0, "min_p": 0.0, "repetition_penalty": penalty, **self._dialect.body()}
        if self._dialect.marks:
            more |= {"skip_special_tokens": False, "spaces_between_special_tokens": False}
        processor = self._dialect.processor(self._options, self._device)
        if picture and processor:
            more["mm_processor_kwargs"] = processor
        return body | more

    def _messages(self, job: Job, picture: Picture | None, seen: Size | None) -> list[dict[str, Any]]:
        messages: list[dict[str, Any]] = []
        for question, answer in self._dialect.turns(job, picture.size if picture else None, seen):
            messages.append({"role": "user", "content": question})
            messages.append({"role": "assistant", "content": answer})
        messages.pop()  # what is asked for
        for turn, path in reversed(shown(job, len(messages) // 2 + 1)):
            read = picture if picture and path == job.image else Picture(path)
            asking = messages[2 * turn]
            if isinstance(asking["content"], str):
                asking["content"] = [{"type": "text", "text": asking["content"]}]
            asking["content"].insert(0, {"type": "image_url", "image_url": {"url": read.url}})
        system = str(job.params.get("system") or "") if self._dialect.system else ""
        return [{"role": "system", "content": system}, *messages] if system else messages

    def _pieces(self, job: Job, picture: Picture | None, answer: Streamed) -> Iterator[str]:
        """Pieces as they come, "" while none does. Closing it closes the connection, and the server stops."""
        arrived: deque[str] = deque()

        async def receive() -> None:
            async with contextlib.aclosing(self._stream(job, picture, answer)) as stream:
                async for piece in stream:
                    arrived.append(piece)
                    self._loop.stop()  # and so hand it on at once

        receiving = self._loop.create_task(receive())
        receiving.add_done_callback(lambda _: self._loop.stop())
        try:
            while True:
                while arrived:
                    yield arrived.popleft()
                if receiving.done():
                    receiving.result()  # raises what went wrong
                    return
                timer = self._loop.call_later(TICK, self._loop.stop)
                self._loop.run_forever()
                timer.cancel()
                if not arrived and not receiving.done():
                    yield ""
        finally:
            receiving.cancel()
            while not receiving.done():
                self._loop.run_forever()
            self._loop.call_soon(self._loop.stop)
            self._loop.run_forever()  # a stop that is still due must not meet the next answer

    async def _stream(self, job: Job, picture: Picture | None, answer: Streamed) -> AsyncGenerator[str, None]:
        """The answer, asked for again where that may help, as long as nothing of it has come."""
        import openai

        said = False
        while True:
            body = self._body(job, picture)
            try:
                async with await self._opened(body) as stream:
                    async for chunk in stream:
                        if piece := answer.add(chunk):
                            said = True
                            yield piece
                if not answer.ended:
                    raise AdapterError("endpoint", f"{self._url} ended the answer without saying that it is whole")
                return
            except openai.OpenAIError as error:
                if said:
                    raise self._broken(error) from error
                wait = self._wait(error, body, answer.retries)
                if wait is None:
                    raise self._told(error) from error
            except (json.JSONDecodeError, UnicodeDecodeError) as error:
                raise AdapterError("bad_output", f"{self._url} sent what is no JSON: {self._safe(error)}") from error
            await asyncio.sleep(wait)
            answer.retries += 1

    async def _opened(self, body: dict[str, Any]) -> Any:
        """The stream of chunks, once the service has said that it will answer."""
        from openai import AsyncStream

        return await self._client.post(
            "/chat/completions",
            body=self._without_refused(body),
            cast_to=object,  # plain dictionaries: a model of each chunk would cost more than all the rest of us
            stream=True,
            stream_cls=AsyncStream[object],
        )

    def _wait(self, error: Exception, body: dict[str, Any], retries: int) -> float | None:
        """Seconds until the next try, None when there should be none."""
        import openai

        if isinstance(error, openai.BadRequestError):
            return 0.0 if self._can_do_without(error, body) else None
        if retries >= RETRIES or isinstance(error, openai.APITimeoutError):
            return None
        if isinstance(error, openai.APIStatusError) and error.status_code in PASSING:
            wait = waited(retries, error.response.headers.get("retry-after"))
            return wait if wait <= LONGEST_WAIT_S else None
        return waited(retries) if isinstance(error, openai.APIConnectionError) and not refused(error) else None

    def _without_refused(self, body: dict[str, Any]) -> dict[str, Any]:
        """The request as this service takes it."""
        said = {name: value for name, value in body.items() if name not in self._refused}
        return said | ({"max_completion_tokens": body["max_tokens"]} if "max_tokens" in self._refused else {})

    def _can_do_without(self, error: Any, body: dict[str, Any]) -> bool:
        """Whether the service refuses a field that the user did not ask for; it is then left out from here on."""
        told = str(error)
        for name in DISPENSABLE:
            wished = name == "temperature" and body["temperature"]
            if name in told and name in body and name not in self._refused and not wished:
                self._refused.add(name)
                return True
        return False

    def _broken(self, error: Exception) -> AdapterError:
        """What ended an answer that had begun."""
        import openai

        if isinstance(error, openai.APITimeoutError):
            return AdapterError("endpoint", f"{self._url} fell silent in the middle of the answer")
        return AdapterError(
            "endpoint", f"{self._url} broke off in the middle of the answer: {self._safe(cause(error))}"
        )

    def _told(self, error: Exception) -> AdapterError:
        """What went wrong, in words that help; never with the key."""
        import openai

        if isinstance(error, openai.APITimeoutError):
            return AdapterError("endpoint", f"{self._url} did not answer in time")
        if isinstance(error, openai.APIConnectionError):
            return AdapterError("endpoint", f"{self._url} cannot be reached: {self._safe(cause(error))}")
        if not isinstance(error, openai.APIStatusError):
            return AdapterError("endpoint", f"{self._url} answered with an error: {self._safe(error)}")
        status, said = error.status_code, self._safe(message(error))
        variable = self._options.get("key_variable") or ""
        if status in (401, 403):
            source = f"the key in the variable {variable}" if variable and self._key else "a request without a key"
            advice = "" if self._key else "; name the variable that holds one as key_variable, and set it"
            return AdapterError("endpoint", f"{self._url} refuses {source} ({status}){advice}: {said}")
        if status == 404:
            return AdapterError("endpoint", f"{self._url} knows no model {self._served!r} (404): {said}")
        if status in (400, 413, 422):
            return AdapterError("bad_input", f"{self._url} does not take this request ({status}): {said}")
        return AdapterError("endpoint", f"{self._url} answered with {status}: {said}")

    def _safe(self, error: object) -> str:
        """At most 500 characters of a text from outside, without the key."""
        text = " ".join(str(error).split())
        return (text.replace(self._key, "***") if self._key else text)[:500]

    def versions(self) -> dict[str, str]:
        import openai

        return {"openai": openai.__version__}

    def close(self) -> None:
        self._loop.run_until_complete(self._client.close())
        self._loop.run_until_complete(self._loop.shutdown_asyncgens())
        self._loop.close()


class Streamed:
    """What the chunks of an answer say besides its text."""

    def __init__(self) -> None:
        self.retries = 0
        self.ended = False
        self.finish_reason: FinishReason = "stop"
        self.prompt_tokens: int | None = None
        self.output_tokens: int | None = None

    def add(self, chunk: Any) -> str:
        """The text of a chunk. Raises `AdapterError` for an answer that is withheld, or is none."""
        try:
            if usage := chunk.get("usage"):
                self.prompt_tokens, self.output_tokens = usage.get("prompt_tokens"), usage.get("completion_tokens")
            if not chunk.get("choices"):
                return ""
            choice = chunk["choices"][0]
            reason, text = choice.get("finish_reason"), (choice.get("delta") or {}).get("content")
        except (AttributeError, LookupError, TypeError) as error:
            raise AdapterError(
                "bad_output", f"a chunk of the answer has an unknown form: {str(chunk)[:200]}"
            ) from error
        if reason == "content_filter":
            raise AdapterError("endpoint", "the service withholds its answer (content_filter)")
        if reason:
            self.ended = True
            self.finish_reason = "length" if reason == "length" else "stop"
        return text if isinstance(text, str) else ""


class Picture:
    """A PNG as it goes over the wire. Raises `AdapterError` (``bad_input``) for what is none."""

    def __init__(self, path: str) -> None:
        try:
            data = Path(path).read_bytes()
        except OSError as error:
            raise AdapterError("bad_input", f"The image cannot be read: {error}") from error
        if data[:8] != b"\x89PNG\r\n\x1a\n" or len(data) < 24:
            raise AdapterError("bad_input", "The image cannot be read: it is no PNG")
        self.size: Size = struct.unpack(">II", data[16:24])
        self.url = f"data:image/png;base64,{base64.b64encode(data).decode()}"


def waited(retries: int, asked: str | None = None) -> float:
    """Seconds before the next try: what the service asks for, else twice as long each time, a little by chance."""
    try:
        return max(0.0, float(asked or ""))
    except ValueError:
        return float(FIRST_WAIT_S * 2**retries * random.uniform(0.8, 1.2))  # noqa: S311


def cause(error: BaseException) -> BaseException:
    """The first thing that went wrong."""
    while error.__cause__ or error.__context__:
        error = error.__cause__ or error.__context__  # type: ignore[assignment]
    return error


def refused(error: BaseException) -> bool:
    """Whether there is nobody at that address, which trying again does not change."""
    return isinstance(cause(error), OSError) and not isinstance(cause(error), ConnectionResetError | BrokenPipeError)


def message(error: Any) -> str:
    """What the service says of its error."""
    body = error.body if isinstance(error.body, dict) else {}
    inner = body.get("error", body)
    told = inner.get("message") if isinstance(inner, dict) else inner
    return str(told or error.message)
