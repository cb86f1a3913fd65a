"""Colours as people see them: CIELAB (D65), where a distance of about 2 is just noticeable and 10 is plain to see."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Planes = NDArray[np.float32]
"""Of pictures: half the memory to go through, and far finer than 8 bits."""

_LEVELS = np.arange(256) / 255
_LINEAR = np.where(_LEVELS <= 0.04045, _LEVELS / 12.92, ((_LEVELS + 0.055) / 1.055) ** 2.4).astype(np.float32)
_TO_XYZ = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
)
_TO_WHITE = _TO_XYZ / _TO_XYZ.sum(axis=1, keepdims=True)
_FROM_WHITE = np.linalg.inv(_TO_WHITE).T
_BEND = 6 / 29
_STEPS = 2**16
_TO_STEPS = (_TO_WHITE * _STEPS).astype(np.float32)
_PARTS = np.arange(_STEPS + 1) / _STEPS
_ROOTS = np.where(_PARTS > _BEND**3, np.cbrt(_PARTS), _PARTS / (3 * _BEND**2) + 4 / 29).astype(np.float32)
"""Looked up, for cube roots take long; the steps are a tenth of what 8 bits can tell in the darkest colours."""


def to_planes(rgb: NDArray[np.uint8]) -> Planes:
    """sRGB in 0..255, shape (3, ...), as L in 0..100 and a, b in about -110..110, of the same shape."""
    steps = _TO_STEPS @ _LINEAR.take(rgb.reshape(3, -1))
    x, y, z = _ROOTS.take((steps + np.float32(0.5)).astype(np.int32))
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)]).reshape(rgb.shape)


def to_lab(rgb: NDArray[np.uint8]) -> Floats:
    """As `to_planes`, for shape (..., 3)."""
    return np.moveaxis(to_planes(np.moveaxis(rgb, -1, 0)), 0, -1).astype(np.float64)


def to_hex(lab: Floats) -> str:
    """ "#rrggbb" of one colour, the nearest that a screen can show."""
    y = (float(lab[0]) + 16) / 116
    roots = np.array([y + float(lab[1]) / 500, y, y - float(lab[2]) / 200])
    parts = np.where(roots > _BEND, roots**3, 3 * _BEND**2 * (roots - 4 / 29))
    linear = np.clip(parts @ _FROM_WHITE, 0, 1)
    levels = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    return "#" + "".join(f"{round(float(level) * 255):02x}" for level in levels)


def hex_to_lab(colour: str) -> Floats:
    """CIELAB of "#rrggbb", shape (3,). Raises ValueError where it is not written so."""
    if len(colour) != 7 or colour[0] != "#":
        raise ValueError(f"a colour is written #rrggbb; given: '{colour}'")
    return to_lab(np.array([int(colour[at : at + 2], 16) for at in (1, 3, 5)], dtype=np.uint8))
