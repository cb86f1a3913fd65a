"""The face: its shape, eyes, brows, nose and mouth."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from character_pipeline.sample.character import Character
from character_pipeline.sample.geometry import Point, both, ellipse, mirror, smooth
from character_pipeline.sample.mouths import draw_mouth
from character_pipeline.sample.palette import EYES, INK, lit, mix, shadow
from character_pipeline.sample.pen import Pen
from character_pipeline.sample.rig import HEAD_HALF, HEAD_TOP, Rig
from character_pipeline.sample.shot import Shot


@dataclass(frozen=True, slots=True)
class Look:
    """An expression: how far the inner and outer ends of the brows sink, how open the eyes are, the mouth."""

    inner: float
    outer: float
    open: float
    mouth: str
    extras: tuple[str, ...] = ()


LOOKS: Mapping[str, tuple[Look, ...]] = {
    "Happy": (Look(-2, 0, 1.0, "smile"), Look(-3, -1, 1.0, "open_smile"), Look(-2, 0, 1.0, "grin")),
    "Neutral": (Look(0, 0, 0.94, "flat"),),
    "Sad": (Look(-8, 5, 0.78, "frown", ("tear",)), Look(-8, 5, 0.74, "frown")),
    "Angry": (Look(9, -5, 0.84, "clenched", ("vein",)), Look(9, -5, 0.84, "shout", ("vein",))),
    "Surprised": (Look(-9, -7, 1.22, "o"),),
    "Embarrassed": (Look(-7, 3, 0.96, "wavy", ("blush", "sweat")),),
    "Scared": (Look(-9, 4, 1.14, "wobble", ("pale", "sweat")),),
    "Disgusted": (Look(7, 1, 0.62, "tongue", ("pale",)),),
    "Smug": (Look(4, -4, 0.66, "smirk"),),
    "Sleepy": (Look(-2, 3, 0.42, "yawn", ("drowsy",)),),
    "Pouting": (Look(6, -1, 0.92, "pout", ("puff",)),),
    "Serious": (Look(6, -2, 0.8, "flat"),),
}


def look_of(person: Character, shot: Shot) -> Look:
    """The variant of the expression in this picture."""
    looks = LOOKS[shot.expression]
    return looks[shot.hue % len(looks)]


def face_shape(rig: Rig) -> list[Point]:
    """The outline of the head, clockwise from the top."""
    wide = HEAD_HALF * rig.cheek
    half = [
        (0, HEAD_TOP), (32, HEAD_TOP + 9), (wide - 2, -30), (wide, 2), (wide - 3, 22),
        (rig.jaw, rig.chin - 20), (17, rig.chin - 3),
    ]  # fmt: skip
    return [*half, (0, rig.chin), *mirror(half[1:])]


def draw_ears(pen: Pen, person: Character) -> None:
    """Human or pointy ears."""
    for side in (-1, 1):
        outline: list[Point] = [(50, -4), (60, -8), (64, 4), (59, 20), (50, 24)]
        if "Pointy Ears" in person.features:
            outline = [(48, -6), (68, -18), (102, -36, 0), (78, 4), (62, 20), (50, 22)]
        pen.fill(smooth([(side * p[0], *p[1:]) for p in outline]), person.skin_hex)
        pen.line(
            smooth([(side * 55, 2), (side * 59, 4), (side * 56, 13)], closed=False), shadow(person.skin_hex, 0.5), 0.6
        )


def draw_face(pen: Pen, person: Character, shot: Shot, rig: Rig) -> None:
    """The head with everything on it that is no hair and not worn."""
    pen.fill(smooth(face_shape(rig)), person.skin_hex)
    if shot.back:
        return
    look = look_of(person, shot)
    with pen.moved(f"translate({shot.turn:.1f} 0)"):
        _cheeks(pen, person, rig, look)
        _age_lines(pen, person, rig)
        _nose(pen, person, rig)
        draw_mouth(pen, look.mouth, rig.chin - 23, person.skin_hex, "Fangs" in person.features)
        for side in (-1, 1):
            if shot.cover != "blindfold":
                _eye(pen, person, shot, rig, side)
            _brow(pen, person, rig, look, side)
        _extras(pen, rig, look)


def _eye(pen: Pen, person: Character, shot: Shot, rig: Rig, side: int) -> None:
    look = look_of(person, shot)
    x, y = side * 24.5, rig.eye_y
    wide, tall = 14.5 * rig.eye**0.5, 17.0 * rig.eye * min(look.open, 1.25)
    if shot.closed:
        _closed_eye(pen, person, (x, y + 5), wide, -1 if look.mouth in {"open_smile", "grin", "smile"} else 1)
        return
    lens: list[Point] = [
        (x - side * wide, y + tall * 0.2, 0), (x - side * wide * 0.45, y - tall * 0.82),
        (x + side * wide * 0.3, y - tall * 0.9),
        (x + side * wide, y - tall * 0.2), (x + side * wide * 0.78, y + tall * 0.6), (x, y + tall * 0.9),
        (x - side * wide * 0.7, y + tall * 0.65),
    ]  # fmt: skip
    pen.flat(smooth(lens), "#ffffff" if person.age != "Elderly" else "#f6f2ec")
    _iris(pen, person, (x + shot.glance, y), tall, side)
    _lids(pen, person, lens, x, side)


def _iris(pen: Pen, person: Character, at: tuple[float, float], tall: float, side: int) -> None:
    x, y = at
    names = person.eyes if person.eye_kind != "plain" else (person.eyes[0],) * 2
    colour = EYES[names[0] if side < 0 or person.eye_kind == "Multicolored" else names[1]]
    rx, ry = min(10.5, tall * 0.74), tall * 0.9
    if tall < 10:
        rx, ry = 8.2, tall * 0.88
    pen.flat(ellipse(x, y, rx, ry), shadow(colour, 0.55) if colour != EYES["White"] else "#8d93a3")
    pen.flat(ellipse(x, y + 0.6, rx * 0.88, ry * 0.9), colour)
    if person.eye_kind == "Multicolored":
        low = EYES[names[1]]
        pen.flat(
            smooth(
                [
                    (x - rx * 0.86, y + 1, 0),
                    (x + rx * 0.86, y + 1, 0),
                    (x + rx * 0.5, y + ry * 0.7),
                    (x, y + ry * 0.9),
                    (x - rx * 0.5, y + ry * 0.7),
                ]
            ),
            low,
        )
    elif not pen.style.simple_eye:
        pen.flat(
            smooth(
                [
                    (x - rx * 0.8, y - ry * 0.25, 0),
                    (x, y - ry * 0.86),
                    (x + rx * 0.8, y - ry * 0.25, 0),
                    (x, y - ry * 0.05),
                ]
            ),
            shadow(colour, 0.4),
        )
        pen.flat(ellipse(x, y + ry * 0.55, rx * 0.5, ry * 0.24), lit(colour, 0.45))
    pen.flat(ellipse(x, y + ry * 0.02, rx * 0.36, ry * 0.42), "#221a26" if colour != EYES["White"] else "#9aa0b0")
    pen.flat(ellipse(x - rx * 0.32, y - ry * 0.4, rx * 0.33, ry * 0.25), "#ffffff")
    if not pen.style.simple_eye:
        pen.flat(ellipse(x + rx * 0.4, y + ry * 0.38, rx * 0.17, ry * 0.13), "#ffffff")


def _lids(pen: Pen, person: Character, lens: list[Point], x: float, side: int) -> None:
    dark = mix(INK, person.skin_hex, 0.12)
    upper = [lens[0], lens[1], lens[2], lens[3]]
    heavy = 4.6 if person.gender == "Female" else 3.6
    pen.line(smooth(upper, closed=False), dark, 0.6, heavy if not pen.style.simple_eye else heavy * 0.7)
    if person.gender == "Female" and person.age != "Elderly":
        tip = lens[3]
        pen.line(smooth([tip, (tip[0] + side * 4.5, tip[1] - 3.5)], closed=False), dark, 0.6, 2.6)
    lower = smooth([(lens[6][0], lens[6][1]), (lens[5][0], lens[5][1]), (lens[4][0], lens[4][1])], closed=False)
    pen.line(lower, shadow(person.skin_hex, 0.55), 0.4, 1.2)


def _closed_eye(pen: Pen, person: Character, at: tuple[float, float], wide: float, bow: int) -> None:
    x, y = at
    arc = smooth(
        [(x - wide, y), (x - wide * 0.5, y + bow * 5.5), (x + wide * 0.5, y + bow * 5.5), (x + wide, y)], closed=False
    )
    pen.line(arc, mix(INK, person.skin_hex, 0.12), 0.8, 3.6)
    if person.gender == "Female" and bow > 0:
        for dx in (-0.5, 0.0, 0.5):
            start = (x + dx * wide, y + 5.0)
            pen.line(smooth([start, (start[0] + dx * 5, start[1] + 4)], closed=False), INK, 0.4, 1.6)


def _brow(pen: Pen, person: Character, rig: Rig, look: Look, side: int) -> None:
    colour = person.hair.hexes[0] if person.hair.hexes else "#6a5a55"
    colour = mix(colour, INK, 0.42)
    y = rig.eye_y - 17 * rig.eye - 7
    start = (side * 13.0, y + look.inner)
    middle = (side * 25.0, y - 4 + (look.inner + look.outer) / 2)
    end = (side * 37.0, y + look.outer + 1)
    heavy = 2.6 if person.gender == "Female" else 4.4
    pen.line(smooth([start, middle, end], closed=False), colour, 0.5, heavy)


def _nose(pen: Pen, person: Character, rig: Rig) -> None:
    y = rig.eye_y + 19
    dark = shadow(person.skin_hex, 0.42)
    if person.age in {"Child", "Teen"} or (person.gender == "Female" and person.age == "Young Adult"):
        pen.line(smooth([(-1.5, y), (1.5, y + 2.5), (-1, y + 3.5)], closed=False), dark, 0.5, 1.7)
        return
    pen.line(smooth([(3, y - 12), (5, y), (0, y + 4), (-4, y + 2)], closed=False), dark, 0.6, 2.0)


def _age_lines(pen: Pen, person: Character, rig: Rig) -> None:
    if person.age not in {"Middle-Aged", "Elderly"}:
        return
    dark, y = shadow(person.skin_hex, 0.38), rig.eye_y
    lines: list[list[Point]] = [[(17, y + 24), (23, y + 30), (22, y + 39)]]
    if person.age == "Elderly":
        lines += [[(13, y + 17), (24, y + 21), (34, y + 16)], [(38, y + 4), (45, y + 1)], [(38, y + 7), (46, y + 8)]]
        lines += [
            [(29, y + 33), (33, y + 38), (31, y + 45)],
            [(3, y - 34), (15, y - 36), (27, y - 33)],
            [(2, y - 27), (12, y - 29), (22, y - 27)],
        ]
    else:
        lines += [[(14, y + 16), (22, y + 19), (31, y + 16)]]
    for line in lines:
        for points in (line, [(-p[0], p[1]) for p in line]):
            pen.line(smooth(points, closed=False), dark, 0.5, 1.6)


def _cheeks(pen: Pen, person: Character, rig: Rig, look: Look) -> None:
    pink = mix(person.skin_hex, "#e8483f", 0.34)
    strong = "blush" in look.extras
    soft = person.age in {"Child", "Teen"} or (person.gender == "Female" and person.age == "Young Adult")
    if "pale" in look.extras:
        pen.flat(smooth(both([(0, HEAD_TOP + 6), (36, -48), (50, -20), (44, 4), (20, -6)])), "#7d8fc4", 0.3)
    if not (strong or soft or "puff" in look.extras):
        return
    for side in (-1, 1):
        x, y = side * 34, rig.eye_y + 23
        pen.flat(ellipse(x, y, 12 if strong else 9, 7 if strong else 4.5), pink, 0.9 if strong else 0.5)
        for i in range(3 if strong else 0):
            pen.line(smooth([(x - 6 + i * 6, y + 3), (x - 3 + i * 6, y - 3)], closed=False), "#d2383a", 0.4, 1.6)
    if strong:
        pen.flat(ellipse(0, rig.eye_y + 21, 14, 4), pink, 0.45)


def _extras(pen: Pen, rig: Rig, look: Look) -> None:
    y = rig.eye_y
    if "tear" in look.extras:
        for side in (-1, 1):
            drop: list[Point] = [(side * 30, y + 15, 0), (side * 34, y + 24), (side * 30, y + 31), (side * 26, y + 24)]
            pen.fill(smooth(drop), "#a9dcf7", 0.5, shade=False)
    if "sweat" in look.extras:
        pen.fill(smooth([(46, -26, 0), (51, -14), (46, -8), (41, -14)]), "#bfe6fa", 0.5, shade=False)
    if "vein" in look.extras:
        for dx, dy in ((-1, -1), (1, -1), (-1, 1), (1, 1)):
            corner = (34 + dx * 2.5, -36 + dy * 2.5)
            pen.line(
                smooth([(corner[0] + dx * 6, corner[1]), corner, (corner[0], corner[1] + dy * 6)], closed=False),
                "#c8242c",
                0.5,
                2.6,
            )
    if "drowsy" in look.extras:
        pen.fill(ellipse(20, rig.chin - 14, 6.5, 7), "#cdeaf8", 0.5, shade=False)
