"""What a model of transformers really saw of an image: its size after the resize, and the tokens it cost."""

from __future__ import annotations

from typing import Any

from adapters.coordinates import Size


def seen_size(processor: Any, inputs: dict[str, Any], size: Size) -> Size | None:
    """Width and height in pixels that the image of `size`, the last, was resized to, None where the processor does not
    say.

    Sources: the image processors of transformers 5, whose own functions are asked where there are any.
    """
    images = processor.image_processor
    if "image_grid_thw" in inputs:  # Qwen-VL: one grid of patches
        _, rows, columns = inputs["image_grid_thw"][-1].tolist()
        return columns * images.patch_size, rows * images.patch_size
    if "aspect_ratio_ids" in inputs:  # Mllama: fitted into a canvas of tiles, the rest is padding
        from transformers.models.mllama.image_processing_mllama import get_image_size_fit_to_canvas

        tile = images.size["height"]
        height, width = get_image_size_fit_to_canvas(size[1], size[0], *mllama_canvas(images, size), tile_size=tile)
        return int(width), int(height)
    if hasattr(images, "do_image_splitting"):  # Idefics3, SmolVLM: tiles, then the whole once more
        _, rows, columns = images.get_number_of_image_patches(size[1], size[0], {})
        tile = images.max_image_size["longest_edge"]
        return max(columns, 1) * tile, max(rows, 1) * tile
    pixels = inputs.get("pixel_values")
    if pixels is not None and pixels.ndim == 4 and pixels.shape[0] == 1:
        return int(pixels.shape[-1]), int(pixels.shape[-2])
    return None


def mllama_canvas(images: Any, size: Size) -> tuple[int, int]:
    """Height and width of the tiles together."""
    from transformers.models.mllama.image_processing_mllama import get_optimal_tiled_canvas

    height, width = get_optimal_tiled_canvas(size[1], size[0], images.max_image_tiles, images.size["height"])
    return int(height), int(width)


def visual_tokens(model: Any, processor: Any, inputs: dict[str, Any], size: Size) -> int | None:
    """How many tokens all images became: places in the prompt, or for Mllama what the text may look at beside it, known
    for one image."""
    config = model.config
    if "aspect_ratio_ids" in inputs:
        if inputs["aspect_ratio_ids"].shape[1] > 1:
            return None
        height, width = mllama_canvas(processor.image_processor, size)
        tile, patch = processor.image_processor.size["height"], config.vision_config.patch_size
        return (height // tile) * (width // tile) * ((config.vision_config.image_size // patch) ** 2 + 1)
    image = getattr(config, "image_token_id", None) or getattr(config, "image_token_index", None)
    return int((inputs["input_ids"] == image).sum()) or None if image is not None else None
