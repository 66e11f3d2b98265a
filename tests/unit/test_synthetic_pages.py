"""Pages say the truth about themselves: their ink lies in their regions, their table and their sums are right."""

import random
import re
from html.parser import HTMLParser

import numpy as np
import pytest

from benchmarks.synthetic import sets, typefaces, wording
from benchmarks.synthetic.fonts import face
from benchmarks.synthetic.sheet import Sheet, wrapped

LANGUAGES = ("en", "ru")
CATEGORIES = {
    "Caption", "Footnote", "Formula", "List-item", "Page-footer", "Page-header", "Picture", "Section-header", "Table",
    "Text", "Title",
}  # fmt: skip


@pytest.fixture(scope="module")
def paths():
    found = typefaces.present("test")
    assert found, "no font at all: requirements/system.sh packages fonts-dejavu-core"
    return found


def drawn(kind, language, seed, paths, width=1000):
    return sets.page(kind, language, f"t/{seed}", width, paths)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", sets.KINDS)
def test_a_seed_draws_a_page_and_another_seed_another(kind, language, paths):
    first, again, other = (drawn(kind, language, seed, paths) for seed in (1, 1, 2))
    assert np.array_equal(first.pixels, again.pixels)
    assert first.truth == again.truth
    assert first.pixels.shape != other.pixels.shape or not np.array_equal(first.pixels, other.pixels)
    assert {region.kind for region in first.truth.regions} <= CATEGORIES


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", sets.KINDS)
def test_every_region_holds_ink_within_the_page(kind, language, seed, paths):
    page = drawn(kind, language, seed, paths, width=500 + 250 * seed)
    width, height = page.size
    for region in page.truth.regions:
        assert 0 <= region.x0 < region.x1 <= width
        assert 0 <= region.y0 < region.y1 <= height
        part = page.pixels[int(region.y0) : int(region.y1) + 1, int(region.x0) : int(region.x1) + 1]
        assert int(part.max()) - int(part.min()) > 100, region


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", ["document", "receipt", "formula"])
def test_all_text_lies_within_the_regions(kind, language, seed, paths):
    page = drawn(kind, language, seed, paths)
    dark = page.pixels.max(2) < 110
    dark[:, : page.size[0] // 40] = False
    for region in page.truth.regions:
        dark[int(region.y0) : int(region.y1) + 2, max(0, int(region.x0) - 1) : int(region.x1) + 2] = False
    # What is left are rules: rows of ink no higher than three pixels.
    rows = np.flatnonzero(dark.any(1))
    runs = np.split(rows, np.flatnonzero(np.diff(rows) > 1) + 1)
    assert all(len(run) <= 3 for run in runs), runs


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", sets.KINDS)
def test_facts_are_true_of_the_text(kind, language, seed, paths):
    page = drawn(kind, language, seed, paths)
    text = page.truth.text
    for fact in page.truth.facts:
        if fact.kind == "present":
            assert fact.text in text
        elif fact.kind == "absent":
            assert fact.text not in text
        elif fact.kind == "order":
            assert -1 < text.index(fact.text) < text.index(fact.after)
        elif fact.kind == "formula":
            assert fact.text == page.truth.formula
            assert fact.text in text
        else:
            assert fact.text in page.truth.table
            assert all(each in page.truth.table for each in fact.neighbours.values())
    assert page.truth.facts


@pytest.mark.parametrize("language", LANGUAGES)
def test_words_are_of_the_language_and_no_slot_is_left(language, paths):
    for kind in set(sets.KINDS) - {"formula"}:
        text = drawn(kind, language, 5, paths).truth.text
        assert "{" not in text and "}" not in text
        assert bool(re.search("[а-яё]", text, re.IGNORECASE)) == (language == "ru")


class Grid(HTMLParser):
    """How many cells of the grid every row of a table fills, spans included."""

    def __init__(self, html):
        super().__init__()
        self.filled, self.row, self.texts = {}, -1, []
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        if tag == "tr":
            self.row += 1
        if tag == "td":
            spans = dict(attributes)
            for row in range(int(spans.get("rowspan", 1))):
                cells = self.filled.setdefault(self.row + row, [])
                cells += [None] * int(spans.get("colspan", 1))

    def handle_data(self, data):
        self.texts.append(data)


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("language", LANGUAGES)
def test_the_html_of_a_table_is_a_full_grid_with_the_words_of_the_page(language, seed, paths):
    page = drawn("table", language, seed, paths)
    grid = Grid(page.truth.table)
    assert len({len(cells) for cells in grid.filled.values()}) == 1
    assert len(grid.filled) == grid.row + 1
    words = " ".join(grid.texts).split()
    assert " ".join(words) in " ".join(page.truth.text.split())


@pytest.mark.parametrize("seed", range(6))
def test_a_receipt_adds_up(seed, paths):
    text = drawn("receipt", "en", seed, paths).truth.text
    body = text[text.index("Cashier") : text.index("Subtotal")].splitlines()[2:]
    prices = [float(line.split()[-1]) for line in body if re.search(r"\d\.\d\d$", line)]
    subtotal, total = (float(re.search(rf"{name}.* (\S+)", text)[1]) for name in ("Subtotal", "TOTAL"))
    discount = re.search(r"Discount -(\S+)", text)
    assert sum(prices) == pytest.approx(subtotal)
    assert subtotal - (float(discount[1]) if discount else 0) == pytest.approx(total)


def test_lines_are_wrapped_at_the_width_and_nothing_is_lost(paths):
    font = face(paths[0], 20)
    text = "the quick brown fox jumps over the lazy dog again and again"
    lines = wrapped(text, font, 160, indent=60)
    assert " ".join(lines) == text
    assert font.width(lines[0]) <= 100
    assert all(font.width(line) <= 160 for line in lines)


def test_text_that_does_not_fit_on_the_sheet_is_refused(paths):
    with pytest.raises(ValueError, match="does not fit"):
        Sheet((100, 40)).line(10, 30, "much too long a line", face(paths[0], 20))


@pytest.mark.parametrize("path", typefaces.present("test"), ids=lambda path: path.rsplit("/", 1)[-1])
def test_every_face_has_every_letter_that_is_printed(path):
    letters = set()
    for language in LANGUAGES:
        letters |= set(re.sub(r"\{[^}]*\}", "", "".join(texts(wording.phrases(language)))))
    font = face(path, 30)
    lacking = font.glyph("\uffff").cover
    empty = [each for each in sorted(letters | set("−•")) if np.array_equal(font.glyph(each).cover, lacking)]
    assert not empty


def texts(known):
    """Every phrase, however deep in lists and mappings."""
    if isinstance(known, str):
        return [known]
    parts = known.values() if isinstance(known, dict) else known if isinstance(known, list) else ()
    return [text for part in parts for text in texts(part)]


def test_every_phrase_can_be_said():
    for language in LANGUAGES:
        rng, found = random.Random(0), texts(wording.phrases(language))
        assert len(found) > 400
        assert not [text for text in found if "{" in wording.filled(rng, language, text)]


def test_without_fonts_the_command_that_brings_them_is_named():
    with pytest.raises(ValueError, match=r"system\.sh packages"):
        typefaces.family(random.Random(0), (), "serif")
