"""One page of a PDF → one picture, its size settled before anything is drawn; through PDFium.

Runs inside the decoder's process (`arena.decode`), which is ended when a page takes too long or too much memory.
PDFium is built without JavaScript and XFA here, so nothing in a file is executed and nothing is fetched.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from arena.pixels import MAX_SIDE, Notices, Refused, check_size

if TYPE_CHECKING:
    from PIL import Image

DPI = 200  # what document models were trained on
POINTS = 72  # of a PDF in an inch
TAIL = 16_384  # the end of a file where its last mark is looked for; mail gateways add lines after it


def opened(data: bytes) -> Any:
    """The `pypdfium2.PdfDocument`. Raises `Refused` when it is encrypted, damaged or cut off, or has no pages."""
    try:
        import pypdfium2
        from pypdfium2 import raw
    except ImportError:
        raise Refused("images.needs_library", format="PDF", library="pypdfium2") from None

    try:
        document = pypdfium2.PdfDocument(data)
    except pypdfium2.PdfiumError as error:
        if error.err_code in (raw.FPDF_ERR_PASSWORD, raw.FPDF_ERR_SECURITY):
            raise Refused("images.pdf_encrypted") from error
        if error.err_code == raw.FPDF_ERR_SUCCESS:  # the file was read, and there was no page in it
            raise Refused("images.pdf_no_pages") from error
        raise Refused("images.pdf_damaged") from error
    # PDFium mends a file that was cut off, and draws what is lost as white.
    if b"%%EOF" not in data.rstrip(b"\0\r\n\t ")[-TAIL:]:
        raise Refused("images.pdf_damaged")
    document.init_forms()  # otherwise what was filled into a form is not drawn
    if len(document) == 0:
        raise Refused("images.pdf_no_pages")
    return document


def count(data: bytes) -> int:
    """Number of pages. Raises `Refused`."""
    return len(opened(data))


def drawn(data: bytes, page: int, max_pixels: int) -> tuple[Image.Image, tuple[int, int], Notices]:
    """Page number `page` (from 1), its size at 200 dpi in pixels, and what to tell. Raises `Refused`."""
    document = opened(data)
    pages = len(document)
    if not 1 <= page <= pages:
        raise Refused("images.page_range", page=page, pages=pages)
    import pypdfium2

    try:
        sheet = document[page - 1]
        width, height = sheet.get_size()  # in points, turned as the page says
        check_box(sheet, page, width * height)
        scale = bounded_scale(width, height, max_pixels)
        check_size(math.ceil(width * scale), math.ceil(height * scale), max_pixels)
        picture = sheet.render(scale=scale, rev_byteorder=True).to_pil().convert("RGB")
    except pypdfium2.PdfiumError as error:
        raise Refused("images.pdf_damaged") from error
    notices: Notices = []
    if pages > 1:
        notices.append(("images.pdf_page", {"page": page, "pages": pages}))
    if scale < DPI / POINTS:
        notices.append(("images.pdf_reduced", {"dpi": f"{scale * POINTS:.3g}", "usual": DPI}))
    return picture, (math.ceil(width * DPI / POINTS), math.ceil(height * DPI / POINTS)), notices


def check_box(sheet: Any, page: int, area: float) -> None:
    """PDFium draws a page of no size as a white US Letter, which would be a false picture; one whose crop lies beside
    it has no area."""
    box = sheet.get_mediabox(fallback_ok=False)
    if area <= 0 or (box and (box[2] == box[0] or box[3] == box[1])):
        raise Refused("images.pdf_empty_page", page=page)


def bounded_scale(width: float, height: float, max_pixels: int) -> float:
    """Pixels a point: 200 dpi, or the most that keeps within the limits (width and height in points).

    PDFium rounds both sides up, so the area is at most (width·s + 1)(height·s + 1): the s at which that is
    `max_pixels` is the positive root of a quadratic equation.
    """
    area, half = width * height, width + height
    by_area = (math.sqrt(half**2 + 4 * area * (max_pixels - 1)) - half) / (2 * area)
    return min(DPI / POINTS, by_area, (MAX_SIDE - 1) / max(width, height))
