"""Draws facial hair upon a face, in as many ways as styles do."""

from __future__ import annotations

import math

import numpy as np

from character_pipeline.training.brush import Shape, arc
from character_pipeline.training.faces import Face

Rng = np.random.Generator


def mustache(shape: Shape, face: Face, rng: Rng) -> None:
    """Two tapering halves, hanging, level or rising; some hang down beside the mouth."""
    top, half, thick = rng.uniform(-0.32, -0.12), rng.uniform(0.1, 0.55), rng.uniform(0.04, 0.13) * face.wide
    hang, end = rng.uniform(-0.12, 0.3), rng.uniform(0.1, 1.0)
    horseshoe = half > 0.25 and rng.random() < 0.25
    for side in (-1, 1):
        tip = face.low(side * half, top + hang)
        shape.stroke([face.low(0, top), face.low(side * half / 2, top + hang / 4), tip], thick, thick * end)
        if horseshoe:
            shape.stroke([tip, face.low(side * half, 0.45)], thick, thick)


def beard(shape: Shape, face: Face, rng: Rng) -> None:
    """The lower face: cheeks and chin, some also beside the ears; most leave the mouth open."""
    side, length, top = rng.uniform(0.7, 1.05), rng.uniform(0.45, 0.95), rng.uniform(-0.4, 0.0)
    outer = arc(face.low(0, top), side * face.wide, (length - top) * face.wide, 0, 1)
    cheek, lip = rng.uniform((0.3, -0.2), (0.8, 0.2))
    shape.area([*outer, face.low(-side * cheek, top + 0.1), face.low(0, lip), face.low(side * cheek, top + 0.1)])
    if rng.random() < 0.4:
        for part in (-side, side):
            shape.stroke([face.low(part, top - 0.6), face.low(part, top + 0.1)], 0.05 * face.wide, 0.1 * face.wide)
    if rng.random() < 0.7:
        across, down = rng.uniform((0.15, 0.05), (0.32, 0.16)) * face.wide
        shape.oval(face.low(0, 0), across, down, hole=True)


def goatee(shape: Shape, face: Face, rng: Rng) -> None:
    """A tuft under the mouth, round or pointed."""
    middle, half, down = rng.uniform((0.35, 0.08, 0.1), (0.6, 0.28, 0.3))
    shape.oval(face.low(0, middle), half * face.wide, down * face.wide)
    if rng.random() < 0.4:
        tip = face.low(0, middle + rng.uniform(0.2, 0.5))
        shape.stroke([face.low(0, middle), tip], half * face.wide, 0.02 * face.wide)


def stubble(shape: Shape, face: Face, rng: Rng) -> None:
    """Dots or short hairs over the lower face."""
    long, width = rng.choice([0.02, rng.uniform(0.05, 0.2)]), rng.uniform(0.6, 1.8)
    for _ in range(int(rng.integers(12, 60))):
        angle, far = rng.uniform(0.05, 0.95) * math.pi, rng.uniform(0.5, 0.85)
        across, down = far * math.cos(angle), far * math.sin(angle) * 0.85
        shape.line([face.low(across, down), face.low(across * (1 + long), down + long)], width)
