"""A run between its thread and the event loop: whoever leaves at the wrong moment leaves nothing in the log."""

from __future__ import annotations

import asyncio
import gc
from typing import Any

import pytest

from arena.api.flow import Left, attended


class Leaving:
    """A request whose client leaves at once."""

    async def receive(self) -> dict[str, str]:
        return {"type": "http.disconnect"}


def test_what_fails_as_its_client_leaves_is_no_fault_in_the_log() -> None:
    said: list[dict[str, Any]] = []

    async def stopped() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            raise RuntimeError("stopped")

    async def main() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, context: said.append(context))
        with pytest.raises(Left):
            await attended(stopped(), Leaving())  # type: ignore[arg-type]
        await asyncio.sleep(0)
        gc.collect()

    asyncio.run(main())
    assert said == []
