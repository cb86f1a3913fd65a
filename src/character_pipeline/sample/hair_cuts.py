"""Hair cuts that show the skull: shaven, plaited close, piled up, or none at all."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from character_pipeline.sample.character import Character
from character_pipeline.sample.geometry import Point, ellipse, mirror, smooth
from character_pipeline.sample.hair_back import tone
from character_pipeline.sample.palette import INK, lit, mix, shadow
from character_pipeline.sample.pen import Paint, Pen

DOME: list[Point] = [(-60, -8), (-53, -48), (-30, -75), (0, -82), (30, -75), (53, -48), (60, -8)]


def _afro_cap(pen: Pen, person: Character, paint: Paint) -> None:
    edge: list[Point] = [(58, 10, 0), (50, -14), (30, -36), (0, -42), (-30, -36), (-50, -14), (-58, 10, 0)]
    pen.fill(smooth([*DOME, *edge]), paint, 0, shade=False)


def _stubbled(pen: Pen, person: Character, share: float) -> None:
    skull: list[Point] = [
        *DOME,
        (58, 14, 0),
        (49, -12),
        (44, -34),
        (24, -46),
        (0, -48),
        *mirror([(58, 14, 0), (49, -12), (44, -34), (24, -46)]),
    ]
    pen.flat(
        smooth([(p[0] * 0.95, max(p[1], -69), *p[2:]) for p in skull]),
        mix(person.skin_hex, person.hair.hexes[0], share),
    )


def _buzz(pen: Pen, person: Character, paint: Paint) -> None:
    _stubbled(pen, person, 0.86)
    dark = shadow(person.hair.hexes[0], 0.3)
    for i in range(26):
        x, y = -42 + (i * 37) % 86, -66 + (i * 7) % 18
        pen.line(smooth([(x, y + abs(x) * 0.3), (x + 1, y + 3 + abs(x) * 0.3)], closed=False), dark, 0.3, 1.0)


def _cornrows(pen: Pen, person: Character, paint: Paint) -> None:
    _stubbled(pen, person, 0.4)
    for i in range(-4, 5):
        row: list[Point] = [(i * 10.2, -47 + abs(i) * 5), (i * 9.2, -64 + abs(i) * 2.6), (i * 6.0, -76 + abs(i))]
        pen.line(smooth(row, closed=False), person.hair.hexes[0], 1, 7.2)
        for t in range(4):
            y = row[0][1] - 3 - t * 7
            pen.line(
                smooth([(i * 9.6 - 3, y), (i * 9.6, y + 2), (i * 9.6 + 3, y)], closed=False),
                mix(person.hair.hexes[0], person.skin_hex, 0.5),
                0.3,
                1.2,
            )
    for side in (-1, 1):
        pen.line(
            smooth([(side * 54, -20), (side * 60, 20), (side * 57, 58)], closed=False), person.hair.hexes[0], 1, 7.2
        )
        for y in (0, 12, 24, 36, 48):
            pen.line(
                smooth([(side * 60 - 4, y), (side * 60 + 3, y + 3)], closed=False),
                mix(person.hair.hexes[0], INK, 0.5),
                0.3,
                1.2,
            )


def _mohawk(pen: Pen, person: Character, paint: Paint) -> None:
    _stubbled(pen, person, 0.22)
    crest: list[Point] = [
        (-15, -42, 0), (-20, -72), (-30, -112, 0), (-14, -104, 0), (-8, -128, 0), (2, -108, 0), (14, -130, 0),
        (16, -104, 0), (30, -110, 0), (20, -70), (15, -42, 0), (0, -48),
    ]  # fmt: skip
    pen.fill(smooth(crest), paint)


def _undercut(pen: Pen, person: Character, paint: Paint) -> None:
    _stubbled(pen, person, 0.42)
    top: list[Point] = [
        (50, -52, 0), (58, -78), (30, -98), (-10, -98), (-46, -80), (-62, -46), (-60, -18, 0), (-50, -30),
        (-40, -24, 0), (-26, -40), (10, -50), (40, -52),
    ]  # fmt: skip
    pen.fill(smooth(top), paint)
    for line in ([(44, -66), (0, -76), (-44, -44)], [(40, -58), (4, -62), (-32, -40)]):
        pen.line(smooth(line, closed=False), shadow(tone(paint), 0.4), 0.5, 1.2)


def _pompadour(pen: Pen, person: Character, paint: Paint) -> None:
    sides = [*DOME, (58, 16, 0), (49, -12), (42, -38), (0, -50), *mirror([(58, 16, 0), (49, -12), (42, -38)])]
    pen.fill(smooth(sides), shadow(tone(paint), 0.18) if isinstance(paint, str) else paint, shade=False)
    roll: list[Point] = [(-46, -40), (-58, -74), (-38, -112), (6, -122), (48, -108), (60, -72), (46, -42), (0, -36)]
    pen.fill(smooth(roll), paint)
    for line in (
        [(-40, -52), (-40, -90), (0, -108), (38, -92), (44, -60)],
        [(-24, -50), (-22, -78), (4, -90), (26, -76), (28, -54)],
    ):
        pen.line(smooth(line, closed=False), shadow(tone(paint), 0.4), 0.5, 1.3)


def _bald(pen: Pen, person: Character, paint: Paint) -> None:
    pen.flat(ellipse(-20, -48, 11, 6), lit(person.skin_hex, 0.7), 0.9)


CUTS: Mapping[str, Callable[[Pen, Character, Paint], None]] = {
    "Afro": _afro_cap,
    "Buzz Cut": _buzz,
    "Cornrows": _cornrows,
    "Mohawk": _mohawk,
    "Undercut": _undercut,
    "Pompadour": _pompadour,
    "Bald": _bald,
}
