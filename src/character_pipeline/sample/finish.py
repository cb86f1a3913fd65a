"""What is done to the pixels of a style after rendering."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from character_pipeline.sample.styles import Style

if TYPE_CHECKING:
    from PIL.Image import Image


def finished(picture: Image, style: Style, size: int, seed: int) -> Image:
    """The picture with the surface of its style, its longer side `size` pixels."""
    if style.finish == "pixel":
        return _pixels(picture, size)
    if style.finish in {"grain", "canvas"}:
        return _grainy(picture, seed, 9 if style.finish == "grain" else 6)
    return picture


def _pixels(picture: Image, size: int) -> Image:
    from PIL import Image

    few = picture.quantize(40, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE).convert("RGB")
    scale = size / max(few.size)
    return few.resize((round(few.width * scale), round(few.height * scale)), Image.Resampling.NEAREST)


def _grainy(picture: Image, seed: int, strength: int) -> Image:
    from PIL import Image

    rng = np.random.default_rng(seed & 0xFFFFFFFF)
    tile = rng.integers(-strength, strength + 1, (64, 64, 1), dtype=np.int16)
    pixels = np.asarray(picture, dtype=np.int16)
    rows, columns = -(-pixels.shape[0] // 64), -(-pixels.shape[1] // 64)
    grain = np.tile(tile, (rows, columns, 1))[: pixels.shape[0], : pixels.shape[1]]
    return Image.fromarray(np.clip(pixels + grain, 0, 255).astype(np.uint8))
