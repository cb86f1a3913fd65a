"""Parts of uniforms and of festive clothes, one function each."""

from __future__ import annotations

from character_pipeline.sample.character import Character
from character_pipeline.sample.geometry import Point, both, box, ellipse, limb, poly, smooth
from character_pipeline.sample.palette import lit, shadow
from character_pipeline.sample.pen import Pen
from character_pipeline.sample.rig import Rig
from character_pipeline.sample.trim_daily import Cloth, collar_y, star


def obi(pen: Pen, person: Character, rig: Rig, cloth: Cloth) -> None:
    y, wide = rig.waist_y - 14 * rig.size, rig.waist + 6
    pen.fill(box(-wide, y, 2 * wide, 34 * rig.size), cloth[1])
    pen.fill(box(-wide, y + 13 * rig.size, 2 * wide, 7 * rig.size), cloth[2], 0.6, shade=False)


def petals(pen: Pen, person: Character, rig: Rig, cloth: Cloth) -> None:
    light = lit(cloth[0], 0.6) if cloth[0] != "#f7f6f4" else cloth[1]
    for i in range(7):
        x, y = rig.hip * (-0.75 + (i * 0.61) % 1.5), rig.hip_y + (rig.floor - rig.hip_y) * (0.12 + (i * 0.29) % 0.75)
        for dx, dy in ((0, -6), (5.7, -2), (3.5, 5), (-3.5, 5), (-5.7, -2)):
            pen.flat(ellipse(x + dx, y + dy, 4.6), light)
        pen.flat(ellipse(x, y, 2.6), cloth[2])


def mandarin(pen: Pen, person: Character, rig: Rig, cloth: Cloth) -> None:
    wide, y = rig.neck_width + 4, collar_y(rig)
    pen.fill(
        poly(
            [
                (-wide, y - 16 * rig.size),
                (-3, y - 8),
                (3, y - 8),
                (wide, y - 16 * rig.size),
                (wide + 3, y + 4),
                (-wide - 3, y + 4),
            ]
        ),
        cloth[0],
        0.9,
        shade=False,
    )


def frogs(pen: Pen, person: Character, rig: Rig, cloth: Cloth) -> None:
    y = collar_y(rig)
    pen.line(smooth([(0, y), (8, y + 26 * rig.size), (rig.chest * 0.8, rig.chest_y + 4)], closed=False), cloth[2], 1, 3)
    for share in (0.1, 0.5, 0.9):
        pen.flat(star(rig.chest * 0.8 * share + 4, y + 22 * rig.size + share * 26 * rig.size, 6), cloth[2])


def highbow(pen: Pen, person: Character, rig: Rig, cloth: Cloth) -> None:
    y = rig.chest_y + 8 * rig.size
    for dx in (-16, 8):
        pen.fill(
            poly([(0, y), (dx, y + 110 * rig.size), (dx + 14, y + 112 * rig.size), (8, y)]), cloth[2], 0.7, shade=False
        )
    pen.fill(smooth([(0, y, 0), (34 * rig.size, y - 14), (38 * rig.size, y + 12)]), cloth[2], 0.8)


def sailor(pen: Pen, person: Character, rig: Rig, cloth: Cloth) -> None:
    y, wide = collar_y(rig), rig.shoulder * 0.74
    for side in (-1, 1):
        wing: list[Point] = [
            (side * (rig.neck_width + 2), y - 8, 0),
            (side * wide, rig.shoulder_y - 2, 0),
            (side * wide * 0.82, rig.chest_y - 18 * rig.size, 0),
            (0, rig.chest_y + 2, 0),
        ]
        pen.fill(smooth(wing), cloth[1], 0.9, shade=False)
        pen.line(
            poly(
                [
                    (side * wide * 0.86, rig.shoulder_y + 4),
                    (side * wide * 0.7, rig.chest_y - 22 * rig.size),
                    (side * 8, rig.chest_y - 8),
                ],
                closed=False,
            ),
            "#f7f6f4",
            0.6,
            2,
        )
    knot = rig.chest_y
    for side in (-1, 1):
        pen.fill(
            smooth(
                [
                    (0, knot, 0),
                    (side * 22 * rig.size, knot + 14 * rig.size),
                    (side * 13 * rig.size, knot + 46 * rig.size, 0),
                    (side * 3, knot + 12),
                ]
            ),
            cloth[2],
            0.8,
        )
    pen.fill(ellipse(0, knot + 2, 8 * rig.size, 9 * rig.size), cloth[2], 0.8, shade=False)


def pleats(pen: Pen, person: Character, rig: Rig, cloth: Cloth) -> None:
    reach = rig.leg_at(person.outfit.reach)
    pen.line(
        smooth(
            [(-rig.hip * 1.3, reach - 9 * rig.size), (0, reach - 4 * rig.size), (rig.hip * 1.3, reach - 9 * rig.size)],
            closed=False,
        ),
        lit(cloth[1], 0.55),
        0.6,
        2,
    )


def crest(pen: Pen, person: Character, rig: Rig, cloth: Cloth) -> None:
    x, y = rig.chest * 0.62, rig.chest_y - 6
    pen.fill(
        smooth([(x - 8, y - 9, 0), (x + 8, y - 9, 0), (x + 7, y + 4), (x, y + 11, 0), (x - 7, y + 4)]),
        "#e9bd4c",
        0.6,
        shade=False,
    )


def standing(pen: Pen, person: Character, rig: Rig, cloth: Cloth) -> None:
    wide, y = rig.neck_width + 4, collar_y(rig)
    pen.fill(
        poly(
            [(-wide, y - 17 * rig.size), (0, y - 7), (wide, y - 17 * rig.size), (wide + 3, y + 4), (-wide - 3, y + 4)]
        ),
        shadow(cloth[0], 0.14),
        0.9,
        shade=False,
    )
    pen.line(poly([(0, y), (0, rig.hip_y - 10 * rig.size)], closed=False), shadow(cloth[0], 0.5), 0.7, 1.4)


def buttons(pen: Pen, person: Character, rig: Rig, cloth: Cloth) -> None:
    for share in (0.12, 0.32, 0.52, 0.72, 0.9):
        pen.fill(
            ellipse(0, rig.shoulder_y + (rig.hip_y - rig.shoulder_y - 16) * share, 4.2 * rig.size + 1),
            cloth[2],
            0.5,
            shade=False,
        )


def twobuttons(pen: Pen, person: Character, rig: Rig, cloth: Cloth) -> None:
    shade = cloth[2] if cloth[2] != cloth[0] else "#3c4a68"
    for share in (0.25, 0.48, 0.71):
        for side in (-1, 1):
            pen.fill(
                ellipse(
                    side * rig.waist * 0.36,
                    rig.shoulder_y + (rig.hip_y - rig.shoulder_y - 16) * share,
                    4.4 * rig.size + 1,
                ),
                shade,
                0.5,
                shade=False,
            )


def epaulettes(pen: Pen, person: Character, rig: Rig, cloth: Cloth) -> None:
    for side in (-1, 1):
        pen.fill(ellipse(side * rig.shoulder * 0.9, rig.shoulder_y - 1, 20 * rig.size, 8 * rig.size), cloth[2], 0.8)


def medals(pen: Pen, person: Character, rig: Rig, cloth: Cloth) -> None:
    for i, colour in enumerate(("#cf3d40", "#3f68b5", "#4f9a63")):
        pen.flat(box(rig.chest * 0.4 + i * 9 * rig.size, rig.chest_y - 14, 7.5 * rig.size, 9 * rig.size), colour)


def cross(pen: Pen, person: Character, rig: Rig, cloth: Cloth) -> None:
    x, y, arm = rig.chest * 0.55, rig.chest_y, 9 * rig.size
    pen.flat(box(x - arm, y - arm / 3, 2 * arm, arm * 0.66), cloth[2])
    pen.flat(box(x - arm / 3, y - arm, arm * 0.66, 2 * arm), cloth[2])


def kerchief(pen: Pen, person: Character, rig: Rig, cloth: Cloth) -> None:
    y, wide = collar_y(rig), rig.neck_width + 8
    pen.fill(
        smooth(
            [
                (-wide, y - 6, 0),
                (0, y + 4),
                (wide, y - 6, 0),
                (8, y + 22 * rig.size),
                (14, y + 48 * rig.size, 0),
                (0, y + 28 * rig.size),
                (-12, y + 46 * rig.size, 0),
                (-8, y + 22 * rig.size),
            ]
        ),
        cloth[2],
        0.8,
    )


def badge(pen: Pen, person: Character, rig: Rig, cloth: Cloth) -> None:
    pen.fill(star(rig.chest * 0.58, rig.chest_y - 8, 13 * rig.size), cloth[2], 0.6, shade=False)


def pockets(pen: Pen, person: Character, rig: Rig, cloth: Cloth) -> None:
    for side in (-1, 1):
        pen.fill(
            box(side * rig.chest * 0.56 - 14 * rig.size, rig.chest_y + 10 * rig.size, 28 * rig.size, 26 * rig.size),
            shadow(cloth[0], 0.12),
            0.6,
            shade=False,
        )


def bibapron(pen: Pen, person: Character, rig: Rig, cloth: Cloth) -> None:
    low, wide = rig.leg_at(0.42), rig.waist * 0.7
    half: list[Point] = [
        (wide * 0.7, rig.chest_y - 14, 0),
        (wide, rig.waist_y - 6, 0),
        (rig.hip * 1.02, rig.hip_y, 0),
        (rig.hip, low, 0),
    ]
    pen.fill(smooth(both(half)), cloth[2])
    for side in (-1, 1):
        pen.line(
            poly([(side * wide * 0.66, rig.chest_y - 12), (side * (rig.neck_width + 8), collar_y(rig))], closed=False),
            cloth[2],
            1,
            6 * rig.size,
        )
    pen.fill(box(-wide * 0.5, rig.hip_y - 10 * rig.size, wide, 30 * rig.size), shadow(cloth[2], 0.12), 0.6, shade=False)


def frillapron(pen: Pen, person: Character, rig: Rig, cloth: Cloth) -> None:
    low = rig.leg_at(person.outfit.reach * 0.8)
    white = "#fbfafa"
    for side in (-1, 1):
        strap = limb(
            [
                (side * rig.shoulder * 0.66, rig.shoulder_y - 6),
                (side * rig.waist * 0.66, rig.chest_y),
                (side * rig.waist * 0.5, rig.waist_y),
            ],
            [12 * rig.size] * 3,
        )
        pen.fill(strap, white, 0.8)
    pen.fill(
        smooth(
            both(
                [
                    (rig.waist * 0.55, rig.chest_y, 0),
                    (rig.waist * 0.7, rig.waist_y, 0),
                    (rig.hip * 0.98, rig.hip_y + 14),
                    (rig.hip * 0.95, low - 12),
                    (rig.hip * 0.5, low + 4),
                ]
            )
        ),
        white,
    )
    for i in range(-3, 4):
        pen.fill(ellipse(rig.hip * i * 0.27, low + 2 - abs(i) * 3, 11 * rig.size), white, 0.7, shade=False)
    pen.fill(
        box(-rig.waist - 2, rig.waist_y - 5, 2 * rig.waist + 4, 13 * rig.size), lit(cloth[0], 0.1), 0.7, shade=False
    )
