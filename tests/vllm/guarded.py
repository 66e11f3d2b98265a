"""What vLLM's own application answers to whom, our guard in it and no model behind it: ``guarded.py``, told as JSON."""

from __future__ import annotations

import json
import os

TOLD = ["--model", "none", "--enable-sleep-mode", "--middleware", "vllm_guard.Guard"]


class Engine:
    asleep = False

    async def sleep(self, level: int, mode: str) -> None:
        self.asleep = True

    async def wake_up(self, tags: object) -> bool:
        self.asleep = False
        return True

    async def is_sleeping(self) -> bool:
        return self.asleep

    async def check_health(self) -> None:
        pass


def main() -> None:
    from starlette.testclient import TestClient
    from vllm.entrypoints.launchers.app import build_app
    from vllm.entrypoints.launchers.cli_args import make_arg_parser
    from vllm.utils.argparse_utils import FlexibleArgumentParser

    app = build_app(make_arg_parser(FlexibleArgumentParser()).parse_args(TOLD), ("generate",))
    app.state.engine_client = Engine()
    client = TestClient(app)
    paths = sorted(
        {(method, route.path) for route in app.routes for method in getattr(route, "methods", None) or ("GET",)}
    )
    statuses = {f"{method} {path}": client.request(method, path).status_code for method, path in paths}
    statuses |= {f"{method} //health": client.request(method, "//health").status_code for method in ("GET", "OPTIONS")}
    key = {"Authorization": f"Bearer {os.environ['VLLM_API_KEY']}"}
    asked = [("GET", "/is_sleeping"), ("POST", "/sleep?level=1"), ("GET", "/is_sleeping"), ("POST", "/wake_up")]
    answers = [client.request(method, path, headers=key).json() for method, path in asked]
    print(json.dumps({"statuses": statuses, "answers": answers}))


if __name__ == "__main__":
    main()
