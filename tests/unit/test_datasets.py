"""A dataset is found by name or path, narrowed, hashed, and read from folders of images; what is wrong is said."""

import ast
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from arena.strings import LANGUAGES, strings, tr
from benchmarks.datasets import Dataset, DatasetError, Item, available, layouts, load_dataset, sha256
from benchmarks.datasets.__main__ import main
from benchmarks.datasets.reading import Within, beside
from benchmarks.metrics.truth import Fact, Region, Truth

ROOT = Path(__file__).parent.parent.parent
PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c49444154789c63f8ffff3f0005fe02fe"
    "0def46b80000000049454e44ae426082"
)


def write(folder: Path, **files: str | bytes) -> Path:
    """Files by names in which ``__`` is a folder and the last ``_`` the dot."""
    for name, content in files.items():
        stem, _, suffix = name.replace("__", "/").rpartition("_")
        path = folder / f"{stem}.{suffix}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return folder


def refused(path: Path | str, key: str, **options) -> DatasetError:
    """The error with which a dataset is refused; it has a text in every language."""
    with pytest.raises(DatasetError) as caught:
        load_dataset(path, **options)
    error = caught.value
    assert error.key == key, error
    for language in LANGUAGES:
        assert tr(f"datasets.{error.key}", language, **error.params)
    return error


def test_every_error_has_a_text_with_its_blanks():
    known = {key.removeprefix("datasets."): text for key, text in strings("en").items() if key.startswith("datasets.")}
    raised: dict[str, set[str]] = {}
    for path in (ROOT / "benchmarks" / "datasets").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "DatasetError":
                raised.setdefault(node.args[0].value, set()).update(each.arg for each in node.keywords)
    assert raised.keys() == known.keys()
    for key, text in known.items():
        assert set(re.findall(r"\{(\w+)", text)) == raised[key], key


def test_a_folder_is_images_with_texts_beside_them(tmp_path):
    described = {"answers": ["5", "five"], "prompt": "How many?", "task": "question", "language": "Russian"}
    write(
        tmp_path / "set",
        a_png=PIXEL, a_txt="\ufeffпервая\r\nстрока\n", b_JPG=PIXEL, b_md="# Title", c_png=PIXEL,
        sub__deep__d_png=PIXEL, sub__deep__d_json=json.dumps(described), notes_txt="of nothing",
    )  # fmt: skip
    write(tmp_path / "set" / ".cache", x_png=PIXEL)
    (tmp_path / "set" / ".hidden.png").write_bytes(PIXEL)
    dataset = load_dataset(tmp_path / "set")
    assert dataset.name == "set"
    a, b, c, d = dataset.items
    assert (a.id, a.image, a.truth) == ("a.png", tmp_path / "set" / "a.png", Truth(text="первая\r\nстрока\n"))
    assert b.id == "b.JPG" and b.truth.text == "# Title"
    assert c.truth == Truth() and c.tags == {}
    assert d == Item(
        "sub/deep/d.png", tmp_path / "set/sub/deep/d.png", Truth(answers=("5", "five")), task="question",
        language="ru", prompt="How many?", tags={"folder": "sub/deep"},
    )  # fmt: skip


def test_a_whole_truth_lies_beside_an_image(tmp_path):
    truth = Truth(
        text="a", table="<table><tr><td>1</table>", formula="x^2", regions=(Region(0, 1, 2, 3, "Text", "a", 0.5),),
        facts=(Fact("cell", "1", neighbours={"up": "2"}), Fact("absent", "b", case_sensitive=False, last_n=20)),
    )  # fmt: skip
    write(tmp_path, a_png=PIXEL, a_json=json.dumps(truth.to_dict()))
    assert load_dataset(tmp_path).items[0].truth == truth


def test_a_list_beside_every_image_is_not_the_list_of_them_all(tmp_path):
    for number in range(60):
        write(tmp_path, **{f"{number:02}_png": PIXEL, f"{number:02}_json": '{"text": "layout_dets", "layout_dets": 1}'})
    assert refused(tmp_path, "column").params["place"] == "00.json"
    for number in range(60):
        write(tmp_path, **{f"{number:02}_json": f'{{"text": "{number}"}}'})
    assert [item.truth.text for item in load_dataset(tmp_path).items] == [str(number) for number in range(60)]


def test_pages_of_a_document_have_texts_of_their_own(tmp_path):
    write(tmp_path, scan_pdf=b"%PDF", one_pdf=b"%PDF", one_txt="first")
    (tmp_path / "scan.2.txt").write_text("two")
    (tmp_path / "scan.10.txt").write_text("ten")
    found = [(item.id, item.page, item.truth.text) for item in load_dataset(tmp_path).items]
    assert found == [("one.pdf", 1, "first"), ("scan.pdf#2", 2, "two"), ("scan.pdf#10", 10, "ten")]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_text_is_read_however_windows_saved_it(tmp_path, encoding):
    write(tmp_path, a_png=PIXEL, a_txt="Привет".encode(encoding))
    assert load_dataset(tmp_path).items[0].truth.text == "Привет"


def test_what_is_wrong_beside_an_image_is_said(tmp_path):
    write(tmp_path / "a", x_png=PIXEL, x_txt="одна\nдве".encode("cp1251"))
    assert refused(tmp_path / "a", "encoding").params["place"] == "x.txt:1"
    write(tmp_path / "b", x_png=PIXEL, x_json='{\n "text": "a",\n}')
    assert refused(tmp_path / "b", "json").params["place"] == "x.json:3"
    write(tmp_path / "c", x_png=PIXEL, x_json='{"refrence": "a"}')
    error = refused(tmp_path / "c", "column")
    assert (error.params["place"], error.params["hint"]) == ("x.json", "reference")
    write(tmp_path / "d", x_png=PIXEL, x_json="[1]")
    refused(tmp_path / "d", "object")
    write(tmp_path / "e", x_png=PIXEL, x_json='{"answers": [{"a": 1}]}')
    assert refused(tmp_path / "e", "field").params["field"] == "answers"


def test_a_missing_image_is_an_item_all_the_same(tmp_path):
    (tmp_path / "gone.png").symlink_to(tmp_path / "nowhere.png")
    write(tmp_path, here_png=PIXEL)
    gone, here = load_dataset(tmp_path).items
    assert isinstance(gone.image, Path) and not gone.image.exists() and here.image == tmp_path / "here.png"


@pytest.mark.parametrize(
    "name", ["../secret.png", "a/../../secret.png", "/etc/passwd", "..\\secret.png", "C:\\x.png", "c:/x.png", "a\0.png"]
)
def test_no_name_leads_out_of_the_folder(tmp_path, name):
    write(tmp_path, secret_png=PIXEL, in__a_png=PIXEL)
    with pytest.raises(DatasetError, match="outside"):
        Within(tmp_path / "in").file(name, "x:1")


def test_no_link_leads_out_of_the_folder(tmp_path):
    write(tmp_path, secret_png=PIXEL, in__a_png=PIXEL, out__b_png=PIXEL)
    inside = tmp_path / "in"
    (inside / "link.png").symlink_to(tmp_path / "secret.png")
    (inside / "own.png").symlink_to(inside / "a.png")
    (inside / "folder").symlink_to(tmp_path / "out")
    within = Within(inside)
    assert within.file("own.png", "").samefile(inside / "a.png")
    assert within.file("./b/../a.png", "") == inside / "a.png"
    for name in ("link.png", "folder/b.png"):
        with pytest.raises(DatasetError, match="outside"):
            within.file(name, "")
    refused(inside, "outside")


def test_a_snapshot_of_the_hub_consists_of_links_to_its_blobs(tmp_path):
    write(tmp_path / "datasets--a--b", blobs__1_png=PIXEL, snapshots__c0ffee__x_md="card")
    snapshot = tmp_path / "datasets--a--b" / "snapshots" / "c0ffee"
    (snapshot / "x.png").symlink_to("../../blobs/1.png")
    assert load_dataset(snapshot).items[0].truth.text == "card"
    (snapshot / "y.png").symlink_to("../../../other.png")
    refused(snapshot, "outside")


def test_images_are_found_below_the_list(tmp_path):
    write(tmp_path, images__a_png=PIXEL, other__b_png=PIXEL)
    assert beside(tmp_path, ["a.png"]) == "images/"
    assert beside(tmp_path, ["b.png"]) == "other/"
    assert beside(tmp_path, ["none.png", "../x.png", ""]) == ""


def test_a_name_is_found_in_the_folders_and_goes_before_a_path(tmp_path, monkeypatch):
    write(tmp_path / "data", mine__a_png=PIXEL, list_csv="image\na.png\n", empty__notes_txt="no image")
    write(tmp_path / "cwd", mine__b_png=PIXEL, elsewhere__c_png=PIXEL)
    write(tmp_path / "data" / ".unfinished", a_png=PIXEL)
    monkeypatch.chdir(tmp_path / "cwd")
    folders = [tmp_path / "data", tmp_path / "nothing"]
    assert [name for name in available(folders) if name not in available()] == ["list.csv", "mine"]
    assert load_dataset("mine", folders=folders).items[0].id == "a.png"
    assert load_dataset("./mine", folders=folders).items[0].id == "b.png"
    assert load_dataset("elsewhere", folders=folders).items[0].id == "c.png"
    assert refused("nime", "unknown", folders=folders).params["hint"] == "mine"
    for name in ("", "..\0", "no/such/path", "../mine/nothing"):
        refused(name, "unknown", folders=folders)


def test_a_part_and_a_limit(tmp_path):
    write(tmp_path, items_csv="image,split\na.png,train\nb.png,test\nc.png,test\nd.png,\n")
    assert [item.id for item in load_dataset(tmp_path, limit=2).items] == ["a.png", "b.png"]
    assert [item.id for item in load_dataset(tmp_path, split="test", limit=5).items] == ["b.png", "c.png"]
    assert refused(tmp_path, "split", split="dev").params["known"] == "test, train"
    for limit in (0, -1):
        refused(tmp_path, "limit", limit=limit)


def test_what_is_no_dataset_is_said(tmp_path):
    write(tmp_path, nothing__a_txt="text", broken__b_csv="image\n", list_csv="image\n")
    refused(tmp_path / "nothing", "layout")
    refused(tmp_path / "nothing" / "a.txt", "layout")
    refused(tmp_path / "list.csv", "empty")
    write(tmp_path / "same", items_jsonl='{"image": "a.png", "id": "1"}\n{"image": "b.png", "id": 1}')
    assert refused(tmp_path / "same", "twice").params["id"] == "1"


def test_a_text_that_cannot_be_read_is_said(tmp_path):
    write(tmp_path, a_png=PIXEL)
    (tmp_path / "a.txt").symlink_to("gone.txt")
    assert refused(tmp_path, "file").params["problem"] == "No such file or directory"


def test_the_hash_is_of_what_is_asked_and_known_and_seen(tmp_path):
    def made(folder, **files):
        return sha256(load_dataset(write(tmp_path / folder, **files)))

    base = {"a_png": PIXEL, "a_txt": "text"}
    first = made("one", **base)
    assert re.fullmatch("[0-9a-f]{64}", first)
    assert made("two", **base) == first
    others = [
        made("text", a_png=PIXEL, a_txt="other"),
        made("image", a_png=PIXEL + b"\0", a_txt="text"),
        made("name", b_png=PIXEL, b_txt="text"),
        made("prompt", a_png=PIXEL, a_txt="text", a_json='{"prompt": "Read."}'),
        made("tag", a_png=PIXEL, a_txt="text", a_json='{"tags.kind": "form"}'),
        made("page", a_png=PIXEL, a_txt="text", a_json='{"page": 2}'),
        made("more", **base, b_png=PIXEL),
    ]
    (tmp_path / "one" / "a.png").unlink()
    (tmp_path / "one" / "a.png").symlink_to("gone.png")
    assert len({first, sha256(load_dataset(tmp_path / "one")), *others}) == len(others) + 2
    items = load_dataset(tmp_path / "more").items
    assert sha256(Dataset("x", items)) != sha256(Dataset("x", items[::-1]))
    inline = [Item("a.png", PIXEL, Truth(text="text"))]
    assert sha256(Dataset("inline", inline)) == first


def test_every_layout_only_looks(tmp_path):
    write(
        tmp_path, x_json='[{"layout_dets": ', y_csv="\0\0", z_jsonl="{", w_parquet="not parquet", v_json=b"\xff\xfe\xff"
    )
    write(tmp_path / "sub", state_json="[]", OCRBench_json='{"dataset_name')
    assert len(layouts()) >= 7
    for layout in layouts():
        for path in (tmp_path, tmp_path / "sub", tmp_path / "none", *tmp_path.glob("*.*")):
            assert layout.recognises(path) in (True, False)


def test_nothing_heavy_is_imported_to_read_a_folder(tmp_path):
    write(tmp_path, a_png=PIXEL)
    code = (
        "import sys; from benchmarks.datasets import available, load_dataset;"
        "load_dataset(sys.argv[1]); available([]);"
        "print(*{'pyarrow', 'pandas', 'numpy', 'PIL', 'yaml', 'arena'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code, tmp_path], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


def test_what_a_dataset_holds_is_told(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("ARENA_HOME", str(tmp_path / "data"))
    write(
        tmp_path / "set", a_png=PIXEL, a_txt="text", items_csv="image,language,tags.kind\na.png,ru,form\ngone.png,,sign"
    )
    assert main([str(tmp_path / "set")]) == 1
    told = capsys.readouterr().out
    assert "items: 2" in told and "language: ru 1, - 1" in told and "tags.kind: form 1, sign 1" in told
    assert "images that are not there: 1, such as gone.png" in told
    assert main([str(tmp_path / "nothing")]) == 1
    assert "There is no dataset" in capsys.readouterr().err
    assert main([]) == 0
