"""Which layers are plain and which quantised, in 8 and in 4 bits: python quantized.py FAMILY FOLDER."""

import json
import sys

from adapters.base import adapter_class

family, folder = sys.argv[1:]
told = {}
for bits, kind in {"8bit": "Linear8bitLt", "4bit": "Linear4bit"}.items():
    adapter = adapter_class(family)()
    adapter.load({"source": folder, "trust_remote_code": True, "quantization": bits})
    layers = {name: type(layer).__name__ for name, layer in adapter._model.named_modules()}
    told[bits] = {each: sorted(name for name in layers if layers[name] == each) for each in ("Linear", kind)}
print(json.dumps(told))
