"""One container at a time against a real Docker Engine: it comes up, answers, goes, and nothing is left behind."""

from __future__ import annotations

import socket
from dataclasses import replace

import psutil
import pytest
from programs import RUN, answer, gone

from adapters.base import Job
from arena import pins
from arena.cancel import Cancel
from arena.errors import RunError
from arena.runtimes import containers, ports, starts
from arena.runtimes.engine import Engine
from arena.runtimes.vllm_command import plan
from arena.runtimes.vllm_image import entry


def test_it_comes_up_answers_and_goes(start, model, ours, settings, picture, client):
    a = start(model("a")).up()
    assert ours() == [f"arena-{RUN}-a"]
    assert a.container.alive()
    assert answer(a, picture).text.startswith("a config.json read-only start")
    assert a.container.versions["vllm"] == "0.32.0+standin"
    assert a.container.versions["vllm_image"] == client.images.get(settings.vllm_image).id
    phases = [sign.phase for sign in a.signs if sign.phase]
    assert phases[0] == "starting" and phases[-1] == "warming"
    made = client.containers.get(f"arena-{RUN}-a")
    assert starts.seen(settings.home, "a"), "the next start knows how long this one took"
    pids = a.container.family()
    assert made.attrs["State"]["Pid"] in a.container.pids() and len(pids) >= 3  # init, the server, our worker
    a.down()
    assert ours() == [] and all(gone(pid) for pid in pids)


def test_what_it_may_do_is_limited(start, model, ours, client):
    start(model("a")).up()
    told = client.containers.get(f"arena-{RUN}-a").attrs["HostConfig"]
    assert told["RestartPolicy"]["Name"] == "no"
    assert not told["Privileged"] and told["CapDrop"] == ["ALL"] and "no-new-privileges:true" in told["SecurityOpt"]
    assert [place["HostIp"] for places in told["PortBindings"].values() for place in places] == ["127.0.0.1"]
    assert told["IpcMode"] == "private" and told["PidsLimit"] > 0 and told["Memory"] > 0
    assert [each.get("ReadOnly") for each in told["Mounts"] if each["Type"] == "bind"] == [True]


def test_a_switch_leaves_the_new_one_alone(start, model, ours, picture):
    a = start(model("a")).up()
    a.down()
    b = start(model("b")).up()
    assert ours() == [f"arena-{RUN}-b"]
    assert answer(b, picture).text.startswith("b ")


def test_the_image_is_pinned_and_another_one_refused(start, model, ours, settings, client, image):
    a = start(model("a")).up()
    pinned = pins.read(settings.home)[f"docker://{image.partition(':')[0]}@1"]
    assert pinned == client.images.get(image).id
    assert any(pinned in sign.log for sign in a.signs)
    a.down()
    moved = f"arena-moved-{RUN}:1"
    client.images.get(image).tag(*moved.split(":"))
    own = replace(settings, vllm_image=moved)
    start(model("b"), vllm_image=moved).up().down()
    first = client.images.get(moved).id
    client.images.remove(moved)
    try:
        # The tag is moved, and the image it stood for is still here: that one is run.
        other = client.containers.create(image)
        other.commit(*moved.split(":"), changes="LABEL another=1")
        other.remove()
        c = start(model("c"), vllm_image=moved).up()
        assert client.containers.get(f"arena-{RUN}-c").image.id == first
        c.down()
        pins.unpin(entry(moved), settings.home)
        pins.pin(entry(moved), settings.home, "sha256:" + "0" * 64)  # one that is nowhere
        with pytest.raises(RunError) as refused:
            start(model("d"), vllm_image=moved).up()
        assert refused.value.key == "vllm.other_image" and f"vllm repin {moved}" in refused.value.text()
        assert ours() == []
        assert containers.repin(own, moved) == client.images.get(moved).id
        start(model("e"), vllm_image=moved).up().down()
    finally:
        client.images.remove(moved, force=True)


@pytest.mark.parametrize("phase", ["starting", "loading"])
def test_a_stop_in_the_middle_of_a_start_takes_it_away(start, model, ours, phase):
    a = start(model("a", "--fault", "never"))

    def stop(begun):
        if begun.signs[-1].phase == phase:
            begun.cancel.set()
        return False

    with pytest.raises(RunError) as stopped:
        a.up(stop)
    assert stopped.value.kind == "cancelled"
    for _ in a.container.wait_gone():
        pass
    assert ours() == []


@pytest.mark.parametrize("by", ["closing", "cancelling"])
def test_a_stop_of_an_answer_leaves_the_model_up(start, model, ours, picture, client, by):
    """Even one that comes while nothing is said for long, and costs the worker."""
    a = start(model("a", "--fault", "slow")).up()
    before = client.containers.get(f"arena-{RUN}-a").id
    pieces = a.container.predict(Job(picture, "?"), 30, a.cancel)
    assert isinstance(next(piece for piece in pieces if piece), str)
    if by == "closing":
        pieces.close()
    else:
        a.cancel.set()
        with pytest.raises(RunError) as stopped:
            list(pieces)
        assert stopped.value.kind == "cancelled"
        a.cancel = Cancel()
    assert a.container.alive()
    assert answer(a, picture, 1).output_tokens == 1
    assert client.containers.get(f"arena-{RUN}-a").id == before


@pytest.mark.battery("D3")
def test_a_port_that_is_taken_is_left_alone(start, model, ours):
    spec = model("a")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", spec.in_mode("vllm").container.port))
        taken.listen()
        with pytest.raises(RunError) as refused:
            start(spec).up()
        assert refused.value.key == "vllm.port_taken"
        assert str(psutil.Process().pid) in refused.value.text("ru")
    assert ours() == []
    start(spec).up()


@pytest.mark.battery("D3")
def test_a_port_that_is_taken_after_it_was_looked_at(start, model, ours, monkeypatch):
    """Docker notices it then, and leaves a container that was made and never ran."""
    spec = model("a")
    looked = ports.check
    with socket.socket() as taken:

        def look_then_take(engine, port):
            looked(engine, port)
            taken.bind(("127.0.0.1", port))
            taken.listen()

        monkeypatch.setattr(ports, "check", look_then_take)
        with pytest.raises(RunError) as refused:
            start(spec).up()
        assert refused.value.key == "vllm.port_taken" and str(psutil.Process().pid) in refused.value.text()
    monkeypatch.undo()
    assert ours() == []
    start(spec).up()


@pytest.mark.battery("D4")
def test_a_foreign_container_of_our_name_is_left_alone(start, model, ours, client, image):
    spec = model("a")
    name, port = spec.in_mode("vllm").container.name, spec.in_mode("vllm").container.port
    ports = {"8000/tcp": ("127.0.0.1", port)}
    foreign = client.containers.run(
        image, name=name, environment={"VLLM_API_KEY": "x", "HF_HUB_CACHE": "/weights"}, detach=True, ports=ports
    )
    try:
        with pytest.raises(RunError) as refused:
            start(spec).up()
        assert refused.value.key == "vllm.port_taken" and name in refused.value.text()
        elsewhere = model("b", name=name)
        with pytest.raises(RunError) as refused:
            start(elsewhere).up()
        assert refused.value.key == "vllm.name_taken"
        assert f"docker rename {name}" in refused.value.text() and foreign.short_id in refused.value.text("ru")
        assert ours() == []
        foreign.reload()
        assert foreign.status == "running"
    finally:
        foreign.remove(force=True)


@pytest.mark.battery("D4", "D11")
@pytest.mark.parametrize("state", ["created", "exited", "paused"])
def test_one_that_a_crash_left_in_our_name_is_replaced(start, model, ours, settings, client, state):
    spec = model("a")
    with containers.opened() as engine:
        made = engine.make(plan(spec, settings, None, client.images.get(settings.vllm_image).id), detached=False)
        if state != "created":
            made.start()
            made.kill() if state == "exited" else made.pause()
    left = client.containers.get(f"arena-{RUN}-a")
    assert left.status == state and ours() == [left.name]
    a = start(spec).up()
    assert not a.container.adopted and ours() == [left.name]
    assert client.containers.get(left.name).id != left.id


def test_two_programs_never_have_two(start, model, ours, other):
    first = other(model("a"))
    assert first.said == "ready"
    with pytest.raises(RunError) as busy:
        start(model("b")).up()
    assert busy.value.kind == "busy" and str(first.process.pid) in busy.value.text()
    assert ours() == [f"arena-{RUN}-a"]
    with pytest.raises(RunError, match=str(first.process.pid)):
        containers.down(start(model("c")).settings)
    first.end()
    assert containers.down(start(model("d")).settings) == [f"arena-{RUN}-a"]


@pytest.mark.battery("D11")
def test_after_kill_9_the_same_is_adopted_and_another_replaces_it(start, model, ours, other, client, picture):
    spec = model("a")
    first = other(spec)
    assert first.said == "ready"
    first.end()
    assert ours() == [f"arena-{RUN}-a"], "nobody was there to remove it"
    before = client.containers.get(f"arena-{RUN}-a").id
    again = start(spec).up()
    assert again.container.adopted and client.containers.get(f"arena-{RUN}-a").id == before
    assert answer(again, picture).text.startswith("a ")
    again.down()
    assert ours() == []
    second = other(spec)
    second.end()
    b = start(model("b")).up()
    assert not b.container.adopted and ours() == [f"arena-{RUN}-b"]


def test_one_brought_up_to_stay_stays_and_is_adopted(settings, start, model, ours):
    spec = model("a")
    phases = {sign.phase for sign in containers.up(spec, settings, None, Cancel())}
    assert "warming" in phases
    (found,) = containers.ours(settings)
    port = spec.in_mode("vllm").container.port
    assert (found.model, found.port, found.state, found.detached) == ("a", port, "running", True)
    assert found.url == f"http://127.0.0.1:{port}/v1" and found.since.endswith("Z")
    assert "Starting to load model" in containers.logs(settings, "a") and containers.logs(settings, "b") == ""
    a = start(spec).up()
    assert a.container.adopted
    a.down()
    list(containers.up(model("b"), settings, None, Cancel()))
    assert containers.down(settings) == [f"arena-{RUN}-b"]


def test_what_was_compiled_is_there_at_the_next_start(start, model, ours, picture):
    counts = []
    for _ in range(2):
        a = start(model("a")).up()
        counts.append(int(answer(a, picture).text.split()[-1]))
        a.down()
    assert counts[1] == counts[0] + 1


def test_without_weights_nothing_is_touched(start, model, ours):
    spec = replace(model("a"), source="nobody/nothing", revision="main")
    with pytest.raises(RunError) as absent:
        start(spec).up()
    assert absent.value.key == "vllm.no_weights" and "models download a" in absent.value.text()


@pytest.mark.battery("D1")
def test_an_engine_that_is_not_there_is_said(monkeypatch, start, model, tmp_path):
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/no.sock")
    with pytest.raises(RunError) as nobody:
        start(model("a")).up()
    assert nobody.value.key == "vllm.docker_gone" and "no.sock" in nobody.value.text()
    with pytest.raises(RunError):
        Engine()
