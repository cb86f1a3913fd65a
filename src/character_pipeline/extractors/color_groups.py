"""Makes a picture small, and groups its pixels by their colours."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from character_pipeline.extractors.lab import Floats

if TYPE_CHECKING:
    from PIL import Image

Labels = NDArray[np.int64]

SIDE, LEAST = 96, 12
"""Pixels of the longer side of what is looked at; pixels below which no side is left."""
COLOURS = 32
COARSE = [level & 0xF8 for level in range(256)] * 3
STEADY = 100
"""Colours are grouped in steps of 8 levels, until fewer pixels than this change their group: finer takes long, and no
more colours are told right."""
NEAR = 9.0
"""Colours that are nearer to each other are one group. Light counts less: shadows fall on everything."""
LIGHT_WEIGHT = 0.7


def reduced(picture: Image.Image, side: int = SIDE) -> Image.Image:
    """The picture in RGB with no side longer than `side` pixels, nor shorter than LEAST."""
    from PIL import Image

    scale = side / max(picture.size)
    width, height = (max(LEAST, round(length * min(scale, 1.0))) for length in picture.size)
    picture = picture if picture.mode == "RGB" else picture.convert("RGB")
    small = (width, height)
    return picture if small == picture.size else picture.resize(small, Image.Resampling.BOX, reducing_gap=1.0)


def group(picture: Image.Image, lab: Floats) -> Labels:
    """The group of each pixel, from 0 on; `lab` is the picture in CIELAB."""
    return _merge(lab, _quantise(picture))


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
    count = np.bincount(flat).astype(np.float64)
    mean = np.stack([np.bincount(flat, lab[..., c].ravel()) for c in range(3)], axis=1) / count[:, None]
    mean[:, 0] *= LIGHT_WEIGHT
    gap = np.linalg.norm(mean[:, None] - mean[None], axis=2)
    np.fill_diagonal(gap, np.inf)
    home = np.arange(len(count))
    while True:
        i, j = sorted(divmod(int(gap.argmin()), len(count)))
        if gap[i, j] >= NEAR:
            return _without_gaps(home[labels])
        mean[i] = (mean[i] * count[i] + mean[j] * count[j]) / (count[i] + count[j])
        count[i] += count[j]
        home[home == j] = i
        gap[j] = gap[:, j] = np.inf
        gap[i] = gap[:, i] = np.where(np.isinf(gap[i]), np.inf, np.sqrt(((mean - mean[i]) ** 2).sum(axis=1)))


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
