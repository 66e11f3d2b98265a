"""The slots of this machine, one a device, made when first asked for."""

from __future__ import annotations

import threading

from arena.catalog import ModelSpec
from arena.config import Settings
from arena.gpu import Gpus
from arena.runtimes.process import Interpreters
from arena.slot import Slot


class Slots:
    """Which device a model runs on, and the slot of each."""

    def __init__(self, settings: Settings, gpus: Gpus) -> None:
        self.settings = settings
        self.gpus = gpus
        self.interpreters = Interpreters(settings.warm)
        self._slots: dict[str, Slot] = {}
        self._lock = threading.Lock()  # protects _slots: two first requests must share one slot

    def for_(self, spec: ModelSpec) -> Slot:
        """The slot of the device the model runs on: the first GPU, the CPU for embedded engines, or a service
        elsewhere, which holds none of our memory and so takes nobody's place."""
        place = spec.elsewhere.url if spec.elsewhere else ""
        gpu = None if spec.mode == "embedded" or place else next(iter(self.gpus.devices()), None)
        device = place or (gpu.uuid if gpu else "cpu")
        with self._lock:
            if device not in self._slots:
                self._slots[device] = Slot(gpu, self.settings, self.gpus, self.interpreters, place)
            return self._slots[device]

    def preload(self, spec: ModelSpec) -> None:
        """Have the model's imports done while its user is still choosing the image; returns at once."""
        self.interpreters.preload(spec.adapter, spec.interpreter)

    def all(self) -> list[Slot]:
        """The slots there are so far."""
        with self._lock:
            return list(self._slots.values())

    def status(self) -> list[dict[str, object]]:
        return [slot.status() for slot in self.all()]

    def pids(self) -> list[int]:
        """Processes that hold a device's memory for us."""
        return [pid for slot in self.all() for pid in slot.pids()]

    def unload_all(self) -> None:
        """End whatever is loaded, on every device, each when its turn comes. Raises `RunError`."""
        for slot in self.all():
            for _ in slot.unload():
                pass

    def close(self) -> None:
        for slot in self.all():
            slot.close()
        self.interpreters.stop()
