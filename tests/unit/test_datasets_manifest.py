"""A list of images in CSV or JSON lines is read as it was written, or the line that is wrong is named."""

import csv
import io
import json
import string
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from arena.strings import tr
from benchmarks.datasets import DatasetError, Item, load_dataset
from benchmarks.metrics.truth import Fact, Region, Truth

HEADER = "image,reference,language,tags.kind\n"
EXAMPLES = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


def listed(folder: Path, text: str | bytes, name: str = "items.csv", **options) -> tuple[Item, ...]:
    (folder / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    return tuple(load_dataset(folder / name, **options).items)


def refused(folder: Path, text: str | bytes, key: str, place: str = "", name: str = "items.csv") -> DatasetError:
    with pytest.raises(DatasetError) as caught:
        listed(folder, text, name)
    error = caught.value
    assert error.key == key, error
    assert error.params.get("place", "") == place
    assert place in tr(f"datasets.{key}", "ru", **error.params)
    return error


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_table_is_read_as_spreadsheets_save_it(tmp_path, delimiter, encoding):
    file = io.StringIO()
    writer = csv.writer(file, delimiter=delimiter, lineterminator="\r\n")
    writer.writerows([
        ["Image", "reference", "Language", "tags.Kind", "page", "answers", ""],
        ["a.png", "первая\nвторая, «третья»; \"4\"", "ru-RU", "чек", "", "5|пять", ""],
        ["", "", "", "", "", "", ""],
        ["sub\\b.pdf", "", "", "", "3", '["a|b"]', ""],
    ])  # fmt: skip
    a, b = listed(tmp_path, file.getvalue().encode(encoding))
    assert (a.id, a.image, a.language, a.tags) == ("a.png", tmp_path / "a.png", "ru", {"Kind": "чек"})
    assert a.truth == Truth(text='первая\nвторая, «третья»; "4"', answers=("5", "пять"))
    assert (b.id, b.image, b.page, b.truth) == ("sub\\b.pdf#3", tmp_path / "sub/b.pdf", 3, Truth(answers=("a|b",)))


def test_every_field_is_read_from_json_lines(tmp_path):
    truth = Truth(
        text="a", answers=("1",), table="<table></table>", formula="x", regions=(Region(0, 0, 5, 5, "line", "a"),),
        facts=(Fact("order", "a", after="b", max_diffs=2), Fact("cell", "1", neighbours={"left": "x"})),
    )  # fmt: skip
    line = {"id": 7, "image": "a.png", "page": 2, "task": "ocr", "language": "", "prompt": "Read.", "split": "test"}
    line |= {"tags": {"kind": "form", "level": 3, "blur": True, "none": None}, "tags.x": "y"} | truth.to_dict()
    items = listed(tmp_path, json.dumps(line) + "\n\n", "items.jsonl")
    tags = {"kind": "form", "level": "3", "blur": "true", "x": "y", "split": "test"}
    assert items == (Item("7", tmp_path / "a.png", truth, 2, "ocr", "", "Read.", tags),)


def test_a_table_may_hold_json_in_its_cells(tmp_path):
    truth = Truth(regions=(Region(0, 0, 5, 5),), facts=(Fact("absent", "x"),))
    file = io.StringIO()
    plain = truth.to_dict()
    csv.writer(file).writerows([
        ["file_name", "regions", "facts", "tags"],
        ["a.png", "[[0, 0, 5, 5]]", json.dumps(plain["facts"]), '{"kind": "form"}'],
    ])  # fmt: skip
    assert listed(tmp_path, file.getvalue()) == (Item("a.png", tmp_path / "a.png", truth, tags={"kind": "form"}),)


def test_several_questions_may_be_asked_of_one_image(tmp_path):
    items = listed(tmp_path, "image,prompt,answers\na.png,One?,1\na.png,Two?,2\nb.png,One?,3\n")
    assert [(item.id, item.prompt) for item in items] == [("a.png", "One?"), ("a.png~2", "Two?"), ("b.png", "One?")]


def test_the_list_is_found_in_its_folder(tmp_path):
    (tmp_path / "own list.csv").write_text("image\na.png\n")
    (tmp_path / "notes.csv").write_text("day,place\n1,here\n")
    dataset = load_dataset(tmp_path)
    assert (dataset.name, dataset.items[0].image) == (tmp_path.name, tmp_path / "a.png")
    assert load_dataset(tmp_path / "own list.csv").name == "own list"
    (tmp_path / "second.csv").write_text("image\nb.png\n")
    with pytest.raises(DatasetError, match="layout"):  # which of the two?
        load_dataset(tmp_path)
    (tmp_path / "metadata.jsonl").write_text('{"file_name": "c.png"}')
    assert [item.id for item in load_dataset(tmp_path).items] == ["c.png"]


@pytest.mark.parametrize(
    ("text", "key", "place"),
    [
        ("image,refrence\na.png,x\n", "column", "items.csv:1"),
        ("image,text,reference\na.png,x,y\n", "column_twice", "items.csv:1"),
        ("image,image\na.png,x\n", "column_twice", "items.csv:1"),
        (HEADER + 'a.png,"x\ny",ru,form\n,z,ru,form\n', "no_image", "items.csv:4"),
        (HEADER + "a.png,x,ru,form,more\n", "cells", "items.csv:2"),
        (HEADER + 'a.png,"never closed,ru,form\nb.png,x,,\n', "csv", "items.csv:3"),
        (HEADER + 'a.png,"x"y,ru,form\n', "csv", "items.csv:2"),
        (HEADER + "a.png,x,tolkien,form\n", "language", "items.csv:2"),
        (HEADER + "../a.png,x,ru,form\n", "outside", "items.csv:2"),
        (HEADER + "https://example.org/a.png,x,ru,form\n", "address", "items.csv:2"),
        ("image,page\na.pdf,1\nb.pdf,0\n", "page", "items.csv:3"),
        ("image,page\na.pdf,first\n", "page", "items.csv:2"),
        ("image,facts\na.png,none\n", "field", "items.csv:2"),
        ('image,facts\na.png,"[{""kind"": ""near"", ""text"": ""x""}]"\n', "field", "items.csv:2"),
        ('image,facts\na.png,"[{""kind"": ""absent"", ""text"": ""x"", ""first_n"": 1.5}]"\n', "field", "items.csv:2"),
        ('image,facts\na.png,"[{"\n', "json", "items.csv:2"),
        ('image,regions\na.png,"[[5, 5, 0, 0]]"\n', "field", "items.csv:2"),
        ('image,regions\na.png,"[[1, 2, 3]]"\n', "field", "items.csv:2"),
        ('image,regions\na.png,"[[1, 2, 3, NaN]]"\n', "field", "items.csv:2"),
        (HEADER.encode() + "a.png,текст,ru,form\n".encode("cp1251"), "encoding", "items.csv:2"),
    ],
)  # fmt: skip
def test_what_is_wrong_in_a_table_is_said_with_its_line(tmp_path, text, key, place):
    refused(tmp_path, text, key, place)


@pytest.mark.parametrize(
    ("line", "key"),
    [
        ("{'image': 'b.png'}", "json"),
        ('{"image": "b.png"', "json"),
        ("[" * 100_000, "json"),
        ('["b.png"]', "object"),
        ('{"reference": "x"}', "no_image"),
        ('{"image": 5}', "no_image"),
        ('{"image": "b.png", "reference": ["x"]}', "field"),
        ('{"image": "b.png", "reference": true}', "field"),
        ('{"image": "b.png", "tags": ["x"]}', "field"),
        ('{"image": "b.png", "regions": {"x0": 1}}', "field"),
        ('{"image": "b.png", "regions": [{"x0": 0, "y0": 0, "x1": 1, "y1": 1, "colour": 1}]}', "field"),
        ('{"image": "b.png", "facts": [{"kind": "present", "text": ""}]}', "field"),
        ('{"image": "b.png", "page": 1.5}', "page"),
        ('{"image": "b.png", "width": 5}', "column"),
    ],
)
def test_what_is_wrong_in_a_line_of_json_is_said(tmp_path, line, key):
    refused(tmp_path, f'{{"image": "a.png"}}\n\n{line}\n', key, "items.jsonl:3", "items.jsonl")


# What people may write anywhere: any letters, but not the halves of one that no file can hold.
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
NAMES = st.text(string.ascii_letters + string.digits + " абв._-", min_size=1, max_size=20).map(
    lambda name: f"{name.strip('. ')}.png"
)
TRUTHS = st.builds(
    Truth,
    text=st.none() | TEXTS.filter(bool),
    answers=st.lists(TEXTS.filter(str.strip), max_size=3).map(tuple),
    table=st.none() | TEXTS.filter(bool),
    regions=st.lists(
        st.builds(Region, st.just(0.0), st.just(0.0), st.floats(0, 1e6), st.floats(0, 1e6), TEXTS, TEXTS), max_size=2
    ).map(tuple),
    facts=st.lists(
        st.builds(Fact, st.just("present"), TEXTS.filter(bool), max_diffs=st.integers(0, 9)), max_size=2
    ).map(tuple),
)
LINES = st.builds(
    Item,
    id=TEXTS.filter(bool),
    image=NAMES,
    truth=TRUTHS,
    page=st.integers(1, 99),
    language=st.sampled_from(["", "ru", "en"]),
    prompt=TEXTS,
    tags=st.dictionaries(TEXTS.filter(lambda name: name not in ("split", "")), TEXTS.filter(bool), max_size=2),
)


def plain(item: Item) -> dict:
    known = item.truth.to_dict()
    given = {"id": item.id, "image": item.image, "page": item.page, "language": item.language, "prompt": item.prompt}
    return given | {"tags": dict(item.tags), "reference": known.pop("text", None)} | known


@given(st.lists(LINES, min_size=1, max_size=5, unique_by=lambda item: item.id))
@EXAMPLES
def test_what_is_written_in_json_lines_is_read_back(tmp_path, items):
    text = "".join(json.dumps(plain(item), ensure_ascii=False) + "\n" for item in items)
    assert listed(tmp_path, text, "items.jsonl") == tuple(replace(item, image=tmp_path / item.image) for item in items)


@given(st.lists(LINES, min_size=1, max_size=5, unique_by=lambda item: item.id), st.sampled_from(",;\t"))
@EXAMPLES
def test_what_is_written_in_a_table_is_read_back(tmp_path, items, delimiter):
    fields = ["id", "image", "page", "language", "prompt", "reference", "answers", "table", "regions", "facts", "tags"]
    # A cell of white space alone is an empty one.
    items = [item for item in items if item.id.strip()]
    file = io.StringIO()
    writer = csv.DictWriter(file, fields, delimiter=delimiter, lineterminator="\r\n")
    writer.writeheader()
    for item in items:
        row = plain(item)
        writer.writerow({
            name: json.dumps(value) if isinstance(value, list | tuple | dict) else value for name, value in row.items()
        })  # fmt: skip
    if not items:
        return

    def shown(text: str | None) -> str | None:
        return text if text and text.strip() else None

    expected = [
        replace(
            item, image=tmp_path / item.image, prompt=shown(item.prompt) or "",
            truth=replace(item.truth, text=shown(item.truth.text), table=shown(item.truth.table)),
        )
        for item in items
    ]  # fmt: skip
    assert listed(tmp_path, file.getvalue()) == tuple(expected)


@given(st.binary(max_size=200) | TEXTS.map(lambda text: (HEADER + text).encode()))
@EXAMPLES
def test_any_bytes_are_a_dataset_or_an_error_that_says_where(tmp_path, data):
    for name in ("items.csv", "items.jsonl", "items.json", "x.png"):
        try:
            assert listed(tmp_path, data, name)
        except DatasetError as error:
            assert tr(f"datasets.{error.key}", "en", **error.params)
