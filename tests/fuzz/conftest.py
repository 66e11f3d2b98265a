"""The same properties for as long as is asked: ``FUZZ_SECONDS=60 pytest tests/fuzz`` gives each that long."""

from __future__ import annotations

import os
import time
from collections.abc import Generator

import hypothesis
import pytest

SECONDS = float(os.environ.get("FUZZ_SECONDS", "0"))
AT_A_TIME = 1000
FEW = AT_A_TIME if SECONDS else 15  # of those that cost milliseconds each

if SECONDS:
    hypothesis.settings.register_profile(
        "fuzz",
        hypothesis.settings.get_profile("house"),
        max_examples=AT_A_TIME,
        derandomize=False,
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    hypothesis.settings.load_profile("fuzz")


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> Generator[None, object, object]:
    """Once as ever; then again and again until time is up."""
    begun, rounds = time.monotonic(), 1
    answered = yield
    while SECONDS and hasattr(pyfuncitem.obj, "hypothesis") and time.monotonic() - begun < SECONDS:
        arguments = {name: pyfuncitem.funcargs[name] for name in pyfuncitem._fixtureinfo.argnames}
        pyfuncitem.obj(**arguments)
        rounds += 1
    if SECONDS:
        print(f"\n{pyfuncitem.name}: about {rounds * AT_A_TIME} in {time.monotonic() - begun:.0f} s")
    return answered
