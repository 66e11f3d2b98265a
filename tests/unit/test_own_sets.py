"""A set that somebody uploads: what is in it is kept, nothing lands elsewhere, what cannot be read leaves nothing."""

from __future__ import annotations

import io
import stat
import struct
import zipfile
from pathlib import Path

import pytest
from PIL import Image

from arena import own_sets
from arena.config import load_settings
from arena.errors import RunError
from arena.ui import bench_sets
from benchmarks.datasets import load_dataset


def picture(colour: str = "navy") -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (30, 20), colour).save(out, "PNG")
    return out.getvalue()


def zipped(path: Path, **files: bytes) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "data" / "datasets"


def texts(path: Path) -> dict[str, str | None]:
    return {item.id: item.truth.text for item in load_dataset(path).items}


def test_pictures_with_their_texts_become_a_set_and_a_second_one_gets_a_name_of_its_own(
    tmp_path: Path, folder: Path
) -> None:
    files = {"Мой набор/a.png": picture(), "Мой набор/a.txt": "Привет".encode(), "Мой набор/.DS_Store": b"x"}
    archive = zipped(tmp_path / "Мой набор!.zip", **files)
    kept = own_sets.keep([archive], folder, load_dataset)
    assert kept == folder / "Мой-набор" and sorted(each.name for each in kept.iterdir()) == ["a.png", "a.txt"]
    assert list(texts(kept).values()) == ["Привет"]
    assert own_sets.keep([archive], folder, load_dataset).name == "Мой-набор-2"


def test_loose_files_with_a_list(tmp_path: Path, folder: Path) -> None:
    (tmp_path / "one.png").write_bytes(picture())
    (tmp_path / "items.csv").write_text("image,reference\none.png,Uno\n")
    (tmp_path / "run.sh").write_text("echo no")
    kept = own_sets.keep([tmp_path / name for name in ("one.png", "items.csv", "run.sh")], folder, load_dataset)
    assert sorted(each.name for each in kept.iterdir()) == ["items.csv", "one.png"]
    assert list(texts(kept).values()) == ["Uno"]


def test_names_as_russian_windows_packs_them(tmp_path: Path, folder: Path) -> None:
    archive, name = zipped(tmp_path / "a.zip", **{"XXXXXXXXX.png": picture()}), "квитанция.png".encode("cp866")
    data = archive.read_bytes().replace(b"XXXXXXXXX.png", name)
    archive.write_bytes(data)
    kept = own_sets.keep([archive], folder, load_dataset)
    assert [each.name for each in kept.iterdir()] == ["квитанция.png"]


def test_nothing_is_written_outside_and_no_link_is_followed(tmp_path: Path, folder: Path) -> None:
    archive, absolute = tmp_path / "slip.zip", tmp_path / "elsewhere.txt"
    with zipfile.ZipFile(archive, "w") as opened:
        for name in ("../../out.txt", str(absolute), "..\\..\\out.txt", "a/../../out.txt", "C:\\out.txt"):
            opened.writestr(zipfile.ZipInfo(name), b"slipped")
        link = zipfile.ZipInfo("link.png")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        opened.writestr(link, "/etc/passwd")
        opened.writestr("good.png", picture())
        opened.writestr("good.py", "import os")
    kept = own_sets.keep([archive], folder, load_dataset)
    assert [each.name for each in kept.iterdir()] == ["good.png"]
    assert sorted(each.name for each in tmp_path.rglob("*.txt")) == []
    assert not (kept / "good.png").stat().st_mode & 0o111


@pytest.mark.parametrize("key", ["large", "many", "broken", "protected", "no_images"])
def test_what_cannot_be_kept_is_told_and_leaves_nothing(
    key: str, tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = zipped(tmp_path / "a.zip", **{"a.png": picture(), "b.txt": bytes(200_000)})
    data = archive.read_bytes()
    if key == "large":
        monkeypatch.setattr(own_sets, "MOST_BYTES", 100_000)
        # What the ZIP says of its own size is not believed.
        archive.write_bytes(data.replace(struct.pack("<L", 200_000), struct.pack("<L", 9)))
        with pytest.raises(RunError):
            own_sets.keep([archive], folder, load_dataset)
        archive.write_bytes(data)
    elif key == "many":
        monkeypatch.setattr(own_sets, "MOST_FILES", 1)
    elif key == "broken":
        archive.write_bytes(data[:60] + bytes(40) + data[100:])
    elif key == "protected":
        central, local = data.index(b"PK\x01\x02"), 0
        for at in (local + 6, central + 8):
            data = data[:at] + b"\x01" + data[at + 1 :]
        archive.write_bytes(data)
    else:
        archive = zipped(tmp_path / "b.zip", **{"a.txt": b"alone", "b.exe": b"MZ"})
    with pytest.raises(RunError) as caught:
        own_sets.keep([archive], folder, load_dataset)
    assert caught.value.key == f"bench_panel.own.{key}" and caught.value.text("ru") != caught.value.text("en")
    assert list(folder.iterdir()) == []


def test_a_truth_that_cannot_be_read_is_refused_with_the_reason_of_the_reader(tmp_path: Path) -> None:
    settings = load_settings({"ARENA_HOME": str(tmp_path / "data")})
    archive = zipped(tmp_path / "a.zip", **{"a.json": b"{text", "a.png": picture()})
    with pytest.raises(RunError) as caught:
        bench_sets.bring([archive], settings)
    assert caught.value.kind == "bad_input" and caught.value.key.startswith("datasets.")
    assert list(settings.datasets.iterdir()) == []
    good = zipped(tmp_path / "good.zip", **{"a.png": picture(), "b.png": picture("red")})
    assert bench_sets.bring([good], settings) == ("good", 2)
    assert "good" in bench_sets.names(settings) and bench_sets.count("good", settings) == 2
