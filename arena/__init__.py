"""Compare vision-language models on one GPU, one after the other.

>>> from arena import compare, load_model                                   # doctest: +SKIP
>>> runs = compare("scan.png", ["rapidocr", "tesseract"], language="ru")    # doctest: +SKIP
>>> with load_model("tesseract") as model:                                  # doctest: +SKIP
...     print(model.extract_text("scan.png", language="Russian"))
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from arena.python_api import Model, ModelLoader, compare, load_model

__all__ = ["Model", "ModelLoader", "compare", "load_model"]


def __getattr__(name: str) -> Any:
    # Late, so that `import arena.config` and the like do not open half the program.
    if name in __all__:
        from arena import python_api

        return getattr(python_api, name)
    raise AttributeError(name)


class _Package(ModuleType):
    """Keeps `arena.compare` the function, whoever has imported the file of that name before."""

    @property
    def compare(self) -> Any:
        return __getattr__("compare")

    @compare.setter
    def compare(self, module: ModuleType) -> None:
        """The import system puts the submodule here; ``from arena.compare import …`` does not need it."""


sys.modules[__name__].__class__ = _Package
