"""Which model of the catalogue runs in which mode, with what, and why not: the tables of compatibility.md."""

from __future__ import annotations

from docker_files import NOWHERE
from generate import table

from arena.catalog import load_catalog
from arena.models_table import number
from arena.spec import Mode, ModelSpec


def specs() -> list[ModelSpec]:
    return load_catalog(NOWHERE).visible(dev=False)


def modes() -> str:
    """A row a model: what it takes in each mode, or the reason why it does not run there."""
    heads = ("Model", "`ID`", "transformers", "vLLM", "Interpreter for transformers", "Number formats")
    return table(heads, (row(spec) for spec in specs()))


def row(spec: ModelSpec) -> tuple[str, ...]:
    ours = spec.in_mode("transformers")
    embedded = spec.mode == "embedded"
    return (
        spec.title,
        f"`{spec.id}`",
        "in the program itself, without a GPU" if embedded else told(spec, "transformers"),
        "—" if embedded else told(spec, "vllm"),
        "—" if embedded else f"`{ours.interpreter}`",
        "—" if embedded else ", ".join(spec.dtypes),
    )


def told(spec: ModelSpec, name: str) -> str:
    mode = next((mode for mode in spec.modes if mode.name == name), None)
    if mode is None:
        return "—"
    return f"no: {mode.why_not['en']}" if mode.why_not else f"yes, GB: {memory(mode)}"


def memory(mode: Mode) -> str:
    names = {"none": "", "8bit": " in 8-bit", "4bit": " in 4-bit"}
    return ", ".join(f"{number(gb, 'en')}{names[name]}" for name, gb in mode.vram_gb.items()) or "?"


def containers() -> str:
    """A row a container: what it is called, where it listens, what it is told."""
    heads = ("Model", "Container", "Port", "Tokens", "Share of the GPU", "First start, s", "Further arguments")
    rows = []
    for spec in specs():
        container = spec.in_mode("vllm").container
        if container and not spec.in_mode("vllm").why_not:
            flags = (["--enforce-eager"] if container.enforce_eager else []) + list(container.flags)
            rows.append(
                (
                    spec.title,
                    f"`{container.name}`",
                    str(container.port),
                    str(container.max_model_len),
                    f"{container.gpu_memory_utilization:g}",
                    f"{container.start_budget_s:g}",
                    f"`{' '.join(flags)}`" if flags else "—",
                )
            )
    return table(heads, rows)
