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
Square = tuple[float, float, float]
"""Middle and side of a square in shares of the letterboxed picture: x, y, side."""
HEAD = "head"
"""What a line says under "view" of a picture that shows no more than a head."""


@dataclass(frozen=True)
class Corpus:
    """N labelled pictures.

    Attributes:
        pixels: (N, STORED, STORED, 3), RGB.
        regions: (N, STORED, STORED), see `augment`; zeros where nothing is known.
        lines: what is true of each, see `labels.make_targets`; "style" names how it is drawn, "square" says where the
            head is, if anybody knows, and "view" is "head" where nothing else is shown.
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


@dataclass(frozen=True)
class Pairs:
    """N pictures and, row for row, their heads; where no head was found, the picture again."""

    whole: Corpus
    head: Corpus

    def __len__(self) -> int:
        return len(self.whole)

    def take(self, rows: Sequence[int] | NDArray[np.int64]) -> Self:
        return type(self)(self.whole.take(rows), self.head.take(rows))

    @classmethod
    def join(cls, parts: Sequence[Self]) -> Self:
        return cls(Corpus.join([part.whole for part in parts]), Corpus.join([part.head for part in parts]))

    def views(self) -> Corpus:
        """All pictures and all heads, one by one."""
        heads = [row for row, line in enumerate(self.head.lines) if line.get("view") == HEAD]
        return Corpus.join([self.whole, self.head.take(heads)])


def letterboxed(picture: Image, size: int) -> NDArray[np.uint8]:
    """A picture on white, fitted into a square: (size, size, 3)."""
    from PIL import Image, ImageOps

    rgba = picture.convert("RGBA")
    ground = Image.new("RGBA", rgba.size, "white")
    ground.alpha_composite(rgba)
    fitted = ImageOps.pad(ground.convert("RGB"), (size, size), Image.Resampling.BILINEAR, color="white")
    return np.asarray(fitted)
