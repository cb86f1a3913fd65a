"""Groups the pixels of a small picture by their colours."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from character_pipeline.extractors.lab import to_planes

Labels = NDArray[np.int64]
Numbers = NDArray[np.float32]

MOST = 32
"""Groups of one picture."""
NEAR = 16.0
"""A colour that is nearer to a group in CIELAB makes none of its own. Light counts less: shadows fall everywhere."""
LIGHT_WEIGHT = 0.7
BITS = 5
"""Of each of red, green and blue: colours in steps of 8 levels are told apart."""
STEPS = 2**BITS


def group(rgb: NDArray[np.uint8]) -> Labels:
    """The group of each pixel of a picture of shape (height, width, 3), from 0 on, without gaps."""
    coarse = (rgb >> (8 - BITS)).astype(np.uint16)
    codes = (coarse[..., 0] << 2 * BITS) | (coarse[..., 1] << BITS) | coarse[..., 2]
    used, counts = np.unique(codes, return_counts=True)
    colours, many = np.take(_planes(), used, axis=1), counts.astype(np.float32)
    middles = _means(colours, many, _begin(colours, many))
    home = np.empty(STEPS**3, dtype=np.int64)
    home[used] = _without_gaps(_nearest(colours, middles))
    return home.take(codes)


@lru_cache(maxsize=1)
def _planes() -> Numbers:
    """CIELAB of every step of colour, with light as it counts; shape (3, STEPS ** 3)."""
    levels = (np.arange(STEPS) * (256 // STEPS) + 128 // STEPS).astype(np.uint8)
    planes = to_planes(np.stack(np.meshgrid(levels, levels, levels, indexing="ij")).reshape(3, -1))
    planes[0] *= LIGHT_WEIGHT
    planes.flags.writeable = False
    return planes


def _begin(colours: Numbers, many: Numbers) -> Labels:
    """Groups around the most frequent colour, and then around whichever is far from all before and frequent.

    The choice of k-means++ (Arthur and Vassilvitskii, 2007), with the likeliest colour in the place of a random one.
    """
    nearest = np.full(len(many), np.inf, dtype=np.float32)
    place, gaps = int(many.argmax()), []
    for _ in range(MOST):
        away = colours - colours[:, place, None]
        gaps.append(np.einsum("ij,ij->j", away, away))
        np.minimum(nearest, gaps[-1], out=nearest)
        worth = np.where(nearest < NEAR**2, 0, nearest * many)
        place = int(worth.argmax())
        if not worth[place]:
            break
    return np.asarray(np.argmin(gaps, axis=0))


def _nearest(colours: Numbers, middles: Numbers) -> Labels:
    """The place of the middle that is nearest to each colour."""
    away = colours[:, None] - middles[:, :, None]
    return np.asarray(np.einsum("ijk,ijk->jk", away, away).argmin(axis=0))


def _means(colours: Numbers, many: Numbers, home: Labels) -> Numbers:
    """The mean colour of each group, shape (3, groups)."""
    sums = np.stack([np.bincount(home, many * plane) for plane in colours])
    return np.asarray(sums / np.bincount(home, many), dtype=np.float32)


def _without_gaps(labels: Labels) -> Labels:
    """The same groups in the same order, as 0, 1, 2..."""
    used = np.bincount(labels.ravel()) > 0
    return np.asarray(np.cumsum(used) - 1)[labels]


def flooded(seeds: NDArray[np.bool_], within: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """What can be reached from the seeds by steps to the side, up or down inside `within`; all of one shape."""
    height, width = within.shape
    open_, wet = _as_number(within), _as_number(seeds & within)
    before = -1
    while wet != before:
        before = wet
        wet |= (wet << 1 | wet >> 1 | wet << width + 1 | wet >> width + 1) & open_
    raw = np.frombuffer(wet.to_bytes((height * (width + 1) + 7) // 8, "little"), dtype=np.uint8)
    bits = np.unpackbits(raw, count=height * (width + 1), bitorder="little")
    return bits.reshape(height, width + 1)[:, :width].astype(np.bool_)


def _as_number(mask: NDArray[np.bool_]) -> int:
    """A bit a pixel, and one between the rows: as one long number, all of them take a step at once."""
    wide = np.zeros((mask.shape[0], mask.shape[1] + 1), dtype=np.bool_)
    wide[:, :-1] = mask
    return int.from_bytes(np.packbits(wide, bitorder="little").tobytes(), "little")
