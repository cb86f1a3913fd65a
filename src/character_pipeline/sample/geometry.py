"""Outlines: lists of points become SVG paths.

Units are those of a head: the middle of the face is (0, 0), its half-width about 54, y grows downwards. A point is
(x, y) where the outline runs smoothly, or (x, y, 0) where it has a corner.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple

Point = tuple[float, ...]


class Shape(NamedTuple):
    """An SVG path, and the point towards which its lit part shrinks."""

    path: str
    light: tuple[float, float]


def smooth(points: Sequence[Point], closed: bool = True) -> Shape:
    """A curve through all points (Catmull-Rom, drawn as cubic Béziers)."""
    count = len(points)
    parts = [f"M{points[0][0]:.1f} {points[0][1]:.1f}"]
    for i in range(count if closed else count - 1):
        here, there = points[i], points[(i + 1) % count]
        (ax, ay), (bx, by) = _tangent(points, i, closed), _tangent(points, (i + 1) % count, closed)
        handles = f"C{here[0] + ax:.1f} {here[1] + ay:.1f} {there[0] - bx:.1f} {there[1] - by:.1f}"
        parts.append(f"{handles} {there[0]:.1f} {there[1]:.1f}")
    return Shape("".join(parts) + ("Z" if closed else ""), _light(points))


def _tangent(points: Sequence[Point], i: int, closed: bool) -> tuple[float, float]:
    count = len(points)
    if len(points[i]) > 2 or (not closed and i in {0, count - 1}):
        return 0.0, 0.0
    before, after = points[i - 1], points[(i + 1) % count]
    return (after[0] - before[0]) / 6, (after[1] - before[1]) / 6


def _light(points: Sequence[Point]) -> tuple[float, float]:
    xs, ys = [p[0] for p in points], [p[1] for p in points]
    return min(xs) * 0.68 + max(xs) * 0.32, min(ys) * 0.72 + max(ys) * 0.28


def poly(points: Sequence[Point], closed: bool = True) -> Shape:
    """Straight lines through all points."""
    return Shape("M" + "L".join(f"{p[0]:.1f} {p[1]:.1f}" for p in points) + ("Z" if closed else ""), _light(points))


def ellipse(cx: float, cy: float, rx: float, ry: float | None = None) -> Shape:
    """An ellipse, or a circle where `ry` is left out."""
    ry = rx if ry is None else ry
    arcs = f"a{rx:.1f} {ry:.1f} 0 1 0 {2 * rx:.1f} 0a{rx:.1f} {ry:.1f} 0 1 0 {-2 * rx:.1f} 0"
    return Shape(f"M{cx - rx:.1f} {cy:.1f}{arcs}Z", (cx - rx * 0.35, cy - ry * 0.4))


def box(x: float, y: float, width: float, height: float) -> Shape:
    """A rectangle from its upper left corner."""
    return poly([(x, y), (x + width, y), (x + width, y + height), (x, y + height)])


def mirror(points: Iterable[Point]) -> list[Point]:
    """The points on the other side of the middle, in reverse, so that a half outline closes."""
    return [(-p[0], *p[1:]) for p in points][::-1]


def both(points: Sequence[Point]) -> list[Point]:
    """A symmetric outline from its right half, top to bottom."""
    return [*points, *mirror(points)]


def limb(joints: Sequence[Point], widths: Sequence[float]) -> Shape:
    """A tapered tube along the joints; `widths` are half-widths, one a joint."""
    left: list[Point] = []
    right: list[Point] = []
    for i, (x, y) in enumerate((p[0], p[1]) for p in joints):
        before, after = joints[max(i - 1, 0)], joints[min(i + 1, len(joints) - 1)]
        dx, dy = after[0] - before[0], after[1] - before[1]
        length = math.hypot(dx, dy) or 1.0
        nx, ny = -dy / length * widths[i], dx / length * widths[i]
        left.append((x + nx, y + ny))
        right.append((x - nx, y - ny))
    return smooth([*left, *right[::-1]])


def lock(start: Point, end: Point, width: float, bend: float = 0.0, waves: int = 0) -> Shape:
    """A strand of hair: broad at the start, pointed at the end; `bend` pushes its middle sideways."""
    joints = strand(start, end, bend, waves)
    count = len(joints) - 1
    sides: list[list[Point]] = [[], []]
    for i, (x, y) in enumerate(joints[:-1]):
        half = width * (0.75 + 0.6 * math.sin(math.pi * i / count)) * (1 - (i / count) ** 2 * 0.55)
        ahead = joints[i + 1]
        length = math.hypot(ahead[0] - x, ahead[1] - y) or 1.0
        nx, ny = -(ahead[1] - y) / length * half, (ahead[0] - x) / length * half
        sides[0].append((x + nx, y + ny))
        sides[1].append((x - nx, y - ny))
    return smooth([*sides[0], (*joints[-1], 0), *sides[1][::-1]])


def strand(start: Point, end: Point, bend: float = 0.0, waves: int = 0) -> list[tuple[float, float]]:
    """The middle line of a strand: eight joints from start to end."""
    dx, dy = end[0] - start[0], end[1] - start[1]
    length = math.hypot(dx, dy) or 1.0
    joints = []
    for i in range(9):
        t = i / 8
        off = bend * math.sin(math.pi * t) + (math.sin(2 * math.pi * waves * t) * length * 0.05 if waves else 0.0)
        joints.append((start[0] + dx * t - dy / length * off, start[1] + dy * t + dx / length * off))
    return joints


def between(a: Point, b: Point, t: float) -> tuple[float, float]:
    """The point at the share `t` of the way from a to b."""
    return a[0] + (b[0] - a[0]) * t, a[1] + (b[1] - a[1]) * t


def resample(points: Sequence[Point], step: float) -> list[tuple[float, float]]:
    """Points about `step` apart along the straight lines through `points`."""
    found: list[tuple[float, float]] = []
    for here, there in itertools.pairwise(points):
        pieces = max(1, round(math.hypot(there[0] - here[0], there[1] - here[1]) / step))
        found.extend(between(here, there, i / pieces) for i in range(pieces))
    return [*found, (points[-1][0], points[-1][1])]
