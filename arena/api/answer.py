"""A run in OpenAI's shape: a whole completion, or the chunks of a stream."""

from __future__ import annotations

import time
from typing import Any

from arena.api.errors import ApiError, encoded
from arena.types import Run

DONE = b"data: [DONE]\n\n"


def usage(run: Run) -> dict[str, int] | None:
    """None where the model did not count: an engine without tokens, or an answer that a stop string ended."""
    if run.prompt_tokens is None or run.output_tokens is None:
        return None
    both = run.prompt_tokens + run.output_tokens
    return {"prompt_tokens": run.prompt_tokens, "completion_tokens": run.output_tokens, "total_tokens": both}


def told(run: Run) -> dict[str, Any]:
    """Ours beside OpenAI's fields: which row it is, how it ended, where the time went (seconds)."""
    times = run.timeline
    stages = {
        "queue_s": times.queue_s,
        "unload_s": times.unload_s,
        "start_s": times.start_s,
        "load_s": times.load_s,
        "first_token_s": times.first_token_s,
        "generate_s": times.generate_s,
        "total_s": times.total_s,
    }
    return {"run_id": run.run_id, "status": run.status, "task": run.task, "mode": run.mode, "timeline": stages}


def finish_reason(run: Run) -> str:
    return "length" if run.status == "truncated" else "stop"


class Answer:
    """One answer; `number` is its comparison's id, `model` the name that was asked for."""

    def __init__(self, number: str, model: str) -> None:
        self._head = {"id": f"chatcmpl-{number}", "created": int(time.time()), "model": model}

    def whole(self, run: Run) -> dict[str, Any]:
        message = {"role": "assistant", "content": run.text}
        choice = {"index": 0, "message": message, "finish_reason": finish_reason(run), "logprobs": None}
        return self._head | {
            "object": "chat.completion",
            "choices": [choice],
            "usage": usage(run),
            "arena": told(run),
        }

    def piece(self, text: str, *, first: bool = False) -> bytes:
        return self._chunk({"role": "assistant", "content": text} if first else {"content": text})

    def end(self, run: Run, *, with_usage: bool) -> bytes:
        last = self._chunk({}, finish_reason(run), arena=told(run))
        if not with_usage:
            return last + DONE
        counted: dict[str, Any] = {"object": "chat.completion.chunk", "choices": [], "usage": usage(run)}
        return last + event(self._head | counted) + DONE

    def _chunk(self, delta: dict[str, str], finish: str | None = None, **more: Any) -> bytes:
        choice = {"index": 0, "delta": delta, "finish_reason": finish, "logprobs": None}
        return event(self._head | {"object": "chat.completion.chunk", "choices": [choice]} | more)


def event(content: dict[str, Any]) -> bytes:
    return b"data: " + encoded(content) + b"\n\n"


def failure(error: ApiError, lang: str) -> bytes:
    """An error after the stream has begun, and the end of it."""
    return event(error.body(lang)) + DONE
