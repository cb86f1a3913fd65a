"""Accessories on the head and the face, one function each."""

from __future__ import annotations

from character_pipeline.sample.character import Character
from character_pipeline.sample.geometry import Point, both, ellipse, limb, lock, mirror, poly, smooth
from character_pipeline.sample.palette import CLOTH, GOLD, INK, lit, mix, shadow
from character_pipeline.sample.pen import Pen
from character_pipeline.sample.rig import Rig

EYE_X = 24.5


def glasses(pen: Pen, person: Character, rig: Rig) -> None:
    frame = ("#33313d", "#b8323a", "#6a4a34", "#3f68b5")[person.fashion % 4]
    for side in (-1, 1):
        lens = ellipse(side * EYE_X, rig.eye_y + 1, 19, 17) if person.fashion % 2 else smooth(_pane(side, rig))
        pen.flat(lens, "#ffffff", 0.16)
        pen.line(lens, frame, 0.8, 3)
        pen.line(poly([(side * 43, rig.eye_y - 3), (side * 55, rig.eye_y - 5)], closed=False), frame, 0.8, 3)
    pen.line(smooth([(-6, rig.eye_y - 1), (0, rig.eye_y - 4), (6, rig.eye_y - 1)], closed=False), frame, 0.8, 3)


def _pane(side: int, rig: Rig) -> list[Point]:
    x, y = side * EYE_X, rig.eye_y
    return [(x - 18, y - 12), (x + 18, y - 12), (x + 17, y + 12), (x, y + 17), (x - 17, y + 12)]


def sunglasses(pen: Pen, person: Character, rig: Rig) -> None:
    for side in (-1, 1):
        pen.fill(smooth(_pane(side, rig)), "#26242e", shade=False)
        pen.flat(
            poly(
                [
                    (side * EYE_X - 10, rig.eye_y + 6),
                    (side * EYE_X - 2, rig.eye_y - 9),
                    (side * EYE_X + 3, rig.eye_y - 9),
                    (side * EYE_X - 5, rig.eye_y + 6),
                ]
            ),
            "#6f6d80",
            0.7,
        )
        pen.line(poly([(side * 42, rig.eye_y - 6), (side * 55, rig.eye_y - 8)], closed=False), "#26242e", 1, 3.4)
    pen.line(smooth([(-7, rig.eye_y - 6), (7, rig.eye_y - 6)], closed=False), "#26242e", 1, 4)


def eyepatch(pen: Pen, person: Character, rig: Rig) -> None:
    colour = "#f4f4f4" if person.fashion % 3 == 0 else "#2b2934"
    pen.line(smooth([(-54, rig.eye_y - 28), (0, rig.eye_y - 22), (24, rig.eye_y - 8)], closed=False), colour, 1, 3.4)
    pen.line(smooth([(30, rig.eye_y), (56, rig.eye_y - 6)], closed=False), colour, 1, 3.4)
    patch: list[Point] = [
        (6, rig.eye_y - 14),
        (42, rig.eye_y - 14),
        (42, rig.eye_y + 10),
        (25, rig.eye_y + 22),
        (7, rig.eye_y + 10),
    ]
    pen.fill(smooth(patch), colour)


def blindfold(pen: Pen, person: Character, rig: Rig) -> None:
    y = rig.eye_y
    colour = CLOTH[("black", "white", "red")[person.fashion % 3]]
    pen.fill(
        smooth([(-55, y - 20, 0), (0, y - 14), (55, y - 20, 0), (55, y + 14, 0), (0, y + 21), (-55, y + 14, 0)]), colour
    )
    pen.line(smooth([(-50, y - 4), (0, y + 3), (50, y - 4)], closed=False), shadow(colour, 0.4), 0.6, 1.2)


def mask(pen: Pen, person: Character, rig: Rig) -> None:
    colour = ("#eef5f8", "#33323d", "#a8d3e6")[person.fashion % 3]
    for side in (-1, 1):
        pen.line(
            smooth([(side * 34, rig.eye_y + 22), (side * 53, rig.eye_y + 8)], closed=False), lit(colour, 0.2), 1, 2.4
        )
    half: list[Point] = [(0, rig.eye_y + 17), (36, rig.eye_y + 21), (38, rig.chin - 20), (18, rig.chin - 1)]
    pen.fill(smooth([*half, (0, rig.chin + 2), *mirror(half[1:])]), colour)
    for dy in (28, 36):
        pen.line(
            smooth([(-30, rig.eye_y + dy), (0, rig.eye_y + dy + 3), (30, rig.eye_y + dy)], closed=False),
            shadow(colour, 0.3),
            0.5,
            1.2,
        )


def headband(pen: Pen, person: Character, rig: Rig) -> None:
    colour = CLOTH[person.accent]
    pen.fill(
        smooth([(-58, -34, 0), (0, -46), (58, -34, 0), (59, -20, 0), (0, -31), (-59, -20, 0)]), colour, shade=False
    )
    for dy in (0, 16):
        pen.fill(lock((58, -26), (86, -8 + dy), 5, 4), colour, shade=False)


def hairband(pen: Pen, person: Character, rig: Rig) -> None:
    arc: list[Point] = [(-60, -20), (-46, -62), (0, -80), (46, -62), (60, -20)]
    pen.line(smooth(arc, closed=False), shadow(CLOTH[person.accent], 0.4), 1, 13)
    pen.line(smooth(arc, closed=False), CLOTH[person.accent], 0, 9.5)
    if person.outfit.dress == "Maid Outfit":
        for x, y in ((-40, -76), (-21, -88), (0, -92), (21, -88), (40, -76)):
            pen.fill(ellipse(x, y, 12, 11), "#fbfafa", 0.8, shade=False)


def veil(pen: Pen, person: Character, rig: Rig) -> None:
    tone = ("#ffffff", "#33313d")[person.fashion % 2]
    drape: list[Point] = [
        (0, -92),
        (50, -78),
        (74, -30),
        (86, 40),
        (98, rig.shoulder_y + 70, 0),
        (70, rig.shoulder_y + 60),
        (60, 20),
        (52, -30),
        (24, -62),
    ]
    pen.flat(smooth([*drape, (0, -68), *mirror(drape[1:])]), tone, 0.72)
    pen.line(smooth([*drape, (0, -68), *mirror(drape[1:])]), shadow(tone, 0.3), 0.6, 1.4)
    for i in range(-3, 4):
        pen.fill(ellipse(i * 14, -72 + abs(i) * 3.4, 6), "#fbeff2", 0.6, shade=False)


def headphones(pen: Pen, person: Character, rig: Rig) -> None:
    colour = CLOTH[person.accent]
    pen.line(smooth([(-60, 0), (-58, -52), (0, -90), (58, -52), (60, 0)], closed=False), shadow(colour, 0.5), 1, 12)
    pen.line(smooth([(-60, 0), (-58, -52), (0, -90), (58, -52), (60, 0)], closed=False), colour, 0, 8)
    for side in (-1, 1):
        pen.fill(ellipse(side * 60, 6, 14, 21), colour)
        pen.fill(ellipse(side * 64, 6, 6, 13), "#3b3a47", 0.7, shade=False)


def goggles(pen: Pen, person: Character, rig: Rig) -> None:
    pen.fill(
        smooth([(-57, -44, 0), (0, -64), (57, -44, 0), (58, -32, 0), (0, -50), (-58, -32, 0)]), "#5a4334", shade=False
    )
    for side in (-1, 1):
        pen.fill(ellipse(side * 22, -53, 20, 15), "#b98c46")
        pen.fill(ellipse(side * 22, -53, 14, 10), "#7fc6dc", 0.6, shade=False)
        pen.flat(
            poly([(side * 22 - 8, -50), (side * 22 - 2, -60), (side * 22 + 2, -60), (side * 22 - 4, -50)]), "#d9f1f7"
        )


def hijab(pen: Pen, person: Character, rig: Rig) -> None:
    colour = CLOTH[person.accent if person.accent != "white" else "aqua"]
    low = rig.shoulder_y + 36 * rig.size
    outer: list[Point] = [
        (0, -86),
        (46, -74),
        (68, -26),
        (66, 30),
        (62, rig.chin + 10),
        (rig.shoulder * 0.86, low, 0),
        (0, low + 22),
    ]
    inner: list[Point] = [(0, -42), (34, -34), (47, -4), (43, 28), (22, rig.chin - 4), (0, rig.chin)]
    for side in (-1, 1):
        pen.fill(smooth([(side * p[0], *p[1:]) for p in [*outer, *inner[::-1]]]), colour, 0, shade=False)
    pen.line(smooth(both(outer)), pen.outline(colour))
    pen.line(smooth([*inner, *mirror(inner[1:-1])]), pen.outline(colour), 1)
    for bend in (
        [(-40, rig.chin - 4), (0, rig.chin + 16), (50, rig.chin + 8)],
        [(-50, rig.chin + 14), (0, rig.chin + 34), (56, rig.chin + 24)],
    ):
        pen.line(smooth(bend, closed=False), shadow(colour, 0.4), 0.7, 1.4)


def fake_ears(pen: Pen, person: Character, rig: Rig) -> None:
    hairband(pen, person, rig)
    for side in (-1, 1):
        ear: list[Point] = [
            (side * 16, -78, 0),
            (side * 30, -108),
            (side * 50, -126, 0),
            (side * 58, -90),
            (side * 54, -60, 0),
        ]
        pen.fill(smooth(ear), "#33313d")
        pen.fill(smooth([(side * 28, -82, 0), (side * 46, -112, 0), (side * 50, -74, 0)]), "#f5a3c0", 0, shade=False)


def hair_ribbon(pen: Pen, person: Character, rig: Rig) -> None:
    for side in (-1, 1):
        x, y = side * 56, -42
        for dx, dy in ((4, 46), (20, 40)):
            pen.fill(lock((x, y), (x + side * dx, y + dy), 5, side * 5), CLOTH[person.accent], 0.8, shade=False)
        pen.fill(ellipse(x, y, 8, 6), CLOTH[person.accent], 0.8, shade=False)


def hair_bow(pen: Pen, person: Character, rig: Rig) -> None:
    colour = CLOTH[person.accent]
    for side in (-1, 1):
        loop: list[Point] = [(0, -84, 0), (side * 26, -108), (side * 44, -98), (side * 40, -72), (side * 20, -72)]
        pen.fill(smooth(loop), colour)
    pen.fill(ellipse(0, -85, 10, 11), shadow(colour, 0.12), 0.9, shade=False)


def hair_flower(pen: Pen, person: Character, rig: Rig) -> None:
    colour = CLOTH[person.accent if person.accent != "black" else "red"]
    for dx, dy in ((0, -12), (11, -4), (7, 9), (-7, 9), (-11, -4)):
        pen.fill(ellipse(-44 + dx, -46 + dy, 9.5), colour, 0.7, shade=False)
    pen.fill(ellipse(-44, -46, 6), "#f9e27d", 0.6, shade=False)


def hair_ornament(pen: Pen, person: Character, rig: Rig) -> None:
    colour = CLOTH[person.accent]
    if person.fashion % 2:
        for dy in (0, 11):
            pen.fill(limb([(30, -40 + dy), (52, -30 + dy)], [4.4, 4.4]), colour, 0.8, shade=False)
        return
    star: list[Point] = []
    for i in range(5):
        star += [_STAR[2 * i], _STAR[2 * i + 1]]
    pen.fill(poly([(42 + x * 15, -38 + y * 15) for x, y in star]), "#f5d24f", 0.8, shade=False)


_STAR = (
    (0.0, -1.0), (0.22, -0.31), (0.95, -0.31), (0.36, 0.12), (0.59, 0.81),
    (0.0, 0.38), (-0.59, 0.81), (-0.36, 0.12), (-0.95, -0.31), (-0.22, -0.31),
)  # fmt: skip


def earrings(pen: Pen, person: Character, rig: Rig) -> None:
    colour = GOLD if person.fashion % 2 else CLOTH[person.accent]
    for side in (-1, 1):
        pen.line(poly([(side * 58, 21), (side * 58, 30)], closed=False), mix(GOLD, INK, 0.3), 0.6, 2)
        pen.fill(
            smooth([(side * 58, 27, 0), (side * 58 + 7, 40), (side * 58, 49), (side * 58 - 7, 40)]),
            colour,
            0.8,
            shade=False,
        )


def piercing(pen: Pen, person: Character, rig: Rig) -> None:
    pen.fill(ellipse(9, rig.chin - 14, 3.2), "#dfe4ec", 0.6, shade=False)
    pen.fill(ellipse(-38, rig.eye_y - 24, 3.2), "#dfe4ec", 0.6, shade=False)
    pen.fill(ellipse(5, rig.eye_y + 21, 2.8), "#dfe4ec", 0.6, shade=False)
