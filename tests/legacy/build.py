"""Builds a small random model of one family with code of its own; run under the family's interpreter.

python tests/legacy/build.py FAMILY FOLDER
"""

import importlib
import json
import re
import shutil
import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent.parent))

from adapters.deepseek_vl2 import attention  # noqa: E402
from adapters.remote_code import stand_in  # noqa: E402
from tests.tiny import tokenizer  # noqa: E402

LANGUAGE = {
    "hidden_size": 64, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2,
    "num_key_value_heads": 2, "max_position_embeddings": 8192, "initializer_range": 0.3, "tie_word_embeddings": False,
}  # fmt: skip
CHAT = (
    "{% for message in messages %}<|user|>\n{{ message['content'] }}<|end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>\n{% endif %}"
)


def package(family, folder):
    """The family's code in the folder of the checkpoint and importable here, as transformers would have it."""
    shutil.copytree(
        HERE / "packages" / family, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__")
    )
    sys.path.insert(0, str(HERE / "packages"))
    return lambda name: importlib.import_module(f"{family}.{name}")


def save(folder, model, words, auto_map, **files):
    """Little of an image reaches a random model: it is made louder, so that another image is another answer."""
    for name, weight in model.named_parameters():
        if re.search("vision|vpm|projector|patch", name):
            weight.data.mul_(10)
    model.save_pretrained(folder, safe_serialization=True)
    words.save_pretrained(folder)
    for name, more in {"config": {"auto_map": auto_map}, **files}.items():
        path = folder / f"{name}.json"
        known = json.loads(path.read_text()) if path.exists() else {}
        path.write_text(json.dumps(known | more, indent=1))


def phi3_vision(folder):
    module = package("phi3_vision", folder)
    words = tokenizer(
        ["<|endoftext|>", "<|user|>", "<|end|>", "<|assistant|>"], eos_token="<|endoftext|>", pad_token="<|endoftext|>"
    )
    words.chat_template = CHAT
    config = module("configuration_phi3_v").Phi3VConfig(vocab_size=len(words), pad_token_id=0, **LANGUAGE)
    model = module("modeling_phi3_v").Phi3VForCausalLM(config)
    names = {
        "AutoConfig": "configuration_phi3_v.Phi3VConfig",
        "AutoModelForCausalLM": "modeling_phi3_v.Phi3VForCausalLM",
    }
    processors = {
        "AutoProcessor": "processing_phi3_v.Phi3VProcessor",
        "AutoImageProcessor": "processing_phi3_v.Phi3VImageProcessor",
    }
    preprocessor = {"auto_map": processors, "image_processor_type": "Phi3VImageProcessor", "num_crops": 4}
    save(folder, model, words, names, preprocessor_config=preprocessor)


def internvl2(folder):
    module = package("internvl2", folder)
    special = [
        "<s>",
        "<|im_start|>",
        "<|im_end|>",
        "<img>",
        "</img>",
        "<IMG_CONTEXT>",
        "<ref>",
        "</ref>",
        "<box>",
        "</box>",
    ]
    words = tokenizer(special, eos_token="<|im_end|>", pad_token="<|im_end|>")
    config = module("configuration_internvl_chat").InternVLChatConfig(
        vision_config={"image_size": 28}, llm_config={"vocab_size": len(words), **LANGUAGE}, force_image_size=28
    )
    names = {
        "AutoConfig": "configuration_internvl_chat.InternVLChatConfig",
        "AutoModel": "modeling_internvl_chat.InternVLChatModel",
    }
    save(folder, module("modeling_internvl_chat").InternVLChatModel(config), words, names)


def minicpm_v(folder):
    module = package("minicpm_v", folder)
    words = tokenizer(["<unk>", "<|im_start|>", "<|im_end|>"], eos_token="<|im_end|>", unk_token="<unk>")
    config = module("configuration_minicpm").MiniCPMVConfig(vocab_size=len(words), **LANGUAGE)
    names = {"AutoConfig": "configuration_minicpm.MiniCPMVConfig", "AutoModel": "modeling_minicpmv.MiniCPMV"}
    processors = {
        "AutoProcessor": "processing_minicpmv.MiniCPMVProcessor",
        "AutoImageProcessor": "processing_minicpmv.MiniCPMVImageProcessor",
    }
    preprocessor = {"auto_map": processors, "image_processor_type": "MiniCPMVImageProcessor"}
    save(folder, module("modeling_minicpmv").MiniCPMV(config), words, names, preprocessor_config=preprocessor)


def moondream(folder):
    """Its tokenizer lies in the Hub's cache under a name of its own, as a download would leave it."""
    from huggingface_hub import constants

    words = tokenizer(["<|endoftext|>"], eos_token="<|endoftext|>")
    starmie = Path(constants.HF_HUB_CACHE) / "models--moondream--starmie-v1"
    (starmie / "refs").mkdir(parents=True, exist_ok=True)
    (starmie / "refs" / "main").write_text("0" * 40)
    words.save_pretrained(starmie / "snapshots" / ("0" * 40))
    module = package("moondream", folder)
    names = {"AutoConfig": "hf_moondream.HfConfig", "AutoModelForCausalLM": "hf_moondream.HfMoondream"}
    save(folder, module("hf_moondream").HfMoondream(module("hf_moondream").HfConfig()), words, names)


def dots_ocr(folder):
    from transformers import Qwen2VLImageProcessor

    stand_in("flash_attn", flash_attn_varlen_func=None)
    module = package("dots_ocr", folder)
    special = ["<|endoftext|>", "<|user|>", "<|endofuser|>", "<|assistant|>", "<|img|>", "<|imgpad|>", "<|endofimg|>"]
    words = tokenizer(special, eos_token="<|endoftext|>", pad_token="<|endoftext|>")
    config = module("configuration_dots").DotsOCRConfig(
        image_token_id=words.convert_tokens_to_ids("<|imgpad|>"), vision_config={"attn_implementation": "sdpa"},
        vocab_size=len(words), eos_token_id=0, pad_token_id=0, **LANGUAGE,
    )  # fmt: skip
    model = module("modeling_dots_ocr").DotsOCRForCausalLM(config)
    names = {
        "AutoConfig": "configuration_dots.DotsOCRConfig", "AutoModelForCausalLM": "modeling_dots_ocr.DotsOCRForCausalLM"
    }  # fmt: skip
    Qwen2VLImageProcessor(temporal_patch_size=1, min_pixels=3136, max_pixels=11289600).save_pretrained(folder)
    preprocessor = {
        "auto_map": {"AutoProcessor": "configuration_dots.DotsVLProcessor"},
        "processor_class": "DotsVLProcessor",
    }
    save(folder, model, words, names, preprocessor_config=preprocessor)
    config = json.loads((folder / "config.json").read_text())
    config["vision_config"]["attn_implementation"] = "flash_attention_2"  # as it is published
    (folder / "config.json").write_text(json.dumps(config))


MARKS = ["<|ref|>", "<|/ref|>", "<|det|>", "<|/det|>", "<|grounding|>"]


def deepseek_ocr(folder):
    module = package("deepseek_ocr", folder)
    words = tokenizer(["<|endoftext|>", *MARKS], eos_token="<|endoftext|>", pad_token="<|endoftext|>")
    config = module("configuration_deepseek_ocr").DeepseekOCRConfig(vocab_size=len(words), **LANGUAGE)
    names = {
        "AutoConfig": "configuration_deepseek_ocr.DeepseekOCRConfig",
        "AutoModel": "modeling_deepseekocr.DeepseekOCRForCausalLM",
    }
    save(folder, module("modeling_deepseekocr").DeepseekOCRForCausalLM(config), words, names)


def deepseek_vl2(folder):
    """Its code is a package of its own, so the folder holds weights and words alone."""
    stand_in("xformers.ops", memory_efficient_attention=attention)
    sys.path.insert(0, str(HERE / "packages" / "deepseek_vl2"))
    models = importlib.import_module("deepseek_vl2.models")
    words = tokenizer(["<|endoftext|>", "<|User|>", "<|Assistant|>", *MARKS], eos_token="<|endoftext|>")
    config = models.DeepseekVLV2ForCausalLM.config_class(vocab_size=len(words), **LANGUAGE)
    save(folder, models.DeepseekVLV2ForCausalLM(config), words, {})


if __name__ == "__main__":
    import torch

    torch.manual_seed(0)
    target = Path(sys.argv[2])
    target.mkdir(parents=True, exist_ok=True)
    globals()[sys.argv[1]](target)
