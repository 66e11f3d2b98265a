"""What DeepSeek-VL2 says where its makers' package is not installed: python unpackaged.py FOLDER."""

import json
import sys

from adapters.base import AdapterError
from adapters.deepseek_vl2 import DeepSeekVL2

sys.path[:] = [path for path in sys.path if not path.endswith("packages/deepseek_vl2")]
try:
    DeepSeekVL2().load({"source": sys.argv[1], "trust_remote_code": True})
except AdapterError as error:
    print(json.dumps({"kind": error.kind, "detail": error.detail}))
