"""A checkpoint of transformers 5 in memory: the right precision, the right layers quantised, nothing random in it."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

from adapters.base import AdapterError

DTYPES = {"bf16": "bfloat16", "fp16": "float16", "fp32": "float32"}
VISUAL_TOKENS = 1280  # the most an image may cost where the checkpoint itself allows up to 16384

# What quantization leaves alone: the image encoder, its bridge to the language model and the output layer. In full
# dotted names, for a bare ``visual`` matches nothing; with the output layer, for this replaces the automatic list.
SKIPPED = {
    "qwen2_vl": ["model.visual", "lm_head"],
    "qwen2_5_vl": ["model.visual", "lm_head"],
    "qwen3_vl": ["model.visual", "lm_head"],
    "got_ocr2": ["model.vision_tower", "model.multi_modal_projector", "lm_head"],
    "internvl": ["model.vision_tower", "model.multi_modal_projector", "lm_head"],
    "idefics3": ["model.vision_model", "model.connector", "lm_head"],
    "smolvlm": ["model.vision_model", "model.connector", "lm_head"],
    "mllama": ["model.vision_model", "model.multi_modal_projector", "lm_head"],
}


def load(model: dict[str, Any]) -> tuple[Any, Any, str]:
    """The model, ready to generate, its processor, and the commit they are of, "" for a folder.

    model: what `Adapter.load` is given; ``options`` may hold ``skip_modules`` (instead of the family's own list) and
    ``image_processor`` (attributes to set on it). Raises `AdapterError` for weights that are missing or do not fit.
    """
    from transformers import AutoConfig, AutoModelForImageTextToText, AutoProcessor
    from transformers.utils import cached_file

    be_quiet()
    options = model.get("options") or {}
    version: dict[str, Any] = {"local_files_only": True}
    if model.get("revision"):
        version["revision"] = model["revision"].removeprefix("pin:")
    place = Path(cached_file(model["source"], "config.json", **version)).parent
    source = {"pretrained_model_name_or_path": model["source"], **version}
    config = AutoConfig.from_pretrained(**source)
    processor = AutoProcessor.from_pretrained(**source)
    bound_pixels(processor.image_processor, options.get("image_processor") or {})
    device = model.get("device", "cpu")
    dtype = chosen_dtype(model.get("dtype", "auto"), stored_dtype(config), device)
    skipped = options.get("skip_modules") or SKIPPED.get(config.model_type)
    loaded, report = AutoModelForImageTextToText.from_pretrained(
        **source,
        dtype=dtype or "auto",
        quantization_config=quantization(model.get("quantization", "none"), skipped, dtype),
        device_map={"": device},
        use_safetensors=True,  # the other form is a pickle, which runs code when it is opened
        output_loading_info=True,
        ignore_mismatched_sizes=True,  # told below, by name
    )
    # A model with random weights answers fluent nonsense: better none at all.
    misfits = {f"{name} {list(found)} instead of {list(meant)}" for name, found, meant in report["mismatched_keys"]}
    if absent := sorted({*report["missing_keys"]} | misfits):
        raise AdapterError("start_failed", f"weights missing from the checkpoint: {', '.join(absent[:8])}")
    return loaded.eval(), processor, place.name if place.parent.name == "snapshots" else ""


def be_quiet() -> None:
    """No progress bars and no advice to developers in the worker's log, where its last words are looked for."""
    from transformers.utils import logging

    logging.set_verbosity_error()
    logging.disable_progress_bar()
    warnings.filterwarnings("ignore", message="MatMul8bitLt: inputs will be cast")


def stored_dtype(config: Any) -> Any:
    """The dtype the checkpoint was saved in, None where it does not say."""
    import torch

    said = getattr(config, "dtype", None) or getattr(config.get_text_config(), "dtype", None)
    return getattr(torch, said.removeprefix("torch.")) if isinstance(said, str) else said


def chosen_dtype(name: str, stored: Any, device: str) -> Any:
    """The dtype for ``auto``, ``bf16``, ``fp16`` or ``fp32``; None leaves it to the weights.

    ``auto`` is what is stored, for a cast costs twice the time of the load, but bf16 becomes fp16 on a GPU that has
    no bf16 of its own (before compute capability 8.0) and would emulate it.
    """
    import torch

    if name != "auto":
        return getattr(torch, DTYPES[name])
    if stored is torch.bfloat16 and device.startswith("cuda") and torch.cuda.get_device_capability(device) < (8, 0):
        return torch.float16
    return stored


def quantization(name: str, skipped: list[str] | None, dtype: Any) -> Any:
    """The bitsandbytes configuration for ``8bit`` or ``4bit``, None for ``none``. `dtype`: what 4-bit computes in."""
    if name == "none":
        return None
    from transformers import BitsAndBytesConfig

    if not skipped:
        raise AdapterError("start_failed", "quantization of this family needs skip_modules in the model's options")
    if name == "8bit":
        return BitsAndBytesConfig(load_in_8bit=True, llm_int8_skip_modules=skipped)
    return BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_compute_dtype=dtype,
        llm_int8_skip_modules=skipped,
    )


def bound_pixels(image_processor: Any, wanted: dict[str, Any]) -> None:
    """Set what the catalogue says about the image processor, and bound Qwen-VL's budget if it says nothing.

    There ``size`` counts pixels: ``shortest_edge`` is the least, ``longest_edge`` the most.
    """
    for name, value in wanted.items():
        if not hasattr(image_processor, name):
            raise AdapterError("start_failed", f"{type(image_processor).__name__} has no {name} to set")
        old = getattr(image_processor, name)
        setattr(image_processor, name, type(old)(**value) if isinstance(value, dict) else value)
    if "size" in wanted or not hasattr(image_processor, "merge_size"):
        return
    size = image_processor.size
    most = VISUAL_TOKENS * (image_processor.patch_size * image_processor.merge_size) ** 2
    if size["longest_edge"] > most:
        sides = {"shortest_edge": min(size["shortest_edge"], most), "longest_edge": most}
        image_processor.size = type(size)(**sides)
