"""Scars, tattoos and facial hair."""

from __future__ import annotations

from collections.abc import Mapping

from character_pipeline.sample.character import Character
from character_pipeline.sample.geometry import Point, between, ellipse, lock, mirror, poly, smooth
from character_pipeline.sample.palette import mix, shadow
from character_pipeline.sample.pen import Pen
from character_pipeline.sample.rig import Rig

FACE_SCARS: Mapping[str, list[Point]] = {
    # from the middle of the eyes' height
    "Eye": [(-30, -26), (-25, 0), (-21, 24)],
    "Cheek": [(22, 24), (33, 28), (44, 24)],
    "Nose": [(-15, 11), (0, 14), (15, 10)],
    "Face": [(-30, -40), (-4, -8), (22, 34)],
}


def draw_face_scars(pen: Pen, person: Character, rig: Rig) -> None:
    """Scars on the face."""
    for place in person.scars:
        if place in FACE_SCARS:
            _scar(pen, person, [(x, rig.eye_y + y) for x, y in FACE_SCARS[place]])


def _scar(pen: Pen, person: Character, line: list[Point]) -> None:
    colour = (
        mix(person.skin_hex, "#a8323c", 0.55)
        if person.skin not in {"Dark", "Very Dark"}
        else mix(person.skin_hex, "#ffd9c8", 0.5)
    )
    pen.line(smooth(line, closed=False), colour, 0.6, 3.6)
    (ax, ay), (bx, by) = line[0][:2], line[-1][:2]
    dx, dy = (bx - ax) or 0.1, (by - ay) or 0.1
    length = (dx * dx + dy * dy) ** 0.5
    for share in (0.28, 0.5, 0.72):
        x, y = between(between(line[0], line[1], min(1, share * 2)), line[2], max(0, share * 2 - 1))
        nx, ny = -dy / length * 5, dx / length * 5
        pen.line(poly([(x - nx, y - ny), (x + nx, y + ny)], closed=False), colour, 0.4, 1.8)


def bare_arm(person: Character) -> bool:
    """Whether the lower arms show."""
    return person.outfit.sleeve <= 0.5


def draw_body_marks(pen: Pen, person: Character, rig: Rig) -> None:
    """Scars and tattoos on neck, arms, hands and legs, where the clothes leave them bare."""
    arm, leg = rig.arms[0], rig.legs[0]
    ink = "#2f3d63" if person.skin not in {"Very Dark"} else "#e6c9a0"
    if bare_arm(person):
        middle = between(arm[1], arm[2], 0.45)
        if "Arm" in person.scars:
            x, y = between(rig.arms[1][1], rig.arms[1][2], 0.4)
            _scar(pen, person, [(x - 6, y - 16), (x + 1, y), (x + 5, y + 16)])
        if "Arm" in person.tattoos:
            _tribal(pen, *middle, rig.limb * 0.055, ink)
    if "Hand" in person.tattoos:
        _star(pen, *between(arm[1], arm[2], 1.16), rig.limb * 0.5, ink)
    if "Neck" in person.tattoos:
        _star(pen, -rig.neck_width * 0.4, rig.chin + 8, 7, ink)
    if person.outfit.bare_legs:
        shin = between(leg[1], leg[2], 0.3)
        if "Leg" in person.tattoos:
            _tribal(pen, *shin, rig.limb * 0.06, ink)
        if "Leg" in person.scars:
            x, y = between(rig.legs[1][1], rig.legs[1][2], 0.3)
            _scar(pen, person, [(x - 7, y - 15), (x, y), (x + 6, y + 15)])


def draw_trunk_marks(pen: Pen, person: Character, rig: Rig) -> None:
    """Scars and tattoos just below the throat, on a top with straps."""
    if person.outfit.top != "straps":
        return
    y = rig.shoulder_y + 12 * rig.size
    if "Chest" in person.scars:
        _scar(pen, person, [(-22, y - 8), (-2, y), (18, y + 6)])
    if "Chest" in person.tattoos:
        _star(pen, -rig.shoulder * 0.4, y, 11 * rig.size + 2, "#2f3d63")


def draw_back_marks(pen: Pen, person: Character, rig: Rig) -> None:
    """Scars and tattoos between the shoulder blades, seen from behind over a low-backed top."""
    if person.outfit.top != "straps":
        return
    y = rig.shoulder_y + 10 * rig.size
    if "Back" in person.tattoos:
        _tribal(pen, 0, y, 1.3 * rig.size, "#2f3d63")
    if "Back" in person.scars:
        _scar(pen, person, [(-30, y - 10), (-4, y), (24, y + 9)])


def draw_face_tattoo(pen: Pen, person: Character, rig: Rig) -> None:
    """Marks on both cheeks."""
    if "Face" in person.tattoos:
        for side in (-1, 1):
            for dy in (0, 8):
                x, y = side * 36, rig.eye_y + 21 + dy
                pen.flat(
                    poly([(x - side * 8, y + 2), (x + side * 11, y - 3), (x + side * 11, y + 1)]),
                    "#b8323a" if person.fashion % 2 else "#31508f",
                )


def _tribal(pen: Pen, x: float, y: float, size: float, ink: str) -> None:
    for side in (-1, 1):
        curl: list[Point] = [
            (0, -20, 0),
            (side * 9, -8),
            (side * 2, 2, 0),
            (side * 10, 12),
            (0, 22, 0),
            (side * 3, 8),
            (side * -2, -4),
        ]
        pen.flat(smooth([(x + p[0] * size, y + p[1] * size, *p[2:]) for p in curl]), ink)


def _star(pen: Pen, x: float, y: float, size: float, ink: str) -> None:
    points: list[Point] = [
        (0, -1),
        (0.24, -0.3),
        (0.95, -0.3),
        (0.38, 0.14),
        (0.6, 0.82),
        (0, 0.4),
        (-0.6, 0.82),
        (-0.38, 0.14),
        (-0.95, -0.3),
        (-0.24, -0.3),
    ]
    pen.flat(poly([(x + p[0] * size, y + p[1] * size) for p in points]), ink)


def draw_facial_hair(pen: Pen, person: Character, rig: Rig) -> None:
    """Beards and the like, under the mouth's lines."""
    colour = person.hair.hexes[0] if person.hair.hexes else "#6a4a3a"
    chin, jaw = rig.chin, rig.jaw
    if "Beard" in person.facial_hair:
        half: list[Point] = [(53, 12, 0), (52, 30), (jaw + 2, chin - 8), (22, chin + 14), (0, chin + 22)]
        inner: list[Point] = [(0, chin - 12), (16, chin - 16), (20, chin - 30, 0), (38, chin - 30), (48, 14)]
        pen.fill(smooth([*half, *mirror(half[:-1]), *[(-p[0], *p[1:]) for p in inner[:0:-1]], *inner]), colour)
    if "Goatee" in person.facial_hair:
        pen.fill(
            smooth(
                [
                    (-15, chin - 13, 0),
                    (0, chin - 10),
                    (15, chin - 13, 0),
                    (12, chin + 6),
                    (0, chin + 20),
                    (-12, chin + 6),
                ]
            ),
            colour,
            0.8,
        )
    if {"Mustache", "Beard"} & set(person.facial_hair):
        big = 1.0 if "Mustache" in person.facial_hair else 0.72
        for side in (-1, 1):
            pen.fill(
                lock((side * 1, chin - 31), (side * 24 * big, chin - 23), 5.5 * big, side * -5),
                colour,
                0.8,
                shade=False,
            )
    if "Stubble" in person.facial_hair:
        shade = mix(person.skin_hex, mix(colour, "#5a5560", 0.6), 0.34)
        half = [(51, 22), (jaw, chin - 19), (17, chin - 4), (0, chin - 2)]
        pen.flat(smooth([*half, *mirror(half[:-1]), (-34, chin - 30), (0, chin - 36), (34, chin - 30)]), shade, 0.8)
        for i in range(22):
            x = -34 + (i * 29) % 70
            y = chin - 8 - abs(x) * 0.42 - (i * 13) % 12
            pen.flat(ellipse(x, y, 1.0), shadow(colour, 0.2), 0.8)
    if "Sideburns" in person.facial_hair:
        for side in (-1, 1):
            burn: list[Point] = [
                (side * 54, -14, 0),
                (side * 55, 24),
                (side * 45, 40, 0),
                (side * 37, 34, 0),
                (side * 44, 14),
                (side * 46, -14, 0),
            ]
            pen.fill(smooth(burn), colour, 0.8, shade=False)
