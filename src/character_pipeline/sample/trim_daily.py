"""Parts of everyday outfits, one function each: collars, pockets, stripes, aprons."""

from __future__ import annotations

from character_pipeline.sample.character import Character
from character_pipeline.sample.geometry import Point, Shape, both, box, ellipse, poly, smooth
from character_pipeline.sample.palette import lit, shadow
from character_pipeline.sample.pen import Pen
from character_pipeline.sample.rig import Rig

Cloth = tuple[str, str, str]


def collar_y(rig: Rig) -> float:
    return rig.neck + 16 * rig.size


def round_neck(pen: Pen, person: Character, rig: Rig, cloth: Cloth) -> None:
    y, wide = collar_y(rig), rig.neck_width + 5
    hole: list[Point] = [
        (-wide, y, 0),
        (0, y - 3),
        (wide, y, 0),
        (wide * 0.6, y + 14 * rig.size),
        (0, y + 19 * rig.size),
        (-wide * 0.6, y + 14 * rig.size),
    ]
    pen.fill(smooth(hole), person.skin_hex, 0.7, shade=False)


def vee(pen: Pen, person: Character, rig: Rig, cloth: Cloth) -> None:
    y, wide = collar_y(rig), rig.neck_width + 4
    for side in (-1, 1):
        wing: list[Point] = [
            (side * 2, y + 24 * rig.size, 0),
            (side * (wide + 2), y - 8, 0),
            (side * (wide + 13 * rig.size), y + 10 * rig.size, 0),
            (side * 12 * rig.size, y + 36 * rig.size, 0),
        ]
        pen.fill(poly(wing), cloth[2], 0.8, shade=False)


def collar(pen: Pen, person: Character, rig: Rig, cloth: Cloth) -> None:
    vee(pen, person, rig, (cloth[0], cloth[1], "#f7f6f4" if person.outfit.dress != "Sleepwear" else lit(cloth[0], 0.4)))


def lapels(pen: Pen, person: Character, rig: Rig, cloth: Cloth) -> None:
    y = collar_y(rig)
    for side in (-1, 1):
        flap: list[Point] = [
            (side * (rig.neck_width + 5), y - 4),
            (side * (rig.neck_width + 24 * rig.size), y + 26 * rig.size),
            (side * (rig.waist * 0.5), y + 44 * rig.size),
            (side * rig.waist * 0.22, rig.waist_y),
        ]
        pen.fill(poly(flap), shadow(cloth[0], 0.18), 0.8, shade=False)


def hood(pen: Pen, person: Character, rig: Rig, cloth: Cloth) -> None:
    y = collar_y(rig)
    for side in (-1, 1):
        fold: list[Point] = [
            (side * 4, y + 20 * rig.size),
            (side * (rig.neck_width + 10), y - 18 * rig.size),
            (side * (rig.neck_width + 24 * rig.size), y + 4),
            (side * 24 * rig.size, y + 32 * rig.size),
        ]
        pen.fill(smooth(fold), shadow(cloth[0], 0.1), shade=False)
        pen.line(poly([(side * 9, y + 28 * rig.size), (side * 10, y + 66 * rig.size)], closed=False), cloth[2], 1, 2.6)


def pocket(pen: Pen, person: Character, rig: Rig, cloth: Cloth) -> None:
    y = rig.waist_y + 4 * rig.size
    pocket = both([(rig.waist * 0.42, y, 0), (rig.waist * 0.75, y + 40 * rig.size, 0)])
    pen.fill(poly(pocket), shadow(cloth[0], 0.12), 0.8, shade=False)


def turtle(pen: Pen, person: Character, rig: Rig, cloth: Cloth) -> None:
    wide = rig.neck_width + 3
    pen.fill(
        smooth(
            [
                (-wide, rig.chin - 2, 0),
                (0, rig.chin + 4),
                (wide, rig.chin - 2, 0),
                (wide + 4, collar_y(rig) + 6, 0),
                (0, collar_y(rig) + 14),
                (-wide - 4, collar_y(rig) + 6, 0),
            ]
        ),
        cloth[0],
        0.9,
    )


def ribs(pen: Pen, person: Character, rig: Rig, cloth: Cloth) -> None:
    for i in (-3, -1, 1, 3):
        x = rig.waist * i / 4
        pen.line(
            smooth(
                [(x * 1.2, rig.chest_y - 20 * rig.size), (x, rig.waist_y), (x * 1.2, rig.hip_y - 14 * rig.size)],
                closed=False,
            ),
            shadow(cloth[0], 0.3),
            0.5,
            1.0,
        )


def stripes(pen: Pen, person: Character, rig: Rig, cloth: Cloth) -> None:
    for share in (0.22, 0.44, 0.66, 0.88):
        y = rig.shoulder_y + (rig.hip_y - rig.shoulder_y) * share
        wide = rig.chest + (rig.waist - rig.chest) * min(1, share * 1.3)
        pen.flat(
            box(-wide + 1, y - 5 * rig.size, 2 * wide - 2, 10 * rig.size),
            cloth[2] if cloth[2] != cloth[0] else cloth[1],
        )


def bib(pen: Pen, person: Character, rig: Rig, cloth: Cloth) -> None:
    wide = rig.waist * 0.62
    pen.fill(box(-wide, rig.chest_y - 6, 2 * wide, rig.waist_y - rig.chest_y + 16), cloth[1])
    for side in (-1, 1):
        pen.line(
            poly(
                [(side * wide * 0.8, rig.chest_y), (side * rig.shoulder * 0.58, rig.shoulder_y - 4 * rig.size)],
                closed=False,
            ),
            cloth[1],
            1,
            10 * rig.size,
        )
        pen.flat(ellipse(side * wide * 0.8, rig.chest_y + 3, 4.5), cloth[2])
    pen.fill(
        box(-wide * 0.45, rig.chest_y + 16 * rig.size, wide * 0.9, 26 * rig.size),
        shadow(cloth[1], 0.14),
        0.7,
        shade=False,
    )


def sparkle(pen: Pen, person: Character, rig: Rig, cloth: Cloth) -> None:
    for i in range(14):
        x, y = rig.hip * (-0.8 + (i * 0.37) % 1.6), rig.waist_y + (rig.floor - rig.waist_y) * ((i * 0.23) % 0.9)
        pen.flat(star(x, y, 5.0), lit(cloth[2], 0.4))


def star(x: float, y: float, size: float) -> Shape:
    return poly(
        [
            (x, y - size),
            (x + size * 0.3, y - size * 0.3),
            (x + size, y),
            (x + size * 0.3, y + size * 0.3),
            (x, y + size),
            (x - size * 0.3, y + size * 0.3),
            (x - size, y),
            (x - size * 0.3, y - size * 0.3),
        ]
    )
