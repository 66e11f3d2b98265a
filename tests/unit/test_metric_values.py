"""The metrics give the values of the reference implementations: jiwer, pycocotools, and TEDS by apted and lxml."""

import contextlib
import doctest
import importlib
import io
import pkgutil
from dataclasses import replace

import apted
import jiwer
import lxml.html
import numpy as np
import pytest
import scipy.optimize
from hypothesis import given, settings
from hypothesis import strategies as st
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval
from rapidfuzz.distance import Levenshtein

from benchmarks import metrics
from benchmarks.metrics.answers import anls, exact_match
from benchmarks.metrics.layout import box_iou, box_map, box_precision, box_recall, matched, reading_order
from benchmarks.metrics.matching.trees import tree_distance
from benchmarks.metrics.tables import teds, teds_structure
from benchmarks.metrics.text import character_error_rate, word_error_rate, word_f1
from benchmarks.metrics.truth import Region

modules = [each.name for each in pkgutil.walk_packages(metrics.__path__, metrics.__name__ + ".")]


@pytest.mark.parametrize("name", modules)
def test_the_documented_examples_hold(name):
    assert doctest.testmod(importlib.import_module(name)).failed == 0


# --- text

words = st.lists(st.text("абcd1.", min_size=1, max_size=6), min_size=1, max_size=12).map(" ".join)


@given(words, words)
def test_error_rates_are_those_of_jiwer(said, right):
    assert character_error_rate(said, right) == pytest.approx(jiwer.cer(right, said))
    assert word_error_rate(said, right) == pytest.approx(jiwer.wer(right, said))


@given(words, words)
def test_word_f1_is_the_harmonic_mean_of_precision_and_recall(said, right):
    left, common = right.split(), 0
    for word in said.split():
        if word in left:
            left.remove(word)
            common += 1
    precision, recall = common / len(said.split()), common / len(right.split())
    expected = 2 * precision * recall / (precision + recall) if common else 0
    assert word_f1(said, right) == pytest.approx(expected)


# --- answers


@pytest.mark.parametrize(
    ("said", "answers", "value"),
    [
        ("Bolshaya", ["bolshaya"], 1.0),
        ("  New   York ", ["new york"], 1.0),
        ("abcd", ["abxx"], 0.5),  # exactly one half still counts
        ("abc", ["axx"], 0.0),
        ("$1,200", ["1200", "1,200"], 5 / 6),
        ("", ["a"], 0.0),
        ("", [""], 1.0),
        ("The answer is 42", ["42"], 0.0),
    ],
)
def test_anls_as_docvqa_scores(said, answers, value):
    assert anls(said, answers) == pytest.approx(value)


def test_an_exact_match_is_one_of_the_answers_letter_by_letter():
    assert exact_match(" йод\n", ["x", "и\u0306од"]) == 1
    assert exact_match("Йод", ["йод"]) == 0


# --- tables

PUBLISHED = """<html><body><table><thead><tr><td><b>Name of {0}</b></td><td><b>{1}</b></td></tr></thead><tbody><tr>
<td>MACS [23]</td><td>Uses both a control library and local statistics to minimize bias</td></tr><tr><td>{2}</td>
<td>Designed for detecting diffusely enriched regions; for example, histone modification</td></tr><tr><td>{3} [24]</td>
<td>Corrects for reference genome mappability and local statistics</td></tr><tr><td>SISSRs [25]</td><td>High
 resolution, precise identification of binding-site location</td></tr><tr><td>F-seq [26]</td>
<td>Uses kernel density estimation</td></tr></tbody></table></body></html>"""


def test_teds_of_the_published_example():
    said = PUBLISHED.format("algori", "Notablefeatures", "SICER [15]", "PeakSEQ")
    right = PUBLISHED.format("algorithm", "Notable features", "SICER [14]", "PeakSeq")
    assert teds(said, right) == pytest.approx(0.9781765018607124, abs=1e-12)
    assert teds_structure(said, right) == 1


class Element:
    """An element of lxml as a tree for apted: what is within a cell is its content."""

    def __init__(self, element):
        self.kind, self.content, self.children = (element.tag,), "", [Element(child) for child in element]
        if element.tag == "td":
            self.kind += element.get("colspan", "1"), element.get("rowspan", "1")
            self.content, self.children = list(inside(element)), []


def inside(element):
    yield from element.text or ""
    for child in element:
        yield f"<{child.tag}>"
        yield from inside(child)
        yield f"</{child.tag}>"
        yield from child.tail or ""


class Published(apted.Config):
    """The costs of PubTabNet's definition."""

    def rename(self, one, two):
        return 1 if one.kind != two.kind else Levenshtein.normalized_distance(one.content, two.content)


def published_teds(said, right):
    one, two = (lxml.html.fromstring(f"<html><body>{each}</body></html>").find("body/table") for each in (said, right))
    edits = apted.APTED(Element(one), Element(two), Published()).compute_edit_distance()
    return 1 - edits / max(len(list(one.iterdescendants())), len(list(two.iterdescendants())))


texts = st.sampled_from(["", "a", "ab", "abc", "12.5", "<b>x</b>y", "1<br>2", "&lt;5", "итого"])
spans = st.sampled_from(["", "", "", ' colspan="2"', ' rowspan="2" colspan="3"'])
cells = st.builds("<td{}>{}</td>".format, spans, texts)
rows = st.lists(cells, max_size=4).map(lambda row: f"<tr>{''.join(row)}</tr>")
bodies = st.lists(rows, min_size=1, max_size=4).map("".join).filter(lambda body: "<td" in body)
drawn_tables = st.builds("<table>{}</table>".format, bodies)
with_heads = st.builds("<table><thead>{}</thead><tbody>{}</tbody></table>".format, rows, bodies)


@settings(max_examples=30)
@given(st.one_of(st.tuples(drawn_tables, drawn_tables), st.tuples(with_heads, with_heads)))
def test_teds_is_that_of_apted_on_trees_of_lxml(pair):
    assert teds(*pair) == pytest.approx(max(0, published_teds(*pair)), abs=1e-9)
    assert teds(*pair) == pytest.approx(teds(*reversed(pair)), abs=1e-9), "which is which makes no difference"
    assert teds(pair[0], pair[0]) == teds_structure(pair[1], pair[1]) == 1


class Shape:
    """A tree for apted."""

    def __init__(self, name, *children):
        self.name, self.children = name, children

    def postorder(self, nodes=None):
        """Every node with the place of its leftmost leaf."""
        nodes = [] if nodes is None else nodes
        start = len(nodes)
        for child in self.children:
            child.postorder(nodes)
        nodes.append((self, start))
        return nodes


shapes = st.recursive(
    st.builds(Shape, st.sampled_from("abc")),
    lambda inner: st.builds(lambda name, some: Shape(name, *some), st.sampled_from("abc"), st.lists(inner, max_size=4)),
    max_leaves=12,
)


@settings(max_examples=50)
@given(shapes, shapes)
def test_the_distance_of_any_two_trees_is_that_of_apted(one, two):
    a, b = one.postorder(), two.postorder()
    renames = np.array([[float(x.name != y.name) for y, _ in b] for x, _ in a])
    first = [[start for _, start in nodes] for nodes in (a, b)]
    assert tree_distance(*first, renames) == pytest.approx(apted.APTED(one, two).compute_edit_distance())


@pytest.mark.parametrize(
    "said",
    [
        "Sure!\n```html\n<table border=1><tr><th>a<th>b<tr><td>1<td> <!-- ? -->2</table>\n```\nAnything else?",
        "| a | b |\n| :-- | --: |\n| 1 | 2 |\n\nThat is all.",
        "a|b\n-|-\n1|2",
        "<TABLE><THEAD><TR><TH>a</TH><TH>b</TH></TR></THEAD><TBODY><TR><TD>1</TD><TD>2</TD></TR></TBODY></TABLE>",
        "<table><tr><td>tiny</table> and <table><tr><td>a</td><td>b</td></tr><tr><td>1</td><td>2",
    ],
)
def test_a_table_is_found_however_it_is_written(said):
    assert teds(said, "<table><tr><td>a</td><td>b</td></tr><tr><td>1</td><td>2</td></tr></table>") == 1


def test_an_answer_without_a_table_is_worth_nothing_and_a_truth_without_one_says_nothing():
    assert teds("no | table", "<table><tr><td>a</table>") == 0
    assert teds("<table><tr><td>a</table>", "<table></table>") is None


# --- regions


def region(x, y, width, height, kind, score):
    return Region(x, y, x + width, y + height, kind, score=score)


sizes, kinds = st.integers(1, 12), st.sampled_from(["Text", "Table"])
placed = st.builds(region, st.integers(0, 12), st.integers(0, 12), sizes, sizes, kinds, st.floats(0, 1, width=16))
pages = st.lists(placed, min_size=1, max_size=8)


def coco_map(said, truth):
    """The mean average precision of pycocotools for one image."""
    names = sorted({each.kind for each in [*said, *truth]})

    def entries(regions, **more):
        for number, each in enumerate(regions, 1):
            width, height = each.x1 - each.x0, each.y1 - each.y0
            yield {"id": number, "image_id": 1, "category_id": names.index(each.kind) + 1, "iscrowd": 0} | {
                "bbox": [each.x0, each.y0, width, height],
                "area": width * height,
                "score": each.score,
            }

    with contextlib.redirect_stdout(io.StringIO()):
        right = COCO()
        right.dataset = {
            "images": [{"id": 1}],
            "annotations": list(entries(truth)),
            "categories": [{"id": number} for number, _ in enumerate(names, 1)],
            "info": {},
        }
        right.createIndex()
        scored = COCOeval(right, right.loadRes(list(entries(said))), "bbox")
        scored.evaluate()
        scored.accumulate()
        scored.summarize()
    return scored.stats[0]


@settings(max_examples=30, deadline=None)
@given(pages, pages)
def test_average_precision_is_that_of_pycocotools(said, truth):
    assert box_map(said, truth) == pytest.approx(coco_map(said, truth), abs=1e-9)
    # Without scores the order ranks them.
    ranked = [replace(each, score=1 - place / 100) for place, each in enumerate(said)]
    assert box_map([replace(each, score=None) for each in said], truth) == box_map(ranked, truth)


@given(pages, pages)
def test_the_mean_overlap_is_that_of_the_best_assignment(said, truth):
    def overlap(one, two):
        width = max(0, min(one.x1, two.x1) - max(one.x0, two.x0))
        height = max(0, min(one.y1, two.y1) - max(one.y0, two.y0))
        sizes = sum((each.x1 - each.x0) * (each.y1 - each.y0) for each in (one, two))
        return width * height / (sizes - width * height)

    table = np.array([[overlap(one, two) for two in truth] for one in said])
    best = table[scipy.optimize.linear_sum_assignment(table, maximize=True)].sum()
    assert box_iou(said, truth) == pytest.approx(best / max(len(said), len(truth)))


@given(pages, pages)
def test_regions_find_each_other_once(said, truth):
    pairs = matched(said, truth)
    assert all(said[one].kind == truth[two].kind for one, two in pairs)
    assert len({one for one, _ in pairs}) == len({two for _, two in pairs}) == len(pairs)
    assert box_precision(said, truth) == pytest.approx(len(pairs) / len(said))
    assert box_recall(said, truth) == pytest.approx(len(pairs) / len(truth))
    assert box_precision(truth, truth) == box_recall(truth, truth) == box_iou(truth, truth) == 1


def test_kinds_are_compared_as_people_would():
    page = [Region(0, 0, 9, 9, "Section-header")]
    assert box_recall([Region(0, 0, 9, 9, "section_header")], page) == 1
    assert box_recall([Region(0, 0, 9, 9, "title")], page) == 0
    assert box_recall([Region(0, 0, 9, 9, "title")], [replace(page[0], kind="")]) == 1


def test_the_order_of_reading():
    page = [Region(0, 10 * place, 10, 10 * place + 10) for place in range(5)]
    stranger = Region(100, 100, 110, 110)
    assert reading_order(page, page) == 0
    assert reading_order([page[0], stranger, *page[1:]], page) == 0, "what nobody asked for has no place in the order"
    assert reading_order(page[:3], page) == pytest.approx(2 / 5), "what is missing is an edit"
    assert reading_order([page[1], page[0], *page[2:]], page) == pytest.approx(2 / 5)
    assert reading_order([], page) == 1
    assert box_map([], page) == box_iou([], page) == box_precision([], page) == 0
