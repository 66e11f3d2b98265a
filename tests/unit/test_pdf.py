"""Pages of a PDF: which is drawn, how large, and what becomes of files made to take the machine."""

from __future__ import annotations

import json
import resource
import signal
import socket
import subprocess
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path
from threading import Event, Thread

import pytest
from PIL import Image
from test_pixels import repeated

from arena import decode
from arena.decoders import Decoders
from arena.errors import RunError
from arena.images import ImageStore

FONT = b"/Resources<</Font<</F<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>>>>>"
A4 = b"/MediaBox[0 0 595 842]"
SQUARE = b"0 0 200 200 re f"  # black, in the lower left corner
EXTRA = 5  # number of the first extra object of a document of one page


def pdf(
    *pages: tuple[bytes, bytes], extra: tuple[bytes, ...] = (), catalogue: bytes = b"", trailer: bytes = b""
) -> bytes:
    """A PDF of pages, each the rest of its dictionary and its content."""
    kids = b" ".join(b"%d 0 R" % (3 + 2 * number) for number in range(len(pages)))
    objects = [
        b"<</Type/Catalog/Pages 2 0 R%b>>" % catalogue,
        b"<</Type/Pages/Kids[%b]/Count %d>>" % (kids, len(pages)),
    ]
    for number, (attributes, content) in enumerate(pages):
        objects.append(b"<</Type/Page/Parent 2 0 R/Contents %d 0 R%b>>" % (4 + 2 * number, attributes))
        objects.append(stream(b"/Filter/FlateDecode", zlib.compress(content, 9)))
    objects += extra
    body, places = bytearray(b"%PDF-1.7\n"), []
    for number, item in enumerate(objects, 1):
        places.append(len(body))
        body += b"%d 0 obj\n%b\nendobj\n" % (number, item)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    size = len(objects) + 1
    body_ends = len(body)
    body += b"xref\n0 %d\n0000000000 65535 f \n%b" % (size, table)
    return b"%btrailer<</Root 1 0 R/Size %d%b>>\nstartxref\n%d\n%%%%EOF\n" % (body, size, trailer, body_ends)


def stream(attributes: bytes, content: bytes) -> bytes:
    return b"<</Length %d%b>>stream\n%b\nendstream" % (len(content), attributes, content)


def twice_packed(byte: bytes, count: int) -> bytes:
    """`count` equal bytes under two layers of compression: gigabytes in kilobytes."""
    return zlib.compress(repeated(byte * (1 << 20), count >> 20))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[ImageStore]:
    store = ImageStore(tmp_path / "images")
    yield store
    store.close()


def refusal(store: ImageStore, data: bytes, page: int = 1) -> str:
    """The key of the error; its text is there in both languages, and different."""
    with pytest.raises(RunError) as refused:
        store.add(data, page)
    assert refused.value.kind == "bad_input"
    assert refused.value.text("ru") != refused.value.text("en")
    return refused.value.key


def test_a_page_is_drawn_at_200_dpi_on_white(store: ImageStore) -> None:
    stored = store.add(pdf((A4, SQUARE)))
    assert (stored.width, stored.height) == (1653, 2339)
    assert (stored.original_width, stored.original_height) == (1653, 2339)
    assert stored.notices == ()
    with Image.open(stored.path) as image:
        assert (image.format, image.mode) == ("PNG", "RGB")
        assert image.getpixel((100, 2239)) == (0, 0, 0)
        assert image.getpixel((1000, 100)) == (255, 255, 255)


def test_the_page_asked_for_is_drawn(store: ImageStore) -> None:
    data = pdf((A4, b""), (A4 + b"/Rotate 90", SQUARE))
    assert store.pages(data) == 2
    stored = store.add(data, page=2)
    assert (stored.width, stored.height) == (2339, 1653)
    assert [notice.text("ru") for notice in stored.notices] == ["Страница 2 из 2."]
    with Image.open(stored.path) as image:
        assert image.getpixel((100, 100)) == (0, 0, 0)
    assert store.add(data, page=1).sha256 != stored.sha256
    for page in (0, -1, 3):
        assert refusal(store, data, page) == "images.page_range"


def test_what_was_filled_into_a_form_is_drawn(store: ImageStore) -> None:
    look = stream(b"/Type/XObject/Subtype/Form/BBox[0 0 200 200]", SQUARE)
    field = b"<</Type/Annot/Subtype/Widget/FT/Tx/T(name)/V(x)/F 4/Rect[0 0 200 200]/AP<</N %d 0 R>>/P 3 0 R>>" % (
        EXTRA + 1
    )
    form = b"/AcroForm<</Fields[%d 0 R]>>" % EXTRA
    stored = store.add(pdf((A4 + b"/Annots[%d 0 R]" % EXTRA, b""), extra=(field, look), catalogue=form))
    with Image.open(stored.path) as image:
        assert image.getpixel((100, 2239)) == (0, 0, 0)


@pytest.mark.battery("P1")
def test_ten_thousand_pages(store: ImageStore) -> None:
    data = pdf(*[(A4, b"")] * 9_999, (A4, SQUARE))
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert decode.page_count(data) == 10_000  # in a process that is counted, its imports with it
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 1  # seconds of the processor
    assert store.add(data, page=10_000).notices[0].params == {"page": 10_000, "pages": 10_000}


@pytest.mark.battery("P2")
@pytest.mark.parametrize(("width", "height"), [(200_000, 200_000), (100, 14_400), (14_400, 14_400), (2_000, 3_000)])
def test_a_vast_page_is_drawn_smaller(tmp_path: Path, width: int, height: int) -> None:
    small = ImageStore(tmp_path, max_pixels=1_000_000)
    stored = small.add(pdf((b"/MediaBox[0 0 %d %d]" % (width, height), b"0 0 %d %d re f" % (width, height))))
    assert stored.width * stored.height <= 1_000_000
    assert max(stored.width, stored.height) <= 16_384
    assert abs(stored.width / stored.height / (width / height) - 1) < 0.02
    assert stored.original_width > stored.width
    (notice,) = stored.notices
    assert notice.key == "images.pdf_reduced"
    assert notice.params["dpi"] in notice.text("en")
    with Image.open(stored.path) as image:
        assert image.getpixel((image.width // 2, image.height // 2)) == (0, 0, 0)


@pytest.mark.battery("P2")
def test_a_page_with_no_room_for_a_picture(store: ImageStore) -> None:
    assert refusal(store, pdf((b"/MediaBox[0 0 1 1]", b""))) == "images.too_small"
    assert refusal(store, pdf((b"/MediaBox[0 0 14400 20]", b""))) == "images.too_narrow"


def endless() -> bytes:
    """Two million strokes through one page."""
    lines = b"".join(b"%d %d l " % (i * 7919 % 595, i * 104729 % 842) for i in range(100))
    return pdf((A4, b"0 0 m " + lines * 20_000 + b"B "))


@pytest.mark.battery("P3")
def test_a_page_that_never_ends_is_given_up_while_other_files_are_read(tmp_path: Path) -> None:
    data = endless()
    assert len(data) < 100_000
    decoders, given_up = Decoders(2), Event()
    refused: list[RunError] = []

    def read() -> None:
        try:
            decode.picture(data, tmp_path / "never.png", 1, 40_000_000, seconds=4, warm=decoders)
        except RunError as error:
            refused.append(error)
        given_up.set()

    waiting = Thread(target=read)
    waiting.start()
    decode.picture(pdf((A4, SQUARE)), tmp_path / "other.png", 1, 40_000_000, warm=decoders)
    assert not given_up.is_set()
    waiting.join()
    decoders.close()
    (error,) = refused
    assert error.key == "images.too_slow" and "4 s" in error.text("en") and "4 с" in error.text("ru")
    assert not (tmp_path / "never.png").exists()


@pytest.mark.battery("P3")
def test_a_decoder_without_its_application_ends_by_itself(tmp_path: Path) -> None:
    request = {"page": 1, "max_pixels": 40_000_000, "out": str(tmp_path / "out.png"), "seconds": 1}
    command = [sys.executable, "-m", "arena.decode", json.dumps(request)]
    ended = subprocess.run(command, input=endless(), cwd=decode.ROOT, capture_output=True, timeout=60)
    assert ended.returncode == -signal.SIGXCPU


@pytest.mark.battery("P3")
def test_a_page_that_takes_the_memory_is_given_up(tmp_path: Path) -> None:
    content = stream(b"/Filter[/FlateDecode/FlateDecode]", twice_packed(b"\n", 800 << 20))
    data = pdf((A4 + b"/Contents[5 0 R 6 0 R 7 0 R]", b""), extra=(content,) * 3)
    assert len(data) < 50_000
    with pytest.raises(RunError) as refused:
        decode.picture(data, tmp_path / "out.png", 1, 40_000_000, seconds=60)
    assert refused.value.key == "images.too_much_memory"
    assert "2 GB" in refused.value.text("en")


@pytest.mark.battery("P4")
def test_each_fault_has_its_own_message(store: ImageStore) -> None:
    whole = pdf(*[(A4, SQUARE)] * 20)
    locked = pdf(
        (A4, SQUARE),
        trailer=b"/ID[<00><00>]/Encrypt<</Filter/Standard/V 1/R 2/P -4/O<%b>/U<%b>>>" % (b"11" * 32, b"22" * 32),
    )
    found = {
        "encrypted": refusal(store, locked),
        "cut": refusal(store, whole[: len(whole) // 2]),
        "cut at the end": refusal(store, whole[:-40]),
        "nonsense": refusal(store, b"%PDF-1.7\nnonsense"),
        "no pages": refusal(store, pdf()),
        "empty box": refusal(store, pdf((b"/MediaBox[0 0 0 0]", SQUARE))),
        "no height": refusal(store, pdf((b"/MediaBox[0 0 595 0]", SQUARE))),
        "cropped beside it": refusal(store, pdf((b"/MediaBox[0 0 9 9]/CropBox[20 20 30 30]", SQUARE))),
        "not a PDF": refusal(store, b"PDF-1.7"),
    }
    assert found == {
        "encrypted": "images.pdf_encrypted",
        "cut": "images.pdf_damaged",
        "cut at the end": "images.pdf_damaged",
        "nonsense": "images.pdf_damaged",
        "no pages": "images.pdf_no_pages",
        "empty box": "images.pdf_empty_page",
        "no height": "images.pdf_empty_page",
        "cropped beside it": "images.pdf_empty_page",
        "not a PDF": "images.not_an_image",
    }
    with pytest.raises(RunError) as refused:
        store.pages(locked)
    assert refused.value.key == "images.pdf_encrypted"


def test_lines_after_the_end_of_a_pdf_do_no_harm(store: ImageStore) -> None:
    assert store.add(b"\r\n" + pdf((A4, SQUARE)) + b"\n-- \nsent by a gateway\n" + bytes(60_000)).width == 1653


@pytest.mark.battery("P5")
def test_a_vast_picture_in_a_page_keeps_to_the_page(store: ImageStore) -> None:
    image = stream(
        b"/Type/XObject/Subtype/Image/Width 20000/Height 20000/ColorSpace/DeviceGray/BitsPerComponent 8"
        b"/Filter[/FlateDecode/FlateDecode]",
        twice_packed(b"\0", 20_000 * 20_000),
    )
    placed = A4 + b"/Resources<</XObject<</I %d 0 R>>>>" % EXTRA
    stored = store.add(pdf((placed, b"595 0 0 842 0 0 cm /I Do"), extra=(image,)))
    assert (stored.width, stored.height) == (1653, 2339)


@pytest.mark.battery("P5")
def test_nothing_in_a_pdf_is_carried_out_or_fetched(store: ImageStore, tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        url = b"http://127.0.0.1:%d/" % server.getsockname()[1]
        script = b'(app.launchURL\\("%b"\\); this.exportDataObject\\(\\))' % url
        launch = b"<</S/Launch/F(/bin/touch)/Win<</F(touch)/P(%b)>>/Unix(touch %b)>>" % (bytes(trace), bytes(trace))
        catalogue = (
            b"/OpenAction %b/AA<</WC %b>>/URI<</Base(%b)>>/Names<</JavaScript<</Names[(a)<</S/JavaScript/JS %b>>]>>"
            b"/EmbeddedFiles<</Names[(f)<</Type/Filespec/F(%b)/EF<</F 5 0 R>>>>]>>>>"
            % (launch, launch, url, script, bytes(trace))
        )
        actions = b"/AA<</O<</S/JavaScript/JS %b>>/C<</S/URI/URI(%b)>>>>" % (script, url)
        submit = b"/Annots[<</Type/Annot/Subtype/Widget/Rect[0 0 9 9]/AA<</PV<</S/SubmitForm/F(%b)>>>>>>]" % url
        elsewhere = stream(
            b"/Type/XObject/Subtype/Image/Width 9/Height 9/ColorSpace/DeviceGray/BitsPerComponent 8"
            b"/F<</FS/URL/F(%b)>>" % url,
            b"",
        )
        page = A4 + actions + submit + b"/Resources<</XObject<</I 6 0 R>>>>"
        attached = stream(b"/Type/EmbeddedFile", b"attached")
        data = pdf((page, SQUARE + b" /I Do"), extra=(attached, elsewhere), catalogue=catalogue)
        assert store.add(data).width == 1653
        assert not trace.exists()
        with pytest.raises(BlockingIOError):
            server.accept()  # nobody has come


@pytest.mark.battery("I16")
def test_a_pdf_named_like_a_picture_is_a_pdf(store: ImageStore, tmp_path: Path) -> None:
    path = tmp_path / "photo.png"
    path.write_bytes(pdf((A4, b""), (A4, b"")))
    assert [notice.key for notice in store.add(path).notices] == ["images.pdf_page"]


def test_a_library_that_is_not_there_is_named(
    store: ImageStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "pypdfium2.py").write_text("raise ImportError('not installed')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    assert refusal(store, pdf((A4, SQUARE))) == "images.needs_library"
