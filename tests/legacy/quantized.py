"""Which layers of a quantised model are quantised: python quantized.py FAMILY FOLDER BITS."""

import json
import sys

from adapters.base import adapter_class

family, folder, bits = sys.argv[1:]
adapter = adapter_class(family)()
adapter.load({"source": folder, "trust_remote_code": True, "quantization": bits})
layers = {name: type(layer).__name__ for name, layer in adapter._model.named_modules()}
quantized = "Linear8bitLt" if bits == "8bit" else "Linear4bit"
told = {
    "plain": [name for name, kind in layers.items() if kind == "Linear"],
    "quantized": [name for name, kind in layers.items() if kind == quantized],
}
print(json.dumps(told))
