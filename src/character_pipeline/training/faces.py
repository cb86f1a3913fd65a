"""Where eyes and mouth are in pictures of heads, roughly: enough to draw something upon a face."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from character_pipeline.training.augment import GROUND, SKIN

LEAST_SKIN = 0.02
LEAST_HOLES = 12
"""Shares of the picture, and pixels, that a face must have."""
MIDDLE = 0.72
"""Of the width of the skin; ears lie outside of it."""
HEIGHTS = (0.12, 0.45)
"""From eyes to mouth, in shares of the picture."""
ASIDE = 0.25
"""A mouth lies no further from under the eyes than this."""
APART = (0.25, 0.6)
"""Of half the width."""
OFF = 2.0
"""Pixels."""
EARLESS = 0.9
"""Of the width of all skin."""


@dataclass(frozen=True, slots=True)
class Face:
    """All in pixels: the middle between the eyes, the mouth, how far each eye is from the middle, half the width."""

    x: float
    y: float
    mouth_x: float
    mouth_y: float
    apart: float
    wide: float

    def low(self, across: float, down: float) -> tuple[float, float]:
        """A place about the mouth, in half widths of the face."""
        return self.mouth_x + across * self.wide, self.mouth_y + down * self.wide

    def shifted(self, rng: np.random.Generator) -> Face:
        """A little off, as nobody knows it exactly."""
        x, y, mouth_x, mouth_y = np.array([self.x, self.y, self.mouth_x, self.mouth_y]) + rng.normal(0, OFF, 4)
        apart, wide = np.array([self.apart, self.wide]) * rng.uniform(0.85, 1.15, 2)
        return Face(x, y, mouth_x, mouth_y, apart, wide)


def find_face(regions: NDArray[np.uint8]) -> Face | None:
    """The face of a head whose skin is known, (S, S): eyes and mouth are the holes in it."""
    where = _holes(regions)
    if len(where) < LEAST_HOLES:
        return None
    upper, lower = _two_heights(where)
    if min(len(upper), len(lower)) < LEAST_HOLES // 3:
        return None
    (y, x), (mouth_y, mouth_x) = upper.mean(axis=0), lower.mean(axis=0)
    size, wide = len(regions), float(np.ptp(np.flatnonzero((regions == SKIN).any(axis=0)))) / 2 * EARLESS
    if not HEIGHTS[0] < (mouth_y - y) / size < HEIGHTS[1] or abs(mouth_x - x) / size > ASIDE:
        return None
    apart = float(np.clip(np.abs(upper[:, 1] - x).mean(), APART[0] * wide, APART[1] * wide))
    return Face(float(x), float(y), float(mouth_x), float(mouth_y), apart, wide)


def _holes(regions: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Places, (N, 2), with skin on all four sides that are neither skin nor ground."""
    skin = regions == SKIN
    if skin.mean() < LEAST_SKIN:
        return np.zeros((0, 2))
    inside = ~skin & (regions != GROUND)
    for axis in (0, 1):
        inside &= np.maximum.accumulate(skin, axis=axis)
        inside &= np.flip(np.maximum.accumulate(np.flip(skin, axis), axis=axis), axis)
    columns, top = np.flatnonzero(skin.any(axis=0)), int(np.flatnonzero(skin.any(axis=1))[0])
    middle, width = (columns[0] + columns[-1]) / 2, columns[-1] - columns[0]
    where = np.argwhere(inside).astype(np.float64)
    near = (np.abs(where[:, 1] - middle) < MIDDLE / 2 * width) & (where[:, 0] < top + width)
    found: NDArray[np.float64] = where[near]
    return found


def _two_heights(where: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Places parted into an upper and a lower heap (k-means of their heights)."""
    rows = where[:, 0]
    high, low = np.quantile(rows, (0.1, 0.9))
    for _ in range(8):
        below = rows > (high + low) / 2
        if below.all() or not below.any():
            break
        high, low = rows[~below].mean(), rows[below].mean()
    below = rows > (high + low) / 2
    return where[~below], where[below]
