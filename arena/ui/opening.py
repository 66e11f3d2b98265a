"""What Compare shows when it opens: two models and a picture that suits them."""

from __future__ import annotations

from collections.abc import Sequence

from arena.core import Arena
from arena.errors import ConfigError, Problem, RunError
from arena.status import packages_status
from arena.ui.samples import samples

EVERYWHERE = ("rapidocr", "tesseract")
OURS = "tiny_vlm"  # comes with the project, so it can answer at once where torch is installed
FOR_OURS = "line"


def first_models(arena: Arena) -> tuple[str, ...]:
    """The ids of two models: those of the settings, else ours and an engine, else two engines.

    Raises `ConfigError` for a name in the settings that no model has.
    """
    if wanted := arena.settings.first_models:
        try:
            return tuple(arena.catalog.find(name).id for name in wanted)
        except RunError as error:
            raise ConfigError([Problem("settings.first_models", error.params)]) from None
    ours = arena.catalog.models.get(OURS)
    return (OURS, "tesseract") if ours and packages_status(ours) is None else EVERYWHERE


def first_sample(models: Sequence[str]) -> str:
    """The id of a sample that these models can answer."""
    return FOR_OURS if OURS in models else next(iter(samples()))
