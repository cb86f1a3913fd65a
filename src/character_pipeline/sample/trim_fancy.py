"""Parts of fantastic clothes, one function each: robes, gothic dresses, costumes."""

from __future__ import annotations

from character_pipeline.sample.character import Character
from character_pipeline.sample.geometry import Point, between, both, box, ellipse, limb, poly, smooth
from character_pipeline.sample.palette import mix, shadow
from character_pipeline.sample.pen import Pen
from character_pipeline.sample.rig import Rig
from character_pipeline.sample.trim_daily import Cloth, collar_y, star


def sash(pen: Pen, person: Character, rig: Rig, cloth: Cloth) -> None:
    y = rig.waist_y
    pen.fill(box(-rig.waist - 4, y - 8, 2 * rig.waist + 8, 18 * rig.size), cloth[1])
    for dx in (0, 13):
        pen.fill(
            poly(
                [
                    (rig.waist * 0.3 + dx, y),
                    (rig.waist * 0.3 + dx + 12, y),
                    (rig.waist * 0.4 + dx + 14, y + 96 * rig.size),
                    (rig.waist * 0.4 + dx - 2, y + 100 * rig.size),
                ]
            ),
            cloth[1],
            0.8,
            shade=False,
        )


def runes(pen: Pen, person: Character, rig: Rig, cloth: Cloth) -> None:
    y = rig.leg_at(person.outfit.reach) - 20 * rig.size
    pen.line(smooth([(-rig.hip * 1.44, y), (0, y + 10), (rig.hip * 1.44, y)], closed=False), cloth[2], 1, 6 * rig.size)
    for i in range(-3, 4):
        pen.flat(star(rig.hip * i * 0.38, y - 24 * rig.size, 9 * rig.size), cloth[2])


def laced(pen: Pen, person: Character, rig: Rig, cloth: Cloth) -> None:
    y = collar_y(rig)
    pen.fill(poly([(-12, y - 4), (12, y - 4), (0, y + 50 * rig.size)]), person.skin_hex, 0.7, shade=False)
    for i in range(3):
        pen.line(
            poly([(-9 + i * 2, y + (10 + i * 11) * rig.size), (9 - i * 2, y + (18 + i * 11) * rig.size)], closed=False),
            "#e8d9b8",
            0.6,
            2,
        )


def tunic(pen: Pen, person: Character, rig: Rig, cloth: Cloth) -> None:
    low = rig.leg_at(0.26)
    half: list[Point] = [
        (rig.waist + 3, rig.waist_y, 0),
        (rig.hip * 1.14, rig.hip_y),
        (rig.hip * 1.26, low, 0),
        (rig.hip * 0.6, low + 10),
    ]
    pen.fill(smooth(both(half)), cloth[0])


def ruffles(pen: Pen, person: Character, rig: Rig, cloth: Cloth) -> None:
    y = collar_y(rig)
    for i in range(4):
        wide = (20 - i * 2.4) * rig.size + 3
        pen.fill(
            smooth(
                [
                    (-wide, y + i * 15 * rig.size, 0),
                    (wide, y + i * 15 * rig.size, 0),
                    (wide * 0.8, y + (i * 15 + 17) * rig.size),
                    (0, y + (i * 15 + 13) * rig.size),
                    (-wide * 0.8, y + (i * 15 + 17) * rig.size),
                ]
            ),
            cloth[2],
            0.7,
            shade=False,
        )


def corset(pen: Pen, person: Character, rig: Rig, cloth: Cloth) -> None:
    pen.fill(
        smooth(
            both(
                [
                    (rig.chest * 0.84, rig.chest_y + 26 * rig.size, 0),
                    (rig.waist + 4, rig.waist_y - 4),
                    (rig.waist * 1.1, rig.waist_y + 26 * rig.size, 0),
                ]
            )
        ),
        shadow(cloth[0], 0.3),
        shade=False,
    )
    for i in range(3):
        y = rig.chest_y + (36 + i * 17) * rig.size
        for side in (-1, 1):
            pen.line(poly([(-side * 10, y), (side * 10, y + 12 * rig.size)], closed=False), cloth[2], 0.6, 2)


def belly(pen: Pen, person: Character, rig: Rig, cloth: Cloth) -> None:
    pen.flat(ellipse(0, rig.waist_y - 6, rig.waist * 0.72, 62 * rig.size), mix(cloth[0], "#fff6e6", 0.72))


def earhood(pen: Pen, person: Character, rig: Rig, cloth: Cloth) -> None:
    y = collar_y(rig)
    for side in (-1, 1):
        fold: list[Point] = [
            (side * 3, y + 16 * rig.size),
            (side * (rig.neck_width + 14), y - 24 * rig.size),
            (side * (rig.neck_width + 30 * rig.size), y),
            (side * 26 * rig.size, y + 28 * rig.size),
        ]
        pen.fill(smooth(fold), cloth[0], shade=False)


def emblem(pen: Pen, person: Character, rig: Rig, cloth: Cloth) -> None:
    y = rig.chest_y + 2
    pen.fill(
        smooth(
            [
                (-24 * rig.size, y - 18 * rig.size, 0),
                (24 * rig.size, y - 18 * rig.size, 0),
                (20 * rig.size, y + 8 * rig.size),
                (0, y + 28 * rig.size, 0),
                (-20 * rig.size, y + 8 * rig.size),
            ]
        ),
        cloth[2],
        0.9,
        shade=False,
    )
    pen.fill(star(0, y - 1, 15 * rig.size), cloth[1], 0.5, shade=False)


def trunks(pen: Pen, person: Character, rig: Rig, cloth: Cloth) -> None:
    pen.line(
        smooth([(-rig.waist, rig.waist_y + 6), (0, rig.waist_y + 12), (rig.waist, rig.waist_y + 6)], closed=False),
        cloth[1],
        1,
        6 * rig.size,
    )
    for arm in rig.arms:
        pen.fill(limb([between(arm[1], arm[2], 0.35), arm[2]], [rig.limb * 1.25, rig.limb * 1.05]), cloth[1])


def furtrim(pen: Pen, person: Character, rig: Rig, cloth: Cloth) -> None:
    for i in range(-4, 5):
        pen.fill(ellipse(rig.hip * i * 0.24, rig.hip_y - 8 * rig.size, 12 * rig.size), cloth[2], 0.6, shade=False)
    for i in range(6):
        pen.fill(
            ellipse(0, collar_y(rig) + 26 * rig.size + i * 22 * rig.size, 10 * rig.size), cloth[2], 0.6, shade=False
        )


def furcollar(pen: Pen, person: Character, rig: Rig, cloth: Cloth) -> None:
    for i in range(-3, 4):
        pen.fill(
            ellipse(i * (rig.neck_width + 8) * 0.36, collar_y(rig) + 6 - abs(i) * 4, 12 * rig.size + 2),
            cloth[2],
            0.6,
            shade=False,
        )
