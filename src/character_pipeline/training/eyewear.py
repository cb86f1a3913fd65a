"""Draws glasses upon a face, in as many ways as styles do."""

from __future__ import annotations

import numpy as np

from character_pipeline.training.brush import Place, Shape, arc
from character_pipeline.training.faces import Face

Rng = np.random.Generator
ROUND, BOXY, NARROW, HALF = range(4)
RIMS = (0.4, 0.35, 0.15, 0.1)
"""How frequent each of them is."""
SIDEWAYS = 0.5
"""Of the faces: the far lens may be narrower."""


def glasses(frame: Shape, lenses: Shape, face: Face, rng: Rng) -> None:
    """A frame, and what it holds."""
    across, down = rng.uniform((0.5, 0.4), (0.98, 0.95)) * face.apart
    width, sink, kind = rng.uniform(0.7, 4.5), rng.uniform(-0.1, 0.3) * face.apart, int(rng.choice(len(RIMS), p=RIMS))
    far = rng.uniform(0.55, 1.0) if rng.random() < SIDEWAYS else 1.0
    for side, share in ((-1, 1.0), (1, far)):
        edge = _rim((face.x + side * face.apart, face.y + sink), across * share, down, kind, rng)
        lenses.area(edge)
        frame.line(edge if kind == HALF else [*edge, edge[0]], width)
    level = face.y + sink - rng.uniform(0, 0.3) * face.apart
    frame.line([(face.x - face.apart + across, level), (face.x + face.apart - across * far, level)], width)
    if rng.random() < 0.7:
        _temples(frame, face, level, across, width)


def _rim(middle: Place, across: float, down: float, kind: int, rng: Rng) -> list[Place]:
    if kind in {ROUND, HALF}:
        return arc(middle, across, down, *((0, 2) if kind == ROUND else (-0.05, 1.05)))
    low, cut = across * rng.uniform(0.75, 1.0), rng.uniform(0.6, 1.0)
    down *= 0.8 if kind == BOXY else 0.55
    right = [(across * cut, -down), (across, -down * cut), (low, down * cut), (low * cut, down)]
    left = [(-x, y) for x, y in reversed(right)]
    return [(middle[0] + x, middle[1] + y) for x, y in (*right, *left)]


def _temples(frame: Shape, face: Face, level: float, across: float, width: float) -> None:
    start = face.apart + across
    for side in (-1, 1):
        frame.line([(face.x + side * start, level), (face.x + side * max(face.wide, start), level)], width)
