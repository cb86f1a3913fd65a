"""A picture made small, for the readers that look at its colours: made once for all of them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from character_pipeline.extractors.lab import Floats, Planes, to_planes

if TYPE_CHECKING:
    from PIL import Image

SIDE, LEAST = 96, 12
"""Pixels of the longer side of what is looked at; pixels below which no side is left."""


class SmallPicture:
    """A picture at SIDE pixels, in RGB and in CIELAB. Each is made when it is first asked for, and once."""

    def __init__(self, picture: Image.Image) -> None:
        self.picture = picture

    @cached_property
    def rgb(self) -> Image.Image:
        """In RGB, with no side longer than SIDE pixels, nor shorter than LEAST."""
        return _reduced(self.picture)

    @cached_property
    def lab(self) -> Planes:
        """L, a and b of CIELAB, shape (3, height, width)."""
        return to_planes(np.moveaxis(np.asarray(self.rgb), -1, 0))

    @cached_property
    def chroma(self) -> Planes:
        """How far each pixel is from grey, shape (height, width)."""
        _, a, b = self.lab
        return np.asarray(np.sqrt(a * a + b * b))  # np.hypot guards against overflow and takes five times as long

    @cached_property
    def ordered_chroma(self) -> Planes:
        """The chroma of all pixels, the least first."""
        return np.sort(self.chroma, axis=None)


class SmallPictureReader(ABC):
    """A picture reader for what a small picture shows; one inherits its `key`, `size`, `spoken` and `look`.

    The vector is made already where a picture is prepared, in the threads that decode: no picture is kept for it.
    """

    key: str
    size: int
    spoken: str
    """What it calls itself."""
    least_side = SIDE

    @abstractmethod
    def look(self, small: SmallPicture) -> Floats:
        """The vector of a picture, shape (size,)."""

    def prepare(self, picture: Image.Image) -> Floats:
        return self.look(SmallPicture(picture))

    def prepare_small(self, small: SmallPicture) -> Floats:
        return self.look(small)

    def read(self, pictures: Sequence[Image.Image | Floats]) -> NDArray[np.float16]:
        vectors = [given if isinstance(given, np.ndarray) else self.prepare(given) for given in pictures]
        return np.array(vectors, dtype=np.float16).reshape(len(vectors), self.size)

    def describe(self) -> str:
        return self.spoken


def _reduced(picture: Image.Image) -> Image.Image:
    from PIL import Image

    scale = SIDE / max(picture.size)
    width, height = (max(LEAST, round(length * min(scale, 1.0))) for length in picture.size)
    picture = picture if picture.mode == "RGB" else picture.convert("RGB")
    small = (width, height)
    return picture if small == picture.size else picture.resize(small, Image.Resampling.BOX, reducing_gap=1.0)
