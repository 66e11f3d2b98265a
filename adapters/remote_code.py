"""Models that bring their own code: run at one fixed commit only, loaded whole, spoken to by the call they document.

Their code was written for transformers of 2024 and 2025, so they live in an older interpreter; what is here and what it
uses of `adapters` works in all of them.
"""

from __future__ import annotations

import contextlib
import importlib.util
import json
import re
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

from adapters.base import AdapterError, Job, Output
from adapters.torch_generation import Answer, PeakMemory
from adapters.torch_loading import be_quiet, chosen_dtype, quantization

COMMIT = re.compile(r"[0-9a-f]{40}")
# Files whose ``auto_map`` says which code is run.
MAPS = ("config.json", "tokenizer_config.json", "processor_config.json", "preprocessor_config.json")
PRELOAD = ("torch", "transformers", "transformers.generation.utils", "transformers.models.auto.modeling_auto")


def snapshot(model: dict[str, Any]) -> Path:
    """The folder with the weights and the code of a model, fit to be run.

    model: what `Adapter.load` is given. Raises `AdapterError` for an entry that does not allow code, a revision that
    may move, a model that is not on this machine and code that would come from yet another repository.
    """
    if not model.get("trust_remote_code"):
        raise AdapterError("start_failed", "the model runs code of its own; its entry has no trust_remote_code: true")
    folder = Path(model["source"])
    if not folder.is_absolute():
        folder = downloaded(model["source"], str(model.get("revision", "")))
    if "." in folder.name:
        raise AdapterError("start_failed", f"Python imports no code from {folder.name}: rename it without a dot")
    if foreign := foreign_code(folder):
        raise AdapterError("start_failed", f"the model wants to run code from other repositories: {', '.join(foreign)}")
    place_code(folder)
    return folder


def downloaded(source: str, commit: str) -> Path:
    """The folder of one commit in the Hub's cache."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import LocalEntryNotFoundError

    if not COMMIT.fullmatch(commit):
        raise AdapterError("start_failed", f"the code of {source} is run at a fixed commit only, not at {commit!r}")
    try:
        return Path(snapshot_download(source, revision=commit, local_files_only=True))
    except LocalEntryNotFoundError as error:
        raise AdapterError("unavailable", f"{source} at {commit} is not on this machine") from error


def fix_commits(also: dict[str, str]) -> None:
    """Have what a model's code takes from further repositories, by name alone, come at the commit given for each."""
    import huggingface_hub

    plain = huggingface_hub.hf_hub_download

    def fixed(repo_id: str, *arguments: Any, **named: Any) -> Any:
        if repo_id in also:
            named["revision"] = also[repo_id]
        return plain(repo_id, *arguments, **named)

    huggingface_hub.hf_hub_download = fixed


def commit_of(folder: Path) -> str:
    """The commit of a folder in the Hub's cache, "" for any other."""
    return folder.name if COMMIT.fullmatch(folder.name) else ""


def foreign_code(folder: Path) -> list[str]:
    """Other repositories that a model's ``auto_map`` would take code from."""
    found: set[str] = set()
    for name in MAPS:
        if not (folder / name).is_file():
            continue
        said = json.loads((folder / name).read_text(encoding="utf-8")).get("auto_map", {})
        values = said.values() if isinstance(said, dict) else [said]
        classes = [each for value in values for each in (value if isinstance(value, list) else [value])]
        found |= {each.split("--")[0] for each in classes if isinstance(each, str) and "--" in each}
    return sorted(found)


def place_code(folder: Path) -> None:
    """Put all modules of a model where transformers imports them from: by itself it misses imports of imports."""
    from transformers import dynamic_module_utils

    package = Path("transformers_modules") / folder.name
    dynamic_module_utils.create_dynamic_module(package)
    target = Path(dynamic_module_utils.HF_MODULES_CACHE) / package
    for file in folder.rglob("*.py"):
        copy = target / file.relative_to(folder)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, copy)


def config_of(folder: Path) -> Any:
    from transformers import AutoConfig

    be_quiet()
    return AutoConfig.from_pretrained(folder, trust_remote_code=True, local_files_only=True)


def load(auto: Any, folder: Path, model: dict[str, Any], unquantized: list[str], config: Any = None) -> Any:
    """The model, whole and ready to generate.

    auto: the class of transformers that finds the model's own. unquantized: names of the parts that quantization leaves
    alone: the image encoder, its bridge and the output layer. Raises `AdapterError` for missing weights.
    """
    config = config or config_of(folder)
    allow_bitsandbytes()
    device = model.get("device", "cpu")
    dtype = chosen_dtype(model.get("dtype", "auto"), dtype_of(config), device)
    loaded, report = auto.from_pretrained(
        folder,
        config=config,
        trust_remote_code=True,
        local_files_only=True,
        torch_dtype=dtype or "auto",
        quantization_config=quantization(model.get("quantization", "none"), unquantized, dtype),
        device_map={"": device},
        use_safetensors=True,  # the other form is a pickle, which runs code when it is opened
        output_loading_info=True,
    )
    # A model with random weights answers fluent nonsense: better none at all.
    if absent := sorted({*report["missing_keys"], *map(str, report["mismatched_keys"])}):
        raise AdapterError("start_failed", f"weights missing from the checkpoint: {', '.join(absent[:8])}")
    renew_buffers(loaded)
    return loaded.eval()


def allow_bitsandbytes() -> None:
    """Older transformers checks bitsandbytes in a way that today's fails, and denies that it runs on a CPU."""
    from transformers.integrations import bitsandbytes

    bitsandbytes._validate_bnb_multi_backend_availability = lambda raise_exception: True


def dtype_of(config: Any) -> Any:
    """The dtype the checkpoint was saved in, None where it does not say."""
    import torch

    said = getattr(config, "torch_dtype", None)
    return getattr(torch, said.removeprefix("torch.")) if isinstance(said, str) else said


def renew_buffers(model: Any) -> list[str]:
    """Compute anew the buffers that no checkpoint holds, such as tables of rotary angles; names of those that differed.

    transformers builds a model without memory for its tensors first, and what code of another age computes while it is
    built may be lost in that. A second model, whose buffers alone are real, shows what they should be.
    """
    import torch
    from accelerate import init_empty_weights

    default = torch.get_default_dtype()
    torch.set_default_dtype(model.dtype if model.dtype.is_floating_point else default)
    try:
        with init_empty_weights(include_buffers=False):
            direct = type(model)(model.config)
    finally:
        torch.set_default_dtype(default)
    saved = set(model.state_dict())
    renewed = []
    for name, value in direct.named_buffers():
        if name in saved or value.is_meta:
            continue
        path, _, leaf = name.rpartition(".")
        owner = model.get_submodule(path)
        old = owner._buffers[leaf]
        value = value if old is None else value.to(old.dtype)
        if old is None or old.is_meta or old.shape != value.shape or not torch.equal(old.cpu(), value):
            owner._buffers[leaf] = value.to(model.device)
            renewed.append(name)
    return renewed


def picture(job: Job) -> Any:
    """The image of a job. Raises `AdapterError` (``bad_input``)."""
    from PIL import Image

    try:
        with Image.open(job.image) as file:
            return file.convert("RGB")
    except OSError as error:
        raise AdapterError("bad_input", f"The image cannot be read: {error}") from error


class Finished(Exception):
    """Ends a model's own call before it decodes and cuts what was streamed already."""


class Call:
    """A model's own call, such as ``model.chat(…)``, in the form of a model that `Answer` can drive.

    The call reaches ``language.generate`` with what it thinks right; there our arguments (the streamer, the limits, the
    sampling) take the place of its own. prompt_tokens, visual_tokens: of the prompt it made, known once it generates.
    """

    def __init__(self, language: Any, call: Callable[[], Any]) -> None:
        self._language = language
        self._call = call
        self.prompt_tokens: int | None = None
        self.visual_tokens: int | None = None
        self.generation_config = SimpleNamespace(eos_token_id=language.generation_config.eos_token_id)

    def generate(self, **ours: Any) -> None:
        generate = self._language.generate

        def replaced(*args: Any, **theirs: Any) -> Any:
            prompt = next(
                (theirs[name] for name in ("inputs_embeds", "input_ids") if theirs.get(name) is not None), None
            )
            prompt = args[0] if prompt is None and args else prompt
            self.prompt_tokens = None if prompt is None else int(prompt.shape[1])
            if (mask := theirs.get("images_seq_mask")) is not None:
                self.visual_tokens = int(mask.sum()) or None
            if theirs.get("eos_token_id") is not None:
                self.generation_config.eos_token_id = theirs["eos_token_id"]
            generate(*args, **{**theirs, **ours})
            raise Finished

        self._language.generate = replaced
        try:
            with contextlib.suppress(Finished):
                self._call()
        finally:
            del self._language.generate


def tell(
    answer: Answer,
    memory: PeakMemory,
    fields: Callable[[str], dict[str, Any]],
    shown: Callable[[Iterable[str]], Iterable[str]] = iter,
) -> Iterator[str | Output]:
    """The pieces of an answer, then its `Output` with what `fields` makes of the whole text.

    shown: what of the pieces is for the reader, as pieces again.
    """
    said: list[str] = []
    for piece in shown(answer):
        said.append(piece)
        yield piece
    text = "".join(said)
    yield Output(
        text=text,
        finish_reason="length" if answer.length else "stop",
        output_tokens=len(answer.tokens) or None,
        **fields(text),
        **memory.fields(),
    )


def overlay() -> Path:
    """The folder of packages that this interpreter puts in front of the others."""
    import transformers

    return Path(transformers.__file__).parent.parent


def stand_in(name: str, **members: Any) -> bool:
    """A module of this name with these members where no real one is installed, so that code that imports it loads.

    True if it stands in, False if the real one is there.
    """
    parent, _, leaf = name.rpartition(".")
    if parent and not stand_in(parent):
        return False
    if name not in sys.modules:
        if not parent and importlib.util.find_spec(name) is not None:
            return False
        module = ModuleType(name)
        module.__spec__ = ModuleSpec(name, None)
        module.__path__ = []
        vars(module).update(members, stands_in=True)
        sys.modules[name] = module
        if parent:
            setattr(sys.modules[parent], leaf, module)
    return bool(getattr(sys.modules[name], "stands_in", False))
