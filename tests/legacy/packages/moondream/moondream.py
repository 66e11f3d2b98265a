"""A model in the manner of Moondream 2: it has a loop of its own, caches made late and tables no checkpoint holds."""

import numpy
import torch
from tokenizers import Tokenizer

from .rope import angles

WIDTH, CONTEXT = 32, 512


class MoondreamModel(torch.nn.Module):
    def __init__(self, dtype):
        super().__init__()
        self.tokenizer = Tokenizer.from_pretrained("moondream/starmie-v1")
        count = self.tokenizer.get_vocab_size()
        self.embed = torch.nn.Parameter(torch.randn(count, WIDTH, dtype=dtype) * 0.3)
        self.vision = torch.nn.Linear(3, WIDTH, dtype=dtype)
        self.mix = torch.nn.Linear(WIDTH, WIDTH, dtype=dtype)
        self.region = torch.nn.Linear(WIDTH, 4, dtype=dtype)
        self.register_buffer("freqs_cis", angles(WIDTH, CONTEXT), persistent=False)
        self.register_buffer("attn_mask", torch.tril(torch.ones(CONTEXT, CONTEXT, dtype=torch.bool)), persistent=False)

    def setup_caches(self):
        self.register_buffer("cache", torch.zeros(WIDTH, dtype=self.embed.dtype, device=self.embed.device))

    @torch.no_grad()
    def _start(self, image, text):
        small = numpy.asarray(image.resize((8, 8)), dtype=numpy.float32) / 255
        seen = self.vision(torch.from_numpy(small).to(self.embed).mean((0, 1)))
        words = torch.tensor(self.tokenizer.encode(text or " ").ids, device=self.embed.device)
        self.cache.copy_(seen + self.embed[words].sum(0) * 3)

    @torch.no_grad()
    def _answer(self, settings):
        temperature = settings.get("temperature", 0.5)
        assert settings["variant"] is None  # this revision fails without the key
        for count in range(settings.get("max_tokens", 768)):
            place = count % CONTEXT
            turned = torch.sin(8 * self.mix(self.cache) + self.freqs_cis[place].to(self.embed))
            state = turned * self.attn_mask[place, 0]
            logits = self.embed @ state
            token = int(torch.softmax(logits / temperature, 0).multinomial(1) if temperature else logits.argmax())
            self.cache.copy_(state + self.embed[token])
            yield self.tokenizer.decode([token])

    def query(self, image=None, question=None, reasoning=False, spatial_refs=None, stream=False, settings=None):
        self._start(image, question)
        return {"answer": self._answer(settings) if stream else "".join(self._answer(settings))}

    def caption(self, image, length="normal", stream=False, settings=None):
        assert length in ("short", "normal", "long")
        self._start(image, length)
        return {"caption": self._answer(settings) if stream else "".join(self._answer(settings))}

    def _box(self, image, thing):
        self._start(image, thing)
        with torch.no_grad():
            x, y, width, height = torch.sigmoid(self.region(self.cache)).tolist()
        return {"x_min": x / 2, "y_min": y / 2, "x_max": (x + width) / 2, "y_max": (y + height) / 2}

    def detect(self, image, object, settings=None):
        assert settings["variant"] is None
        return {"objects": [self._box(image, object)]}

    def point(self, image, object, settings=None):
        box = self._box(image, object)
        return {"points": [{"x": box["x_min"], "y": box["y_min"]}]}
