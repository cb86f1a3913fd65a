"""Groups the pixels of a small picture by their colours."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from character_pipeline.extractors.lab import Floats
from character_pipeline.extractors.small_picture import SmallPicture

if TYPE_CHECKING:
    from PIL import Image

Labels = NDArray[np.int64]

COLOURS = 32
COARSE = [level & 0xF8 for level in range(256)] * 3
STEADY = 100
"""Colours are grouped in steps of 8 levels, until fewer pixels than this change their group: finer takes long, and no
more colours are told right."""
NEAR = 9.0
"""Colours that are nearer to each other are one group. Light counts less: shadows fall on everything."""
LIGHT_WEIGHT = 0.7


def group(picture: SmallPicture) -> Labels:
    """The group of each pixel, from 0 on."""
    return _merge(picture.lab, _quantise(picture.rgb))


def _quantise(picture: Image.Image) -> Labels:
    from PIL import Image

    coarse = picture.point(COARSE)
    few = coarse.quantize(COLOURS, Image.Quantize.MEDIANCUT, kmeans=STEADY, dither=Image.Dither.NONE)
    return _without_gaps(np.asarray(few).astype(np.int64))


def _without_gaps(labels: Labels) -> Labels:
    """The same groups in the same order, as 0, 1, 2..."""
    used = np.bincount(labels.ravel()) > 0
    return np.asarray(np.cumsum(used) - 1)[labels]


def _merge(lab: Floats, labels: Labels) -> Labels:
    """Join the two nearest groups until none are near."""
    flat = labels.ravel()
    count = np.bincount(flat).tolist()
    mean = np.stack([np.bincount(flat, plane.ravel()) for plane in lab]) / count
    mean[0] *= LIGHT_WEIGHT
    home = _joined(mean, count)
    for place, other in enumerate(home):
        home[place] = home[other]
    return _without_gaps(np.array(home))[labels]


def _joined(mean: Floats, count: list[int]) -> list[int]:
    """For each group itself, or one before it that it is joined with. Means, shape (3, groups), and counts change."""
    gap = ((mean[:, :, None] - mean[:, None]) ** 2).sum(axis=0)
    np.fill_diagonal(gap, np.inf)
    home, gone = list(range(len(count))), np.zeros(len(count))
    while True:
        i, j = sorted(divmod(int(gap.argmin()), len(count)))
        if gap[i, j] >= NEAR**2:
            return home
        mean[:, i] = (mean[:, i] * count[i] + mean[:, j] * count[j]) / (count[i] + count[j])
        count[i] += count[j]
        home[j], gone[j] = i, np.inf
        gap[j] = gap[:, j] = np.inf
        gap[i] = gap[:, i] = ((mean - mean[:, i : i + 1]) ** 2).sum(axis=0) + gone
        gap[i, i] = np.inf


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
