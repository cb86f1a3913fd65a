"""Draws marks upon a face that are neither glasses nor facial hair, and easily taken for them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from character_pipeline.training.brush import Shape, arc
from character_pipeline.training.faces import Face

Rng = np.random.Generator
MOST = 3


def distract(shape: Callable[[], Shape], face: Face, rng: Rng) -> list[Shape]:
    """Some marks, each a shape of its own."""
    marks = [shape() for _ in range(int(rng.integers(1, MOST + 1)))]
    for mark, kind in zip(marks, rng.choice(len(KINDS), len(marks), replace=False), strict=True):
        KINDS[kind](mark, face, rng)
    return marks


def _strand(shape: Shape, face: Face, rng: Rng) -> None:
    root, bend, tip = rng.uniform(-0.9, 0.9), *rng.uniform(-0.4, 0.4, 2)
    places = [face.low(root, -1.6), face.low(root + bend, -0.9), face.low(root + tip, rng.uniform(-0.7, 0.7))]
    shape.stroke(places, rng.uniform(0.05, 0.2) * face.wide, 0.02 * face.wide)


def _scar(shape: Shape, face: Face, rng: Rng) -> None:
    x, y, across, down = rng.uniform((-0.7, -1.1, -0.3, 0.05), (0.7, 0.2, 0.3, 0.5))
    shape.line([face.low(x, y), face.low(x + across, y + down)], rng.uniform(0.8, 2.5))


def _cheeks(shape: Shape, face: Face, rng: Rng) -> None:
    across, up, size = rng.uniform((0.4, 0.1, 0.04), (0.75, 0.5, 0.2))
    for side in (-across, across):
        shape.oval(face.low(side, -up), size * face.wide, size * 0.7 * face.wide)


def _lips(shape: Shape, face: Face, rng: Rng) -> None:
    across, down = rng.uniform((0.08, 0.02), (0.35, 0.2)) * face.wide
    shape.oval(face.low(0, 0), across, down)


def _nose(shape: Shape, face: Face, rng: Rng) -> None:
    across, down = rng.uniform(0.02, 0.12, 2) * face.wide
    shape.oval(face.low(0, rng.uniform(-0.45, -0.3)), across, down)


def _chin(shape: Shape, face: Face, rng: Rng) -> None:
    down, half = rng.uniform((0.0, 0.1), (0.4, 0.5))
    shape.line(arc(face.low(0, down), half * face.wide, half / 2 * face.wide, 0.2, 0.8), rng.uniform(0.7, 2.0))


def _brows(shape: Shape, face: Face, rng: Rng) -> None:
    up, tilt = rng.uniform((0.6, -0.3), (1.3, 0.3)) * face.apart
    for side in (-face.apart, face.apart):
        places = [(face.x + side * 0.5, face.y - up + tilt), (face.x + side * 1.5, face.y - up)]
        shape.line(places, rng.uniform(1, 5))


def _scarf(shape: Shape, face: Face, rng: Rng) -> None:
    top, tall = rng.uniform((0.7, 0.2), (1.0, 0.7))
    corners = (-1.2, top), (1.2, top), (1.3, top + tall), (-1.3, top + tall)
    shape.area([face.low(x, y) for x, y in corners])


KINDS = (_strand, _scar, _cheeks, _lips, _nose, _chin, _brows, _scarf)
