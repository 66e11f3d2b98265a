"""The bytes of an image file → one upright 8-bit RGB picture: what is taken, the limits, colours, orientation.

Runs inside the decoder's process (`arena.decode`), never in the application's: that is what keeps a hostile
file from taking the application's memory or ending it. Files are known by their content, never by their name.
"""

from __future__ import annotations

import importlib
import re
from io import BytesIO
from typing import Any

from PIL import Image

MAX_SIDE = 16_384
MAX_ASPECT = 200  # Qwen's image processor refuses more
# A side of 1 or 3 pixels is taken for a colour channel by some image processors; 8 leaves them in no doubt and
# still lets through one word cut out of a page. The area of 28 × 28 is one patch of the smallest vision models.
MIN_SIDE = 8
MIN_PIXELS = 28 * 28
MAX_PROFILE_BYTES = 8_000_000
ACCEPTED = "JPEG, PNG, WebP, TIFF, BMP, GIF, HEIC, AVIF, PDF"

SIGNATURES = (
    (0, b"\xff\xd8\xff", "JPEG"),
    (0, b"\x89PNG\r\n\x1a\n", "PNG"),
    (0, b"GIF87a", "GIF"),
    (0, b"GIF89a", "GIF"),
    (8, b"WEBP", "WebP"),
    (0, b"II*\0", "TIFF"),
    (0, b"MM\0*", "TIFF"),
    (0, b"II+\0", "TIFF"),
    (0, b"MM\0+", "TIFF"),
)
# Known and not taken: naming the format tells the user what to convert.
FOREIGN = (
    (0, b"%!PS", "EPS"),
    (0, b"\xc5\xd0\xd3\xc6", "EPS"),
    (0, b"8BPS", "PSD"),
    (0, b"\xd7\xcd\xc6\x9a", "WMF"),
    (0, b"\1\0\x09\0\0\3", "WMF"),
    (40, b" EMF", "EMF"),
    (0, b"SIMPLE  =", "FITS"),
    (4, b"jP  \r\n", "JPEG 2000"),
    (0, b"\xff\x4f\xff\x51", "JPEG 2000"),
    (0, b"\xff\x0a", "JPEG XL"),
    (4, b"JXL \r\n", "JPEG XL"),
    (0, b"\0\0\1\0", "ICO"),
    (0, b"AT&TFORM", "DjVu"),
    (0, b"gimp xcf", "XCF"),
    (128, b"DICM", "DICOM"),
    (0, b"PK\3\4", "ZIP, DOCX, XLSX"),
    (0, b"\xd0\xcf\x11\xe0", "DOC, XLS"),
    (4, b"ftyp", "MP4"),
)
HEIF_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"}
TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
EXIF_ORIENTATION = 0x0112
TIFF_BITS, TIFF_PHOTOMETRIC, TIFF_TILE_WIDTH, TIFF_TILE_LENGTH = 258, 262, 322, 323

Notices = list[tuple[str, dict[str, Any]]]


class Refused(Exception):
    """The file cannot be used: `key` of the text that says why and what to do, `params` that fill it."""

    def __init__(self, key: str, **params: Any) -> None:
        super().__init__(key)
        self.key = key
        self.params = params


def format_of(data: bytes) -> str:
    """``"PNG"``, ``"PDF"``, … by content. Raises `Refused` for what is not taken."""
    if not data:
        raise Refused("images.empty_file")
    if data[4:8] == b"ftyp":
        end = min(int.from_bytes(data[:4], "big"), 256)
        brands = {data[8:12], *(data[at : at + 4] for at in range(16, end, 4))}
        if brands & {b"avif", b"avis"}:
            return "AVIF"
        if brands & HEIF_BRANDS:
            return "HEIC"
    for at, signature, name in SIGNATURES:
        if data.startswith(signature, at):
            return name
    if data.startswith(b"BM") and data[15:18] == bytes(3):  # two letters alone also begin many a text
        return "BMP"
    if b"%PDF-" in data[:1024]:  # readers allow that much before the header
        return "PDF"
    foreign = next((name for at, signature, name in FOREIGN if data.startswith(signature, at)), None)
    if foreign is None and re.search(rb"<(\w+:)?svg[\s>]", data[:4096]):
        foreign = "SVG"
    if foreign:
        raise Refused("images.foreign_format", format=foreign, accepted=ACCEPTED)
    raise Refused("images.not_an_image", accepted=ACCEPTED)


def check_size(width: int, height: int, max_pixels: int) -> None:
    """Raises `Refused` when an image of so many pixels is too large, too small or too long."""
    size = {"width": width, "height": height}
    if width * height > max_pixels:
        raise Refused("images.too_many_pixels", **size, limit=f"{max_pixels / 1e6:g}")
    if max(width, height) > MAX_ASPECT * max(1, min(width, height)):
        raise Refused("images.too_narrow", **size, limit=MAX_ASPECT)
    if max(width, height) > MAX_SIDE:
        raise Refused("images.too_long", **size, limit=MAX_SIDE)
    if min(width, height) < MIN_SIDE or width * height < MIN_PIXELS:
        raise Refused("images.too_small", **size, side=MIN_SIDE, pixels=MIN_PIXELS)


def decoded(data: bytes, kind: str, max_pixels: int) -> tuple[Image.Image, tuple[int, int], Notices]:
    """The picture, its width and height as the file has them (before turning it upright), and what to tell.

    Everything that the header says is checked before a pixel is decoded. Raises `Refused`.
    """
    notices: Notices = []
    try:
        if kind == "WebP":
            check_size(*webp_size(data), max_pixels)  # Pillow's reader of WebP takes memory for it at once
        image = opened(data, kind)
        size = image.size
        check_size(*size, max_pixels)
        check_tiles(image, max_pixels)
        if getattr(image, "is_animated", False):
            notices.append((first_of(image, kind), {}))
        if kind == "PNG":
            opened(data, kind).verify()  # check sums; without it a damaged file gives a damaged picture
        image.load()
        return rgb(upright(image, kind), notices), size, notices
    except (Refused, MemoryError, ImportError):
        raise
    except Exception as error:  # decoders of hostile bytes raise about anything
        raise Refused("images.damaged", format=kind) from error


def opened(data: bytes, kind: str) -> Image.Image:
    """The image with its header read. Goes past `Image.open`, whose own limit only warns, and knows no numbers."""
    if kind == "HEIC":
        try:
            import pillow_heif
        except ImportError:
            raise Refused("images.needs_library", format=kind, library="pillow-heif") from None
        pillow_heif.register_heif_opener()
        plugin, kind = "Image", "HEIF"
    else:
        plugin = {"JPEG": "Jpeg", "PNG": "Png", "GIF": "Gif", "BMP": "Bmp", "WebP": "WebP"}.get(kind, kind.title())
        plugin += "ImagePlugin"
    module: Any = importlib.import_module(f"PIL.{plugin}")
    if kind == "AVIF":
        if not module.SUPPORTED:
            raise Refused("images.needs_library", format=kind, library="pillow")
        module.DEFAULT_MAX_THREADS = 2  # every thread more takes address space, which is limited
    if kind == "PNG":  # a diagram may carry its source in a text chunk; together they stay within Pillow's bound
        module.MAX_TEXT_CHUNK = module.MAX_TEXT_MEMORY
    factory, _ = Image.OPEN[kind.upper()]
    return factory(BytesIO(data), "")


def webp_size(data: bytes) -> tuple[int, int]:
    """Width and height in the header of a WebP file (RFC 9649)."""
    chunk = data[12:16]
    if chunk == b"VP8X":
        return 1 + int.from_bytes(data[24:27], "little"), 1 + int.from_bytes(data[27:30], "little")
    if chunk == b"VP8L":
        bits = int.from_bytes(data[21:25], "little")
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    if chunk == b"VP8 ":
        return int.from_bytes(data[26:28], "little") & 0x3FFF, int.from_bytes(data[28:30], "little") & 0x3FFF
    raise Refused("images.damaged", format="WebP")


def check_tiles(image: Image.Image, max_pixels: int) -> None:
    """A small TIFF may be made of huge tiles."""
    tags = getattr(image, "tag_v2", {})
    if tags.get(TIFF_TILE_WIDTH, 0) * tags.get(TIFF_TILE_LENGTH, 0) > max_pixels:
        raise Refused("images.damaged", format="TIFF")


def first_of(image: Image.Image, kind: str) -> str:
    if kind == "TIFF":
        return "images.first_page"
    return "images.first_picture" if kind == "HEIC" or image.format == "MPO" else "images.first_frame"


def upright(image: Image.Image, kind: str) -> Image.Image:
    """The image turned as its EXIF orientation says. Pillow has turned a TIFF and libheif a HEIC by now."""
    if kind in ("TIFF", "HEIC"):
        return image
    try:
        turn = TURNS.get(image.getexif().get(EXIF_ORIENTATION, 1))
    except Exception:  # noqa: BLE001 - damaged EXIF says nothing of the orientation, and the picture may be whole
        turn = None
    if turn is None:
        return image
    turned = image.transpose(turn)
    turned.info = image.info  # the colour profile and the transparent colour are still needed
    return turned


def rgb(image: Image.Image, notices: Notices) -> Image.Image:
    """8-bit RGB on white, through the colour profile to sRGB, with nothing but pixels in it."""
    profile = image.info.get("icc_profile")
    image = eight_bit(image)
    if image.has_transparency_data:
        image = on_white(image, notices)
    if profile:
        image = in_srgb(image, profile, notices)
    image = image.convert("RGB")
    image.info = {}
    return image


def eight_bit(image: Image.Image) -> Image.Image:
    """The image with 8 bits a channel: L, LA, RGB, RGBA, CMYK, or P with its palette."""
    if image.mode.startswith("I;16") or max(transparent_colour(image)) > 255:
        image.info.pop("transparency", None)  # a colour of 16 bits; 8 bits cannot tell it from its neighbours
    if image.mode.startswith("I;16"):
        # Pillow's own conversion would cut everything above 255 to white.
        tags = getattr(image, "tag_v2", {})
        bits = tags.get(TIFF_BITS, (16,))[0]
        scale, offset = (-1, 255) if tags.get(TIFF_PHOTOMETRIC) == 0 else (1, 0)
        wide = image.convert("I")
        return wide.point(lambda value: value * (scale / 2 ** (bits - 8)) + offset).convert("L")
    if image.mode in ("1", "YCbCr", "RGBX", "La", "RGBa", "PA"):
        return image.convert({"1": "L", "La": "LA", "RGBa": "RGBA", "PA": "RGBA"}.get(image.mode, "RGB"))
    if image.mode not in ("L", "LA", "RGB", "RGBA", "CMYK", "P"):
        # 32-bit and floating-point pixels do not say which number is white.
        raise Refused("images.pixel_kind")
    return image


def transparent_colour(image: Image.Image) -> tuple[int, ...]:
    colour = image.info.get("transparency", 0)
    return colour if isinstance(colour, tuple) else (0,)


def on_white(image: Image.Image, notices: Notices) -> Image.Image:
    """Without its transparency: white where nothing was."""
    image = image.convert("LA" if image.mode == "LA" else "RGBA")
    alpha = image.getchannel("A")
    if alpha.getextrema() != (255, 255):
        notices.append(("images.transparent", {}))
    opaque = image.convert("L" if image.mode == "LA" else "RGB")
    white = Image.new(opaque.mode, image.size, "white")
    white.paste(opaque, mask=alpha)
    return white


def in_srgb(image: Image.Image, profile: bytes, notices: Notices) -> Image.Image:
    """The image in sRGB, through the profile that it brings; a profile that does not fit it is left out."""
    from PIL import ImageCms

    try:
        if len(profile) > MAX_PROFILE_BYTES:
            raise ValueError("no profile of a device is as large")
        source = ImageCms.ImageCmsProfile(BytesIO(profile))
        space = source.profile.xcolor_space.strip()
        if space == "RGB" and "sRGB" in (source.profile.profile_description or ""):
            return image
        if image.mode == "P" or (image.mode == "L" and space == "RGB"):
            image = image.convert("RGB")
        if {"GRAY": "L"}.get(space, space) != image.mode:
            raise ValueError("the profile is of another colour space")
        converted = ImageCms.profileToProfile(
            image,
            source,
            ImageCms.createProfile("sRGB"),
            renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
            outputMode="RGB",
            flags=ImageCms.Flags.BLACKPOINTCOMPENSATION,
        )
    except Exception:  # noqa: BLE001 - the picture is whole, only its colours are a guess, and that is said
        notices.append(("images.profile_ignored", {}))
        return image
    return converted or image  # None only where it converts in place
