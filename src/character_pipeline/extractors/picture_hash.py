"""Reads a perceptual hash: the coarse waves of light and colour in a picture, by which its copies are known again.

Re-encoding and resizing hardly change them, nor does another shape, for a picture is always taken as one square.
Mirroring turns the signs of the waves that are odd from left to right, so that a mirrored copy needs no second look.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from character_pipeline.data import Evidence, Item
from character_pipeline.extractors.base import Need, PictureReader
from character_pipeline.extractors.lab import Floats, Planes
from character_pipeline.extractors.small_picture import SmallPicture, SmallPictureReader

WAVES, COLOUR_WAVES = 10, 5
"""Waves a side: of light, and of each axis of colour."""
SIZE = WAVES**2 - 1 + 2 * (COLOUR_WAVES**2)


class HashReader(SmallPictureReader):
    """Pictures in, SIZE numbers out: of light without its mean, of colours with it."""

    key = "picture_hash/1"
    size = SIZE
    spoken = "picture hash"

    def look(self, small: SmallPicture) -> Floats:
        return _read(small)


def _read(small: SmallPicture) -> Floats:
    light, red, yellow = small.lab
    parts = [_waves(light, WAVES).ravel()[1:], *(_waves(plane, COLOUR_WAVES).ravel() for plane in (red, yellow))]
    return np.concatenate(parts)


def _waves(plane: Planes, count: int) -> Floats:
    """The first waves of the discrete cosine transform, in steps of CIELAB, down and across."""
    down, across = (_cosines(length, count) for length in plane.shape)
    found: Floats = down @ plane @ across.T
    return found


@lru_cache(maxsize=256)
def _cosines(length: int, count: int) -> Floats:
    """Waves over so many pixels, shape (count, length), each of a mean square of 1."""
    places = (np.arange(length) + 0.5) * np.pi / length
    waves = np.cos(np.arange(count)[:, None] * places) * np.sqrt(2.0)
    waves[0] = 1.0
    found: Floats = waves / length
    return found


def mirrored() -> Floats:
    """What turns the hash of a picture into that of its mirror image, as factors, shape (SIZE,)."""
    light, colour = (np.tile((-1.0) ** np.arange(count), count) for count in (WAVES, COLOUR_WAVES))
    return np.concatenate([light[1:], colour, colour])


class PictureHash:
    """Keeps the hash of each picture in the database, and claims nothing."""

    name = "picture_hash"
    version = "1"
    needs: frozenset[Need] = frozenset({"readings"})

    def __init__(self) -> None:
        self.readers: Sequence[PictureReader] = (HashReader(),)

    def process(self, batch: Sequence[Item]) -> list[tuple[Evidence, ...]]:
        return [() for _ in batch]
