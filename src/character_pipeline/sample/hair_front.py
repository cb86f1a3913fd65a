"""Hair in front of the head: the cap over the skull, the fringe, sidelocks, and braids over the shoulders."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from character_pipeline.sample.character import Character
from character_pipeline.sample.geometry import Point, both, ellipse, lock, poly, smooth
from character_pipeline.sample.hair_back import draw_tail, draw_tie, reach_of, tone
from character_pipeline.sample.hair_cuts import CUTS, DOME
from character_pipeline.sample.palette import lit, mix, shadow
from character_pipeline.sample.pen import Paint, Pen
from character_pipeline.sample.rig import Rig
from character_pipeline.sample.shot import Shot

FRINGES: Mapping[str, list[Point]] = {
    # the lower edge from the right temple to the left one
    "": [(58, 22, 0), (51, -10), (38, -36), (16, -52), (2, -58, 0), (-16, -50), (-38, -36), (-51, -10), (-58, 22, 0)],
    "Bangs": [
        (58, 24, 0), (50, -16, 0), (43, -4, 0), (32, -27, 0), (24, -5, 0), (12, -28, 0), (2, -3, 0), (-9, -28, 0),
        (-21, -6, 0), (-31, -27, 0),
        (-43, -3, 0), (-50, -16, 0), (-58, 24, 0),
    ],
    "Blunt Bangs": [(58, 22, 0), (51, -12, 0), (46, -9), (0, -7), (-46, -9), (-51, -12, 0), (-58, 22, 0)],
    "Swept Bangs": [
        (58, 24, 0), (50, -16), (40, -38), (26, -58, 0), (18, -34), (0, -14), (-15, -7, 0), (-14, -16, 0), (-28, -4),
        (-43, 1, 0), (-45, -10, 0),
        (-58, 24, 0),
    ],
    "Hair Over One Eye": [(58, 24, 0), (50, -10), (20, -40), (-10, -60, 0), (-28, -44), (-46, -22), (-58, 22, 0)],
    "cover": [
        (58, 32, 0), (50, 10, 0), (43, 27, 0), (33, 12, 0), (24, 29, 0), (13, 12, 0), (2, 30, 0), (-9, 12, 0),
        (-21, 29, 0), (-31, 12, 0),
        (-43, 27, 0), (-50, 10, 0), (-58, 32, 0),
    ],
}  # fmt: skip
SHAVED = frozenset({"Mohawk", "Undercut", "Buzz Cut", "Cornrows"})


def draw_front(pen: Pen, person: Character, shot: Shot, rig: Rig) -> None:
    """All hair that lies over the face and the shoulders."""
    hair = person.hair
    paint = hair.paint(reach_of(person, rig))
    if hair.arrangement in CUTS:
        CUTS[hair.arrangement](pen, person, paint)
        return
    if hair.arrangement in OVER_SHOULDER:
        OVER_SHOULDER[hair.arrangement](pen, person, rig)
    if hair.arrangement == "Hime Cut":
        _hime_locks(pen, rig, paint)
    if hair.sidelocks:
        _sidelocks(pen, person, rig, paint)
    _cap(pen, person, shot, paint)
    if hair.ahoge and not {"Hat", "Helmet"} & set(person.accessories):
        pen.fill(
            smooth([(-5, -78, 0), (-4, -100), (14, -118), (34, -112, 0), (16, -106), (6, -94), (6, -78, 0)]),
            paint,
            shade=False,
        )


def _cap(pen: Pen, person: Character, shot: Shot, paint: Paint) -> None:
    hair = person.hair
    fringe = "cover" if shot.cover == "bangs" else hair.fringe
    dome = list(DOME)
    if hair.texture == "Spiky":
        dome = [
            (-60, -8), (-74, -40, 0), (-50, -46, 0), (-58, -84, 0), (-28, -72, 0), (-12, -106, 0), (6, -80, 0),
            (38, -100, 0), (36, -72, 0), (68, -66, 0), (54, -40, 0), (76, -22, 0), (60, -8),
        ]  # fmt: skip
    if hair.texture == "Messy":
        dome = [
            (-60, -8), (-66, -34, 0), (-55, -46), (-50, -74, 0), (-28, -77), (-14, -94, 0), (0, -83), (24, -91, 0),
            (34, -74), (60, -66, 0), (54, -46), (68, -28, 0), (60, -8),
        ]  # fmt: skip
    if hair.texture == "Curly":
        _curly_cap(pen, paint, fringe)
        return
    pen.fill(smooth([*dome, *FRINGES[fringe]]), paint, shade=False)
    if fringe == "Hair Over One Eye":
        pen.fill(
            smooth(
                [(-12, -62, 0), (20, -58), (50, -30), (58, 10), (50, 46, 0), (40, 30), (30, 44, 0), (12, 24), (4, -10)]
            ),
            paint,
            shade=False,
        )
    _sheen(pen, paint, fringe)
    _strands(pen, paint, fringe)
    if hair.pattern == "streaks":
        for x in (-34, 6, 38):
            pen.flat(lock((x * 0.6, -74), (x, -16 if fringe else -44), 5, x * 0.1), hair.hexes[1])


def _curly_cap(pen: Pen, paint: Paint, fringe: str) -> None:
    pen.fill(smooth([*DOME, *FRINGES[""]]), paint, shade=False)
    low = -14 if fringe else -44
    curls = [
        (-54, 8),
        (54, 8),
        (-56, -16),
        (56, -16),
        (-50, -42),
        (50, -42),
        (-34, -62),
        (34, -62),
        (-12, -72),
        (12, -72),
    ]
    curls += [(-36, low - 6), (36, low - 6), (-18, low - 2), (18, low - 2), (0, low)] if fringe else []
    if fringe in {"Hair Over One Eye", "cover"}:
        curls += [(26, 4), (40, 14), (28, 22)] + ([(-26, 4), (-40, 14), (-28, 22)] if fringe == "cover" else [])
    for x, y in curls:
        pen.fill(ellipse(x, y, 15, 14), paint, 0.8, shade=False)
    for x, y in curls:
        ring: list[Point] = [(x - 8, y + 2), (x - 2, y - 7), (x + 7, y - 2), (x + 3, y + 6), (x - 3, y + 2)]
        pen.line(smooth(ring, closed=False), shadow(tone(paint), 0.35), 0.5, 1.3)


def _sheen(pen: Pen, paint: Paint, fringe: str) -> None:
    if pen.style.shade == "none" or not isinstance(paint, str):
        return
    light = lit(paint, 0.34)
    if fringe in {"", "Hair Over One Eye", "Swept Bangs"}:
        band: list[Point] = [(-46, -40, 0), (-34, -57), (-18, -66), (-24, -56, 0), (-36, -44), (-44, -34, 0)]
    else:
        band = [
            (-46, -36, 0), (-26, -53), (0, -58), (26, -53), (46, -36, 0), (34, -40), (24, -34, 0), (12, -46),
            (0, -38, 0), (-12, -46), (-24, -34, 0), (-34, -40),
        ]  # fmt: skip
    pen.flat(smooth(band), light, 0.8)


def _strands(pen: Pen, paint: Paint, fringe: str) -> None:
    dark = shadow(tone(paint), 0.4)
    lines: Mapping[str, list[list[Point]]] = {
        "Blunt Bangs": [[(x * 0.7, -40), (x, -12)] for x in (-34, -14, 8, 28)],
        "": [[(2, -80), (3, -60)], [(-10, -78), (-42, -30)], [(12, -78), (43, -30)]],
        "Swept Bangs": [[(26, -58), (20, -78)], [(14, -60), (-24, -16)], [(32, -58), (50, -20)]],
        "Hair Over One Eye": [[(-10, -60), (-8, -79)], [(6, -56), (40, 10)], [(-4, -50), (24, 18)]],
    }
    for line in lines.get(
        fringe,
        [[(0, -80), (-6, -50), (-9, -30)], [(6, -80), (26, -50), (32, -29)], [(-6, -80), (-26, -50), (-31, -29)]],
    ):
        pen.line(smooth(line, closed=False), dark, 0.5, 1.0 if pen.style.ink else 0)


def _hime_locks(pen: Pen, rig: Rig, paint: Paint) -> None:
    for side in (-1, 1):
        outline: list[Point] = [
            (side * 60, -24),
            (side * 63, 10),
            (side * 62, rig.chin - 12, 0),
            (side * 38, rig.chin - 12, 0),
            (side * 42, 10),
            (side * 48, -24),
        ]
        pen.fill(smooth(outline), paint, shade=False)


def _sidelocks(pen: Pen, person: Character, rig: Rig, paint: Paint) -> None:
    for side in (-1, 1):
        end = (side * 52, rig.chin + 46)
        pen.fill(
            lock((side * 54, -18), end, 8.5, side * 6, 1 if person.hair.texture == "Wavy" else 0), paint, shade=False
        )


def _side_ponytail(pen: Pen, person: Character, rig: Rig) -> None:
    draw_tail(pen, person, ((58, 20), (72, max(reach_of(person, rig), 116))), 19, -14)
    draw_tie(pen, person, 60, 24)


def _plait(pen: Pen, person: Character, x: float, start: float, end: float) -> None:
    side = 1 if x > 0 else -1
    paint = person.hair.paint(end)
    count = max(4, round((end - start) / 19))
    for i in range(count):
        share = i / count
        y, width = start + (end - start) * share, 12.5 * (1.05 - share * 0.4)
        at = x + side * 8 * share
        for half in (-1, 1):
            knot: list[Point] = [
                (at, y + 20, 0),
                (at + half * width, y + 8),
                (at + half * width * 0.9, y - 3),
                (at - half * 2, y - 1, 0),
            ]
            pen.fill(smooth(knot), paint, 0.8, shade=False)
    draw_tie(pen, person, x + side * 8, end + 4)
    pen.fill(lock((x + side * 8, end + 8), (x + side * 9, end + 32), 7), paint, 0.8)


def _braid(pen: Pen, person: Character, rig: Rig) -> None:
    _plait(pen, person, 52, 26, max(reach_of(person, rig) - 34, 100))


def _twin_braids(pen: Pen, person: Character, rig: Rig) -> None:
    for side in (-1, 1):
        _plait(pen, person, side * 56, 22, max(reach_of(person, rig) - 24, 84))


OVER_SHOULDER: Mapping[str, Callable[[Pen, Character, Rig], None]] = {
    "Side Ponytail": _side_ponytail,
    "Braid": _braid,
    "Twin Braids": _twin_braids,
}


def draw_from_behind(pen: Pen, person: Character, rig: Rig) -> None:
    """The back of the head, over what `draw_back` drew."""
    hair = person.hair
    paint = hair.paint(reach_of(person, rig))
    if hair.arrangement in {"Bald"}:
        return
    if hair.arrangement in SHAVED:
        back = smooth(both([(0, -72), (38, -60), (54, -20), (50, 16), (34, 40), (0, 46)]))
        pen.flat(back, mix(person.skin_hex, hair.hexes[0], 0.3 if hair.arrangement == "Mohawk" else 0.8))
    elif hair.arrangement not in {"Dreadlocks", "Afro"} and not hair.loose:
        pen.fill(smooth(both([(0, -83), (40, -73), (61, -38), (62, 4), (48, 38), (14, 48, 0)])), paint)
    if hair.arrangement == "Mohawk":
        pen.fill(poly(both([(0, -126), (15, -104), (13, -20), (6, 50)])), paint)
    if hair.arrangement in OVER_SHOULDER:
        OVER_SHOULDER[hair.arrangement](pen, person, rig)
    for x in (-30, -10, 10, 30):
        pen.line(smooth([(x * 0.3, -78), (x, -40), (x * 1.3, 4)], closed=False), shadow(tone(paint), 0.35), 0.5)
