"""Accessories below the chin, one function each."""

from __future__ import annotations

from character_pipeline.sample.character import Character
from character_pipeline.sample.geometry import Point, between, box, ellipse, limb, lock, poly, smooth
from character_pipeline.sample.palette import CLOTH, GOLD, lit, shadow
from character_pipeline.sample.pen import Pen
from character_pipeline.sample.rig import Rig


def _throat(rig: Rig) -> float:
    return rig.neck + 16 * rig.size


def necklace(pen: Pen, person: Character, rig: Rig) -> None:
    y, wide = _throat(rig), rig.neck_width + 7
    low = y + 38 * rig.size
    if person.fashion % 2:
        for i in range(9):
            t = i / 4 - 1
            pen.fill(ellipse(wide * 1.25 * t, y - 2 + 26 * rig.size * (1 - t * t), 4.6), "#f6f1ec", 0.6, shade=False)
        return
    pen.line(
        smooth(
            [
                (-wide, y - 8),
                (-wide * 0.6, y + 18 * rig.size),
                (0, low),
                (wide * 0.6, y + 18 * rig.size),
                (wide, y - 8),
            ],
            closed=False,
        ),
        GOLD,
        0.8,
        2.6,
    )
    pen.fill(
        smooth([(0, low - 4, 0), (8, low + 7), (0, low + 18, 0), (-8, low + 7)]), CLOTH[person.accent], 0.8, shade=False
    )


def choker(pen: Pen, person: Character, rig: Rig) -> None:
    y, wide = rig.chin + 8, rig.neck_width + 2
    colour = "#2b2934" if person.accent != "black" else CLOTH["red"]
    pen.fill(
        smooth([(-wide, y - 5, 0), (0, y), (wide, y - 5, 0), (wide, y + 4, 0), (0, y + 9), (-wide, y + 4, 0)]),
        colour,
        0.7,
        shade=False,
    )
    pen.fill(ellipse(0, y + 10, 4), GOLD, 0.6, shade=False)


def collar(pen: Pen, person: Character, rig: Rig) -> None:
    y, wide = rig.chin + 9, rig.neck_width + 4
    pen.fill(
        smooth([(-wide, y - 9, 0), (0, y - 3), (wide, y - 9, 0), (wide, y + 6, 0), (0, y + 13), (-wide, y + 6, 0)]),
        CLOTH[person.accent],
        0.9,
        shade=False,
    )
    pen.fill(ellipse(0, y + 15, 8.5), GOLD, 0.8)
    pen.line(poly([(-5, y + 16), (5, y + 16)], closed=False), "#6b4e1c", 0.5, 1.6)


def scarf(pen: Pen, person: Character, rig: Rig) -> None:
    colour, y, wide = CLOTH[person.accent], rig.chin + 10, rig.neck_width + 20
    pen.fill(poly([(8, y + 8), (34, y + 6), (40, y + 10 + 84 * rig.size), (12, y + 14 + 86 * rig.size)]), colour)
    for i in range(4):
        x = 15 + i * 7
        pen.line(poly([(x, y + 12 + 85 * rig.size), (x + 1, y + 24 + 85 * rig.size)], closed=False), colour, 0.8, 2.4)
    pen.fill(
        smooth([(-wide, y - 6), (0, y - 2), (wide, y - 6), (wide + 5, y + 12), (0, y + 24), (-wide - 5, y + 12)]),
        colour,
    )
    pen.line(smooth([(-wide + 4, y + 4), (0, y + 11), (wide - 4, y + 4)], closed=False), shadow(colour, 0.4), 0.6, 1.4)


def necktie(pen: Pen, person: Character, rig: Rig) -> None:
    y, s = _throat(rig) + 10 * rig.size, rig.size
    colour = CLOTH[person.accent]
    blade: list[Point] = [
        (-5 * s, y + 10 * s),
        (5 * s, y + 10 * s),
        (13 * s, y + 88 * s),
        (0, y + 106 * s),
        (-13 * s, y + 88 * s),
    ]
    pen.fill(poly(blade), colour, 0.9)
    pen.fill(
        poly([(-10 * s, y - 4), (10 * s, y - 4), (6 * s, y + 14 * s), (-6 * s, y + 14 * s)]),
        shadow(colour, 0.1),
        0.9,
        shade=False,
    )


def bow(pen: Pen, person: Character, rig: Rig) -> None:
    y, s, colour = _throat(rig) + 14 * rig.size, max(rig.size, 0.7), CLOTH[person.accent]
    for side in (-1, 1):
        loop: list[Point] = [
            (0, y, 0),
            (side * 22 * s, y - 15 * s),
            (side * 33 * s, y - 4),
            (side * 27 * s, y + 15 * s),
            (side * 10, y + 7),
        ]
        pen.fill(smooth(loop), colour, 0.9)
    pen.fill(ellipse(0, y + 1, 7 * s, 8 * s), shadow(colour, 0.12), 0.8, shade=False)


def ribbon(pen: Pen, person: Character, rig: Rig) -> None:
    y, s, colour = _throat(rig) + 10 * rig.size, max(rig.size, 0.7), CLOTH[person.accent]
    for side in (-1, 1):
        loop: list[Point] = [(0, y, 0), (side * 15 * s, y - 9 * s), (side * 21 * s, y + 2), (side * 12 * s, y + 7 * s)]
        pen.fill(smooth(loop), colour, 0.8, shade=False)
        pen.fill(lock((side * 2, y + 2), (side * 13 * s, y + 54 * s), 3.6, side * 4), colour, 0.8, shade=False)


def bracelet(pen: Pen, person: Character, rig: Rig) -> None:
    for i in range(5):
        x, y = between(rig.arms[1][1], rig.arms[1][2], 0.93)
        pen.fill(
            ellipse(x + (i - 2) * rig.limb * 0.36, y + abs(i - 2) * -1.2 + 3, 4.4),
            GOLD if i % 2 else CLOTH[person.accent],
            0.6,
            shade=False,
        )


def watch(pen: Pen, person: Character, rig: Rig) -> None:
    here = between(rig.arms[0][1], rig.arms[0][2], 0.92)
    pen.fill(
        limb(
            [between(rig.arms[0][1], rig.arms[0][2], 0.88), between(rig.arms[0][1], rig.arms[0][2], 0.97)],
            [rig.limb * 0.82] * 2,
        ),
        "#4a3527",
        0.8,
        shade=False,
    )
    pen.fill(ellipse(*here, rig.limb * 0.66), "#f4f6fa", 0.9, shade=False)
    pen.line(poly([(here[0], here[1] - 5), here, (here[0] + 4, here[1])], closed=False), "#33313d", 0.5, 1.6)


def ring(pen: Pen, person: Character, rig: Rig) -> None:
    x, y = between(rig.arms[0][1], rig.arms[0][2], 1.26)
    pen.line(ellipse(x, y, 5, 3.4), GOLD, 0.7, 2.8)
    pen.fill(ellipse(x, y + 4, 3.6), "#e0455e", 0.5, shade=False)


def gloves(pen: Pen, person: Character, rig: Rig) -> None:
    colour = CLOTH[person.accent]
    for arm in rig.arms:
        start, tip = between(arm[1], arm[2], 0.62), between(arm[1], arm[2], 1.17)
        inward = -1 if arm[2][0] > 0 else 1
        thumb = between(arm[1], arm[2], 1.1)
        pen.fill(
            limb(
                [thumb, (thumb[0] + inward * rig.limb * 0.9, thumb[1] + rig.limb * 0.55)],
                [rig.limb * 0.4, rig.limb * 0.34],
            ),
            colour,
            0.8,
        )
        pen.fill(
            limb(
                [start, arm[2], tip, between(arm[1], arm[2], 1.26)],
                [rig.limb * 1.12, rig.limb * 0.86, rig.limb * 0.92, rig.limb * 0.4],
            ),
            colour,
        )
        pen.fill(
            limb([between(arm[1], arm[2], 0.58), between(arm[1], arm[2], 0.68)], [rig.limb * 1.24] * 2),
            lit(colour, 0.3),
            0.8,
            shade=False,
        )


def belt(pen: Pen, person: Character, rig: Rig) -> None:
    y, wide = rig.waist_y + 10 * rig.size, rig.waist + 5
    pen.fill(
        smooth(
            [(-wide, y - 8, 0), (0, y - 4), (wide, y - 8, 0), (wide + 1, y + 7, 0), (0, y + 11), (-wide - 1, y + 7, 0)]
        ),
        "#5b3f2c",
        0.9,
        shade=False,
    )
    pen.fill(box(-12, y - 7, 24, 20), GOLD, 0.8, shade=False)
    pen.fill(box(-6, y - 2, 12, 10), "#5b3f2c", 0.4, shade=False)


def bag(pen: Pen, person: Character, rig: Rig) -> None:
    colour = CLOTH[person.accent] if person.accent != "white" else "#a9744a"
    x, y, s = rig.hip * 1.02, rig.hip_y - 16 * rig.size, rig.size
    pen.line(
        poly([(-rig.shoulder * 0.62, rig.shoulder_y - 2), (x * 0.9, y + 6)], closed=False),
        shadow(colour, 0.3),
        1,
        7 * s + 1,
    )
    pen.fill(
        smooth([(x - 26 * s, y, 0), (x + 34 * s, y, 0), (x + 38 * s, y + 56 * s), (x - 30 * s, y + 56 * s)]), colour
    )
    pen.fill(
        smooth(
            [
                (x - 26 * s, y, 0),
                (x + 34 * s, y, 0),
                (x + 30 * s, y + 26 * s),
                (x + 4 * s, y + 34 * s),
                (x - 22 * s, y + 26 * s),
            ]
        ),
        shadow(colour, 0.14),
        0.8,
        shade=False,
    )
    pen.fill(ellipse(x + 4 * s, y + 32 * s, 5 * s + 1), GOLD, 0.6, shade=False)


def cape_behind(pen: Pen, person: Character, rig: Rig) -> None:
    """The cloth of a cape; from behind it is drawn over the body."""
    low = rig.leg_at(0.62)
    colour = CLOTH[person.accent]
    right: list[Point] = [
        (rig.shoulder * 0.7, rig.shoulder_y - 8, 0),
        (rig.shoulder * 1.14, rig.shoulder_y + 20),
        (rig.shoulder * 1.3, rig.waist_y),
        (rig.hip * 1.95, low, 0),
        (rig.hip * 0.9, low - 12, 0),
        (rig.hip * 0.45, low + 5),
    ]
    pen.fill(smooth([*right, *[(-p[0], *p[1:]) for p in right][::-1]]), shadow(colour, 0.08), shade=False)
    for share in (-0.8, -0.3, 0.3, 0.8):
        pen.line(
            smooth([(rig.shoulder * share, rig.shoulder_y + 30), (rig.hip * 1.5 * share, low - 10)], closed=False),
            shadow(colour, 0.4),
            0.6,
            1.2,
        )


def cape_front(pen: Pen, person: Character, rig: Rig) -> None:
    colour, y = CLOTH[person.accent], _throat(rig)
    for side in (-1, 1):
        fold: list[Point] = [
            (side * 4, y + 12, 0),
            (side * rig.neck_width, y - 6),
            (side * rig.shoulder * 0.85, rig.shoulder_y - 6),
            (side * rig.shoulder * 1.06, rig.shoulder_y + 22 * rig.size),
            (side * rig.shoulder * 0.62, rig.shoulder_y + 26 * rig.size),
        ]
        pen.fill(smooth(fold), colour)
    pen.fill(ellipse(0, y + 14, 9), GOLD, 0.8, shade=False)
