"""Paints soft-edged shapes upon a picture of a head."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

FINE = 2
"""Shapes are drawn so many times larger, which makes their edges soft."""
Place = tuple[float, float]
Colour = NDArray[np.float32]


class Shape:
    """An area of a picture of `size` by `size` pixels, to which parts are added."""

    def __init__(self, size: int) -> None:
        self.image = Image.new("L", (size * FINE, size * FINE))
        self._pen = ImageDraw.Draw(self.image)

    def stroke(self, places: Sequence[Place], start: float, end: float, steps: int = 30) -> None:
        """A line through places, as thick (radius) as `start` at first and as `end` at last."""
        along = np.linspace(0, len(places) - 1, steps)
        xs, ys = (np.interp(along, range(len(places)), part) for part in zip(*places, strict=True))
        for x, y, radius in zip(xs, ys, np.linspace(start, end, steps), strict=True):
            self.oval((x, y), radius, radius)

    def line(self, places: Iterable[Place], width: float) -> None:
        """A line of one width."""
        self._pen.line(_fine(places), fill=255, width=max(1, round(width * FINE)), joint="curve")

    def area(self, places: Iterable[Place]) -> None:
        """A polygon."""
        self._pen.polygon(_fine(places), fill=255)

    def oval(self, middle: Place, across: float, down: float, hole: bool = False) -> None:
        """An ellipse by its radii, or one cut out."""
        (x, y), across, down = middle, max(across, 0.3), max(down, 0.3)
        self._pen.ellipse(_fine([(x - across, y - down), (x + across, y + down)]), fill=0 if hole else 255)

    def thicker(self) -> Shape:
        """The same with a margin of a pixel."""
        found = Shape.__new__(Shape)
        found.image = self.image.filter(ImageFilter.MaxFilter(2 * FINE + 1))
        return found

    def cover(self) -> NDArray[np.float32]:
        """How far each pixel is covered, 0 to 1."""
        cover: NDArray[np.float32] = np.asarray(self.image.reduce(FINE), np.float32) / np.float32(255)
        return cover


def arc(middle: Place, across: float, down: float, start: float, end: float) -> list[Place]:
    """Places on an ellipse between two angles in half turns: 0 is right, 0.5 is below, 1 is left."""
    angles = np.linspace(start, end, 24) * math.pi
    return [(middle[0] + across * math.cos(angle), middle[1] + down * math.sin(angle)) for angle in angles]


def _fine(places: Iterable[Place]) -> list[Place]:
    return [(x * FINE, y * FINE) for x, y in places]


def paint(picture: NDArray[np.float32], shape: Shape, colour: Colour, strength: float = 1.0) -> None:
    """Lay a colour, RGB, upon a picture, (S, S, 3)."""
    cover = (shape.cover() * strength)[..., None]
    picture += cover * (colour - picture)
