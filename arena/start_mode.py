"""The mode that models with several start in: what was asked for, or with ``auto`` what suits this machine."""

from __future__ import annotations

from dataclasses import replace

from arena.advice import MODES, choice_for
from arena.config import Settings
from arena.runtimes.docker_host import docker_host
from arena.status import Cards


def settled(settings: Settings, gpus: Cards) -> Settings:
    """The settings with a mode in the place of ``auto``."""
    if settings.mode != "auto":
        return settings
    return replace(settings, mode=suitable(gpus, docker_host().there))


def suitable(gpus: Cards, docker: bool) -> str:
    """``transformers`` or ``vllm``; without a GPU transformers, for the models that are small enough."""
    return next(mode for mode in MODES[choice_for(gpus, docker)] if mode != "embedded")
