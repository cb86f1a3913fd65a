"""Hats and helmets, one function each."""

from __future__ import annotations

from character_pipeline.sample.character import Character
from character_pipeline.sample.geometry import Point, box, ellipse, limb, mirror, poly, smooth
from character_pipeline.sample.palette import CLOTH, GOLD, METAL, lit, shadow
from character_pipeline.sample.pen import Pen
from character_pipeline.sample.rig import Rig


def hat(pen: Pen, person: Character, rig: Rig) -> None:
    if "santa_hat" in person.outfit.tags:
        _santa(pen)
        return
    colour, band = CLOTH[person.accent], CLOTH["white" if person.accent in {"red", "black", "blue"} else "black"]
    (_cap, _straw, _witch, _beanie, _beret, _top)[person.fashion % 6](pen, colour, band)


def _cap(pen: Pen, colour: str, band: str) -> None:
    pen.fill(smooth([(-60, -36, 0), (-54, -76), (0, -98), (54, -76), (60, -36, 0), (0, -46)]), colour)
    pen.fill(
        smooth([(-50, -42, 0), (0, -54), (50, -42, 0), (58, -26), (0, -36), (-58, -26)]),
        shadow(colour, 0.16),
        shade=False,
    )
    pen.flat(ellipse(0, -98, 5, 4), band)
    pen.fill(ellipse(0, -66, 11), band, 0.6, shade=False)


def _straw(pen: Pen, colour: str, band: str) -> None:
    pen.fill(ellipse(0, -44, 106, 20), "#ecd08a")
    pen.fill(smooth([(-54, -46, 0), (-50, -88), (0, -102), (50, -88), (54, -46, 0), (0, -40)]), "#f2dc9e")
    pen.fill(
        smooth([(-54, -58, 0), (0, -50), (54, -58, 0), (55, -45, 0), (0, -37), (-55, -45, 0)]), colour, 0.8, shade=False
    )


def _witch(pen: Pen, colour: str, band: str) -> None:
    pen.fill(ellipse(0, -46, 104, 19), colour)
    pen.fill(
        smooth([(-54, -48, 0), (-36, -90), (-8, -138), (34, -162, 0), (26, -128), (40, -90), (54, -48, 0), (0, -40)]),
        colour,
    )
    pen.fill(
        smooth([(-52, -60, 0), (0, -52), (52, -60, 0), (54, -46, 0), (0, -38), (-54, -46, 0)]), band, 0.8, shade=False
    )
    pen.fill(box(-9, -60, 18, 20), GOLD, 0.7, shade=False)


def _beanie(pen: Pen, colour: str, band: str) -> None:
    pen.fill(smooth([(-60, -34, 0), (-56, -76), (0, -104), (56, -76), (60, -34, 0), (0, -40)]), colour)
    pen.fill(
        smooth([(-62, -50, 0), (0, -58), (62, -50, 0), (62, -28, 0), (0, -36), (-62, -28, 0)]),
        lit(colour, 0.25),
        shade=False,
    )
    pen.fill(ellipse(0, -106, 15), band)


def _beret(pen: Pen, colour: str, band: str) -> None:
    pen.fill(smooth([(-56, -44), (-74, -70), (-40, -100), (20, -100), (70, -76), (58, -46), (0, -54)]), colour)
    pen.line(smooth([(4, -100), (8, -110)], closed=False), colour, 1, 5)


def _top(pen: Pen, colour: str, band: str) -> None:
    pen.fill(poly([(-46, -52), (-50, -128), (50, -128), (46, -52)]), colour)
    pen.fill(poly([(-46, -52), (-47, -72), (47, -72), (46, -52)]), band, 0.8, shade=False)
    pen.fill(ellipse(0, -52, 78, 12), colour)


def _santa(pen: Pen) -> None:
    pen.fill(
        smooth([(-56, -44, 0), (-44, -92), (10, -120), (74, -86), (92, -40, 0), (66, -60), (56, -44, 0)]), CLOTH["red"]
    )
    pen.fill(limb([(-58, -42), (0, -54), (58, -42)], [13, 13, 13]), "#fbfafa", shade=False)
    pen.fill(ellipse(92, -34, 15), "#fbfafa")


def helmet(pen: Pen, person: Character, rig: Rig) -> None:
    steel = METAL if person.fashion % 2 else CLOTH[person.accent]
    half: list[Point] = [(0, -92), (44, -80), (66, -36), (66, 14), (58, 40, 0), (48, 30), (49, -16), (30, -32)]
    pen.fill(smooth([*half, (0, -34), *mirror(half[1:])]), steel)
    pen.line(smooth([(-49, -16), (-30, -32), (0, -34), (30, -32), (49, -16)], closed=False), GOLD, 1, 4)
    pen.fill(poly([(-6, -34), (0, -102), (6, -34)]), GOLD, 0.8, shade=False)
    for side in (-1, 1):
        pen.fill(ellipse(side * 62, -8, 8), GOLD, 0.8)


def crown(pen: Pen, person: Character, rig: Rig) -> None:
    points: list[Point] = [(-36, -70), (-42, -106), (-20, -90), (0, -116), (20, -90), (42, -106), (36, -70), (0, -64)]
    pen.fill(poly(points), GOLD)
    for x, y, colour in ((-42, -108, "#cf3d40"), (0, -118, "#3f68b5"), (42, -108, "#cf3d40")):
        pen.fill(ellipse(x, y, 5), colour, 0.6, shade=False)
    pen.fill(ellipse(0, -78, 6), "#d8455e", 0.6, shade=False)
