"""Whether containers run on this machine at all: one that answers on a port of 127.0.0.1, without any of our own code.

``python -m tests.docker.able`` says in one line why not, and ends with 1 then.
"""

from __future__ import annotations

import sys
import time
import uuid
from pathlib import Path
from urllib.request import urlopen

import docker

sys.path.insert(0, str(Path(__file__).parent))
import standin_image  # beside this file, as the tests import it


def main() -> int:
    try:
        client = docker.from_env(timeout=60)
        name = f"arena-able-{uuid.uuid4().hex[:8]}:1"
        standin_image.build(client, name)
        try:
            answered(client, name)
        finally:
            client.images.remove(name, force=True)
    except (docker.errors.DockerException, OSError) as error:
        print("Containers do not run on this machine:", " ".join(str(error).split())[:300])
        return 1
    return 0


def answered(client: docker.DockerClient, image: str) -> None:
    """Raises `OSError` when nobody answers within half a minute."""
    serve = ["-I", "-m", "http.server", "--directory", "/weights", "8000"]
    made = client.containers.run(
        image, serve, detach=True, entrypoint="/python/bin/python3", ports={"8000/tcp": ("127.0.0.1", None)}
    )
    try:
        deadline = time.monotonic() + 30
        while True:
            made.reload()
            try:
                port = made.ports["8000/tcp"][0]["HostPort"]
                urlopen(f"http://127.0.0.1:{port}/", timeout=5).close()
                return
            except (OSError, KeyError, IndexError, TypeError):
                if time.monotonic() > deadline:
                    raise OSError("a container's port does not answer") from None
                time.sleep(0.2)
    finally:
        made.remove(force=True)


if __name__ == "__main__":
    sys.exit(main())
