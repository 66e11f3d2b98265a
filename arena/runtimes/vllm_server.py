"""The server inside a container, as far as it is asked without a worker: is it there, which version, does it sleep."""

from __future__ import annotations

import http.client
import json
from typing import Any

COPYING = (
    180.0  # seconds to move the weights to or from the machine's memory: gigabytes a second, and the first is slow
)


def healthy(port: int, timeout: float = 0.4) -> bool:
    """Whether ``/health`` is answered well; False for whatever else happens within `timeout` seconds."""
    return _ask(port, "/health", timeout) is not None


def version(port: int, key: str = "") -> str:
    """vLLM's version, "" when it does not say. Where only the key opens it (`arena.runtimes.vllm_guard`), `key`."""
    return str(_told(port, "/version", key).get("version", ""))[:100]


def base_url(port: int) -> str:
    return f"http://127.0.0.1:{port}/v1"


# --- what vLLM has in its developers' mode alone; only the key opens it


def asleep(port: int, key: str) -> bool | None:
    """None when it does not say, as one that was not brought up to sleep does not."""
    told = _told(port, "/is_sleeping", key).get("is_sleeping")
    return told if isinstance(told, bool) else None


def put_to_sleep(port: int, key: str) -> bool:
    """Have it move its weights to the machine's memory and give the GPU's back; whether it did."""
    return _ask(port, "/sleep?level=1", COPYING, key, "POST") is not None and asleep(port, key) is True


def wake(port: int, key: str) -> bool:
    """Have it take its weights back to the GPU; whether it is awake, for whatever reason."""
    state = asleep(port, key)
    if state and _ask(port, "/wake_up", COPYING, key, "POST") is not None:
        state = asleep(port, key)
    return not state


def closed(port: int) -> bool:
    """Whether the developers' paths refuse who has no key."""
    return _answer(port, "/is_sleeping", 5.0)[0] == 401


def _told(port: int, path: str, key: str) -> dict[str, Any]:
    try:
        told: Any = json.loads(_ask(port, path, 5.0, key) or b"{}")
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}


def _ask(port: int, path: str, timeout: float, key: str = "", method: str = "GET") -> bytes | None:
    status, body = _answer(port, path, timeout, key, method)
    return body if status == 200 else None


def _answer(port: int, path: str, timeout: float, key: str = "", method: str = "GET") -> tuple[int | None, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
    try:
        connection.request(method, path, headers={"Authorization": f"Bearer {key}"} if key else {})
        response = connection.getresponse()
        return response.status, response.read(10_000)
    except (OSError, http.client.HTTPException):
        return None, b""
    finally:
        connection.close()
