"""Whether a loaded model's tables equal those of one built directly, also after they were spoilt."""

import json
import sys
from pathlib import Path

import torch
import transformers

from adapters.remote_code import load, renew_buffers, snapshot, stand_in

family, folder = sys.argv[1], Path(sys.argv[2])
stand_in("flash_attn", flash_attn_varlen_func=None)
entry = {"source": str(folder), "trust_remote_code": True}
auto = {"internvl2": "AutoModel", "minicpm_v": "AutoModel"}.get(family, "AutoModelForCausalLM")
config = transformers.AutoConfig.from_pretrained(snapshot(entry), trust_remote_code=True)
if family == "dots_ocr":
    config.vision_config.attn_implementation = "sdpa"
model = load(getattr(transformers, auto), folder, entry, [], config)
direct = type(model)(config)
saved = set(model.state_dict())


def tables(of):
    return {name: table for name, table in of.named_buffers() if name not in saved}


def equal():
    theirs = tables(direct)
    return all(torch.equal(table, theirs[name]) for name, table in tables(model).items())


after_load = equal()
for table in tables(model).values():
    table.copy_(torch.zeros_like(table))
spoilt = sorted(tables(model))
renewed = sorted(renew_buffers(model))
print(
    json.dumps({"equal_after_load": after_load, "spoilt": spoilt, "renewed": renewed, "equal_after_renewal": equal()})
)
