"""One pass over a group of pictures of one size, with the weights of a Qwen2-VL of transformers.

It computes what the model's own forward computes, but for a whole group at once: that one sends pictures through the
eye one by one. While training, every visual token is also asked what stands in it; the layer that answers is dropped.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch  # noqa: TID253 - only the training imports this
from torch import Tensor, nn  # noqa: TID253
from torch.nn import functional  # noqa: TID253

from benchmarks.tiny_vlm.batches import IGNORED, SEEN, SLOTS, opening
from benchmarks.tiny_vlm.sizes import CELL

MEAN = (0.48145466, 0.4578275, 0.40821073)  # what the image processor of Qwen2-VL takes off and divides by
SPREAD = (0.26862954, 0.26130258, 0.27577711)
NOTHING = 0.2  # weight of the empty slots, which are most


def patches(pixels: Tensor) -> Tensor:
    """(n, height, width, 3) uint8 → (n, patches, 3*14*14), in the order of Qwen2-VL: cell by cell, four in each."""
    n, height, width, _ = pixels.shape
    mean, spread = pixels.new_tensor(MEAN, dtype=torch.float32), pixels.new_tensor(SPREAD, dtype=torch.float32)
    scaled = (pixels.float() / 255 - mean) / spread
    rows, columns, half = height // CELL, width // CELL, CELL // 2
    cut = scaled.reshape(n, rows, 2, half, columns, 2, half, 3).permute(0, 1, 4, 2, 5, 7, 3, 6)
    return cut.reshape(n, rows * columns * 4, 3 * half * half)


def turned(x: Tensor, angles: Tensor) -> Tensor:
    """Rotary positions: x (…, t, width), angles (t, width/2)."""
    cos, sin = angles.cos().to(x.dtype), angles.sin().to(x.dtype)
    first, second = x.chunk(2, -1)
    return torch.cat((first * cos - second * sin, second * cos + first * sin), -1)


def frequencies(width: int, theta: float, device: torch.device) -> Tensor:
    return 1.0 / theta ** (torch.arange(0, width, 2, device=device, dtype=torch.float32) / width)


def look(visual: Any, pixels: Tensor) -> Tensor:
    """The eye: (n, height, width, 3) → (n, cells, width of the text model)."""
    n, height, width, _ = pixels.shape
    rows, columns = height // CELL, width // CELL
    cut = patches(pixels)
    # Qwen2-VL sees a still picture twice, as two frames of a film; so their kernels can be added.
    kernel = visual.patch_embed.proj.weight.sum(2).flatten(1)
    x = (cut @ kernel.T).float()  # what the layers add to stays exact, also where they compute in halves
    heads = visual.blocks[0].attn.num_heads
    wide = x.shape[-1] // heads
    inner = torch.arange(2, device=x.device)
    down = (torch.arange(rows, device=x.device)[:, None, None, None] * 2 + inner[:, None]).expand(-1, columns, -1, 2)
    along = (torch.arange(columns, device=x.device)[:, None, None] * 2 + inner).expand(rows, -1, 2, -1)
    pace = frequencies(wide // 2, 10000.0, x.device)
    angles = torch.cat((down.reshape(-1, 1) * pace, along.reshape(-1, 1) * pace), -1)
    for block in visual.blocks:
        q, k, v = block.attn.qkv(block.norm1(x)).reshape(n, -1, 3, heads, wide).permute(2, 0, 3, 1, 4)
        mixed = functional.scaled_dot_product_attention(turned(q, angles), turned(k, angles), v)
        x = x + block.attn.proj(mixed.transpose(1, 2).reshape(n, -1, heads * wide))
        x = x + block.mlp(block.norm2(x))
    merger = visual.merger
    merged: Tensor = merger.mlp(merger.ln_q(x).reshape(n, rows * columns, -1)).float()
    return merged


def positions(turns: Tensor, before: int, rows: int, columns: int) -> Tensor:
    """(3, n, t): time, row and column of every token, for `before` tokens, then the picture, then every turn anew."""
    cells, length = rows * columns, turns.shape[1]
    along = torch.arange(length, device=turns.device).expand_as(turns)
    begins = functional.pad(turns[:, 1:] != turns[:, :-1], (1, 0))
    since = along - torch.where(begins, along, 0).cummax(1).values
    place = torch.where(along < before, along, before + max(rows, columns) + since).repeat(3, 1, 1)
    index = torch.arange(cells, device=turns.device)
    place[0, :, before : before + cells] = before
    place[1, :, before : before + cells] = before + index // columns
    place[2, :, before : before + cells] = before + index % columns
    return place


def visible_to(turns: Tensor) -> Tensor:
    """(n, t, t): whether a token may look at another: at those before it, of its own turn and of the picture."""
    asked = turns[:, None, :]
    return ((asked == 0) | (asked == turns[:, :, None])).tril()


def pointed(q: Tensor, k: Tensor, mask: Tensor) -> Tensor:
    """(n, t, t): the logarithm of how much of one head's attention, (n, t, wide) each, goes where."""
    scores: Tensor = (q @ k.mT * q.shape[-1] ** -0.5).float()
    return scores.masked_fill(~mask, float("-inf")).log_softmax(-1)


def think(language: Any, x: Tensor, place: Tensor, mask: Tensor, single: bool) -> tuple[Tensor, list[Tensor]]:
    """The text model over (n, t, width); and where the first head of every layer but the first points.

    single: the mask lets every token look at all before it, for which there is a faster way.
    """
    n, length, _ = x.shape
    points = []
    config = language.config
    heads, few = config.num_attention_heads, config.num_key_value_heads
    wide = config.hidden_size // heads
    angles = place[..., None] * frequencies(wide, config.rope_parameters["rope_theta"], x.device)
    parts: Any = torch.split(angles, config.rope_parameters["mrope_section"], -1)
    mixed_angles = torch.cat([part[index] for index, part in enumerate(parts)], -1)[:, None]
    for layer in language.layers:
        normed, attention = layer.input_layernorm(x), layer.self_attn
        q = attention.q_proj(normed).view(n, length, heads, wide).transpose(1, 2)
        k = attention.k_proj(normed).view(n, length, few, wide).transpose(1, 2)
        v = attention.v_proj(normed).view(n, length, few, wide).transpose(1, 2)
        k, v = (
            turned(k, mixed_angles).repeat_interleave(heads // few, 1),
            v.repeat_interleave(heads // few, 1),
        )
        q = turned(q, mixed_angles)
        if layer is not language.layers[0]:
            points.append(pointed(q[:, 0], k[:, 0], mask))
        seen = None if single else mask[:, None]
        mixed = functional.scaled_dot_product_attention(q, k, v, seen, is_causal=single)
        x = x + attention.o_proj(mixed.transpose(1, 2).reshape(n, length, -1))
        x = x + layer.mlp(layer.post_attention_layernorm(x))
    normed_at_last: Tensor = language.norm(x)
    return normed_at_last, points


@dataclass(frozen=True)
class Thought:
    """held: what the text model holds at every token (n, t, width). visible: what the eye handed it (n, cells, width).
    points: for each layer that is shown where to look, (n, t, cells), the logarithms of the shares."""

    held: Tensor
    visible: Tensor
    points: list[Tensor]


def thought(model: Any, pixels: Tensor, ids: Tensor, turns: Tensor) -> Thought:
    """The whole model over a group; shapes as in `benchmarks.tiny_vlm.batches.Group`. `turns` may stay on the CPU."""
    rows, columns = pixels.shape[1] // CELL, pixels.shape[2] // CELL
    before = opening()
    end = before + rows * columns
    single = int(turns.max()) < 2  # asked beside the processor, so that a GPU is not waited for
    turns = turns.to(ids.device, non_blocking=True)
    visible = look(model.model.visual, pixels)
    x = model.model.language_model.embed_tokens(ids)
    x = torch.cat((x[:, :before], visible, x[:, end:]), 1)
    place = positions(turns, before, rows, columns)
    held, points = think(model.model.language_model, x, place, visible_to(turns), single)
    return Thought(held, visible, [each[:, :, before:end] for each in points])


def wanted_at(labels: Tensor, device: torch.device) -> tuple[Tensor, Tensor]:
    """The tokens, counted through all but the last of every row, whose next one has a label; and those labels."""
    # They are found beside the processor, so that a GPU is not waited for.
    wanted = labels[:, 1:].flatten()
    places = (wanted != IGNORED).nonzero().squeeze(1)
    return places.to(device, non_blocking=True), wanted[places].to(device, non_blocking=True)


def at_places(given: Tensor, places: Tensor) -> Tensor:
    """What stands, of (n, t, …), at the tokens that `wanted_at` counts."""
    return given[:, :-1].flatten(0, 1).index_select(0, places)


class Learner(nn.Module):
    """The model and, while it learns, the layer that names what stands in every visual token."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model = model
        self.naming = nn.Linear(model.config.text_config.hidden_size, SLOTS * (len(SEEN) + 1))

    def forward(
        self, pixels: Tensor, ids: Tensor, turns: Tensor, labels: Tensor, looks: Tensor, seen: Tensor
    ) -> dict[str, Tensor]:
        """Mean losses over a group: `answer` over its tokens, `looked` over those that come from one place of the
        picture, `named` over the slots; and the shares of all right.

        A group without tokens is looked at only, and has no answer. `turns`, `labels` and `looks` may stay on the CPU.
        """
        if ids.shape[1]:
            mind = thought(self.model, pixels, ids, turns)
            return self.named(mind.visible, seen) | self.answered(mind.held, labels) | self.looked(mind.points, looks)
        return self.named(look(self.model.model.visual, pixels), seen)

    def answered(self, held: Tensor, labels: Tensor) -> dict[str, Tensor]:
        places, wanted = wanted_at(labels, held.device)
        said = self.model.lm_head(at_places(held, places)).float()
        loss = functional.cross_entropy(said, wanted)
        return {"answer": loss, "right": (said.argmax(-1) == wanted).float().mean()}

    def looked(self, points: list[Tensor], looks: Tensor) -> dict[str, Tensor]:
        """Whether the first heads point to where the next token comes from; `there`: the last layer's."""
        places, wanted = wanted_at(looks, points[0].device)
        losses = []
        for each in points:
            pointing = at_places(each, places)
            losses.append(functional.nll_loss(pointing, wanted) if len(wanted) else pointing.sum())
        return {"looked": torch.stack(losses).mean(), "there": (pointing.argmax(-1) == wanted).float().mean()}

    def named(self, visible: Tensor, seen: Tensor) -> dict[str, Tensor]:
        names = self.naming(visible).unflatten(-1, (SLOTS, -1)).float().flatten(0, 2)
        slots = seen.flatten()
        weight = names.new_full((names.shape[-1],), 1.0)
        weight[0] = NOTHING
        filled = slots > 0
        found = ((names.argmax(-1) == slots) & filled).sum() / filled.sum().clamp(min=1)
        return {"named": functional.cross_entropy(names, slots, weight), "found": found}
