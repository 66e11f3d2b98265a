"""Parameters of a model's own: read, checked against what its family declares, pages turned into files."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from PIL import Image

from adapters.base import adapter_class
from adapters.got_ocr import beside
from arena.catalog import adapter_names, load_catalog
from arena.cli import main
from arena.config import Settings, load_settings
from arena.errors import RunError
from arena.images import ImageStore
from arena.params import check, page_numbers, place_pages, read_params
from arena.store import Store
from arena.strings import strings


@pytest.fixture
def specs(settings: Settings):
    models = load_catalog(settings).models
    return [models["got_ocr_hf"], models["moondream2"]]


def test_values_go_to_every_model_or_to_the_one_that_is_named(specs) -> None:
    got, moondream = read_params(["seed=7", "got_ocr_hf.box=1, 2, 30, 40", "moondream2.length=short"], specs)
    assert got == {"seed": 7, "box": [1, 2, 30, 40]}
    assert moondream == {"seed": 7, "length": "short"}


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("box=1,2,3,4", ["Moondream 2 has no parameter box", "skill, length"]),
        ("moondream2.length=endless", ["length cannot be endless", "short, normal, long"]),
        ("got_ocr_hf.crop_to_patches=1", ["false, true"]),
        ("got_ocr_hf.color=pink", ["red, green, blue"]),
        ("absent.box=1,2,3,4", ["ID.NAME=VALUE", "got_ocr_hf, moondream2"]),
        ("no sign", ["NAME=VALUE"]),
        ("=3", ["NAME=VALUE"]),
    ],
)
def test_what_no_model_can_be_told_is_refused_with_what_it_knows(specs, given: str, words: list[str]) -> None:
    with pytest.raises(RunError) as caught:
        read_params([given], specs)
    assert caught.value.kind == "bad_input"
    assert all(word in caught.value.text("en") for word in words)


@pytest.mark.parametrize("name", adapter_names())
def test_what_an_adapter_offers_is_a_parameter_it_has(name: str) -> None:
    family = adapter_class(name)
    assert set(family.choices) <= set(family.params)
    assert all(len(values) == len(set(map(repr, values))) > 1 for values in family.choices.values())


def test_every_known_parameter_has_words_in_the_page() -> None:
    known = {key.removeprefix("params.label.") for key in strings("en") if key.startswith("params.label.")}
    own = {name for each in adapter_names() for name in adapter_class(each).params}
    assert own <= known | {key.removeprefix("ui.params.") for key in strings("en")}, "a new one: give it a label"


def test_pages_of_a_pdf_become_files_the_adapter_takes(specs, tmp_path: Path) -> None:
    sheets = [Image.new("RGB", (200 + 10 * page, 300), "white") for page in range(4)]
    sheets[0].save(tmp_path / "four.pdf", save_all=True, append_images=sheets[1:])
    images = ImageStore(tmp_path / "images")
    first = images.add(tmp_path / "four.pdf")
    params = {"pages": check(specs[0], "pages", "2-3, 4")}
    place_pages(params, images, first, tmp_path / "four.pdf")
    files = [Path(beside(str(first.path), name)).resolve() for name in params["pages"]]
    assert files == [images.add(tmp_path / "four.pdf", page).path for page in (2, 3, 4)]
    with pytest.raises(RunError):
        place_pages({"pages": 5}, images, first, tmp_path / "four.pdf")
    with pytest.raises(RunError) as caught:
        place_pages({"pages": 2}, images, first, None)
    assert "PDF" in caught.value.text("en")


@pytest.mark.parametrize("written", ["", "0", "3-2", "a", "1-99999999", [True, "x"], "1-50,60", {}, None])
def test_pages_that_are_no_numbers_are_refused(written: object) -> None:
    with pytest.raises(RunError) as caught:
        page_numbers(written)
    assert caught.value.kind == "bad_input"


def test_the_command_line_hands_a_parameter_on(tmp_path: Path, monkeypatch, capsys) -> None:
    monkeypatch.setenv("ARENA_HOME", str(tmp_path / "home"))
    Image.new("RGB", (300, 100), "white").save(tmp_path / "page.png")
    told = ["compare", "--image", str(tmp_path / "page.png"), "--models", "tesseract", "--json"]
    main([*told, "--param", "psm=7"])
    run_id = json.loads(capsys.readouterr().out)["runs"][0]["run_id"]
    store = Store(load_settings().database_url)
    assert store.get(run_id).params == {"psm": 7}
    store.close()
    assert main([*told, "--param", "psm=2"]) == 2
    assert re.search(r"psm cannot be 2.* 1, 3, 4", capsys.readouterr().err)
