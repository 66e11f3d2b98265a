"""What the page opens with: models that answer at once, or those of the settings."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import pytest

from arena.catalog import load_catalog
from arena.config import load_settings
from arena.errors import ConfigError
from arena.ui import opening


def arena_with(settings, **models):
    catalog = load_catalog(settings)
    return SimpleNamespace(settings=settings, catalog=replace(catalog, models=catalog.models | models))


@pytest.fixture
def catalogued(settings):
    """The catalogue with the small model, which needs torch."""
    return arena_with(settings, tiny_vlm=replace(load_catalog(settings).find("qwen2_vl_2b"), id="tiny_vlm"))


def test_where_torch_is_the_small_model_comes_first_with_a_picture_for_it(catalogued):
    models = opening.first_models(catalogued)
    assert models == ("tiny_vlm", "tesseract")
    assert opening.first_sample(models) == "line"


def test_where_torch_is_not_the_page_opens_with_engines(catalogued, monkeypatch):
    monkeypatch.setattr("arena.status.find_spec", lambda name: None)
    models = opening.first_models(catalogued)
    assert models == ("rapidocr", "tesseract")
    assert opening.first_sample(models) == "receipt"


def test_the_settings_decide(tmp_path):
    given = {"ARENA_HOME": str(tmp_path), "ARENA_FIRST_MODELS": "tesseract, Qwen/Qwen2-VL-2B-Instruct"}
    assert opening.first_models(arena_with(load_settings(given))) == ("tesseract", "qwen2_vl_2b")


def test_what_cannot_be_opened_with_is_said_in_both_languages(tmp_path):
    with pytest.raises(ConfigError) as caught:
        load_settings({"ARENA_HOME": str(tmp_path), "ARENA_FIRST_MODELS": "tesseract"})
    assert "two models" in caught.value.text("en") and "двух моделей" in caught.value.text("ru")
    given = {"ARENA_HOME": str(tmp_path), "ARENA_FIRST_MODELS": "tesseract,tesserakt"}
    with pytest.raises(ConfigError) as caught:
        opening.first_models(arena_with(load_settings(given)))
    assert "tesserakt" in caught.value.text("en") and "модели tesserakt нет" in caught.value.text("ru")
