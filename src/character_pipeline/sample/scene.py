"""Backgrounds, and the window through which a figure is seen."""

from __future__ import annotations

import colorsys
from collections.abc import Callable, Mapping
from random import Random

from character_pipeline.sample.character import Character
from character_pipeline.sample.geometry import Point, box, ellipse, limb, poly, smooth
from character_pipeline.sample.palette import hexed, lit, mix, shadow
from character_pipeline.sample.pen import Blend, Pen
from character_pipeline.sample.rig import Rig
from character_pipeline.sample.shot import Shot

View = tuple[float, float, float, float]
"""Left, top, width and height, in units of `geometry`."""

TALL = frozenset({"Hat", "Crown", "Fake Animal Ears"})
TALL_HAIR = frozenset({"Afro", "Mohawk", "Updo", "Pompadour", "Bun", "Ponytail"})


def pastel(hue: int, light: float = 0.86, strength: float = 0.6) -> str:
    """A soft colour of this hue in degrees."""
    return hexed(tuple(255 * part for part in colorsys.hls_to_rgb(hue / 360, light, strength)))  # type: ignore[arg-type]


def view_of(person: Character, shot: Shot, rig: Rig) -> View:
    """The window for this framing: square, but for whole figures, which may stand in a tall one."""
    top = head_top(person)
    low = {
        "portrait": rig.chin + 52 + 26 * rig.size,
        "upper_body": rig.waist_y + 6 * rig.size,
        "cowboy": rig.leg_at(0.3),
        "full_body": rig.floor + 26,
        "headless": rig.leg_at(0.42),
    }[shot.framing]
    if shot.framing == "headless":
        top = rig.neck + 4
    height = low - top
    width = height * (0.64 if shot.framing == "full_body" and shot.hue % 4 else 1.0)
    width = max(width, 250.0 if shot.framing != "headless" else 0.0)
    return (-width / 2 + shot.tilt, top, width, height if width <= height else width)


def head_top(person: Character) -> float:
    """The height above which nothing of the head is drawn."""
    top = -108.0
    if TALL & set(person.accessories) or person.hair.arrangement in TALL_HAIR or person.hair.ahoge:
        top = -142.0
    if "Animal Ears" in person.features or {"Horns", "Halo"} & set(person.features):
        top = -196.0 if person.animal == "rabbit" and "Animal Ears" in person.features else -166.0
    return top - 28 if "Hat" in person.accessories and person.fashion % 6 == 2 else top


def draw_background(pen: Pen, kind: str, hue: int, view: View) -> None:
    """What is behind the figure; `kind` is one of `shot.BACKGROUNDS`."""
    left, top, width, height = view
    base = pastel(hue) if kind != "white" else pen.style.paper
    if pen.style.loose:
        _wash(pen, mix(base, pen.style.paper, 0.5), view)
        return
    pen.flat(box(left - 5, top - 5, width + 10, height + 10), base if kind != "gradient" else _fade(hue, top, height))
    if kind in DECORATIONS:
        with pen.moved(f"translate({left:.1f} {top:.1f}) scale({width / 100:.3f} {height / 100:.3f})"):
            DECORATIONS[kind](pen, hue, width / height)


def _wash(pen: Pen, colour: str, view: View) -> None:
    """A sketch leaves most of its paper bare."""
    left, top, width, height = view
    pen.flat(box(left - 5, top - 5, width + 10, height + 10), pen.style.paper)
    for i in range(-4, 14):
        x = left + width * i / 10
        stroke = limb([(x + width * 0.3, top + height * 0.06), (x, top + height * 0.94)], [width * 0.03, width * 0.045])
        pen.flat(stroke, colour, 0.75)


def _fade(hue: int, top: float, height: float) -> Blend:
    return Blend("fade", (pastel(hue, 0.92), pastel((hue + 40) % 360, 0.72)), top, top + height)


def _dots(pen: Pen, hue: int, aspect: float) -> None:
    for row in range(7):
        for column in range(7):
            x = column * 16 + (8 if row % 2 else 0)
            pen.flat(ellipse(x, row * 16 + 2, 2.6, 2.6 * aspect), lit(pastel(hue), 0.5))


def _stripes(pen: Pen, hue: int, aspect: float) -> None:
    for i in range(-6, 12, 2):
        pen.flat(poly([(i * 10, 0), (i * 10 + 10, 0), (i * 10 + 50, 100), (i * 10 + 40, 100)]), lit(pastel(hue), 0.4))


def _sunburst(pen: Pen, hue: int, aspect: float) -> None:
    rays: list[tuple[Point, Point]] = [
        ((-60, -60), (-20, -90)), ((20, -90), (60, -90)), ((130, -60), (190, -10)), ((190, 30), (190, 80)),
        ((150, 190), (90, 190)), ((40, 190), (-20, 190)), ((-90, 130), (-90, 80)), ((-90, 40), (-90, -10)),
    ]  # fmt: skip
    for a, b in rays:
        pen.flat(poly([(50, 42), a, b]), lit(pastel(hue), 0.45))


def _sky(pen: Pen, hue: int, aspect: float) -> None:
    pen.flat(box(-2, -2, 104, 104), Blend("fade", ("#7db8ee", "#d9effb"), 0, 100))
    for x, y, size in ((14, 20, 1.0), (82, 12, 0.8), (88, 52, 1.1), (8, 66, 0.9)):
        for dx, dy, r in ((-8, 2, 6), (0, -2, 8), (9, 2, 6)):
            pen.flat(ellipse(x + dx * size, y + dy * size, r * size, r * size * 0.72 * aspect), "#ffffff", 0.92)


def _meadow(pen: Pen, hue: int, aspect: float) -> None:
    _sky(pen, hue, aspect)
    pen.flat(smooth([(-5, 74, 0), (25, 66), (60, 72), (105, 64, 0), (105, 105, 0), (-5, 105, 0)]), "#8cc56e")
    pen.flat(smooth([(-5, 86, 0), (40, 78), (105, 86, 0), (105, 105, 0), (-5, 105, 0)]), "#6fae58")
    for i in range(12):
        pen.flat(
            ellipse((i * 37) % 100, 82 + (i * 13) % 17, 1.2, 1.2 * aspect), ("#ffffff", "#f7d44f", "#f29ab6")[i % 3]
        )


def _room(pen: Pen, hue: int, aspect: float) -> None:
    wall = pastel(35 + hue % 40, 0.84, 0.4)
    pen.flat(box(-2, -2, 104, 104), wall)
    pen.flat(box(-2, 80, 104, 24), shadow(mix(wall, "#a8703e", 0.5), 0.05))
    pen.flat(box(62, 8, 30, 40), "#fbfaf5")
    pen.flat(box(64.5, 11, 25, 34), "#a9d8f2")
    pen.flat(box(76, 11, 2, 34), "#fbfaf5")
    pen.flat(box(8, 14, 22, 26), mix(wall, "#8a5b3a", 0.6))
    pen.flat(box(10, 17, 18, 20), pastel((hue + 120) % 360, 0.7))


def _night(pen: Pen, hue: int, aspect: float) -> None:
    pen.flat(box(-2, -2, 104, 104), Blend("fade", ("#1e2650", "#54508c"), 0, 100))
    rng = Random(hue)
    for _ in range(26):
        pen.flat(ellipse(rng.uniform(0, 100), rng.uniform(0, 90), 0.7, 0.7 * aspect), "#fff6d0")
    pen.flat(ellipse(82, 16, 9, 9 * aspect), "#fdf0b4")


DECORATIONS: Mapping[str, Callable[[Pen, int, float], None]] = {
    "dots": _dots,
    "stripes": _stripes,
    "sunburst": _sunburst,
    "sky": _sky,
    "meadow": _meadow,
    "room": _room,
    "night": _night,
}


def draw_landscape(pen: Pen, hue: int) -> None:
    """Hills, trees and a house, 100 by 100 units from (0, 0)."""
    _meadow(pen, hue, 1.0)
    pen.fill(poly([(-5, 72), (18, 34), (34, 56), (52, 28), (86, 70)]), "#8ea3c8", 0.2, shade=False)
    pen.flat(poly([(52, 28), (44, 41), (50, 39), (54, 43), (62, 41)]), "#f6f9ff")
    pen.flat(smooth([(-5, 74, 0), (30, 64), (60, 70), (105, 62, 0), (105, 105, 0), (-5, 105, 0)]), "#7dba62")
    for x, y, size in ((16, 74, 1.0), (30, 80, 0.7), (88, 78, 1.2)):
        pen.fill(limb([(x, y), (x, y - 12 * size)], [1.2 * size, 1.0 * size]), "#7a5236", 0.2, shade=False)
        pen.fill(ellipse(x, y - 18 * size, 8 * size, 9 * size), mix("#4f9a63", pastel(hue, 0.6), 0.2), 0.2)
    pen.fill(box(52, 66, 18, 14), "#f3e3c2", 0.2, shade=False)
    pen.fill(poly([(49, 67), (61, 55), (73, 67)]), "#b8503f", 0.2, shade=False)
    pen.fill(box(58.5, 72, 5, 8), "#7a5236", 0.15, shade=False)


def draw_still_life(pen: Pen, hue: int) -> None:
    """A cup and a vase on a table, 100 by 100 units from (0, 0)."""
    pen.flat(box(-2, -2, 104, 104), pastel(hue, 0.88))
    pen.flat(box(-2, 68, 104, 36), "#b98253")
    cup, vase = pastel((hue + 180) % 360, 0.62), pastel((hue + 90) % 360, 0.55)
    pen.line(ellipse(50, 62, 8, 7), shadow(cup, 0.3), 0.2, 3)
    pen.fill(smooth([(22, 50, 0), (50, 50, 0), (48, 72), (36, 78), (24, 72)]), cup, 0.25)
    pen.fill(ellipse(36, 50, 14, 3), "#6a3f28", 0.2, shade=False)
    for x, y in ((66, 34), (76, 26), (85, 36)):
        pen.line(smooth([(76, 56), (x, y)], closed=False), "#4f9a63", 0.2, 1.6)
        for dx, dy in ((0, -5), (5, -1), (3, 4), (-3, 4), (-5, -1)):
            pen.fill(ellipse(x + dx, y + dy, 4), pastel((hue + 300) % 360, 0.7, 0.9), 0.2, shade=False)
        pen.flat(ellipse(x, y, 2.6), "#f7d44f")
    pen.fill(smooth([(70, 52, 0), (82, 52, 0), (80, 58), (90, 74), (76, 84), (62, 74), (72, 58)]), vase, 0.25)
