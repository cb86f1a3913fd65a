"""Hair behind the head: the mass that hangs down, tails, braids, buns and drills."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from random import Random

from character_pipeline.sample.character import Character
from character_pipeline.sample.geometry import Point, Shape, both, ellipse, lock, resample, smooth, strand
from character_pipeline.sample.palette import CLOTH, lit, shadow
from character_pipeline.sample.pen import Paint, Pen
from character_pipeline.sample.rig import Rig

SPREAD: Mapping[str, float] = {"": 8, "Straight": 2, "Wavy": 14, "Curly": 20, "Spiky": 12, "Messy": 12}


def reach_of(person: Character, rig: Rig) -> float:
    """How far down the hair hangs when it is not tied."""
    levels = {
        "Short": 50.0,
        "Medium": max(rig.shoulder_y + 26 * rig.size, rig.chin + 42),
        "Long": max(rig.waist_y + 34 * rig.size, rig.chin + 118),
    }
    return levels.get(person.hair.length, 40.0)


def draw_back(pen: Pen, person: Character, rig: Rig, back: bool = False) -> None:
    """Everything of the hair that a head seen from the front hides in part; seen from the `back` it is in the light."""
    hair = person.hair
    paint, reach = hair.paint(reach_of(person, rig)), reach_of(person, rig)
    rng = Random(person.identity)
    if hair.loose or hair.arrangement in {"Bob Cut", "Pixie Cut", "Dreadlocks"}:
        mass(pen, person, paint if back or hair.arrangement == "Dreadlocks" else _deep(paint), reach, rng)
    elif hair.arrangement not in {"Bald", "Buzz Cut", "Mohawk", "Undercut", "Pompadour", "Cornrows", "Afro"}:
        pen.fill(smooth(both([(0, -82), (40, -72), (61, -38), (60, 2), (52, 30), (0, 34)])), _deep(paint))
    if hair.arrangement in BACK:
        BACK[hair.arrangement](pen, person, rig, paint, reach)


def _deep(paint: Paint) -> Paint:
    return shadow(paint, 0.16) if isinstance(paint, str) else paint


def mass(pen: Pen, person: Character, paint: Paint, reach: float, rng: Random) -> None:
    """Loose hair: a dome with sides down to `reach`."""
    hair = person.hair
    if hair.arrangement == "Dreadlocks":
        _dreads(pen, paint, reach)
        return
    if hair.texture == "Curly":
        pen.fill(_curls(reach), paint, shade=False)
        return
    right = _side(hair.texture, reach, rng, hair.arrangement)
    left = [(-p[0], *p[1:]) for p in _side(hair.texture, reach, rng, hair.arrangement)][::-1]
    pen.fill(smooth([(0, -84), *right, *_hem(hair.texture, reach, rng), *left]), paint, shade=False)
    for x in (-44, -20, 18, 42):
        top = (x, 20.0)
        if reach > 100:
            pen.line(
                smooth(strand(top, (x * 1.2, reach - 16), 3, 2 if hair.texture == "Wavy" else 0), closed=False),
                shadow(tone(paint), 0.4),
                0.5,
            )


def tone(paint: Paint) -> str:
    """The one colour that stands for all of them."""
    return paint if isinstance(paint, str) else paint.colours[0]


def _side(texture: str, reach: float, rng: Random, arrangement: str) -> list[Point]:
    spread = SPREAD[texture]
    points: list[Point] = [(38, -76), (60, -44), (64, -6)]
    if arrangement == "Bob Cut":
        return [*points, (70, 22), (68, 42), (54, 54, 0)]
    steps = max(1, round((reach - 10) / 34))
    for i in range(1, steps + 1):
        share = i / steps
        x, y = 64 + spread * share, -6 + (reach + 6) * share
        if texture == "Wavy":
            x += 7 if i % 2 else -5
        if texture in {"Spiky", "Messy"}:
            jut = 26 if texture == "Spiky" else rng.uniform(6, 18)
            points += [(x + jut, y + 4, 0), (x - 6, y + 6, 0)]
        else:
            points.append((x, y))
    return points


def _hem(texture: str, reach: float, rng: Random) -> list[Point]:
    drop = {"Straight": 3.0, "": 12.0, "Wavy": 10.0, "Spiky": 24.0, "Messy": 20.0}[texture]
    points: list[Point] = []
    for i, x in enumerate((58, 40, 22, 6, -10, -26, -42, -58)):
        points.append((x, reach + (drop if i % 2 == 0 else -drop * 0.5) * rng.uniform(0.7, 1.1), 0))
    return points


def _curls(reach: float) -> Shape:
    half: list[Point] = [
        (0, -90),
        (42, -80),
        (68, -46),
        (78, 0),
        (84, max(reach * 0.55, 20)),
        (78, reach),
        (30, reach + 10),
    ]
    outline = resample([*half, *[(-p[0], p[1]) for p in half][::-1]], 21)
    path = f"M{outline[0][0]:.1f} {outline[0][1]:.1f}" + "".join(
        f"A11.5 11.5 0 0 1 {x:.1f} {y:.1f}" for x, y in outline[1:]
    )
    return Shape(path + "Z", (-30, -40))


def _dreads(pen: Pen, paint: Paint, reach: float) -> None:
    for i in range(11):
        x = -60 + i * 12
        rope = [(x * 0.8, -50.0), (x * 1.12, 0.0), (x * 1.2, reach * 0.55), (x * 1.22, reach - abs(x) * 0.15)]
        shape = smooth([*[(p[0] + 6.5, p[1]) for p in rope], *[(p[0] - 6.5, p[1]) for p in rope][::-1]])
        pen.fill(shape, paint, 0.9, shade=False)
        for y in range(-20, int(reach) - 12, 16):
            edge = x * (1.05 + 0.15 * y / max(reach, 1))
            pen.line(smooth([(edge - 6, y), (edge + 6, y + 3)], closed=False), shadow(tone(paint), 0.45), 0.4, 1.2)


def draw_tie(pen: Pen, person: Character, x: float, y: float) -> None:
    """What holds hair together."""
    pen.fill(ellipse(x, y, 8, 8), CLOTH[person.accent], 0.8, shade=False)


def draw_tail(pen: Pen, person: Character, ends: tuple[Point, Point], width: float, bend: float) -> None:
    """A tail of hair between its two ends."""
    start, end = ends
    paint = person.hair.paint(end[1])
    texture = person.hair.texture
    waves = 2 if texture == "Wavy" else 0
    if texture == "Curly":
        _ringlet(pen, start, end, width, paint)
        return
    pen.fill(lock(start, end, width, bend, waves), paint)
    inner = strand(start, end, bend * 0.8, waves)
    for dx in (-0.3, 0.3):
        pen.line(smooth([(p[0] + dx * width, p[1]) for p in inner[1:7]], closed=False), shadow(tone(paint), 0.35), 0.5)
    if person.hair.pattern == "streaks":
        pen.flat(lock((start[0], start[1] + 8), (end[0], end[1] - 14), width * 0.3, bend, waves), person.hair.hexes[1])


def _ringlet(pen: Pen, start: Point, end: Point, width: float, paint: Paint) -> None:
    for i, (x, y) in enumerate(strand(start, end)):
        radius = width * (1.15 - i * 0.08)
        pen.fill(ellipse(x + (5 if i % 2 else -5), y, radius, radius * 0.85), paint, 0.8)


def _ponytail(pen: Pen, person: Character, rig: Rig, paint: Paint, reach: float) -> None:
    end = max(reach - 26, 84)
    crest: list[Point] = [
        (4, -82, 0), (26, -112), (66, -104), (98, -52), (104, 10), (96, end * 0.62), (84, end, 0), (74, end * 0.6),
        (66, 6), (52, -40), (24, -70, 0),
    ]  # fmt: skip
    if person.hair.texture == "Wavy":
        crest[5:8] = [(112, end * 0.5), (92, end * 0.75), (100, end, 0), (74, end * 0.75), (80, end * 0.45)]
    pen.fill(smooth(crest), paint)
    pen.line(smooth([(34, -88), (72, -60), (86, -4), (84, end * 0.6)], closed=False), shadow(tone(paint), 0.35), 0.5)
    pen.line(smooth([(30, -98), (80, -76), (96, -8), (90, end * 0.55)], closed=False), shadow(tone(paint), 0.35), 0.5)
    if person.hair.pattern == "streaks":
        pen.flat(
            smooth([(40, -96, 0), (80, -66), (92, 0), (86, end * 0.8, 0), (80, 0), (66, -56)]), person.hair.hexes[1]
        )
    draw_tie(pen, person, 12, -82)


def _twintails(pen: Pen, person: Character, rig: Rig, paint: Paint, reach: float) -> None:
    for side in (-1, 1):
        draw_tail(pen, person, ((side * 54, -48), (side * 104, max(reach - 8, 96))), 21, side * -16)
        draw_tie(pen, person, side * 56, -50)


def _two_side_up(pen: Pen, person: Character, rig: Rig, paint: Paint, reach: float) -> None:
    for side in (-1, 1):
        draw_tail(pen, person, ((side * 40, -74), (side * 92, 34)), 12, side * -20)
        draw_tie(pen, person, side * 42, -72)


def _one_side_up(pen: Pen, person: Character, rig: Rig, paint: Paint, reach: float) -> None:
    draw_tail(pen, person, ((40, -74), (96, 38)), 14, -20)
    draw_tie(pen, person, 42, -72)


def _bun(pen: Pen, person: Character, rig: Rig, paint: Paint, reach: float) -> None:
    _knot(pen, 0, -92, 27, paint)
    draw_tie(pen, person, 0, -74)


def _double_bun(pen: Pen, person: Character, rig: Rig, paint: Paint, reach: float) -> None:
    for side in (-1, 1):
        _knot(pen, side * 46, -74, 23, paint)


def _knot(pen: Pen, x: float, y: float, radius: float, paint: Paint) -> None:
    pen.fill(ellipse(x, y, radius, radius * 0.92), paint)
    dark = shadow(tone(paint), 0.4)
    swirl: list[Point] = [
        (x - radius * 0.7, y),
        (x - 2, y - radius * 0.55),
        (x + radius * 0.5, y - 2),
        (x + 1, y + radius * 0.4),
        (x - radius * 0.3, y),
    ]
    pen.line(smooth(swirl, closed=False), dark, 0.6, 1.4)


def _updo(pen: Pen, person: Character, rig: Rig, paint: Paint, reach: float) -> None:
    dome: list[Point] = [(-62, -18), (-72, -62), (-44, -104), (0, -114), (44, -104), (72, -62), (62, -18)]
    pen.fill(smooth(dome), paint)
    dark = shadow(tone(paint), 0.4)
    for side in (-1, 1):
        roll: list[Point] = [(side * 62, -48), (side * 40, -84), (side * 8, -92), (side * 14, -74), (side * 34, -70)]
        pen.line(smooth(roll, closed=False), dark, 0.6, 1.5)
    pen.line(smooth([(-30, -104), (0, -96), (30, -104)], closed=False), dark, 0.6, 1.5)


def _half_updo(pen: Pen, person: Character, rig: Rig, paint: Paint, reach: float) -> None:
    _knot(pen, 0, -86, 19, paint)


def _drills(pen: Pen, person: Character, rig: Rig, paint: Paint, reach: float) -> None:
    end = max(reach, 100)
    for side in (-1, 1):
        count = 7
        for i in range(count)[::-1]:
            share = i / (count - 1)
            y = -14 + (end + 14) * share
            width = 23 * (1 - share * 0.82)
            turn = ellipse(side * (72 + 10 * share), y, width, (end + 14) / count * 0.82)
            pen.fill(turn, paint, 0.9)
            _swirl(pen, side * (72 + 10 * share), y, width, paint)
        draw_tie(pen, person, side * 62, -28)


def _swirl(pen: Pen, x: float, y: float, width: float, paint: Paint) -> None:
    pen.line(
        smooth([(x - width * 0.8, y - 3), (x, y + 5), (x + width * 0.85, y + 1)], closed=False),
        shadow(tone(paint), 0.45),
        0.6,
        1.6,
    )


def _afro(pen: Pen, person: Character, rig: Rig, paint: Paint, reach: float) -> None:
    outline = resample(
        [
            p[:2]
            for p in [
                (0, -122),
                (66, -104),
                (100, -50),
                (98, 6),
                (70, 44),
                (0, 50),
                (-70, 44),
                (-98, 6),
                (-100, -50),
                (-66, -104),
                (0, -122),
            ]
        ],
        17,
    )
    path = f"M{outline[0][0]:.1f} {outline[0][1]:.1f}" + "".join(
        f"A9.5 9.5 0 0 1 {x:.1f} {y:.1f}" for x, y in outline[1:]
    )
    pen.fill(Shape(path + "Z", (-35, -60)), paint, shade=False)
    light = lit(tone(paint), 0.18)
    for x, y in ((-60, -60), (-30, -90), (10, -98), (48, -80), (74, -36), (-80, -10), (80, 12)):
        pen.line(smooth([(x - 6, y + 3), (x, y - 3), (x + 6, y + 3)], closed=False), light, 0.5, 2.0)


BACK: Mapping[str, Callable[[Pen, Character, Rig, Paint, float], None]] = {
    "Ponytail": _ponytail,
    "Twintails": _twintails,
    "Two Side Up": _two_side_up,
    "One Side Up": _one_side_up,
    "Bun": _bun,
    "Double Bun": _double_bun,
    "Updo": _updo,
    "Half Updo": _half_updo,
    "Drill Hair": _drills,
    "Afro": _afro,
}
