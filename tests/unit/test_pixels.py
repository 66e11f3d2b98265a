"""What becomes of the pixels of an upload: colours, orientation, frames, and which bytes are refused."""

from __future__ import annotations

import io
import math
import struct
import zlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageCms, ImageDraw, TiffImagePlugin

from arena.pixels import Refused, decoded, format_of

LIMIT = 40_000_000
# A corner of its own colour shows any turn or flip.
CORNERS = {(0, 0): (255, 0, 0), (39, 0): (0, 255, 0), (0, 29): (0, 0, 255), (39, 29): (255, 255, 0)}


def corners() -> Image.Image:
    image = Image.new("RGB", (40, 30), "white")
    draw = ImageDraw.Draw(image)
    for (x, y), colour in CORNERS.items():
        draw.rectangle((x // 39 * 20, y // 29 * 15, x // 39 * 20 + 19, y // 29 * 15 + 14), fill=colour)
    return image


def encoded(image: Image.Image, kind: str, **options: Any) -> bytes:
    if kind == "HEIF":
        import pillow_heif

        pillow_heif.register_heif_opener()
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def picture(data: bytes) -> Image.Image:
    return decoded(data, format_of(data), LIMIT)[0]


def notices(data: bytes) -> list[str]:
    return [key for key, _ in decoded(data, format_of(data), LIMIT)[2]]


def refusal(data: bytes) -> str:
    with pytest.raises(Refused) as refused:
        picture(data)
    return refused.value.key


def pixel(image: Image.Image, x: int = 20, y: int = 15) -> tuple[int, ...]:
    assert image.mode == "RGB"
    assert image.info == {}
    value = image.getpixel((x, y))
    assert isinstance(value, tuple)
    return value


def near(found: tuple[int, ...], wanted: tuple[int, ...], within: int) -> bool:
    return all(abs(a - b) <= within for a, b in zip(found, wanted, strict=True))


def chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def repeated(block: bytes, count: int) -> bytes:
    """`block` so many times over as a stream of zlib, packed once: gigabytes in the time of one block."""
    packer = zlib.compressobj(9, wbits=-15)
    packed = packer.compress(block) + packer.flush(zlib.Z_FULL_FLUSH)
    check = 1
    for _ in range(count):
        check = zlib.adler32(block, check)
    return b"\x78\xda" + packed * count + packer.flush() + struct.pack(">I", check)


def png(width: int, height: int, bits: int, colour: int, row: bytes, *extra: bytes) -> bytes:
    """A PNG of equal rows, written by hand for what Pillow cannot write."""
    together = math.gcd(height, 1000)
    body = repeated((b"\0" + row) * together, height // together)
    head = struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + b"".join(extra) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


# --- orientation


@pytest.mark.battery("I10")
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_picture_is_upright(kind: str, orientation: int) -> None:
    undo = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    lying = corners().transpose(undo[orientation]) if orientation > 1 else corners()
    exif = Image.Exif()
    exif[0x0112] = orientation
    options: dict[str, Any] = {"tiffinfo": {0x0112: orientation}} if kind == "TIFF" else {"exif": exif}
    if kind in ("JPEG", "AVIF"):
        options |= {"quality": 100}
    if kind == "JPEG":
        options |= {"subsampling": 0}
    found = picture(encoded(lying, kind, **options))
    assert found.size == (40, 30)
    for (x, y), colour in CORNERS.items():
        assert near(pixel(found, min(max(x, 5), 34), min(max(y, 5), 24)), colour, 30)


def test_a_heic_is_turned_once() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    lying = corners().transpose(Image.Transpose.ROTATE_90)
    found = picture(encoded(lying, "HEIF", exif=exif.tobytes(), quality=95))
    assert found.size == (40, 30)
    assert near(pixel(found, 5, 5), CORNERS[0, 0], 40)


def test_damaged_exif_does_not_cost_the_picture() -> None:
    assert pixel(picture(encoded(corners(), "PNG", exif=b"Exif\0\0nonsense")), 5, 5) == (255, 0, 0)


# --- colours


def profile_of(name: str) -> bytes:
    if name == "sRGB":
        return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    # The same profile with red and green exchanged and another name: sane, and its effect can be foretold.
    srgb = bytearray(profile_of("sRGB"))
    count = struct.unpack(">I", srgb[128:132])[0]
    for at in range(132, 132 + 12 * count, 12):
        tag = bytes(srgb[at : at + 4])
        srgb[at : at + 4] = {b"rXYZ": b"gXYZ", b"gXYZ": b"rXYZ"}.get(tag, tag)
    return bytes(srgb).replace("sRGB".encode("utf-16-be"), "swap".encode("utf-16-be"))


def test_the_colour_profile_is_applied() -> None:
    red = Image.new("RGB", (40, 30), (255, 0, 0))
    data = encoded(red, "PNG", icc_profile=profile_of("swapped"))
    assert near(pixel(picture(data)), (0, 255, 0), 3)
    assert notices(data) == []
    assert near(pixel(picture(encoded(red, "PNG", icc_profile=profile_of("sRGB")))), (255, 0, 0), 0)


@pytest.mark.battery("I14")
@pytest.mark.parametrize("mode", ["RGB", "L", "P", "RGBA", "LA", "1", "CMYK"])
def test_an_odd_profile_does_no_harm(mode: str) -> None:
    kind = "TIFF" if mode == "CMYK" else "PNG"
    plain = Image.new("RGB", (40, 30), "white").convert(mode)
    for profile in (b"nonsense", b"\0" * 128, profile_of("sRGB")[:200]):
        data = encoded(plain, kind, icc_profile=profile)
        assert near(pixel(picture(data)), (255, 255, 255), 2)
        assert "images.profile_ignored" in notices(data)


@pytest.mark.parametrize("mode", ["RGB", "L", "P", "RGBA", "LA", "1"])
def test_a_profile_fits_every_mode_of_its_kind(mode: str) -> None:
    data = encoded(Image.new("RGB", (40, 30), "white").convert(mode), "PNG", icc_profile=profile_of("swapped"))
    assert near(pixel(picture(data)), (255, 255, 255), 3)
    assert notices(data) == []


@pytest.mark.battery("I11")
def test_cmyk_red_is_red() -> None:
    red = Image.new("CMYK", (40, 30), (0, 255, 255, 0))
    for data in (encoded(red, "JPEG", quality=100), encoded(red, "TIFF")):
        assert near(pixel(picture(data)), (255, 0, 0), 4)


@pytest.mark.battery("I11")
def test_ycck_red_is_red() -> None:
    # In the file: Y, Cb, Cr of the inks C, M, Y of red (0, 1, 1), and K kept inverted, as Adobe writes them.
    # Pillow inverts what it writes as CMYK, hence the 255 minus; the marker then has to name the transform.
    y, cb, cr = Image.new("RGB", (1, 1), (0, 255, 255)).convert("YCbCr").getpixel((0, 0))  # type: ignore[misc]
    data = encoded(Image.new("CMYK", (40, 30), (255 - y, 255 - cb, 255 - cr, 0)), "JPEG", quality=100)
    at = data.index(b"Adobe") + 11
    assert data[at] == 0
    assert near(pixel(picture(data[:at] + b"\2" + data[at + 1 :])), (255, 0, 0), 6)


@pytest.mark.battery("I12")
@pytest.mark.parametrize(("value", "grey"), [(0, 0), (40_000, 156), (65_535, 255)])
def test_sixteen_bits_are_divided_not_clipped(value: int, grey: int) -> None:
    row = struct.pack(">H", value) * 40
    assert near(pixel(picture(png(40, 30, 16, 0, row))), (grey,) * 3, 1)
    assert near(pixel(picture(png(40, 30, 16, 2, row * 3))), (grey,) * 3, 1)
    wide = Image.frombytes("I;16", (40, 30), struct.pack("<H", value) * 1200)
    assert near(pixel(picture(encoded(wide, "TIFF"))), (grey,) * 3, 1)
    # Photometric 0: white is zero.
    assert near(pixel(picture(encoded(wide, "TIFF", tiffinfo={262: 0}))), (255 - grey,) * 3, 1)


def test_sixteen_bits_with_a_transparent_colour() -> None:
    for colour, channels in ((0, 1), (2, 3)):
        data = png(
            40, 30, 16, colour, struct.pack(">H", 40_000) * 40 * channels, chunk(b"tRNS", b"\x9c\x40" * channels)
        )
        assert pixel(picture(data)) == (156,) * 3


def black_on_nothing(mode: str) -> bytes:
    """A black square on nothing, black where nothing is."""
    image = Image.new("RGBA", (40, 30), (0, 0, 0, 0))
    image.paste((0, 0, 0, 255), (10, 10, 30, 20))
    if mode == "P+tRNS":
        paletted = Image.new("P", (40, 30), 0)
        paletted.putpalette([0, 0, 0, 0, 0, 0])
        paletted.paste(1, (10, 10, 30, 20))
        return encoded(paletted, "PNG", transparency=0)
    if mode == "GIF":
        return encoded(image, "GIF")
    if mode == "L+tRNS":
        grey = Image.new("L", (40, 30), 7)
        grey.paste(0, (10, 10, 30, 20))
        return encoded(grey, "PNG", transparency=7)
    if mode == "WebP":
        return encoded(image, "WEBP", lossless=True, exact=True)
    return encoded(image.convert(mode), "PNG")


@pytest.mark.battery("I13")
@pytest.mark.parametrize("mode", ["RGBA", "LA", "P+tRNS", "L+tRNS", "GIF", "WebP"])
def test_what_is_transparent_becomes_white(mode: str) -> None:
    data = black_on_nothing(mode)
    assert pixel(picture(data), 2, 2) == (255, 255, 255)
    assert pixel(picture(data), 20, 15) == (0, 0, 0)
    assert notices(data) == ["images.transparent"]


def test_an_alpha_channel_that_hides_nothing_is_no_news() -> None:
    assert notices(encoded(corners().convert("RGBA"), "PNG")) == []


@pytest.mark.battery("I14")
def test_one_bit_and_a_palette_of_two() -> None:
    black = Image.new("1", (40, 30), 0)
    for kind in ("PNG", "TIFF", "BMP", "GIF"):
        assert pixel(picture(encoded(black, kind))) == (0, 0, 0)
    two = Image.new("P", (40, 30), 1)
    two.putpalette([0, 0, 0, 200, 100, 50])
    for kind in ("PNG", "BMP", "GIF", "TIFF"):
        assert pixel(picture(encoded(two, kind))) == (200, 100, 50)


@pytest.mark.battery("I14")
@pytest.mark.parametrize("mode", ["F", "I", "LAB"])
def test_pixels_without_a_white_are_refused(mode: str) -> None:
    assert refusal(encoded(Image.new(mode, (40, 30)), "TIFF")) == "images.pixel_kind"


# --- frames


@pytest.mark.battery("I9")
def test_only_the_first_of_several_pictures_and_it_is_said() -> None:
    more = [Image.new("RGB", (40, 30), "white")]
    for kind, key, options in (
        ("GIF", "images.first_frame", {}),
        ("PNG", "images.first_frame", {}),
        ("WEBP", "images.first_frame", {"lossless": True}),
        ("AVIF", "images.first_frame", {"quality": 100}),
        ("TIFF", "images.first_page", {}),
        ("MPO", "images.first_picture", {"quality": 100}),
        ("HEIF", "images.first_picture", {"quality": 95}),
    ):
        data = encoded(corners(), kind, save_all=True, append_images=more * 3, **options)
        assert notices(data) == [key], kind
        assert near(pixel(picture(data), 5, 5), (255, 0, 0), 40), kind


@pytest.mark.battery("I9")
def test_of_a_hundred_pages_the_first_is_taken() -> None:
    page = Image.new("L", (40, 30), 100)
    data = encoded(page, "TIFF", save_all=True, append_images=[Image.new("L", (40, 30), 200)] * 99)
    image, _, told = decoded(data, "TIFF", LIMIT)
    assert pixel(image) == (100, 100, 100) and told == [("images.first_page", {})]


# --- refusals


@pytest.mark.battery("I3")
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "BMP", "GIF", "AVIF", "HEIF"])
def test_a_file_cut_in_the_middle_is_refused(kind: str) -> None:
    whole = encoded(Image.effect_noise((200, 150), 60).convert("RGB"), kind)
    assert picture(whole).size == (200, 150)
    assert refusal(whole[: len(whole) // 2]) == "images.damaged"


@pytest.mark.battery("I3")
def test_a_png_with_one_wrong_byte_is_refused() -> None:
    data = bytearray(encoded(Image.effect_noise((200, 150), 60), "PNG"))
    data[len(data) // 2] ^= 1
    assert refusal(bytes(data)) == "images.damaged"


@pytest.mark.battery("I16")
@pytest.mark.parametrize(
    ("data", "key", "format"),
    [
        (b"", "images.empty_file", None),
        (b"BMW, GIF and %PDF are words of a plain text", "images.not_an_image", None),
        (b"<html><script>alert(1)</script>", "images.not_an_image", None),
        (b'<?xml version="1.0"?>\n<svg onload="alert(1)"/>', "images.foreign_format", "SVG"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n", "images.foreign_format", "EPS"),
        (b"8BPS\0\1" + bytes(50), "images.foreign_format", "PSD"),
        (b"\xd7\xcd\xc6\x9a" + bytes(50), "images.foreign_format", "WMF"),
        (b"SIMPLE  =                    T" + bytes(50), "images.foreign_format", "FITS"),
        (b"\0\0\0\x0cjP  \r\n\x87\n" + bytes(50), "images.foreign_format", "JPEG 2000"),
        (b"PK\3\4" + bytes(50), "images.foreign_format", "ZIP, DOCX, XLSX"),
        (b"\0\0\0\x18ftypmp42" + bytes(50), "images.foreign_format", "MP4"),
    ],
)  # fmt: skip
def test_only_listed_formats_are_opened(data: bytes, key: str, format: str | None) -> None:
    with pytest.raises(Refused) as refused:
        format_of(data)
    assert refused.value.key == key
    assert refused.value.params.get("format") == format


@pytest.mark.battery("I22")
def test_a_script_that_begins_like_a_gif_is_refused() -> None:
    assert refusal(b"GIF89a/*" + b"<script>alert(document.cookie)</script>" * 20 + b"*/=1;") == "images.damaged"


@pytest.mark.battery("I15")
@pytest.mark.parametrize(
    ("size", "key"),
    [
        ((1, 1), "images.too_small"),
        ((27, 27), "images.too_small"),
        ((200, 7), "images.too_small"),
        ((1, 20_000), "images.too_narrow"),
        ((20_000, 1), "images.too_narrow"),
        ((1_700, 8), "images.too_narrow"),
        ((16_385, 90), "images.too_long"),
        ((8_000, 5_001), "images.too_many_pixels"),
    ],
)
def test_sizes_out_of_bounds(size: tuple[int, int], key: str) -> None:
    with pytest.raises(Refused) as refused:
        picture(encoded(Image.new("L", size), "PNG"))
    assert refused.value.key == key
    assert (refused.value.params["width"], refused.value.params["height"]) == size


@pytest.mark.parametrize("size", [(28, 28), (60, 16), (100, 8), (1_600, 8), (16_384, 90)])
def test_a_word_or_a_line_cut_out_of_a_page_is_large_enough(size: tuple[int, int]) -> None:
    assert picture(encoded(Image.new("L", size), "PNG")).size == size


def test_a_tiff_of_huge_tiles_is_refused_before_they_are_decoded() -> None:
    tags = TiffImagePlugin.ImageFileDirectory_v2(prefix=b"II")
    for tag, value in {256: 64, 257: 64, 258: 8, 259: 8, 262: 1, 277: 1, 322: 40_000, 323: 40_000}.items():
        tags[tag] = value
    tags[324], tags[325] = 4096, 20
    file = io.BytesIO(b"II*\0\x08\0\0\0")
    file.seek(8)
    tags.save(file)
    data = file.getvalue().ljust(4096, b"\0") + zlib.compress(bytes(100))
    assert refusal(data) == "images.damaged"


WHOLE = {
    kind: encoded(corners(), kind) for kind in ("JPEG", "PNG", "WEBP", "TIFF", "BMP", "GIF", "AVIF", "HEIF", "MPO")
}


@given(st.sampled_from(sorted(WHOLE)), st.lists(st.tuples(st.floats(0, 1), st.binary(max_size=8)), max_size=6))
def test_whatever_the_bytes_they_are_a_picture_or_refused(kind: str, changes: list[tuple[float, bytes]]) -> None:
    data = bytearray(WHOLE[kind])
    for where, new in changes:
        at = int(where * len(data))
        data[at : at + len(new)] = new
    try:
        image = picture(bytes(data))
    except Refused as refused:
        assert refused.key.startswith("images.")
    else:
        assert image.mode == "RGB"
        assert image.info == {}
