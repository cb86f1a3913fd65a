"""Training pictures in memory: pixels, known regions, and what is true of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from PIL.Image import Image

STORED = 128
"""Pixels of a side at which training pictures are kept."""


@dataclass(frozen=True)
class Corpus:
    """N labelled pictures.

    Attributes:
        pixels: (N, STORED, STORED, 3), RGB.
        regions: (N, STORED, STORED), see `augment`; zeros where nothing is known.
        lines: what is true of each, see `labels.make_targets`; "style" names how it is drawn.
    """

    pixels: NDArray[np.uint8]
    regions: NDArray[np.uint8]
    lines: Sequence[dict[str, Any]]

    def __len__(self) -> int:
        return len(self.lines)

    def take(self, rows: Sequence[int] | NDArray[np.int64]) -> Self:
        return type(self)(self.pixels[rows], self.regions[rows], [self.lines[int(row)] for row in rows])

    @classmethod
    def join(cls, parts: Sequence[Self]) -> Self:
        lines = [line for part in parts for line in part.lines]
        return cls(np.concatenate([p.pixels for p in parts]), np.concatenate([p.regions for p in parts]), lines)


def letterboxed(picture: Image, size: int) -> NDArray[np.uint8]:
    """A picture on white, fitted into a square: (size, size, 3)."""
    from PIL import Image, ImageOps

    rgba = picture.convert("RGBA")
    ground = Image.new("RGBA", rgba.size, "white")
    ground.alpha_composite(rgba)
    fitted = ImageOps.pad(ground.convert("RGB"), (size, size), Image.Resampling.BILINEAR, color="white")
    return np.asarray(fitted)
