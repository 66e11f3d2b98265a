"""The store of images: one file for one picture, nothing in it but pixels, and no upload that can do harm."""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image, PngImagePlugin
from test_image_bombs import MEASURE, ROOT, of_size
from test_pixels import corners, encoded, profile_of

from adapters.base import Box
from arena.errors import RunError
from arena.images import ABANDONED_S, ImageStore
from arena.strings import LANGUAGES, strings
from arena.ui.picture import picture
from arena.ui.preview import PREVIEW, THUMBNAIL, preview


@pytest.fixture
def store(tmp_path: Path) -> Iterator[ImageStore]:
    store = ImageStore(tmp_path / "images")
    yield store
    store.close()


def refused(store: ImageStore, data: bytes | Path) -> RunError:
    with pytest.raises(RunError) as caught:
        store.add(data)
    return caught.value


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def chunks(path: Path) -> list[bytes]:
    data, at, names = path.read_bytes(), 8, []
    while at < len(data):
        names.append(data[at + 4 : at + 8])
        at += 12 + int.from_bytes(data[at : at + 4], "big")
    return names


def noise(width: int = 400, height: int = 300) -> Image.Image:
    return Image.effect_noise((width, height), 60).convert("RGB")


# --- what is stored


def test_a_picture_is_stored_under_the_hash_of_its_file(store: ImageStore) -> None:
    stored = store.add(encoded(corners(), "BMP"))
    assert hashlib.sha256(stored.path.read_bytes()).hexdigest() == stored.sha256
    assert stored.path == store.folder / stored.sha256[:2] / f"{stored.sha256}.png"
    assert files(store.folder) == [stored.path]
    assert store.get(stored.sha256) == stored
    with Image.open(stored.path) as image:
        assert (image.format, image.mode, image.size) == ("PNG", "RGB", (40, 30))
        assert image.tobytes() == corners().tobytes()


def test_the_same_pixels_are_one_file_whatever_the_upload(store: ImageStore) -> None:
    uploads = [encoded(corners(), kind) for kind in ("PNG", "BMP", "TIFF")]
    assert len({store.add(data).sha256 for data in uploads * 2}) == 1
    assert len(files(store.folder)) == 1


def test_the_same_upload_is_decoded_once(store: ImageStore) -> None:
    data = encoded(corners(), "PNG")
    first = store.add(data)
    written = first.path.stat().st_mtime_ns
    assert store.add(data) is first
    assert first.path.stat().st_mtime_ns == written
    first.path.unlink()  # somebody tidied the folder
    assert store.add(data).path.is_file()


@pytest.mark.battery("I10")
def test_what_is_turned_upright_is_what_is_shown_and_what_boxes_are_drawn_on(store: ImageStore) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    stored = store.add(encoded(corners(), "JPEG", exif=exif))
    assert (stored.original_width, stored.original_height) == (40, 30)
    assert (stored.width, stored.height) == (30, 40)
    shown = picture(stored, [[Box(1, 2, 29, 39)]], "en")
    assert 'width="30" height="40"' in shown and 'viewBox="0 0 30 40"' in shown and 'width="28.0"' in shown
    with Image.open(io.BytesIO(preview(stored.path, PREVIEW))) as image:
        assert image.size == (30, 40)


@pytest.mark.battery("I18")
def test_a_name_is_shown_as_text(store: ImageStore) -> None:
    shown = picture(store.add(encoded(corners(), "PNG")), (), "en", '"><img src=x onerror=hit()>\u202egnp.exe')
    assert shown.count("<img") == 1 and "\u202e" not in shown
    assert shown.count("&quot;&gt;&lt;img src=x onerror=hit()&gt;") == 2


def test_an_image_that_is_not_there(store: ImageStore) -> None:
    assert store.get("0" * 64) is None
    assert store.get("../../etc/passwd") is None
    assert store.get("") is None
    broken = store.folder / "ab" / f"ab{'0' * 62}.png"
    broken.parent.mkdir(parents=True)
    broken.write_bytes(b"\x89PNG")
    assert store.get(broken.stem) is None


@pytest.mark.battery("I21")
def test_nothing_but_pixels_is_stored_or_shown(store: ImageStore) -> None:
    exif = Image.Exif()
    exif[0x010E] = "SECRET description"
    exif.get_ifd(0x8825).update({1: "N", 2: (55.0, 45.0, 7.0), 3: "E", 4: (37.0, 36.0, 56.0)})
    text = PngImagePlugin.PngInfo()
    text.add_text("Author", "SECRET")
    text.add_itxt("XML:com.adobe.xmp", "<SECRET/>")
    profile = profile_of("swapped")
    for data in (
        encoded(corners(), "JPEG", exif=exif, icc_profile=profile, comment=b"SECRET", dpi=(300, 300)),
        encoded(corners(), "PNG", exif=exif, icc_profile=profile, pnginfo=text, dpi=(300, 300)),
        encoded(corners(), "WEBP", exif=exif, icc_profile=profile, xmp=b"<SECRET/>"),
        encoded(corners(), "TIFF", exif=exif, icc_profile=profile),
        encoded(corners(), "HEIF", exif=exif.tobytes(), xmp=b"<SECRET/>"),
    ):
        assert b"SECRET" in data
        stored = store.add(data)
        assert set(chunks(stored.path)) == {b"IHDR", b"IDAT", b"IEND"}
        with Image.open(stored.path) as image:
            assert image.info == {}
        for side in (PREVIEW, THUMBNAIL):  # also what reports and saved documents hold
            small = preview(stored.path, side)
            assert b"SECRET" not in small and b"EXIF" not in small and b"ICCP" not in small and b"XMP" not in small


# --- by content, not by name


@pytest.mark.battery("I2", "I18")
@pytest.mark.parametrize(
    "name",
    [
        "photo.jpg",
        "scan",
        "x.txt",
        "=1+1.png",
        "../x.png",
        '"><img src=x>.pdf',
        "\u202egnp.exe.png",
        "n" * 251 + ".png",
    ],
)
def test_a_file_is_known_by_its_content_and_loses_its_name(store: ImageStore, tmp_path: Path, name: str) -> None:
    (tmp_path / "deep").mkdir()
    path = tmp_path / "deep" / name
    path.write_bytes(encoded(corners(), "PNG"))
    assert re.fullmatch("[0-9a-f]{64}.png", store.add(path).path.name)


@pytest.mark.battery("I1")
def test_what_is_no_image_is_refused(store: ImageStore, tmp_path: Path) -> None:
    for content, key, said in (
        (b"", "images.empty_file", "Файл пуст"),
        (b"plain text", "images.not_an_image", "не изображение"),
    ):
        path = tmp_path / "named.png"
        path.write_bytes(content)
        error = refused(store, path)
        assert error.key == key and said in error.text("ru") and error.text("en") != error.text("ru")
    assert files(store.folder) == []


@pytest.mark.battery("I18")
def test_a_file_that_cannot_be_read(store: ImageStore, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")  # opening it would wait for ever
    for path in (tmp_path / "missing.png", tmp_path, tmp_path / "pipe", tmp_path / ("x" * 300), tmp_path / "a\0b"):
        error = refused(store, path)
        assert error.key == "images.no_file"
        assert path.name in error.text("ru")
        assert str(tmp_path.parent) not in error.text("ru")


@pytest.mark.battery("I17")
def test_heic_with_and_without_its_library(store: ImageStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = encoded(corners(), "HEIF", quality=90)
    (tmp_path / "pillow_heif.py").write_text("raise ImportError('not installed')")
    with monkeypatch.context() as without:
        without.setenv("PYTHONPATH", str(tmp_path))
        error = refused(store, data)
    assert error.key == "images.needs_library"
    for lang in LANGUAGES:
        assert "HEIC" in error.text(lang)
        assert "pip install --upgrade pillow-heif" in error.text(lang)
    store.close()  # the next decoder has the library again
    assert store.add(data).width == 40


def test_only_a_pdf_has_pages(store: ImageStore) -> None:
    assert store.pages(encoded(corners(), "PNG")) == 1
    with pytest.raises(RunError) as error:
        store.add(encoded(corners(), "PNG"), page=2)
    assert error.value.key == "images.page_range"


# --- limits


@pytest.mark.battery("I19")
def test_one_byte_too_many(tmp_path: Path) -> None:
    data = encoded(noise(), "PNG")
    path = tmp_path / "upload"
    path.write_bytes(data)
    assert ImageStore(tmp_path / "a", max_bytes=len(data)).add(path).width == 400
    small = ImageStore(tmp_path / "b", max_bytes=len(data) - 1)
    for source in (data, path):
        error = refused(small, source)
        assert error.key == "images.too_many_bytes"
        for lang in LANGUAGES:
            assert str(len(data)) in re.sub(r"(?<=\d)\s(?=\d)", "", error.text(lang))


# --- the disk, and others at work


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    store = ImageStore(tmp_path / "file" / "images")
    error = refused(store, encoded(corners(), "PNG"))
    assert (error.kind, error.key) == ("storage", "images.not_writable")
    assert str(store.folder) in error.text("ru")


def test_a_full_disk(tmp_path: Path) -> None:
    """The largest file that the process may write stands for the room that is left."""
    (tmp_path / "upload").write_bytes(encoded(noise(), "PNG"))
    limited = f"""
import resource
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
{MEASURE}
"""
    command = [sys.executable, "-B", "-c", limited, str(tmp_path / "images"), str(tmp_path / "upload")]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert json.loads(ended.stdout)["key"] == "images.disk_full"
    assert files(tmp_path / "images") == []


def test_many_at_once_store_one_file(tmp_path: Path) -> None:
    data = encoded(noise(), "PNG")
    stores = [ImageStore(tmp_path / "images") for _ in range(3)] * 2
    found: list[str] = []
    threads = [threading.Thread(target=lambda s=store: found.append(s.add(data).sha256)) for store in stores]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 6
    assert [path.stem for path in files(tmp_path / "images")] == [found[0]]


def test_what_a_killed_process_left_is_cleared_away_in_time(tmp_path: Path) -> None:
    old, young = tmp_path / "old.part", tmp_path / "young.part"
    for path in (old, young):
        path.write_bytes(b"half a picture")
    then = time.time() - ABANDONED_S - 60
    os.utime(old, (then, then))
    ImageStore(tmp_path)
    assert files(tmp_path) == [young]


# --- texts


def test_every_text_is_used_and_every_key_has_a_text() -> None:
    sources = "".join((ROOT / "arena" / name).read_text() for name in ("images.py", "decode.py", "pixels.py", "pdf.py"))
    used = set(re.findall(r'"images\.(\w+)"', sources))
    for lang in LANGUAGES:
        assert {key.removeprefix("images.") for key in strings(lang) if key.startswith("images.")} == used


def test_errors_say_the_numbers_and_nothing_of_the_libraries(store: ImageStore) -> None:
    too_large = refused(store, of_size("PNG", 13_000, 13_000))
    damaged = refused(store, encoded(noise(), "JPEG")[:3_000])
    assert "13000 × 13000" in too_large.text("en")
    assert "не больше 40 млн" in too_large.text("ru")
    assert "JPEG" in damaged.text("ru")
    for error in (too_large, damaged):
        for said in (error.detail, str(error), *(error.text(lang) for lang in LANGUAGES)):
            assert not re.search(r"0x|PIL|Error|truncated|bomb|object at", said)


def test_importing_the_store_imports_no_library_of_images() -> None:
    code = (
        "import sys, arena.images; print([m for m in ('PIL', 'pypdfium2', 'pillow_heif', 'numpy') if m in sys.modules])"
    )
    ended = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert ended.stdout.strip() == "[]"
