"""What no human has: animal ears, horns, tails, wings, halos."""

from __future__ import annotations

from collections.abc import Mapping

from character_pipeline.sample.character import Character
from character_pipeline.sample.geometry import Point, ellipse, limb, smooth
from character_pipeline.sample.palette import GOLD, lit, mix, shadow
from character_pipeline.sample.pen import Pen
from character_pipeline.sample.rig import Rig

EARS: Mapping[str, list[Point]] = {
    "cat": [(14, -72, 0), (28, -106), (50, -124, 0), (60, -86), (56, -50, 0)],
    "fox": [(12, -72, 0), (24, -116), (52, -146, 0), (66, -92), (58, -46, 0)],
    "dog": [(24, -72, 0), (48, -98), (76, -82), (82, -40), (66, -22, 0), (54, -50)],
    "rabbit": [(10, -72, 0), (8, -130), (26, -184), (46, -168), (44, -110), (38, -62, 0)],
}


def _fur(person: Character) -> str:
    return person.hair.hexes[0] if person.hair.hexes else "#85512f"


def draw_crown_features(pen: Pen, person: Character, back: bool) -> None:
    """Animal ears, horns and the halo, over the hair."""
    if "Animal Ears" in person.features:
        for side in (-1, 1):
            ear: list[Point] = [(side * p[0], *p[1:]) for p in EARS[person.animal]]
            pen.fill(smooth(ear), _fur(person))
            if not back and person.animal != "dog":
                middle = (sum(p[0] for p in ear) / len(ear), sum(p[1] for p in ear) / len(ear))
                inner: list[Point] = [
                    (middle[0] + (p[0] - middle[0]) * 0.58, middle[1] + (p[1] - middle[1]) * 0.62 + 3, *p[2:])
                    for p in ear
                ]
                pen.flat(smooth(inner), "#f6b9c4")
    if "Horns" in person.features:
        _horns(pen, person)
    if "Halo" in person.features:
        for width, colour in ((9.0, shadow(GOLD, 0.3)), (6.0, "#ffe58a")):
            pen.line(ellipse(0, -118 if "Animal Ears" not in person.features else -140, 46, 12), colour, 0, width)


def _horns(pen: Pen, person: Character) -> None:
    colour = ("#7c2f3b", "#e8dcc4", "#46404f")[person.fashion % 3]
    for side in (-1, 1):
        horn: list[Point] = [
            (side * 24, -68, 0),
            (side * 40, -92),
            (side * 46, -124),
            (side * 34, -146, 0),
            (side * 66, -122),
            (side * 68, -88),
            (side * 50, -54, 0),
        ]
        pen.fill(smooth(horn), colour)
        for y in (-80, -96, -112):
            pen.line(
                smooth([(side * (30 + (-80 - y) * 0.3), y), (side * (64 + (-80 - y) * 0.05), y + 6)], closed=False),
                shadow(colour, 0.4),
                0.4,
                1.4,
            )


def draw_behind_features(pen: Pen, person: Character, rig: Rig) -> None:
    """Wings and tails, behind the body."""
    if "Wings" in person.features:
        for side in (-1, 1):
            if person.fashion % 2:
                _bat_wing(pen, rig, side)
            else:
                _feather_wing(pen, rig, side)
    if "Tail" in person.features:
        _tail(pen, person, rig)


def _feather_wing(pen: Pen, rig: Rig, side: int) -> None:
    x, y, s = rig.shoulder * 0.4, rig.shoulder_y + 26 * rig.size, max(rig.size, 0.55)
    for i in range(6)[::-1]:
        spread = i / 5
        tip = (side * (x + (90 + 84 * (1 - spread)) * s), y + (-92 + 210 * spread) * s)
        feather = limb(
            [(side * x, y), (side * (x + 62 * s), y + (-44 + 96 * spread) * s), tip], [12 * s, 22 * s, 9 * s]
        )
        pen.fill(feather, mix("#ffffff", "#cfd8ee", spread * 0.5))


def _bat_wing(pen: Pen, rig: Rig, side: int) -> None:
    x, y, s = rig.shoulder * 0.4, rig.shoulder_y + 30 * rig.size, max(rig.size, 0.55)
    wing: list[Point] = [
        (0, 0, 0),
        (60, -74),
        (150, -104, 0),
        (168, -30),
        (176, 50, 0),
        (140, 26),
        (126, 84, 0),
        (92, 48),
        (72, 98, 0),
        (44, 52),
        (0, 40, 0),
    ]
    pen.fill(smooth([(side * (x + p[0] * s), y + p[1] * s, *p[2:]) for p in wing]), "#4a3350")
    for end in ((176, 50), (126, 84), (72, 98)):
        pen.line(
            smooth([(side * (x + 60 * s), y - 70 * s), (side * (x + end[0] * s), y + end[1] * s)], closed=False),
            "#2a1a30",
            0.6,
            1.6,
        )


def _tail(pen: Pen, person: Character, rig: Rig) -> None:
    s, y, fur = max(rig.size, 0.5), rig.hip_y, _fur(person)
    if "Animal Ears" not in person.features:
        path: list[Point] = [(20, y), (80 * s, y + 60 * s), (130 * s, y + 40 * s), (128 * s, y - 20 * s)]
        pen.fill(limb(path, [6, 6, 5, 4]), "#7c2f3b")
        pen.fill(
            smooth(
                [(104 * s, y - 20 * s, 0), (128 * s, y - 58 * s, 0), (152 * s, y - 20 * s, 0), (128 * s, y - 30 * s)]
            ),
            "#7c2f3b",
        )
        return
    widths = {
        "cat": [9, 10, 9, 8, 6],
        "dog": [10, 15, 17, 14, 6],
        "fox": [10, 24, 34, 26, 5],
        "rabbit": [9, 18, 18, 14, 8],
    }
    long = 0.55 if person.animal == "rabbit" else 1.0
    joints: list[Point] = [
        (10, y),
        (70 * s * long, y + 50 * s * long),
        (130 * s * long, y + 24 * s * long),
        (146 * s * long, y - 46 * s * long),
        (128 * s * long, y - 100 * s * long),
    ]
    pen.fill(limb(joints, [w * s for w in widths[person.animal]]), fur)
    if person.animal == "fox":
        pen.fill(limb(joints[3:], [26 * s, 5 * s]), lit(fur, 0.75), 0.7)
