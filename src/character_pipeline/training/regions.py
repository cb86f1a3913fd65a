"""Finds ground, skin and hair in flat drawings, so that training can give them other colours."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from character_pipeline.extractors.lab import to_lab
from character_pipeline.training.augment import GROUND, HAIR, HAIR_RANGES, SKIN, random_colour

EVEN = 14
"""Ground differs from the colour of the upper edge by no more than this, in each channel of 0..255."""
SKIN_REACH = 9.0
HAIR_REACH = 16.0
FAR = 28.0
"""Distances in CIELAB: of skin from its colour, of hair from its middle, of a hair colour from all of its name."""
UPPER = 0.72
LEAST = 150
SPECK = 25


def find_regions(pixels: NDArray[np.uint8], skin: str | None, hair: str | None) -> NDArray[np.uint8]:
    """What each pixel of a picture, (S, S, 3), belongs to: (S, S) of GROUND, SKIN, HAIR or 0.

    `skin` is the skin's colour as "#rrggbb", `hair` the name of the hair's colour; what is not given is not found.
    """
    lab = to_lab(pixels)
    ground = _ground(pixels)
    found = np.where(ground, GROUND, 0).astype(np.uint8)
    if skin:
        colour = to_lab(np.array([[int(skin.lstrip("#")[i : i + 2], 16) for i in (0, 2, 4)]], np.uint8))[0]
        found[(_distance(lab, colour) < SKIN_REACH) & ~ground] = SKIN
    if hair is not None and hair in HAIR_RANGES:
        found[_hair(pixels, lab, found == 0, hair)] = HAIR
    return found


def _distance(lab: NDArray[np.float64], colour: NDArray[np.float64]) -> NDArray[np.float64]:
    distance: NDArray[np.float64] = np.linalg.norm(lab - colour, axis=-1)
    return distance


def _ground(pixels: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """What is connected with the upper corners and the sides, in the colour of the upper corners."""
    from scipy import ndimage

    colour = np.median(np.concatenate([pixels[0, :4], pixels[0, -4:]]).astype(int), axis=0)
    even = np.abs(pixels.astype(int) - colour).max(axis=-1) < EVEN
    parts, _ = ndimage.label(even)
    outer = np.unique(np.concatenate([parts[0], parts[:, 0], parts[:, -1]]))
    ground: NDArray[np.bool_] = np.isin(parts, outer[outer > 0])
    return ground


def _hair(pixels: NDArray[np.uint8], lab: NDArray[np.float64], free: NDArray[np.bool_], name: str) -> NDArray[np.bool_]:
    """The connected areas of that colour in the upper part which is nearest to the name's, and large."""
    from scipy import ndimage

    nothing = np.zeros_like(free)
    colour = _hair_colour(pixels, lab, free, name)
    if colour is None:
        return nothing
    near = (np.linalg.norm((lab - colour) * (0.6, 1.0, 1.0), axis=-1) < HAIR_REACH) & free
    parts, count = ndimage.label(near)
    sizes = ndimage.sum(near, parts, range(1, count + 1))
    whole: NDArray[np.bool_] = np.isin(parts, 1 + np.flatnonzero(np.asarray(sizes) > SPECK))
    return whole if whole.sum() > LEAST else nothing


def _hair_colour(
    pixels: NDArray[np.uint8], lab: NDArray[np.float64], free: NDArray[np.bool_], name: str
) -> NDArray[np.float64] | None:
    upper = free.copy()
    upper[int(UPPER * len(free)) :] = False
    coarse = (pixels // 8).astype(int) @ (1024, 32, 1)
    kinds, counts = np.unique(coarse[upper], return_counts=True)
    rng = np.random.default_rng(0)
    named = to_lab(np.array([random_colour(HAIR_RANGES[name], rng) for _ in range(60)]).astype(np.uint8))
    best, least = None, np.inf
    for kind, count in sorted(zip(kinds, counts, strict=True), key=lambda pair: -pair[1])[:8]:
        colour = np.median(lab[(coarse == kind) & upper], axis=0)
        far = float(_distance(named, colour).min())
        cost = far - 6 * np.log(count)
        if count >= 60 and far < FAR and cost < least:
            best, least = colour, cost
    return best
