"""What is done to the pixels of a style after rendering."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

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
    from PIL import Image, ImageChops, ImageFilter

    small = picture.resize((max(1, picture.width // 2), max(1, picture.height // 2)), Image.Resampling.BOX)
    brushed = small.filter(ImageFilter.MedianFilter(3)).resize(picture.size, Image.Resampling.BILINEAR)
    return ImageChops.multiply(Image.blend(picture, brushed, 0.45), _light(*picture.size))


@lru_cache(maxsize=8)
def _light(width: int, height: int) -> Image:
    from PIL import Image

    down = np.linspace(0, 1, height)[:, None, None]
    across = np.linspace(0, 1, width)[None, :, None]
    light = 255 * (1.0 - (down + across) / 2 * np.array([0.12, 0.13, 0.08]))
    return Image.fromarray(light.astype(np.uint8))


def _grainy(picture: Image, seed: int, strength: int) -> Image:
    from PIL import ImageChops

    return ImageChops.add(picture, _grain(*picture.size, strength, seed % 4), 1.0, -strength)


@lru_cache(maxsize=8)
def _grain(width: int, height: int, strength: int, variant: int) -> Image:
    from PIL import Image

    rng = np.random.default_rng(variant)
    grain = rng.integers(0, 2 * strength + 1, (height, width), dtype=np.uint8)
    return Image.merge("RGB", [Image.fromarray(grain)] * 3)
