"""The catalogue as a Markdown table, for the documents."""

from __future__ import annotations

from arena.catalog import Catalog, Mode, ModelSpec
from arena.strings import tr

MODES = ("transformers", "vllm")


def models_table(catalog: Catalog, lang: str = "en") -> str:
    """One row a model that users choose from; memory without quantization, 8-bit and 4-bit where they are possible."""
    columns = ["model", "id", "parameters", "size", "tasks", "languages", "licence", "note"]
    heads = {column: tr(f"models.table.{column}", lang) for column in columns}
    modes = [tr("models.table.mode", lang, mode=mode) for mode in MODES]
    rows = [[*list(heads.values())[:4], *modes, *list(heads.values())[4:]]]
    rows.append(["---"] * len(rows[0]))
    rows += [row(spec, lang) for spec in catalog.visible(dev=False)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in rows)


def row(spec: ModelSpec, lang: str) -> list[str]:
    gated = f" ({tr('models.table.gated', lang)})" if spec.gated else ""
    return [
        spec.title,
        f"`{spec.id}`",
        spec.parameters or "—",
        number(spec.size_gb, lang) if spec.size_gb else "—",
        *(cell(spec, name, lang) for name in MODES),
        ", ".join(spec.tasks),
        ", ".join(spec.languages),
        spec.licence + gated,
        spec.note(lang),
    ]


def cell(spec: ModelSpec, name: str, lang: str) -> str:
    mode = next((mode for mode in spec.modes if mode.name == name), None)
    if mode is None:
        embedded = name == "transformers" and any(mode.name == "embedded" for mode in spec.modes)
        return tr("models.table.embedded", lang) if embedded else "—"
    return mode.why_not.get(lang) or figures(mode, lang)


def figures(mode: Mode, lang: str) -> str:
    known = [
        f"{number(gb, lang)} ({name})" if name != "none" else number(gb, lang) for name, gb in mode.vram_gb.items()
    ]
    return " · ".join(known) or "?"


def number(value: float, lang: str) -> str:
    return f"{value:g}".replace(".", ",") if lang == "ru" else f"{value:g}"
