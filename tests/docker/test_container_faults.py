"""One container that ends, fails or falls silent: it is told as it was, and nothing is left."""

from __future__ import annotations

import pytest
from programs import RUN, answer, gone, wait_for

from adapters.base import Job
from arena.errors import RunError
from arena.gpu import Device
from arena.runtimes.engine import key_of


@pytest.mark.battery("D6")
def test_a_crash_while_it_starts_tells_the_code_and_the_log(start, model, ours):
    with pytest.raises(RunError) as died:
        start(model("a", "--fault", "crash")).up()
    assert (died.value.kind, died.value.key) == ("worker_died", "vllm.died")
    assert "3" in died.value.text() and "No supported config format" in died.value.text("ru")
    assert ours() == []


@pytest.mark.battery("D7")
def test_one_that_is_never_ready_is_ended_at_its_limit(start, model, ours):
    keys = []

    def look(begun):
        if begun.container._made and not keys:
            keys.append(key_of(begun.container._made))
        return False

    a = start(model("a", "--fault", "never"), start_timeout_s=5.0)
    with pytest.raises(RunError) as late:
        a.up(look)
    assert (late.value.kind, late.value.key) == ("start_timeout", "vllm.late")
    assert "Starting to load model" in late.value.text()
    assert a.signs[-1].phase == "loading" and a.signs[-1].log.startswith("≈ 1 s\n")
    shown = "".join(sign.log for sign in a.signs) + late.value.text()
    assert "\x1b" not in shown and "key" in shown
    assert keys[0] and keys[0] not in shown, "the key of the API is not for the page"
    assert ours() == []


@pytest.mark.battery("D6")
def test_one_that_is_killed_from_outside_is_noticed(start, model, ours, client):
    a = start(model("a")).up()
    client.containers.get(f"arena-{RUN}-a").kill()
    wait_for(lambda: not a.container.alive())
    b = start(model("a"))
    with pytest.raises(RunError) as busy:
        b.up()  # the first one has not let go yet
    assert busy.value.kind == "busy"
    a.down()
    start(model("a")).up()
    assert ours() == [f"arena-{RUN}-a"]


@pytest.mark.battery("D6")
def test_one_that_dies_in_an_answer_says_how(start, model, ours, picture):
    a = start(model("a", "--fault", "die")).up()
    with pytest.raises(RunError) as died:
        answer(a, picture)
    assert died.value.key == "vllm.died" and "7" in died.value.text() and "engine core died" in died.value.text()
    assert not a.container.alive()


@pytest.mark.battery("D6")
def test_one_that_takes_all_memory_is_said_so(start, model, ours, picture, client):
    a = start(model("a", "--fault", "hungry")).up()
    client.containers.get(f"arena-{RUN}-a").update(mem_limit="96m", memswap_limit="96m")
    with pytest.raises(RunError) as killed:
        answer(a, picture)
    assert (killed.value.kind, killed.value.key) == ("worker_died", "vllm.killed_for_memory")
    assert "137" in killed.value.text() and not a.container.alive()


@pytest.mark.battery("D8")
@pytest.mark.parametrize("fault", ["ill", "shut"])
def test_one_that_was_well_and_answers_no_more_is_not_used_again(start, model, ours, picture, fault):
    """Its program runs on: Docker has nothing to say of it."""
    a = start(model("a", "--fault", fault)).up()
    with pytest.raises(RunError) as refused:
        answer(a, picture)
    assert refused.value.kind == "endpoint" and ("503" in refused.value.text() or fault == "shut")
    assert ours() == [f"arena-{RUN}-a"] and not a.container.alive(), "the next request starts it anew"


@pytest.mark.battery("D9")
def test_one_that_ignores_a_request_to_end_goes_all_the_same(start, model, ours, client):
    a = start(model("a", "--fault", "deaf")).up()
    made = client.containers.get(f"arena-{RUN}-a")
    assert made.attrs["HostConfig"]["Init"], "Docker's own first process, to which signals get"
    made.kill("SIGTERM")
    pids = a.container.family()
    made.reload()
    assert made.status == "running"
    a.down()
    assert ours() == [] and all(gone(pid) for pid in pids)


@pytest.mark.battery("D5")
def test_a_docker_that_knows_no_gpus_says_what_to_install(start, model, ours):
    with pytest.raises(RunError) as refused:
        start(model("a"), Device(0, "Test", "GPU-of-no-machine", 12 * 1024.0, "1")).up()
    assert (refused.value.kind, refused.value.key) == ("unavailable", "vllm.no_toolkit")
    assert "NVIDIA Container Toolkit" in refused.value.text() and "nvidia-ctk" in refused.value.text("ru")
    assert ours() == []


@pytest.mark.battery("D10")
def test_one_that_is_removed_from_outside_in_an_answer_says_so(start, model, ours, picture, client):
    a = start(model("a", "--fault", "slow")).up()
    pieces = a.container.predict(Job(picture, "?"), 30, a.cancel)
    assert isinstance(next(piece for piece in pieces if piece), str)
    client.containers.get(f"arena-{RUN}-a").remove(force=True)
    with pytest.raises(RunError) as removed:
        list(pieces)
    # Docker kills it first and removes it then; whichever is seen first is told.
    assert removed.value.key in ("vllm.removed", "vllm.died") and not a.container.alive()
    a.down()
    assert answer(start(model("a")).up(), picture).text.startswith("a ")


@pytest.mark.battery("D10")
def test_one_that_is_paused_from_outside_in_an_answer_is_late_and_ended(start, model, ours, picture, client):
    a = start(model("a", "--fault", "slow")).up()
    pieces = a.container.predict(Job(picture, "?"), 5, a.cancel)
    assert isinstance(next(piece for piece in pieces if piece), str)
    client.containers.get(f"arena-{RUN}-a").pause()
    with pytest.raises(RunError) as late:
        list(pieces)
    assert late.value.kind == "timeout"
    assert not a.container.alive(), "it is not asked again"
    a.down()
    assert ours() == []
    assert answer(start(model("a")).up(), picture).text.startswith("a ")
