"""Which image a container is made from: the one that a tag stood for when it was first used, and no other.

A tag may be moved by whoever owns it. So the digest is written into ``models.lock.yaml`` with the first use, as the
commits of models with code of their own are; an image that was built here and never published has its id instead.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from huggingface_hub import constants

from arena import pins
from arena.errors import RunError
from arena.runtimes.engine import Engine, shown, told
from arena.runtimes.handle import Sign
from arena.spec import Further

if TYPE_CHECKING:
    from docker.models.images import Image

REPIN = "python -m arena vllm repin"


def split(reference: str) -> tuple[str, str]:
    """Name and tag of a reference.

    >>> split("localhost:5000/vllm"), split("vllm/vllm-openai:v0.32.0")
    (('localhost:5000/vllm', 'latest'), ('vllm/vllm-openai', 'v0.32.0'))
    """
    name, _, tag = reference.rpartition(":")
    return (name, tag) if name and "/" not in tag else (reference, "latest")


def entry(reference: str) -> Further:
    """Its line in ``models.lock.yaml``."""
    name, tag = split(reference)
    return Further(f"docker://{name}", f"pin:{tag}")


def pinned(reference: str, home: Path) -> str:
    """The digest that is run, "" before the first use."""
    if "@" in reference:
        return reference.partition("@")[2]
    return pins.read(home).get(pins.name_of(entry(reference)), "")


def digest_of(image: Image, reference: str) -> str:
    """What fixes the image: its digest under the name, or its id if it has none."""
    name = reference.partition("@")[0] if "@" in reference else split(reference)[0]
    digests = [each.partition("@")[2] for each in image.attrs.get("RepoDigests") or [] if each.startswith(f"{name}@")]
    return str(digests[0] if digests else image.id)


def fetch(engine: Engine, reference: str, home: Path) -> Generator[Sign, None, Image]:
    """Pull the image, of a pinned one exactly it; signs of how far it is. Raises `RunError` (``unavailable``)."""
    digest = pinned(reference, home)
    name, tag = (reference.partition("@")[0], "") if "@" in reference else split(reference)
    yield from pull(engine, name, digest or tag)
    image = get(engine, f"{name}@{digest}" if digest else reference)
    if image is None:
        raise RunError(
            "unavailable", key="vllm.not_pulled", image=reference, why="?", command=f"docker pull {reference}"
        )
    return image


def keep(image: Image, reference: str, home: Path) -> str:
    """Pin the image if it is the first one of its name, "" otherwise; what was written down."""
    if "@" in reference or pinned(reference, home):
        return ""
    digest = digest_of(image, reference)
    pins.pin(entry(reference), home, digest)
    return f"{pins.FILE}: {reference} = {digest}"


def repin(engine: Engine, reference: str, home: Path) -> str:
    """Pin what the name stands for now; its digest. Raises `RunError` (``unavailable``) when it is not here."""
    image = get(engine, reference)
    if image is None:
        command = f"docker pull {reference}"
        raise RunError("unavailable", key="vllm.not_pulled", image=reference, why="—", command=command)
    pins.unpin(entry(reference), home)
    keep(image, reference, home)
    return digest_of(image, reference)


def on_machine(engine: Engine, reference: str, home: Path) -> Image | None:
    """The image if it is here. Raises `RunError` when only another one has its name."""
    digest, image = pinned(reference, home), get(engine, reference)
    if not digest or (image is not None and digest in (image.id, digest_of(image, reference))):
        return image
    for exact in (f"{split(reference.partition('@')[0])[0]}@{digest}", digest):
        if pinned_one := get(engine, exact):
            return pinned_one
    if image is None:
        return None
    raise RunError(
        "start_failed",
        key="vllm.other_image",
        image=reference,
        pinned=digest,
        found=digest_of(image, reference),
        command=f"{REPIN} {reference}",
    )


def get(engine: Engine, reference: str) -> Image | None:
    import docker

    with told():
        try:
            return engine.client.images.get(reference)
        except docker.errors.NotFound:
            return None


def pull(engine: Engine, name: str, tag: str) -> Iterator[Sign]:
    """Bring it to this machine. A closed pull is taken up again later with the layers that are there."""
    import docker

    reference = f"{name}@{tag}" if ":" in tag else f"{name}:{tag}"
    command = f"docker pull {reference}"
    if constants.HF_HUB_OFFLINE:  # whoever keeps this machine off the network means all of it
        raise RunError("unavailable", key="vllm.offline", image=reference, command=command)
    layers: dict[str, tuple[int, int]] = {}
    with told():
        try:
            for told_now in engine.client.api.pull(name, tag=tag, stream=True, decode=True):
                if error := told_now.get("error"):
                    raise RunError(
                        "unavailable", key="vllm.not_pulled", image=reference, why=shown(error), command=command
                    )
                yield Sign("pulling", progress(layers, told_now))
        except docker.errors.APIError as error:
            raise RunError(
                "unavailable", key="vllm.not_pulled", image=reference, why=shown(error.explanation), command=command
            ) from error


def progress(layers: dict[str, tuple[int, int]], told_now: dict[str, Any]) -> str:
    """How much of the layers that are known so far has come, kept in `layers`: ``37 %, 2.9 / 7.8 GB``."""
    detail = told_now.get("progressDetail") or {}
    if told_now.get("status") == "Downloading" and detail.get("total"):
        layers[told_now["id"]] = (int(detail["current"]), int(detail["total"]))
    elif told_now.get("status") in ("Download complete", "Extracting", "Pull complete") and told_now["id"] in layers:
        layers[told_now["id"]] = (layers[told_now["id"]][1],) * 2
    if not layers:
        return ""
    done, total = (sum(each) for each in zip(*layers.values(), strict=True))
    return f"{100 * done // total} %, {done / 1e9:.1f} / {total / 1e9:.1f} GB"
