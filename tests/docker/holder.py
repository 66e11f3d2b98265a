"""A program that brings one container up, says so and holds it: ``holder.py JSON``."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from arena.cancel import Cancel
from arena.config import load_settings
from arena.errors import RunError
from arena.runtimes.container import Container
from arena.runtimes.process import Interpreters
from arena.spec import ContainerSpec, Mode, ModelSpec


def main() -> None:
    told = json.loads(sys.argv[1])
    settings = load_settings({"ARENA_HOME": told["home"], "ARENA_VLLM_IMAGE": told["image"]})
    spec_of = ContainerSpec(told["name"], told["port"], start_budget_s=1.0, shm_size="64m")
    mode = Mode("vllm", adapter="openai_chat", container=spec_of)
    spec = ModelSpec(told["id"], told["id"], "openai_chat", str(Path(told["source"])), modes=(mode,), mode="vllm")
    container = Container(spec, settings, None, Interpreters(warm=False).start(spec.adapter))
    try:
        for step in (
            container.wait_started(30, Cancel()),
            container.load({"id": spec.id, "options": {}}, 30, Cancel()),
        ):
            for _ in step:
                pass
    except RunError as error:
        print(f"{error.kind} {error.key}", flush=True)
        return
    print("ready" if not container.adopted else "adopted", flush=True)
    time.sleep(600)


if __name__ == "__main__":
    main()
