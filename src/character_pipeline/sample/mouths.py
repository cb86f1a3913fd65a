"""Mouths, by name."""

from __future__ import annotations

from character_pipeline.sample.geometry import Point, ellipse, poly, smooth
from character_pipeline.sample.palette import INK, mix
from character_pipeline.sample.pen import Pen

INSIDE = "#8f2f38"
TONGUE = "#ee8a8d"
CURVES: dict[str, list[Point]] = {
    "smile": [(-12, -2), (-6, 3), (6, 3), (12, -2)],
    "flat": [(-9, 1), (0, 0.5), (9, 1)],
    "frown": [(-10, 4), (-4, -1), (4, -1), (10, 4)],
    "wavy": [(-12, 1), (-7, -3), (-2, 2), (3, -3), (8, 2), (12, -1)],
    "smirk": [(-9, 3), (0, 4), (8, 1), (14, -6)],
    "pout": [(-6, 3), (-2, -1), (2, -1), (6, 3)],
}
HOLES: dict[str, list[Point]] = {
    "open_smile": [(-14, -4, 0), (0, -1), (14, -4, 0), (9, 8), (0, 12), (-9, 8)],
    "shout": [(-12, -3, 0), (0, -7), (12, -3, 0), (13, 8, 0), (0, 6), (-13, 8, 0)],
    "tongue": [(-12, 3, 0), (-4, -3), (5, 0), (12, -2, 0), (9, 6), (0, 7), (-8, 7)],
}


def draw_mouth(pen: Pen, name: str, y: float, skin: str, fangs: bool) -> None:
    """The mouth of this name with its middle at height `y`."""
    dark = mix(INK, skin, 0.2)
    with pen.moved(f"translate(0 {y:.1f})"):
        if name in CURVES:
            pen.line(smooth(CURVES[name], closed=False), dark, 0.7, 2.4)
        elif name in HOLES:
            _hole(pen, name, dark)
        elif name in {"o", "yawn"}:
            pen.flat(ellipse(0, 2, 6 if name == "o" else 9, 8 if name == "o" else 11), INSIDE)
            pen.line(ellipse(0, 2, 6 if name == "o" else 9, 8 if name == "o" else 11), dark, 0.6, 1.6)
        else:
            _teeth(pen, name, dark)
        if fangs:
            _fangs(pen, name, dark)


def _hole(pen: Pen, name: str, dark: str) -> None:
    pen.flat(smooth(HOLES[name]), INSIDE)
    if name == "tongue":
        pen.fill(smooth([(-6, 4, 0), (6, 4, 0), (7, 13), (0, 18), (-7, 13)]), TONGUE, 0.6, shade=False)
    elif name == "open_smile":
        pen.flat(smooth([(-9, -3, 0), (9, -3, 0), (7, 1), (-7, 1)]), "#ffffff")
        pen.flat(ellipse(0, 7.5, 6, 3.2), TONGUE)
    pen.line(smooth(HOLES[name]), dark, 0.6, 1.8)


def _teeth(pen: Pen, name: str, dark: str) -> None:
    outline: list[Point] = [(-14, -4, 0), (0, -1), (14, -4, 0), (8, 6), (0, 8), (-8, 6)]
    if name == "clenched":
        outline = [(-13, 3, 0), (-9, -4), (9, -4), (13, 3, 0), (9, 7), (-9, 7)]
    if name == "wobble":
        outline = [(-13, 4, 0), (-8, -3), (-3, 0), (3, -3), (8, 0), (13, 5, 0), (7, 8), (0, 6), (-7, 8)]
    pen.flat(smooth(outline), "#ffffff")
    pen.line(smooth(outline), dark, 0.6, 1.8)
    pen.line(smooth([(-9, 2), (0, 3), (9, 2)], closed=False), dark, 0.4, 1.0)


def _fangs(pen: Pen, name: str, dark: str) -> None:
    y = -3.0 if name in HOLES or name in {"grin", "clenched", "wobble"} else 1.5
    for side in (-1, 1):
        fang = poly([(side * 4.5, y), (side * 10, y - 0.6), (side * 7.2, y + 9)])
        pen.flat(fang, "#ffffff")
        pen.line(fang, dark, 0.4, 1.2)
