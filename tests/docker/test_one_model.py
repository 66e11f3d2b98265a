"""One model on the GPU, whoever runs it: what an earlier program left in a container goes before the next one loads."""

from __future__ import annotations

from dataclasses import replace

import pytest

from adapters.base import Job, Output
from arena.cancel import Cancel
from arena.errors import RunError
from arena.gpu import Gpus
from arena.slots import Slots
from arena.spec import ModelSpec

pytest_plugins = ("nvml",)

FAKE = ModelSpec("fake", "Test model", "fake", "", mode="transformers")


@pytest.fixture
def slots(settings, nvml):
    nvml.write("gpu total=12288 used=300 name=Test_12GB uuid=GPU-a")
    gpus = Gpus()
    opened = Slots(replace(settings, release_timeout_s=1.0), gpus)
    yield opened
    opened.close()
    gpus.close()


def use(slots, picture):
    with slots.for_(FAKE).lease(FAKE, Cancel()) as lease:
        for _ in lease.acquire():
            pass
        answer = next(piece.text for piece in lease.predict(Job(picture, "tokens=2")) if isinstance(piece, Output))
    return lease, answer


@pytest.mark.battery("D11")
def test_a_container_that_was_left_goes_before_a_model_of_another_mode_loads(slots, start, model, ours, picture):
    left = start(model("left"))
    left.up()
    left.container.leave()
    assert len(ours()) == 1
    lease, answer = use(slots, picture)
    assert answer and ours() == [] and lease.unload_s > 0


def test_one_that_another_program_uses_is_not_taken_from_it(slots, other, model, ours, picture):
    held = other(model("held"))
    with pytest.raises(RunError) as caught:
        use(slots, picture)
    assert caught.value.kind == "busy" and str(held.process.pid) in caught.value.text("ru")
    assert len(ours()) == 1
    held.end()
    use(slots, picture)
    assert ours() == []
