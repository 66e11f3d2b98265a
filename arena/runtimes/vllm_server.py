"""The server inside a container, as far as it is asked without a worker: is it there, which version is it."""

from __future__ import annotations

import http.client
import json
from typing import Any


def healthy(port: int, timeout: float = 0.4) -> bool:
    """Whether ``/health`` is answered well; False for whatever else happens within `timeout` seconds."""
    return _get(port, "/health", timeout) is not None


def version(port: int) -> str:
    """vLLM's version, "" when it does not say."""
    try:
        told: Any = json.loads(_get(port, "/version", 5.0) or b"{}")
        return str(told.get("version", ""))[:100]
    except (ValueError, AttributeError):
        return ""


def base_url(port: int) -> str:
    return f"http://127.0.0.1:{port}/v1"


def _get(port: int, path: str, timeout: float) -> bytes | None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        return response.read(10_000) if response.status == 200 else None
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()
