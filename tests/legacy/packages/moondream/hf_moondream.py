"""The documented interface of Moondream 2: query, caption, detect, point; an answer may come as a generator."""

import torch
from transformers import PretrainedConfig, PreTrainedModel

from .moondream import MoondreamModel


class HfConfig(PretrainedConfig):
    model_type = "moondream1"


class HfMoondream(PreTrainedModel):
    config_class = HfConfig

    def __init__(self, config):
        super().__init__(config)  # and no post_init(), like the real one
        self.model = MoondreamModel(torch.float32)
        self._ready = False

    def _setup_caches(self):
        if not self._ready:
            self.model.setup_caches()
            self._ready = True

    @property
    def query(self):
        self._setup_caches()
        return self.model.query

    @property
    def caption(self):
        self._setup_caches()
        return self.model.caption

    @property
    def detect(self):
        self._setup_caches()
        return self.model.detect

    @property
    def point(self):
        self._setup_caches()
        return self.model.point
