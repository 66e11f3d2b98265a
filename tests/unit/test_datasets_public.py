"""The public sets in the layouts in which their makers publish them, with content of our own."""

import json
from pathlib import Path
from typing import Any

import pyarrow as pa  # noqa: TID253 - a test may wait
import pyarrow.parquet as pq  # noqa: TID253
import pytest

from benchmarks.datasets import Dataset, DatasetError, load_dataset
from benchmarks.datasets.omnidocbench import KINDS
from benchmarks.metrics.truth import Fact, Region, Truth

IMAGE = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
TABLE = '<table border="1">\n <tr><td colspan="2">Цена &amp; срок</td></tr>\n <tr><td>5</td><td>день</td></tr></table>'


def published(folder: Path, name: str, content: Any, *images: str) -> Path:
    for image in images:
        (folder / image).parent.mkdir(parents=True, exist_ok=True)
        (folder / image).write_bytes(b"image")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(json.dumps(content, ensure_ascii=False, indent=1))
    return folder


def asked(kind: str, answers: Any, image: str = "set/a.png", **more: Any) -> dict[str, Any]:
    given = {"dataset_name": "set", "id": 0, "image_path": image, "question": "What is written?", "answers": answers}
    return given | {"type": kind} | more


def rows(folder: Path, **columns: list) -> Path:
    (folder / "data").mkdir(parents=True)
    count = len(next(iter(columns.values())))
    images = pa.array([{"bytes": b"image %d" % number, "path": None} for number in range(count)], IMAGE)
    pq.write_table(pa.table({**columns, "image": images}), folder / "data" / "test-00000-of-00001.parquet")
    return folder


def test_ocrbench_as_its_makers_publish_it(tmp_path):
    questions = [
        asked("Regular Text Recognition", "EXIT"),
        asked("Doc-oriented VQA", ["5 June", "June 5"]),
        asked("Handwritten Mathematical Expression Recognition", ["x_2 = 1\n"]),
    ]
    folder = published(tmp_path, "OCRBench.json", questions, "OCRBench_Images/set/a.png")
    dataset = load_dataset(folder)
    first, second, third = dataset.items
    assert (dataset.name, first.image) == ("OCRBench", folder / "OCRBench_Images" / "set" / "a.png")
    assert (first.id, first.task, first.language, first.prompt) == ("0", "question", "en", "What is written?")
    assert first.tags == {"kind": "Regular Text Recognition", "set": "set"} and first.truth == Truth(answers=("EXIT",))
    assert second.truth == Truth(answers=("5 June", "June 5"))
    assert third.truth == Truth(answers=("x_2 = 1\n",), formula="x_2 = 1") and third.task == "formatted_ocr"
    (folder / "FullTest.json").write_text(json.dumps(questions[:1]))
    assert len(load_dataset(folder).items) == 3
    assert load_dataset(folder / "FullTest.json").name == "OCRBench FullTest"


def test_ocrbench_in_parquet(tmp_path):
    columns = {
        "dataset": ["IIIT5K"],
        "question": ["What?"],
        "question_type": ["Doc-oriented VQA"],
        "answer": [["a", "b"]],
    }
    dataset = load_dataset(rows(tmp_path, **columns))
    (item,) = dataset.items
    assert (dataset.name, item.id, item.image) == ("OCRBench", "test/0", b"image 0")
    assert item.truth.answers == ("a", "b") and item.tags == {"kind": "Doc-oriented VQA", "set": "IIIT5K"}


SECOND = [
    ("cognition VQA en", ["five"], "question", "en", Truth(answers=("five",))),
    ("cognition VQA cn", ["五"], "question", "zh", Truth(answers=("五",))),
    ("text counting en", ["5"], "question", "en", Truth(answers=("5",))),
    ("full-page OCR cn", ["全文"], "ocr", "zh", Truth(text="全文")),
    ("fine-grained text recognition en", ["a line"], "ocr", "en", Truth(text="a line")),
    ("document parsing en", ["# Page"], "formatted_ocr", "en", Truth(text="# Page")),
    ("table parsing en", [TABLE], "formatted_ocr", "en", Truth(table=TABLE)),
    ("formula recognition cn", ["x^2"], "formatted_ocr", "zh", Truth(answers=("x^2",), formula="x^2")),
    ("key information extraction en", [{"total": ["5"]}], "question", "en", Truth()),
    ("text grounding en", [10, 20, 300, 400], "question", "en", Truth()),
    ("chart parsing en", [{"a": 1}], "question", "en", Truth()),
]  # fmt: skip


def test_the_second_ocrbench_as_its_makers_publish_it(tmp_path):
    questions = [asked(kind, answers, "EN_part/set/a.png") for kind, answers, *_ in SECOND]
    questions[0]["eval"] = "multiple choice"
    folder = published(tmp_path, "OCRBench_v2.json", questions, "EN_part/set/a.png")
    dataset = load_dataset(folder)
    assert dataset.name == "OCRBench v2" and dataset.items[0].image == folder / "EN_part" / "set" / "a.png"
    for item, (kind, _, task, language, truth) in zip(dataset.items, SECOND, strict=True):
        assert (item.task, item.language, item.truth) == (task, language, truth), kind
        assert item.tags["kind"] == kind.rsplit(" ", 1)[0]
    assert dataset.items[0].tags["scoring"] == "multiple choice" and "scoring" not in dataset.items[1].tags


def test_the_second_ocrbench_in_parquet(tmp_path):
    columns = {
        "id": [0], "dataset_name": ["set"], "question": ["What?"], "type": ["reasoning VQA cn"], "answers": [["A"]],
        "eval": ["multiple choice"], "bbox": [None], "bbox_list": [None], "content": [None],
    }  # fmt: skip
    dataset = load_dataset(rows(tmp_path, **columns))
    (item,) = dataset.items
    assert (dataset.name, item.language, item.truth) == ("OCRBench v2", "zh", Truth(answers=("A",)))
    assert (
        item.tags == {"kind": "reasoning VQA", "set": "set", "scoring": "multiple choice"} and item.image == b"image 0"
    )


def block(kind: str, order: int | None, top: float, **more: Any) -> dict[str, Any]:
    poly = [10, top, 110.5, top, 110.5, top + 20, 10, top + 20]
    return {"category_type": kind, "poly": poly, "order": order, "anno_id": int(top), "ignore": False} | more


def page(name: str, blocks: list[dict[str, Any]], **attributes: Any) -> dict[str, Any]:
    info = {"page_no": 0, "height": 900, "width": 600, "image_path": name, "page_attribute": attributes}
    return {"layout_dets": blocks, "page_info": info, "extra": {"relation": []}}


PAGE = [
    block("page_number", None, 880, text="7", ignore=True),
    block("text_block", 1, 100, text="First $a$ line."),
    block("title", 0, 50, text="Heading"),
    block("header", None, 5, text="The Paper", ignore=True),
    block("table", 3, 300, html=TABLE, latex="\\begin{tabular}"),
    block("equation_isolated", 2, 200, latex="$$x^2\n= 1$$"),
    block("figure", 4, 400),
    block("text_mask", 5, 500, text="not to be read"),
    block("text_block", 6, 600, text="illegible", ignore=True),
]


def test_omnidocbench_as_its_makers_publish_it(tmp_path):
    attributes = {
        "language": "simplified_chinese",
        "data_source": "book",
        "watermark": True,
        "special_issue": ["a", "b"],
    }
    content = [page("images/a.jpg", PAGE, **attributes), page("b.png", [], language="en_ch_mixed")]
    folder = published(tmp_path, "OmniDocBench.json", content, "images/a.jpg", "ori_pdfs/a.jpg")
    dataset = load_dataset(folder)
    first, second = dataset.items
    assert (dataset.name, first.id, first.image) == ("OmniDocBench", "a.jpg", folder / "images" / "a.jpg")
    assert (first.task, first.language) == ("", "zh")
    assert first.tags == {
        "language": "simplified_chinese", "data_source": "book", "watermark": "true", "special_issue": "a, b"
    }  # fmt: skip
    html = '<table border="1"><tr><td colspan="2">Цена &amp; срок</td></tr><tr><td>5</td><td>день</td></tr></table>'
    assert first.truth.table == html
    assert first.truth.text == ("The Paper\n\nHeading\n\nFirst $a$ line.\n\n$$x^2\n= 1$$\n\nЦена & срок\n5 день\n\n7")
    assert first.truth.facts == (Fact("formula", "x^2\n= 1"),)
    assert [(region.kind, region.y0) for region in first.truth.regions] == [
        ("Page-header", 5), ("Section-header", 50), ("Text", 100), ("Formula", 200), ("Table", 300), ("Picture", 400),
        ("Page-footer", 880),
    ]  # fmt: skip
    assert first.truth.regions[1] == Region(10, 50, 110.5, 70, "Section-header", "Heading")
    assert (second.truth, second.language, second.tags) == (Truth(), "", {"language": "en_ch_mixed"})


def test_the_kinds_of_omnidocbench_have_the_names_that_models_are_asked_for():
    task = (Path(__file__).parent.parent.parent / "benchmarks" / "tasks" / "layout.yaml").read_text(encoding="utf-8")
    assert all(kind in task for kind in KINDS.values())


def test_mdpbench_as_its_makers_publish_it(tmp_path):
    names = ("ru_note_33.jpeg", "ru_note_33_indoor_underexposure_flashlight-on_right_wrinkle_hold.JPG")
    content = [page(name, PAGE, language="Russian") for name in names]
    folder = published(tmp_path, "MDPBench_public.json", content, *(f"MDPBench_img_public/{name}" for name in names))
    dataset = load_dataset(folder)
    digital, photograph = dataset.items
    assert (dataset.name, digital.image) == ("MDPBench", folder / "MDPBench_img_public" / names[0])
    assert (digital.language, digital.tags) == ("ru", {"language": "Russian", "kind": "note", "degradation": "none"})
    assert photograph.tags == {
        "language": "Russian", "kind": "note", "degradation": "photographed", "place": "indoor", "angle": "right",
        "light": "underexposure", "effects": "flashlight-on hold wrinkle",
    }  # fmt: skip
    # Published are the places in the digital page, which are not those in a photograph of it.
    assert digital.truth.regions and not photograph.truth.regions
    assert digital.truth.text == photograph.truth.text


def lines_of(folder: Path, name: str, *lines: dict[str, Any]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text("".join(json.dumps(line) + "\n" for line in lines))


def test_olmocr_bench_as_its_makers_publish_it(tmp_path):
    data = tmp_path / "bench_data"
    (data / "pdfs" / "tables").mkdir(parents=True)
    scan = {"pdf": "scan.pdf", "page": 1, "checked": "verified", "url": "x"}
    lines_of(
        data, "old_scans.jsonl",
        scan | {"id": "1", "type": "present", "text": "Dear", "max_diffs": 2, "case_sensitive": False, "first_n": 50},
        scan | {"id": "2", "type": "absent", "text": "Page 5", "first_n": None, "last_n": 20},
        scan | {"id": "3", "type": "order", "before": "Dear", "after": "Yours"},
        scan | {"id": "4", "type": "baseline", "max_length": 10},
        scan | {"id": "5", "type": "math", "math": "x^2", "page": 2, "ignore_dollar_delimited": True},
    )  # fmt: skip
    lines_of(
        data, "table_tests.jsonl",
        {"pdf": "tables/a.pdf", "page": 1, "id": "6", "type": "table", "cell": "5", "up": "Sum", "left": ""},
    )  # fmt: skip
    dataset = load_dataset(tmp_path)
    one, two, three = dataset.items
    assert (dataset.name, one.id, one.image, one.page) == ("olmOCR-bench", "scan.pdf#1", data / "pdfs" / "scan.pdf", 1)
    assert (one.task, one.language, one.tags) == ("formatted_ocr", "en", {"split": "old_scans"})
    assert one.truth.facts == (
        Fact("present", "Dear", max_diffs=2, case_sensitive=False, first_n=50),
        Fact("absent", "Page 5", last_n=20),
        Fact("order", "Dear", after="Yours"),
    )
    assert (two.id, two.page, two.truth.facts) == ("scan.pdf#2", 2, (Fact("formula", "x^2"),))
    assert (three.image, three.truth.facts) == (
        data / "pdfs/tables/a.pdf",
        (Fact("cell", "5", neighbours={"up": "Sum"}),),
    )
    for place, count in ((data, 3), (data / "table_tests.jsonl", 1)):
        assert len(load_dataset(place).items) == count
    assert load_dataset(data, split="table_tests").items == (three,)


def test_pages_of_which_nothing_can_be_checked_are_asked_all_the_same(tmp_path):
    (tmp_path / "pdfs").mkdir()
    lines_of(tmp_path, "blanks.jsonl", {"pdf": "a.pdf", "page": 1, "id": "1", "type": "baseline"})
    assert [item.truth for item in load_dataset(tmp_path).items] == [Truth()]


@pytest.mark.parametrize(
    ("name", "content", "key", "place"),
    [
        ("OCRBench.json", [asked("VQA", "x"), asked("VQA", "x", "../a.png")], "outside", "OCRBench.json[1]"),
        ("OCRBench.json", [asked("VQA", "x"), asked("VQA", "x", "")], "no_image", "OCRBench.json[1]"),
        ("OCRBench.json", [asked("VQA", "x"), "x"], "object", "OCRBench.json[1]"),
        ("OCRBench.json", [asked("VQA", {"a": 1})], "field", "OCRBench.json[0]"),
        ("OmniDocBench.json", [{"layout_dets": []}], "no_image", "OmniDocBench.json[0]"),
        ("OmniDocBench.json", [page("a.png", [1])], "field", "OmniDocBench.json[0]"),
        ("OmniDocBench.json", [page("a.png", [block("title", 0, 5) | {"poly": []}])], "field", "OmniDocBench.json[0]"),
        ("MDPBench_public.json", [page("", PAGE)], "no_image", "MDPBench_public.json[0]"),
    ],
)  # fmt: skip
def test_a_broken_copy_is_said_with_its_place(tmp_path, name, content, key, place):
    with pytest.raises(DatasetError) as caught:
        load_dataset(published(tmp_path, name, content))
    assert (caught.value.key, caught.value.params["place"]) == (key, place)


def test_a_copy_that_broke_off_is_said_with_its_line(tmp_path):
    folder = published(tmp_path, "OmniDocBench.json", [page("a.png", PAGE)])
    whole = (folder / "OmniDocBench.json").read_text()
    (folder / "OmniDocBench.json").write_text(whole[: len(whole) // 2])
    with pytest.raises(DatasetError) as caught:
        load_dataset(folder)
    assert caught.value.key == "json" and caught.value.params["place"].startswith("OmniDocBench.json:")


def test_without_images_a_copy_is_a_set_whose_images_are_missing(tmp_path):
    dataset: Dataset = load_dataset(published(tmp_path, "OCRBench.json", [asked("VQA", "x")]))
    assert dataset.items[0].image == tmp_path / "set" / "a.png"
