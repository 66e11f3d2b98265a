"""A set is balanced, the same for the same seed, finished where it was left; the committed sample is such a set."""

import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from benchmarks.datasets import load_dataset
from benchmarks.metrics import METRICS, measured
from benchmarks.metrics.truth import Said
from benchmarks.synthetic import degrade, fonts, sets, typefaces
from benchmarks.synthetic.degrade import DEGRADATIONS, degraded

SAMPLE = Path(__file__).parents[2] / "assets" / "benchmark" / "sample"
RECIPE = sets.Recipe(12, tuple(sets.KINDS), ("ru", "en"), DEGRADATIONS, (0, 3), width=500)


@pytest.fixture(scope="module")
def pages():
    paths = typefaces.present("test")
    return [sets.page(kind, "ru", "d/1", 600, paths) for kind in ("sign", "form", "receipt")]


def distance(page, other):
    """How far one picture is from another of its size, as the root of the mean square in levels of 255."""
    return float(np.sqrt(np.mean((page.pixels.astype(float) - other.pixels.astype(float)) ** 2)))


@pytest.mark.parametrize("name", degrade.PIXELWISE)
def test_each_step_is_further_from_the_clean_picture(name, pages):
    for page in pages:
        steps = [distance(page, degraded(page, name, level, "s")) for level in degrade.LEVELS]
        assert steps[0] == 0
        assert steps == sorted(set(steps))
        assert degraded(page, name, 3, "s").truth == page.truth


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("name", degrade.MOVED)
def test_each_step_moves_the_corners_further_and_the_boxes_with_them(name, seed, pages):
    move, strengths = degrade.MOVED[name]
    for page in pages:
        upright = np.array(degrade.rectangle(page.size))
        steps = []
        for strength in strengths:
            corners = np.array(move(page.size, strength, degrade.random.Random(seed))[1])
            # Where the whole lies on the new picture makes no difference.
            steps.append(np.abs((corners - corners.mean(0)) - (upright - upright.mean(0))).mean())
        assert steps == sorted(set(steps))
        assert steps[0] > 0


@pytest.mark.parametrize("level", [1, 3, 5])
@pytest.mark.parametrize("name", degrade.MOVED)
def test_ink_is_still_in_the_moved_boxes(name, level, pages):
    for page in pages:
        moved = degraded(page, name, level, "m")
        width, height = moved.size
        for before, region in zip(page.truth.regions, moved.truth.regions, strict=True):
            assert (before.kind, before.text) == (region.kind, region.text)
            assert 0 <= region.x0 < region.x1 <= width
            assert 0 <= region.y0 < region.y1 <= height
            part = moved.pixels[int(region.y0) : int(region.y1) + 1, int(region.x0) : int(region.x1) + 1]
            assert int(part.max()) - int(part.min()) > 80


@pytest.mark.parametrize("name", degrade.MOVED)
def test_a_mark_is_found_where_its_box_says(name, pages):
    page = pages[0]
    pixels = np.full_like(page.pixels, 250)
    pixels[100:120, 200:240] = (255, 0, 0)
    mark = degrade.Region(200, 100, 240, 120)
    marked = degrade.replace(page, pixels=pixels, truth=degrade.replace(page.truth, regions=(mark,)))
    moved = degraded(marked, name, 4, "mark")
    rows, columns = np.nonzero((moved.pixels[..., 0] > 200) & (moved.pixels[..., 1] < 100))
    found = moved.truth.regions[0]
    assert (found.x0, found.y0, found.x1, found.y1) == pytest.approx(
        (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1), abs=2
    )


def test_unknown_degradations_and_levels_are_refused(pages):
    with pytest.raises(ValueError, match="level 6"):
        degraded(pages[0], "blur", 6, "")
    with pytest.raises(KeyError):
        degraded(pages[0], "smoke", 1, "")


def test_a_full_set_has_every_cell_equally_often_and_any_beginning_is_balanced():
    cells = sets.cells(sets.Recipe(456, tuple(sets.KINDS), ("ru", "en"), DEGRADATIONS, (0, 1, 3, 5)))
    assert set(Counter(cells[:228]).values()) == {1}
    assert set(Counter(cells).values()) == {2}
    for part in ("kind", "language"):
        begun = Counter(getattr(cell, part) for cell in cells[:84])
        assert max(begun.values()) - min(begun.values()) <= 2
    begun = Counter(cell.degradation for cell in cells[:95])
    assert max(begun[name] for name in DEGRADATIONS) - min(begun[name] for name in DEGRADATIONS) <= 2


def test_a_set_is_a_dataset_and_the_same_again_even_where_it_was_broken_off(tmp_path):
    names = [name for _, name in sets.write(tmp_path / "one", RECIPE)]
    for index, _ in enumerate(sets.write(tmp_path / "two", RECIPE)):
        if index == 6:
            break
    with (tmp_path / "two" / "items.jsonl.part").open("a") as file:
        file.write('{"id": "half a li')
    assert not (tmp_path / "two" / "items.jsonl").exists()
    list(sets.write(tmp_path / "two", RECIPE))
    for name in (*names, sets.ITEMS, sets.RECIPE):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()
    assert {path.name for path in (tmp_path / "two").iterdir()} == {*names, sets.ITEMS, sets.RECIPE}
    assert len(load_dataset(tmp_path / "one").items) == len(names)


def test_another_set_is_not_written_over(tmp_path):
    (tmp_path / "mine.txt").write_text("keep me")
    with pytest.raises(FileExistsError):
        next(sets.write(tmp_path, RECIPE))
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_the_sample_holds_what_its_items_say():
    dataset = load_dataset(SAMPLE)
    assert 24 <= len(dataset.items) <= 30
    assert sum(path.stat().st_size for path in SAMPLE.iterdir()) <= 1_500_000
    assert {item.tags["kind"] for item in dataset.items} == set(sets.KINDS)
    assert {item.tags["degradation"] for item in dataset.items} == {"clean", *DEGRADATIONS}
    assert {item.language for item in dataset.items} == {"ru", "en"}
    for item in dataset.items:
        assert isinstance(item.image, Path)
        with Image.open(item.image) as picture:
            picture.load()
            width, height = picture.size
        assert all(0 <= each.x0 < each.x1 <= width and 0 <= each.y0 < each.y1 <= height for each in item.truth.regions)


def test_the_sample_follows_from_its_recipe():
    lines = [json.loads(line) for line in (SAMPLE / sets.ITEMS).read_text(encoding="utf-8").splitlines()]
    given = json.loads((SAMPLE / sets.RECIPE).read_text(encoding="utf-8"))
    recipe = sets.Recipe(**{name: tuple(value) if isinstance(value, list) else value for name, value in given.items()})
    cells = sets.cells(recipe)
    assert [(each["tags"]["kind"], each["language"], each["tags"]["degradation"]) for each in lines] == [
        cell[:3] for cell in cells
    ]
    assert not fonts.missing(recipe.split), "with other faces, other pages: make fonts"
    for cell, each in list(zip(cells, lines, strict=True))[:12]:
        seed = f"{recipe.seed}/{each['tags']['source']}"
        drawn = sets.page(cell.kind, cell.language, seed, recipe.width, typefaces.present(recipe.split))
        assert drawn.truth.text == each["reference"]


def test_the_steps_of_one_page_share_its_truth_and_its_source():
    texts = {}
    for item in load_dataset(SAMPLE).items:
        assert texts.setdefault(item.tags["source"], item.truth.text) == item.truth.text
    assert 12 <= len(texts) < 28


def test_a_right_answer_to_an_item_of_the_sample_is_scored_as_right():
    for item in load_dataset(SAMPLE).items:
        formatted = "\n\n".join(
            f"$${each.text}$$" if each.kind == "Formula" else each.text for each in item.truth.regions
        )
        read = measured(Said(item.truth.text, item.truth.regions), item.truth, METRICS)
        structured = measured(Said(formatted, item.truth.regions), item.truth, METRICS)
        assert read["cer"] == 0
        assert structured["facts_true"] == 1
        assert structured.get("teds", 1) == 1
        assert structured.get("formula_edit", 0) == 0
        assert structured["box_precision"] == structured["box_recall"] == 1
