"""Images that come from a registry: with progress, stopped at any moment, and always the one that was pinned."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from huggingface_hub import constants
from programs import RUN
from registry import Registry

from arena import pins
from arena.errors import RunError
from arena.runtimes import vllm_image
from arena.runtimes.containers import opened


@pytest.fixture
def registry(client, monkeypatch) -> Iterator[Registry]:
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    registry = Registry()
    yield registry
    registry.close()
    for image in client.images.list():
        if any(name.startswith(registry.name) for name in [*image.tags, *(image.attrs.get("RepoDigests") or [])]):
            client.images.remove(image.id, force=True)


def fetch(reference, home):
    """The image's digest and the signs while it came."""
    with opened() as engine:
        assert vllm_image.on_machine(engine, reference, home) is None
        signs = []
        fetching = vllm_image.fetch(engine, reference, home)
        while True:
            try:
                signs.append(next(fetching))
            except StopIteration as end:
                vllm_image.keep(end.value, reference, home)
                return vllm_image.digest_of(end.value, reference), signs


def test_what_was_pinned_is_pulled_again_although_the_tag_was_moved(registry, client, settings):
    reference = f"{registry.name}/vllm-{RUN}:1"
    first = registry.put("1", os.urandom(2_000_000))
    found, signs = fetch(reference, settings.home)
    assert found == first
    assert pins.read(settings.home) == {f"docker://{registry.name}/vllm-{RUN}@1": first}
    assert {sign.phase for sign in signs} == {"pulling"} and any(sign.log.endswith("GB") for sign in signs)
    client.images.remove(reference, force=True)
    second = registry.put("1", os.urandom(2_000_000))
    assert fetch(reference, settings.home)[0] == first != second
    client.images.pull(reference)  # somebody takes the new one by hand, and removes the old
    client.images.remove(f"{reference.rpartition(':')[0]}@{first}", force=True)
    with opened() as engine, pytest.raises(RunError) as refused:
        vllm_image.on_machine(engine, reference, settings.home)
    assert refused.value.key == "vllm.other_image" and second in refused.value.text()


def test_a_stop_in_the_middle_of_a_pull(registry, client, start, model, ours):
    reference = f"{registry.name}/vllm-{RUN}:1"
    registry.put("1", os.urandom(2_000_000))
    registry.held.set()
    a = start(model("a"), vllm_image=reference)

    def stop(begun):
        if registry.asked.is_set():
            begun.cancel.set()
        return False

    with pytest.raises(RunError) as stopped:
        a.up(stop)
    assert stopped.value.kind == "cancelled" and a.signs[-1].phase == "pulling"
    assert ours() == []
    registry.held.clear()
    with pytest.raises(RunError) as failed:  # another start is not in the way of what may still be coming
        start(model("b"), vllm_image=reference).up()
    assert failed.value.key == "vllm.died"  # there is nothing in this image to run
    assert ours() == []


@pytest.mark.battery("D2")
@pytest.mark.parametrize("image", [f"nothing-{RUN}:7", f"vllm-{RUN}:no-such-tag"], ids=["no name", "no tag"])
def test_what_does_not_exist_says_how_to_try(registry, start, model, ours, image):
    registry.put("1", b"x")
    with pytest.raises(RunError) as absent:
        start(model("a"), vllm_image=f"{registry.name}/{image}").up()
    assert absent.value.key == "vllm.not_pulled"
    assert f"docker pull {registry.name}/{image}" in absent.value.text("ru")
    assert ours() == []


@pytest.mark.battery("D2")
def test_what_is_no_name_of_an_image_is_said(start, model, ours):
    with pytest.raises(RunError) as refused:
        start(model("a"), vllm_image="Not A Name").up()
    assert refused.value.key == "vllm.docker_refused" and "invalid reference" in refused.value.text("ru")
    assert ours() == []


@pytest.mark.battery("D2")
def test_offline_nothing_is_pulled(registry, start, model, monkeypatch):
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    registry.put("1", b"x")
    with pytest.raises(RunError) as offline:
        start(model("a"), vllm_image=f"{registry.name}/vllm-{RUN}:1").up()
    assert offline.value.key == "vllm.offline" and "docker pull" in offline.value.text()
    assert not registry.asked.is_set()
