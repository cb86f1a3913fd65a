"""Reads how good a picture is: whether it shows anything, and whether it has colours at all."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from character_pipeline.data import EMPTY, Evidence, Item
from character_pipeline.extractors.base import Need, PictureReader
from character_pipeline.extractors.lab import Floats, Planes
from character_pipeline.extractors.small_picture import SmallPicture, SmallPictureReader
from character_pipeline.vocabulary import Vocabulary

FIELDS = (
    "sharpness",  # log10 of the variance of the Laplacian of light, / 6
    "entropy",  # of the light in 64 steps, 1: all steps the same
    "brightness", "contrast",  # mean and standard deviation of L, / 100
    "flatness",  # the share of pixels that are as their neighbours
    "chroma", "most_chroma",  # chroma / 100: the mean, and that which only one pixel in a hundred exceeds
    "coloured",  # the share of pixels with a chroma above COLOURED
    "off_tint",  # distance / 100 from the one tint that the picture has, which one pixel in a hundred exceeds
    "tint_red", "tint_yellow",  # a and b / 100 of that tint: those of a sepia picture
    "white", "dark",  # the shares of pixels with L above 95 and below 15
    "shorter_side",  # log2 of its pixels, / 16
)  # fmt: skip
APPEARANCE = (
    "sharpness", "entropy", "brightness", "contrast", "flatness", "chroma", "most_chroma", "coloured", "off_tint",
    "white",
)  # fmt: skip
"""The fields that tell one kind of picture from another; its size and its tint may be any."""
COLOURED = 12.0
FLAT = 1.5
GREY, NEARLY_GREY = 0.04, 0.09
"""A picture with so little chroma is grey beyond doubt; with so little, most likely."""
TINTED = 0.04
"""So near to one tint, a picture is of one colour: a sepia photograph, a blue monochrome."""
SURE, LIKELY, HINT = 0.9, 0.7, 0.4
TINY = 16
"""Of a picture whose shorter side has fewer pixels, what is said of hair is more often wrong than right elsewhere."""
SMOOTH = 0.04
"""The sharpness below which nothing has an edge: gradients from black to white reach 0.035, and pictures of characters
stay above it until they are blurred to a 64th of their side."""
EVEN = 0.02
"""So little contrast is that of grain and compression on one light."""
HIDDEN = ("hair_color", "eye_color", "skin_tone")
"""What a picture without colours does not show; the same as for the tag `monochrome`."""


class QualityReader(SmallPictureReader):
    """Pictures in, FIELDS out."""

    key = "picture_quality/3"
    size = len(FIELDS)
    spoken = "picture quality"

    def look(self, small: SmallPicture) -> Floats:
        return _read(small)


def appearance(vectors: NDArray[np.float16]) -> Floats:
    """APPEARANCE of vectors as FIELDS, shape (pictures, APPEARANCE)."""
    return np.asarray(vectors[:, [FIELDS.index(name) for name in APPEARANCE]], dtype=np.float64)


def _read(small: SmallPicture) -> Floats:
    light, a, b = small.lab
    found = _light(light) | _chroma(small.ordered_chroma) | _tint(a.ravel(), b.ravel(), small)
    found["shorter_side"] = float(np.log2(min(small.picture.size)) / 16)
    return np.array([found[name] for name in FIELDS], dtype=np.float64)


def _light(light: Planes) -> dict[str, float]:
    return {
        "sharpness": _sharpness(light),
        "entropy": _entropy(light),
        "brightness": float(light.mean() / 100),
        "contrast": float(light.std() / 100),
        "flatness": float(np.count_nonzero(_steps(light) < FLAT) / light.size),
        "white": float(np.count_nonzero(light > 95) / light.size),
        "dark": float(np.count_nonzero(light < 15) / light.size),
    }


def _entropy(light: Planes) -> float:
    step = np.minimum(light.ravel() * (64 / 100), 63).astype(np.intp)
    share = np.bincount(step) / light.size
    share = share[share > 0]
    return float(-(share * np.log2(share)).sum() / 6)


def _steps(light: Planes) -> Planes:
    """The larger of the steps to the right and down."""
    steps = np.zeros_like(light)
    np.abs(light[:, 1:] - light[:, :-1], out=steps[:, :-1])
    steps[:-1] = np.maximum(steps[:-1], np.abs(light[1:] - light[:-1]))
    return steps


def _sharpness(light: Planes) -> float:
    # Beyond its border a picture goes on as it was, so that a gradient has no edge there.
    laplacian = np.zeros_like(light)
    laplacian[1:-1] = light[:-2] + light[2:] - 2 * light[1:-1]
    laplacian[:, 1:-1] += light[:, :-2] + light[:, 2:] - 2 * light[:, 1:-1]
    return float(min(np.log10(1 + laplacian.var()) / 6, 1.0))


def _chroma(ordered: Planes) -> dict[str, float]:
    return {
        "chroma": float(ordered.mean() / 100),
        "most_chroma": _quantile(ordered, 0.99) / 100,
        "coloured": float(np.count_nonzero(ordered > COLOURED) / len(ordered)),
    }


def _tint(a: Planes, b: Planes, small: SmallPicture) -> dict[str, float]:
    shown = small.chroma.ravel() >= _quantile(small.ordered_chroma, 0.5)
    red, yellow = (_quantile(np.sort(plane.compress(shown)), 0.5) for plane in (a, b))
    off = _quantile(np.sort(_off_line(a, b, (red, yellow))), 0.99)
    return {"off_tint": off / 100, "tint_red": red / 100, "tint_yellow": yellow / 100}


def _quantile(ordered: Planes, share: float) -> float:
    """As np.quantile of what is in order already: to put 32 bits in order takes numpy less than to find a quantile."""
    place = share * (len(ordered) - 1)
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return float(ordered[low] + (ordered[high] - ordered[low]) * (place - low))


def _off_line(a: Planes, b: Planes, tint: tuple[float, float]) -> Planes:
    """How far each colour is from the greys that are tinted more or less so: dark and light tints have less chroma."""
    length = float(np.hypot(*tint))
    if length < 1:
        return np.asarray(np.sqrt(a * a + b * b))
    red, yellow = tint[0] / length, tint[1] / length
    along = np.maximum(a * red + b * yellow, 0)
    return np.asarray(np.sqrt((a - along * red) ** 2 + (b - along * yellow) ** 2))


class PictureQuality:
    """Says of a picture that it shows nothing, and of one without colours that those of hair, eyes and skin cannot be
    seen.

    White hair in a pale picture is no reason: lips, eyes, skin or clothes have colour then.
    """

    name = "picture_quality"
    version = "3"
    needs: frozenset[Need] = frozenset({"readings"})

    def __init__(self, attributes: Sequence[str]) -> None:
        self.attributes = tuple(attributes)
        self.reader = QualityReader()
        self.readers: Sequence[PictureReader] = (self.reader,)
        self._hide = lru_cache(maxsize=64)(self._hidden)
        self._void = lru_cache(maxsize=64)(self._empty)

    def process(self, batch: Sequence[Item]) -> list[tuple[Evidence, ...]]:
        return [self._read(item.readings.get(self.reader.key)) for item in batch]

    def _read(self, vector: NDArray[np.float16] | None) -> tuple[Evidence, ...]:
        if vector is None:
            return ()
        if why := nothing_to_see(vector):
            return self._void(why)
        score, origin = colourless(vector)
        return self._hide(score, origin) if score else ()

    def _empty(self, origin: str) -> tuple[Evidence, ...]:
        return (Evidence(EMPTY, "nothing to see", SURE, self._source, origin),)

    def _hidden(self, score: float, origin: str) -> tuple[Evidence, ...]:
        return tuple(Evidence(key, "", score, self._source, origin, "hidden") for key in self.attributes)

    @property
    def _source(self) -> str:
        return f"{self.name}/{self.version}"


def nothing_to_see(vector: NDArray[np.float16]) -> str:
    """Why a picture cannot show anybody, or "". From a vector as FIELDS."""
    found = dict(zip(FIELDS, vector.tolist(), strict=True))
    if found["shorter_side"] < np.log2(TINY) / 16:
        return f"a side of fewer than {TINY} pixels"
    if found["sharpness"] < SMOOTH:
        return "one colour or a smooth gradient, without any edges"
    if found["contrast"] < EVEN and 100 * found["off_tint"] < COLOURED:
        return "hardly more than one colour"
    return ""


def colourless(vector: NDArray[np.float16]) -> tuple[float, str]:
    """How sure it is that a picture has no colours, 0 for not at all, and why. From a vector as FIELDS."""
    most, off = float(vector[FIELDS.index("most_chroma")]), float(vector[FIELDS.index("off_tint")])
    if most < GREY:
        return SURE, "no colours in the picture"
    if most < NEARLY_GREY:
        return LIKELY, "hardly any colours in the picture"
    if off < TINTED:
        return HINT, "one tint in the picture"
    return 0.0, ""


def make_picture_quality(vocabulary: Vocabulary, colours: bool = True) -> PictureQuality:
    """The stage for the attributes that a vocabulary has.

    Args:
        colours: whether to say that a picture without colours shows none.
    """
    return PictureQuality([key for key in HIDDEN if colours and key in vocabulary.attributes])
