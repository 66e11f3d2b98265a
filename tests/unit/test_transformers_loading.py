"""Weights in memory: whole or refused, in the precision asked for, with the right layers quantised and no others."""

from __future__ import annotations

import json
import shutil

import pytest
from PIL import Image
from safetensors.torch import load_file, save_file

from adapters.base import AdapterError, Job, Output, adapter_class
from adapters.torch_loading import SKIPPED, VISUAL_TOKENS, bound_pixels, chosen_dtype
from arena import hub
from arena.catalog import load_catalog
from arena.config import load_settings
from tests import tiny

FAMILIES = [tiny.qwen2_vl, tiny.qwen3_vl, tiny.idefics3, tiny.mllama, tiny.got_ocr]
MODEL_TYPES = {"got_ocr": "got_ocr2"}


@pytest.fixture(scope="module")
def picture(tmp_path_factory):
    path = tmp_path_factory.mktemp("picture") / "page.png"
    Image.linear_gradient("L").convert("RGB").resize((120, 90)).save(path)
    return path


def loaded(source, name="transformers_chat", **model):
    adapter = adapter_class(name)()
    adapter.load({"id": "tiny", "source": str(source), **model})
    return adapter


def answered(adapter, picture):
    output = list(adapter.predict(Job(str(picture), "What?", params={"max_new_tokens": 4})))[-1]
    assert isinstance(output, Output) and output.output_tokens == 4
    return output.text


@pytest.mark.parametrize("build", FAMILIES, ids=lambda build: build.__name__)
@pytest.mark.parametrize("quantization", ["8bit", "4bit"])
def test_only_the_language_model_is_quantised(build, quantization, picture, capfd):
    import torch

    name = "got_ocr" if build is tiny.got_ocr else "transformers_chat"
    adapter = loaded(tiny.built(build), name, quantization=quantization)
    kinds = {
        path: type(module).__name__
        for path, module in adapter._model.named_modules()
        if isinstance(module, torch.nn.Linear)
    }
    spared = SKIPPED[adapter._model.config.model_type]
    wanted = {"8bit": "Linear8bitLt", "4bit": "Linear4bit"}[quantization]
    inside = {path: kind for path, kind in kinds.items() if path.startswith(tuple(spared))}
    assert {kind for path, kind in kinds.items() if path not in inside} == {wanted}
    assert not any("bit" in kind for kind in inside.values())
    assert all(adapter._model.get_submodule(module) for module in spared)  # a name that matches nothing spares nothing
    assert "lm_head" in inside and len(inside) > 3 and len(kinds) - len(inside) >= 14
    answered(adapter, picture)
    assert capfd.readouterr() == ("", "")  # no bars, no advice


def test_a_family_nobody_described_is_not_quantised_at_random():
    from adapters.torch_loading import quantization

    with pytest.raises(AdapterError, match="skip_modules"):
        quantization("8bit", None, None)


@pytest.mark.parametrize("build", [tiny.qwen3_vl, tiny.idefics3, tiny.mllama], ids=lambda build: build.__name__)
@pytest.mark.parametrize("dtype", ["auto", "bf16", "fp16", "fp32"])
def test_precision_is_what_was_asked_for(build, dtype, picture):
    import torch

    adapter = loaded(tiny.built(build), dtype=dtype)
    wanted = {"bf16": torch.bfloat16, "fp16": torch.float16}.get(dtype, torch.float32)  # saved in fp32
    assert {parameter.dtype for parameter in adapter._model.parameters()} == {wanted}
    answered(adapter, picture)


def test_auto_is_what_was_saved():
    import torch

    assert chosen_dtype("auto", torch.bfloat16, "cpu") is torch.bfloat16
    assert chosen_dtype("auto", None, "cpu") is None
    assert chosen_dtype("fp16", torch.bfloat16, "cpu") is torch.float16


def changed(tmp_path, change):
    """A copy of a checkpoint with other tensors in it."""
    folder = shutil.copytree(tiny.built(tiny.qwen2_vl), tmp_path / "changed")
    tensors = load_file(folder / "model.safetensors")
    change(tensors)
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    return folder


@pytest.mark.battery("G2")
def test_missing_weights_are_refused_by_name(tmp_path):
    name = "model.layers.1.mlp.down_proj.weight"
    folder = changed(tmp_path, lambda tensors: tensors.pop(name))
    with pytest.raises(AdapterError, match=r"layers\.1\.mlp\.down_proj\.weight") as caught:
        loaded(folder)
    assert caught.value.kind == "start_failed"


def test_weights_of_another_shape_are_refused(tmp_path):
    name = "model.layers.1.mlp.down_proj.weight"
    folder = changed(tmp_path, lambda tensors: tensors.update({name: tensors[name][:, :64].contiguous()}))
    with pytest.raises(AdapterError, match="down_proj"):
        loaded(folder)


@pytest.mark.battery("M6")
def test_a_pickle_is_not_opened(tmp_path):
    import torch

    folder = shutil.copytree(tiny.built(tiny.qwen2_vl), tmp_path / "pickle")

    class Trap:
        def __reduce__(self):
            return (shutil.rmtree, (str(folder),))

    torch.save({"weight": Trap()}, folder / "pytorch_model.bin")
    (folder / "model.safetensors").unlink()
    with pytest.raises(OSError, match="safetensors"):
        loaded(folder)
    assert (folder / "config.json").is_file()


def test_qwens_budget_of_16384_tokens_is_bounded(tmp_path):
    """The published checkpoints allow a photo of a phone to cost more than the whole answer."""
    folder = shutil.copytree(tiny.built(tiny.qwen2_vl), tmp_path / "generous")
    path = folder / "processor_config.json"
    config = json.loads(path.read_text())
    config["image_processor"]["size"] = {"shortest_edge": 3136, "longest_edge": 12845056}
    path.write_text(json.dumps(config))
    photo = Image.new("RGB", (4000, 3000))

    def cost(adapter):
        inputs = adapter._inputs(Job("photo.png", "What?"), photo)
        return int((inputs["input_ids"] == adapter._model.config.image_token_id).sum())

    assert 0.9 * VISUAL_TOKENS < cost(loaded(folder)) <= VISUAL_TOKENS
    size = {"shortest_edge": 3136, "longest_edge": 28 * 28 * 100}
    assert 80 < cost(loaded(folder, options={"image_processor": {"size": size}})) <= 100
    more = {"shortest_edge": 3136, "longest_edge": 28 * 28 * 2000}  # somebody with a larger card
    assert 1800 < cost(loaded(folder, options={"image_processor": {"size": more}})) <= 2000


def test_a_misspelt_setting_of_the_image_processor_is_refused():
    with pytest.raises(AdapterError, match="sizes"):
        loaded(tiny.built(tiny.idefics3), options={"image_processor": {"sizes": {"longest_edge": 64}}})


def test_the_catalogue_sets_what_the_image_processors_have(tmp_path):
    """Of every native model, on the processor of its family; and only parameters that its adapter honours."""
    from transformers import Idefics3ImageProcessor, MllamaImageProcessor, Qwen2VLImageProcessor

    families = {"qwen": Qwen2VLImageProcessor, "smolvlm": Idefics3ImageProcessor, "llama": MllamaImageProcessor}
    entries = load_catalog(load_settings({"ARENA_HOME": str(tmp_path)})).models.values()
    native = [spec for spec in entries if spec.adapter in ("transformers_chat", "got_ocr")]
    assert len(native) == 9
    for spec in native:
        adapter = adapter_class(spec.adapter)
        assert set(spec.params) <= set(adapter.params) and set(spec.tasks) <= set(adapter.tasks)
        wanted = spec.options.get("image_processor", {})
        for family in [made() for name, made in families.items() if spec.id.startswith(name)]:
            bound_pixels(family, wanted)
            assert wanted and all(
                dict(getattr(family, name)) == value for name, value in wanted.items() if name == "size"
            )


@pytest.mark.parametrize("revision", ["v1.0", "pin:v1.0", "c" * 40])
def test_a_revision_is_loaded_and_its_commit_told(revision):
    """From the cache, without the network: a tag, a tag that was pinned, the commit itself."""
    folder = hub.repository("owner/tiny-qwen")
    if not folder.exists():
        for commit, seed in (("c" * 40, 1), ("d" * 40, 2)):
            tiny.qwen2_vl(folder / "snapshots" / commit, seed)
        (folder / "refs").mkdir()
        (folder / "refs" / "v1.0").write_text("c" * 40)
        (folder / "refs" / "main").write_text("d" * 40)
    adapter, other = (loaded("owner/tiny-qwen", revision=name) for name in (revision, "main"))
    assert (adapter.versions()["weights"], other.versions()["weights"]) == ("c" * 40, "d" * 40)
    first, second = (next(one._model.parameters()) for one in (adapter, other))
    assert not first.equal(second)
