"""What is done to the pixels of a style after rendering."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from character_pipeline.sample.styles import Style

if TYPE_CHECKING:
    from PIL.Image import Image


def finished(picture: Image, style: Style, size: int, seed: int) -> Image:
    """The picture with the surface of its style, its longer side `size` pixels."""
    if style.finish == "pixel":
        return _pixels(picture, size)
    if style.finish == "canvas":
        return _grainy(_painted(picture), seed, 5)
    return _grainy(picture, seed, 9) if style.finish == "grain" else picture


def _pixels(picture: Image, size: int) -> Image:
    from PIL import Image

    few = picture.quantize(40, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE).convert("RGB")
    scale = size / max(few.size)
    return few.resize((round(few.width * scale), round(few.height * scale)), Image.Resampling.NEAREST)


def _painted(picture: Image) -> Image:
    """Edges melt as under a brush, and the light falls from the upper left."""
    from PIL import Image, ImageFilter

    small = picture.resize((max(1, picture.width // 2), max(1, picture.height // 2))).filter(
        ImageFilter.MedianFilter(5)
    )
    soft = Image.blend(picture, small.resize(picture.size, Image.Resampling.BICUBIC), 0.7)
    lit = np.asarray(soft, dtype=np.float32) * _light(picture.width, picture.height)
    return Image.fromarray(np.clip(lit, 0, 255).astype(np.uint8))


@lru_cache(maxsize=8)
def _light(width: int, height: int) -> NDArray[np.float32]:
    down = np.linspace(0, 1, height, dtype=np.float32)[:, None, None]
    across = np.linspace(0, 1, width, dtype=np.float32)[None, :, None]
    far = (down + across) / 2
    light: NDArray[np.float32] = (1.06 - far * np.array([0.2, 0.19, 0.1])).astype(np.float32)
    return light


def _grainy(picture: Image, seed: int, strength: int) -> Image:
    from PIL import Image

    rng = np.random.default_rng(seed & 0xFFFFFFFF)
    tile = rng.integers(-strength, strength + 1, (64, 64, 1), dtype=np.int16)
    pixels = np.asarray(picture, dtype=np.int16)
    rows, columns = -(-pixels.shape[0] // 64), -(-pixels.shape[1] // 64)
    grain = np.tile(tile, (rows, columns, 1))[: pixels.shape[0], : pixels.shape[1]]
    return Image.fromarray(np.clip(pixels + grain, 0, 255).astype(np.uint8))
