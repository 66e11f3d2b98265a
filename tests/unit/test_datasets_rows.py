"""Datasets of Hugging Face on this machine: Parquet as published, and what `save_to_disk` writes."""

import json
import subprocess
import sys
from pathlib import Path

import pyarrow as pa  # noqa: TID253 - a test may wait
import pyarrow.parquet as pq  # noqa: TID253
import pytest

from benchmarks.datasets import DatasetError, Packed, load_dataset, sha256
from benchmarks.datasets.__main__ import described, lacking
from benchmarks.metrics.truth import Truth

ROOT = Path(__file__).parent.parent.parent
IMAGE = pa.struct([("bytes", pa.binary()), ("path", pa.string())])


def table(first: int, count: int, **columns: list) -> pa.Table:
    """Rows with an image each, as `datasets` stores them: the bytes of image 3 are ``image 3``."""
    images = [{"bytes": f"image {number}".encode(), "path": f"{number}.png"} for number in range(first, first + count)]
    return pa.table({"image": pa.array(images, IMAGE), **columns})


def saved(folder: Path, *parts: pa.Table) -> None:
    """The files that `Dataset.save_to_disk` leaves."""
    folder.mkdir(parents=True)
    names = [f"data-{number:05d}-of-{len(parts):05d}.arrow" for number in range(len(parts))]
    for name, part in zip(names, parts, strict=True):
        with pa.OSFile(str(folder / name), "wb") as file, pa.ipc.new_stream(file, part.schema) as stream:
            stream.write_table(part, max_chunksize=2)
    (folder / "state.json").write_text(json.dumps({"_data_files": [{"filename": name} for name in names]}))
    (folder / "dataset_info.json").write_text("{}")


def test_published_parquet_is_read_shard_by_shard(tmp_path):
    data = tmp_path / "data"
    data.mkdir()
    pq.write_table(table(0, 3, text=["a", "b", None], width=[1, 2, 3]), data / "test-00000-of-00002.parquet")
    pq.write_table(table(3, 2, text=["d", "e"], width=[4, 5]), data / "test-00001-of-00002.parquet", row_group_size=1)
    pq.write_table(table(9, 1, text=["t"], width=[6]), data / "train-00000-of-00001.parquet")
    dataset = load_dataset(tmp_path)
    assert isinstance(dataset.items, Packed) and len(dataset.items) == 6
    assert [(item.id, item.image, item.truth.text) for item in dataset.items] == [
        ("test/0", b"image 0", "a"), ("test/1", b"image 1", "b"), ("test/2", b"image 2", None),
        ("test/3", b"image 3", "d"), ("test/4", b"image 4", "e"), ("train/0", b"image 9", "t"),
    ]  # fmt: skip
    assert dataset.items[-1].tags == {"split": "train"} and dataset.items[1:3][1].image == b"image 2"
    assert [item.image for item in reversed(dataset.items)][:2] == [b"image 9", b"image 4"]
    part = load_dataset(tmp_path, split="test", limit=4)
    assert [item.id for item in part.items] == ["test/0", "test/1", "test/2", "test/3"]
    assert sha256(part) != sha256(dataset)
    assert "tags.split: test 5, train 1" in described(dataset, lacking(dataset))


def test_subsets_and_folders_of_splits_are_tags(tmp_path):
    for name in ("invoices/test-00000-of-00001", "default/test/0000", "letters/validation/0000"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(table(0, 1, answers=[["x", "y"]]), tmp_path / f"{name}.parquet")
    items = load_dataset(tmp_path).items
    assert {item.id: dict(item.tags) for item in items} == {
        "test/0": {"split": "test"},
        "test/invoices/0": {"split": "test", "subset": "invoices"},
        "validation/letters/0": {"split": "validation", "subset": "letters"},
    }
    assert items[0].truth == Truth(answers=("x", "y"))


def test_what_was_saved_to_disk_is_read(tmp_path):
    columns = {"question": ["What?"] * 3, "answer": ["1", "2", "3"], "lang": ["ru"] * 3}
    saved(tmp_path / "one", table(0, 3, **columns), table(3, 3, **columns))
    items = load_dataset(tmp_path / "one").items
    assert [(item.id, item.image, item.truth.answers) for item in items][4:] == [
        ("4", b"image 4", ("2",)),
        ("5", b"image 5", ("3",)),
    ]
    assert (items[0].prompt, items[0].language) == ("What?", "ru")

    saved(tmp_path / "many" / "test", table(0, 3, **columns))
    saved(tmp_path / "many" / "train", table(5, 3, **columns))
    (tmp_path / "many" / "dataset_dict.json").write_text('{"splits": ["train", "test"]}')
    assert [item.id for item in load_dataset(tmp_path / "many", split="test").items] == ["test/0", "test/1", "test/2"]
    assert load_dataset(tmp_path / "many").items[0].image == b"image 5"


def test_the_images_are_in_the_column_that_is_declared_to_hold_them(tmp_path):
    features = {"info": {"features": {"scan": {"_type": "Image"}, "thumb": {"_type": "Image"}}}}
    rows = pa.table({"thumb_image": [b"t"], "scan": pa.array([{"bytes": b"s", "path": None}], IMAGE), "text": ["x"]})
    pq.write_table(rows.replace_schema_metadata({"huggingface": json.dumps(features)}), tmp_path / "a.parquet")
    assert load_dataset(tmp_path / "a.parquet").items[0].image == b"s"
    pq.write_table(pa.table({"page_image": [b"p"], "text": ["x"]}), tmp_path / "b.parquet")
    assert load_dataset(tmp_path / "b.parquet").items[0].image == b"p"


def test_an_image_that_lies_elsewhere_is_an_item_all_the_same(tmp_path):
    rows = pa.table({"image": pa.array([{"bytes": None, "path": "/somewhere/a.png"}, None], IMAGE), "text": ["x", "y"]})
    pq.write_table(rows, tmp_path / "a.parquet")
    dataset = load_dataset(tmp_path)
    assert [item.image for item in dataset.items] == [b"", b""] and lacking(dataset) == ["0", "1"]


@pytest.mark.parametrize(
    ("name", "key"), [("a.parquet", "file"), ("state.json", "json"), ("dataset_dict.json", "json")]
)
def test_broken_files_are_said(tmp_path, name, key):
    (tmp_path / name).write_text("PAR1 no more")
    with pytest.raises(DatasetError) as caught:
        load_dataset(tmp_path)
    assert caught.value.key == key and name in str(caught.value)


def test_what_lists_the_files_names_none_elsewhere(tmp_path):
    saved(tmp_path / "a", table(0, 1, text=["x"]))
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "state.json").write_text('{"_data_files": [{"filename": "../a/data-00000-of-00001.arrow"}]}')
    with pytest.raises(DatasetError, match="empty"):
        load_dataset(tmp_path / "b")
    (tmp_path / "b" / "dataset_dict.json").write_text('{"splits": ["../a"]}')
    with pytest.raises(DatasetError, match="empty"):
        load_dataset(tmp_path / "b")


def test_rows_without_images_are_refused_and_name_their_columns(tmp_path):
    pq.write_table(pa.table({"text": ["x"], "label": [1]}), tmp_path / "a.parquet")
    with pytest.raises(DatasetError) as caught:
        load_dataset(tmp_path)
    assert (caught.value.key, caught.value.params["columns"]) == ("no_image_column", "text, label")


def test_a_file_that_changed_after_it_was_loaded_is_said(tmp_path):
    pq.write_table(table(0, 3, text=["a", "b", "c"]), tmp_path / "a.parquet")
    items = load_dataset(tmp_path).items
    (tmp_path / "a.parquet").write_bytes(b"")
    with pytest.raises(DatasetError, match="file"):
        _ = items[0]


def test_without_pyarrow_the_command_is_named_that_installs_it(tmp_path):
    pq.write_table(table(0, 1, text=["x"]), tmp_path / "a.parquet")
    code = (
        "import sys; sys.modules['pyarrow'] = None; from benchmarks.datasets.__main__ import main; main(sys.argv[1:])"
    )
    done = subprocess.run([sys.executable, "-c", code, tmp_path], cwd=ROOT, capture_output=True, text=True, check=True)
    assert "pip install -r requirements/bench.txt" in done.stderr
