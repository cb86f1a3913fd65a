"""Parts of special outfits, one function each: sport, sleep, armour, fantasy, gothic, costume."""

from __future__ import annotations

from character_pipeline.sample.character import Character
from character_pipeline.sample.geometry import Point, both, box, ellipse, poly, smooth
from character_pipeline.sample.palette import METAL, STEEL, lit, mix, shadow
from character_pipeline.sample.pen import Pen
from character_pipeline.sample.rig import Rig
from character_pipeline.sample.trim_daily import Cloth, collar_y, round_neck, star


def zipper(pen: Pen, person: Character, rig: Rig, cloth: Cloth) -> None:
    y, wide = collar_y(rig), rig.neck_width + 5
    pen.fill(
        poly([(-wide, y - 14), (0, y - 4), (wide, y - 14), (wide + 4, y + 6), (-wide - 4, y + 6)]),
        cloth[0],
        0.9,
        shade=False,
    )
    pen.line(poly([(0, y), (0, rig.hip_y - 12 * rig.size)], closed=False), mix(cloth[2], "#777777", 0.3), 1, 3)


def sidestripe(pen: Pen, person: Character, rig: Rig, cloth: Cloth) -> None:
    for side in (-1, 1):
        stripe: list[Point] = [
            (side * rig.chest * 0.86, rig.chest_y - 4),
            (side * rig.waist * 0.84, rig.waist_y),
            (side * rig.hip * 0.86, rig.hip_y - 12),
        ]
        pen.line(smooth(stripe, closed=False), cloth[2], 0.8, 5.5 * rig.size + 1)
        if person.outfit.bottom == "pants":
            x = rig.hip * 0.5 + rig.limb * 1.3
            pen.line(
                poly([(side * x, rig.hip_y + 14), (side * (x - 3), rig.floor - 24)], closed=False),
                cloth[2],
                0.8,
                5 * rig.size + 1,
            )


def number(pen: Pen, person: Character, rig: Rig, cloth: Cloth) -> None:
    y, s = rig.chest_y - 4, rig.size
    seven = poly(
        [
            (-15 * s, y),
            (15 * s, y),
            (15 * s, y + 9 * s),
            (3 * s, y + 46 * s),
            (-8 * s, y + 46 * s),
            (4 * s, y + 9 * s),
            (-15 * s, y + 9 * s),
        ]
    )
    pen.fill(seven, cloth[2], 0.6, shade=False)


def ringer(pen: Pen, person: Character, rig: Rig, cloth: Cloth) -> None:
    round_neck(pen, person, rig, cloth)
    y, wide = collar_y(rig), rig.neck_width + 5
    pen.line(
        smooth(
            [
                (-wide, y),
                (-wide * 0.6, y + 14 * rig.size),
                (0, y + 19 * rig.size),
                (wide * 0.6, y + 14 * rig.size),
                (wide, y),
            ],
            closed=False,
        ),
        cloth[2],
        1,
        5,
    )


def nametag(pen: Pen, person: Character, rig: Rig, cloth: Cloth) -> None:
    wide = rig.waist * 0.5
    pen.fill(box(-wide, rig.chest_y, 2 * wide, 26 * rig.size), "#ffffff", 0.6, shade=False)
    pen.line(
        poly([(-wide * 0.6, rig.chest_y + 13 * rig.size), (wide * 0.6, rig.chest_y + 13 * rig.size)], closed=False),
        cloth[2],
        0.6,
        3,
    )


def waves(pen: Pen, person: Character, rig: Rig, cloth: Cloth) -> None:
    for share in (0.3, 0.7):
        y = rig.hip_y + (rig.leg_at(0.42) - rig.hip_y) * share
        for side in (-1, 1):
            curl: list[Point] = [
                (side * rig.hip * t, y + (4 if i % 2 else -4)) for i, t in enumerate((0.2, 0.4, 0.6, 0.8, 0.95))
            ]
            pen.line(smooth(curl, closed=False), lit(cloth[1], 0.6), 0.6, 2.4)


def dots(pen: Pen, person: Character, rig: Rig, cloth: Cloth) -> None:
    for row in range(6):
        y = rig.shoulder_y + 30 * rig.size + row * 26 * rig.size
        for column in (-2, -1, 0, 1, 2):
            x = rig.waist * 0.42 * column + (rig.waist * 0.2 if row % 2 else 0)
            if abs(x) < rig.waist * 0.9:
                pen.flat(ellipse(x, y, 4.2 * rig.size), cloth[2])


def lace(pen: Pen, person: Character, rig: Rig, cloth: Cloth) -> None:
    round_neck(pen, person, rig, cloth)
    low = rig.leg_at(person.outfit.reach)
    for i in range(-4, 5):
        pen.fill(
            ellipse(rig.hip * i * 0.37, low + 4 - abs(i) * 1.6, 13 * rig.size, 9 * rig.size), cloth[2], 0.7, shade=False
        )


def plates(pen: Pen, person: Character, rig: Rig, cloth: Cloth) -> None:
    top, low = collar_y(rig) - 6, rig.waist_y + 8
    edge = both(
        [
            (rig.neck_width + 12, top, 0),
            (rig.chest, rig.chest_y - 18),
            (rig.chest * 0.98, rig.chest_y + 18),
            (rig.waist + 3, low, 0),
        ]
    )
    base = "#4a4b58" if person.cloth[0] == "black" else METAL
    pen.line(smooth(edge), cloth[2], 0.9, 4)
    pen.line(smooth([(0, top + 12), (0, low)], closed=False), shadow(base, 0.5), 0.7, 2)
    pen.fill(star(0, rig.chest_y - 4, 15 * rig.size), cloth[2], 0.7, shade=False)
    pen.fill(poly(both([(rig.neck_width + 3, rig.chin - 2), (rig.neck_width + 10, top + 8)])), lit(base, 0.2), 0.9)


def tassets(pen: Pen, person: Character, rig: Rig, cloth: Cloth) -> None:
    steel = _steel(person)
    for x in (-0.66, 0.66, 0.0):
        plate: list[Point] = [
            (rig.hip * (x - 0.36), rig.waist_y + 12, 0),
            (rig.hip * (x + 0.36), rig.waist_y + 12, 0),
            (rig.hip * (x * 1.15 + 0.34), rig.hip_y + 22 * rig.size),
            (rig.hip * x * 1.2, rig.hip_y + 44 * rig.size, 0),
            (rig.hip * (x * 1.15 - 0.34), rig.hip_y + 22 * rig.size),
        ]
        pen.fill(smooth(plate), steel)


def _steel(person: Character) -> str:
    return STEEL[person.cloth[0]]


def pauldrons(pen: Pen, person: Character, rig: Rig, cloth: Cloth) -> None:
    for side in (-1, 1):
        x, y = side * rig.shoulder * 0.94, rig.shoulder_y + 14 * rig.size
        for step in (1, 0):
            pen.fill(
                ellipse(x + side * 3 * step, y + 15 * step * rig.size, 30 * rig.size, 24 * rig.size), _steel(person)
            )
        pen.line(
            smooth([(x - 22 * rig.size, y + 8), (x, y + 18 * rig.size), (x + 22 * rig.size, y + 8)], closed=False),
            cloth[2],
            0.8,
            3,
        )


def greaves(pen: Pen, person: Character, rig: Rig, cloth: Cloth) -> None:
    for leg in rig.legs:
        pen.fill(ellipse(leg[1][0], leg[1][1], rig.limb * 1.35, 20 * rig.size), _steel(person))
