"""Every refusal in the shape OpenAI's clients read: ``{"error": {"message", "type", "param", "code"}}``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from fastapi.exceptions import RequestValidationError
from starlette.responses import Response

from arena.errors import KINDS, RunError
from arena.strings import tr
from arena.types import Run

RETRY = "Retry-After"


class ApiError(Exception):
    """A refusal. `key` and `params` say it in the caller's language; `param` names the field of the request."""

    def __init__(
        self,
        status: int,
        key: str,
        /,
        *,
        kind: str = "invalid_request_error",
        code: str | None = None,
        param: str | None = None,
        headers: Mapping[str, str] | None = None,
        text: str | None = None,
        **params: Any,
    ) -> None:
        self.status, self.kind, self.code, self.param = status, kind, code, param
        self.headers = dict(headers or {})
        self._key, self._params, self._text = key, params, text
        super().__init__(self.message("en"))

    def message(self, lang: str) -> str:
        return self._text if self._text is not None else tr(self._key, lang, **self._params)

    def body(self, lang: str) -> dict[str, Any]:
        fields = {"message": self.message(lang), "type": self.kind, "param": self.param, "code": self.code}
        return {"error": fields}


class Json(Response):
    """JSON that can hold whatever a model or a caller has written, half a letter included."""

    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        return encoded(content)


def encoded(content: Any) -> bytes:
    """UTF-8; a lone surrogate, which UTF-8 cannot hold, as the escape that JSON has for it."""
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"), default=str)
    return text.encode("utf-8", "backslashreplace")


def response(error: ApiError, lang: str) -> Json:
    return Json(error.body(lang), error.status, error.headers)


def of_run_error(error: RunError, lang: str, param: str | None = None) -> ApiError:
    """A failure before any run; an unknown model is 404 as with OpenAI."""
    kind = KINDS[error.kind]
    unknown = error.key == "models.unknown"
    return ApiError(
        404 if unknown else kind.http,
        "",
        kind=kind.openai,
        code="model_not_found" if unknown else error.kind,
        param="model" if error.key.startswith("models.") else param,
        text=error.text(lang),
    )


def of_run(run: Run, lang: str, retry_after: int) -> ApiError | None:
    """The failure a run ended with, None when it gave an answer."""
    if not run.error_kind:
        return None
    kind = KINDS[run.error_kind]
    text = run.error_text.get(lang) or run.error_detail or run.error_kind
    headers = {RETRY: str(retry_after)} if kind.http == 429 else {}
    return ApiError(kind.http, "", kind=kind.openai, code=run.error_kind, text=text, headers=headers)


def fault() -> ApiError:
    """A mistake of this program; what it was stands in the log."""
    return ApiError(500, "api.fault", kind="server_error", code="internal_error")


def busy(waiting: int, retry_after: int) -> ApiError:
    headers = {RETRY: str(retry_after)}
    return ApiError(429, "slot.busy", kind="rate_limit_error", code="busy", headers=headers, waiting=waiting)


def of_validation(error: RequestValidationError) -> ApiError:
    """The first field that is wrong, by its path as OpenAI writes it: ``messages.0.content``."""
    first = error.errors()[0]
    where = [str(part) for part in first["loc"] if part != "body"]
    if first["type"] == "json_invalid":
        return ApiError(400, "api.not_json", why=first.get("ctx", {}).get("error", first["msg"]))
    param = ".".join(where) or None
    return ApiError(400, "api.invalid", param=param, where=param or "body", why=first["msg"])
