"""A Docker Engine of the tests' own, to be stopped in the middle of things without anybody else noticing."""

from __future__ import annotations

import shutil
import signal
import subprocess
import time
from pathlib import Path

import docker


class PrivateEngine:
    """Its data, its socket and its bridge are its own. Needs root, as any Engine that makes bridges does."""

    def __init__(self, folder: Path, bridge: str, network: str) -> None:
        self.folder, self.bridge = folder, bridge
        self.address = f"unix://{folder}/docker.sock"
        subprocess.run(["ip", "link", "add", "name", bridge, "type", "bridge"], check=True)
        subprocess.run(["ip", "addr", "add", network, "dev", bridge], check=True)
        subprocess.run(["ip", "link", "set", bridge, "up"], check=True)
        self.start()

    def start(self) -> None:
        places = {"data-root": "data", "exec-root": "run", "pidfile": "docker.pid"}
        options = [f"--{name}={self.folder / place}" for name, place in places.items()]
        command = ["dockerd", *options, f"--bridge={self.bridge}", "--iptables=false", "-H", self.address]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log)
        deadline = time.monotonic() + 60
        while not (self.folder / "docker.sock").exists() or not self._answers():
            assert self.process.poll() is None, (self.folder / "log").read_text()[-2000:]
            assert time.monotonic() < deadline, "the Engine does not start"
            time.sleep(0.1)

    def _answers(self) -> bool:
        client = docker.DockerClient(base_url=self.address, version="1.41", timeout=5)
        try:
            return bool(client.ping())
        except (docker.errors.DockerException, OSError):
            return False
        finally:
            client.close()

    def client(self) -> docker.DockerClient:
        return docker.DockerClient(base_url=self.address, timeout=60)

    def hang(self) -> None:
        self.process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        self.process.send_signal(signal.SIGCONT)

    def stop(self) -> None:
        self.go_on()
        self.process.terminate()
        self.process.wait(60)

    def kill(self) -> None:
        """As a crash would: it tells its containers nothing."""
        self.process.kill()
        self.process.wait()
        # Its containerd goes with it, and where nobody reaps orphans it would be taken for alive.
        (self.folder / "run/containerd/containerd.pid").unlink(missing_ok=True)

    def remove(self) -> None:
        """Stop it with everything in it, and take its bridge and its folder away."""
        if self.process.poll() is None:
            self.stop()
        subprocess.run(["ip", "link", "delete", self.bridge], check=True)
        places = [line.split()[1] for line in Path("/proc/mounts").read_text().splitlines()]
        for place in sorted((place for place in places if place.startswith(str(self.folder))), reverse=True):
            subprocess.run(["umount", place], check=True)  # it leaves its own folder mounted on itself
        shutil.rmtree(self.folder)
