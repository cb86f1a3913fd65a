"""The body and the clothes on it, from the feet up."""

from __future__ import annotations

from character_pipeline.sample.arms import draw_arms
from character_pipeline.sample.character import Character
from character_pipeline.sample.geometry import Point, between, both, limb, poly, smooth
from character_pipeline.sample.palette import CLOTH, shadow
from character_pipeline.sample.pen import Pen
from character_pipeline.sample.rig import Rig
from character_pipeline.sample.shot import Shot
from character_pipeline.sample.trimmings import TRIMMINGS


def draw_body(pen: Pen, person: Character, shot: Shot, rig: Rig) -> None:
    """The dressed body from the neck to the floor."""
    if shot.pose == "behind" and not shot.back:
        draw_arms(pen, person, shot, rig)
    _legs(pen, person, rig)
    _neck(pen, person, rig)
    if person.outfit.bottom != "gown":
        _bottom(pen, person, rig)
    _top(pen, person, rig, shot.back)
    if person.outfit.bottom == "gown":
        _gown(pen, person, rig)
    for name in person.outfit.extras:
        trimming = TRIMMINGS[name]
        if not shot.back or trimming.all_round:
            trimming.draw(pen, person, rig, person.colours)
    if shot.pose != "behind" or shot.back:
        draw_arms(pen, person, shot, rig)


def torso(rig: Rig, grow: float = 0.0, low: float | None = None) -> list[Point]:
    """The right half of the trunk, from the neck down to `low` (or the crotch), `grow` units wider than the skin."""
    bottom = rig.crotch if low is None else low
    return [
        (rig.neck_width + 2 + grow * 0.3, rig.neck + 18 * rig.size, 0),
        (rig.shoulder * 0.72, rig.shoulder_y - 9 * rig.size),
        (rig.shoulder + grow - 3, rig.shoulder_y + 8 * rig.size),
        (rig.shoulder * 0.86 + grow, rig.shoulder_y + 30 * rig.size),
        (rig.chest + grow, rig.chest_y),
        (rig.waist + grow, rig.waist_y),
        (rig.hip + grow, rig.hip_y),
        (rig.hip * 0.96 + grow, bottom, 0),
    ]


def _neck(pen: Pen, person: Character, rig: Rig) -> None:
    neck = limb(
        [(0, rig.chin - 24), (0, rig.neck + 8), (0, rig.shoulder_y + 6 * rig.size)],
        [rig.neck_width] * 2 + [rig.neck_width * 1.25],
    )
    pen.fill(neck, person.skin_hex, shade=False)
    chin: list[Point] = [(-rig.neck_width + 1, rig.chin - 10), (0, rig.chin + 16), (rig.neck_width - 1, rig.chin - 10)]
    if pen.style.shade != "none":
        pen.flat(smooth(chin), shadow(person.skin_hex, 0.26))


def _legs(pen: Pen, person: Character, rig: Rig) -> None:
    for leg in rig.legs:
        thick = rig.limb * 1.75
        pen.fill(limb(leg, [thick, thick * 0.78, thick * 0.5]), person.skin_hex)
        _foot(pen, person, rig, leg)


def _foot(pen: Pen, person: Character, rig: Rig, leg: tuple[Point, ...]) -> None:
    x, y = leg[2][0], rig.floor
    kind = person.outfit.shoes
    wide = rig.limb * 1.15
    side = 1 if x > 0 else -1
    shoe: list[Point] = [
        (x - wide * 0.7, y - 18 * rig.size),
        (x + wide * 0.7, y - 18 * rig.size),
        (x + wide * 0.9 + side * 5, y + 4, 0),
        (x - wide * 0.9 + side * 5, y + 4, 0),
    ]
    colour = {"bare": person.skin_hex, "sandals": "#a9744a", "heels": CLOTH[person.accent], "boots": "#5a4038"}.get(
        kind, "#4b3a3a"
    )
    if kind == "boots":
        knee = between(leg[1], leg[2], 0.25)
        colour = person.colours[0] if person.outfit.top == "plate" else colour
        pen.fill(
            limb([knee, between(leg[1], leg[2], 0.6), leg[2]], [rig.limb * 1.45, rig.limb * 1.35, rig.limb * 1.0]),
            colour,
        )
    elif kind == "shoes" and person.gender == "Female" and person.outfit.dress in {"School Uniform", "Maid Outfit"}:
        sock = between(leg[1], leg[2], 0.1)
        pen.fill(
            limb([sock, between(leg[1], leg[2], 0.6), leg[2]], [rig.limb * 1.36, rig.limb * 1.16, rig.limb * 0.92]),
            "#f6f4f4" if person.fashion % 2 else "#3a3946",
        )
    pen.fill(smooth(shoe), colour)
    if kind == "sandals":
        pen.line(
            smooth(
                [(x - wide * 0.6, y - 12 * rig.size), (x + side * 3, y - 3), (x + wide * 0.6, y - 12 * rig.size)],
                closed=False,
            ),
            "#5e3b25",
            1,
            2.2,
        )


def _bottom(pen: Pen, person: Character, rig: Rig) -> None:
    kind, colour = person.outfit.bottom, person.colours[1]
    if kind == "suit":
        return
    reach = rig.leg_at(person.outfit.reach)
    if kind in {"pants", "shorts"}:
        _trousers(pen, rig, colour, reach, person.outfit.reach)
        return
    flare = 1.34 if kind == "skirt" else 1.5
    right: list[Point] = [
        (rig.waist + 2, rig.waist_y, 0),
        (rig.hip * 1.12, rig.hip_y),
        (rig.hip * flare, reach, 0),
        (rig.hip * 0.6, reach + 7 * rig.size),
    ]
    pen.fill(smooth([*right, (0, reach + 5 * rig.size), *[(-p[0], *p[1:]) for p in right][::-1]]), colour)
    if kind == "hakama" or "pleats" in person.outfit.extras:
        for share in (-0.7, -0.42, -0.14, 0.14, 0.42, 0.7):
            start, end = (rig.waist * share, rig.waist_y + 12), (rig.hip * flare * share, reach + 3)
            pen.line(poly([start, end], closed=False), shadow(colour, 0.45), 0.6, 1.2)


def _trousers(pen: Pen, rig: Rig, colour: str, reach: float, share: float) -> None:
    hips = both(
        [
            (rig.waist + 1, rig.waist_y, 0),
            (rig.hip + 2, rig.hip_y),
            (rig.hip + 1, rig.crotch + 8, 0),
            (0, rig.crotch + 12, 0),
        ]
    )
    for leg in rig.legs:
        end = (leg[2][0], reach)
        knee = leg[1] if reach > rig.knee else between(leg[0], end, 0.5)
        wide = rig.limb * 1.95
        pen.fill(limb([leg[0], knee, end], [wide, wide * 0.86, wide * (0.72 if share > 0.6 else 0.92)]), colour)
    pen.fill(smooth(hips), colour, 0.0)
    pen.line(
        poly([(0, rig.crotch - 14 * rig.size), (0, rig.crotch + 12)], closed=False), shadow(colour, 0.45), 0.6, 1.2
    )


def _top(pen: Pen, person: Character, rig: Rig, back: bool) -> None:
    main, _second, trim = person.colours
    kind = person.outfit.top
    low = rig.hip_y - 10 * rig.size if kind != "plate" else rig.waist_y + 14 * rig.size
    if kind == "straps":
        bare = torso(rig) if person.outfit.bottom == "suit" else torso(rig, 0, rig.waist_y + 8 * rig.size)
        pen.fill(smooth(both(bare)), person.skin_hex, shade=False)
        _straps(pen, person, rig, main)
        return
    if kind == "open" and not back:
        pen.fill(smooth(both(torso(rig, 1, low))), trim, shade=False)
        _jacket(pen, rig, main)
        return
    pen.fill(smooth(both(torso(rig, 3, low))), main)
    if kind == "robe" and not back:
        _crossed(pen, person, rig, main, trim)


def _straps(pen: Pen, person: Character, rig: Rig, colour: str) -> None:
    low = rig.crotch + 14 * rig.size if person.outfit.bottom == "suit" else rig.hip_y + 16 * rig.size
    strap = rig.shoulder * 0.52
    half: list[Point] = [
        (rig.neck_width + 9, rig.chest_y - 30 * rig.size), (strap - 8, rig.shoulder_y - 5 * rig.size, 0),
        (strap + 8, rig.shoulder_y - 5 * rig.size, 0),
        (rig.chest * 0.86, rig.chest_y - 22 * rig.size), (rig.chest + 1, rig.chest_y), (rig.waist + 1, rig.waist_y),
        (rig.hip + 1, rig.hip_y - 8, 0),
    ]  # fmt: skip
    end: list[Point] = (
        [(rig.hip * 0.98, low - 20 * rig.size), (rig.hip * 0.2, low, 0)]
        if person.outfit.bottom == "suit"
        else [(rig.hip, low, 0)]
    )
    pen.fill(
        smooth([(0, rig.chest_y - 26 * rig.size), *half, *end, *[(-p[0], *p[1:]) for p in [*half, *end]][::-1]]), colour
    )


def _jacket(pen: Pen, rig: Rig, colour: str) -> None:
    outer = torso(rig, 4, rig.hip_y + 4 * rig.size)
    inner: list[Point] = [
        (rig.waist * 0.3, rig.hip_y + 4 * rig.size, 0),
        (rig.waist * 0.22, rig.waist_y),
        (rig.neck_width + 6, rig.shoulder_y - 4),
    ]
    for side in (-1, 1):
        pen.fill(smooth([(side * p[0], *p[1:]) for p in [*outer, *inner]]), colour)


def _crossed(pen: Pen, person: Character, rig: Rig, main: str, trim: str) -> None:
    neck = rig.neck + 14 * rig.size
    for side in (1, -1):
        band: list[Point] = [
            (side * (rig.neck_width + 6), neck, 0),
            (side * (rig.neck_width + 16), neck + 4, 0),
            (-side * rig.waist * 0.4, rig.waist_y - 4, 0),
            (-side * rig.waist * 0.68, rig.waist_y - 12, 0),
        ]
        pen.fill(smooth(band), trim, 0.8, shade=False)
    pen.flat(poly([(-rig.neck_width, neck), (rig.neck_width, neck), (0, neck + 36 * rig.size)]), person.skin_hex)


def _gown(pen: Pen, person: Character, rig: Rig) -> None:
    main, second, _ = person.colours
    colour = second if person.outfit.garment == "hanbok" else main
    reach = rig.leg_at(person.outfit.reach)
    straight = person.outfit.garment in {"kimono", "china dress"}
    flare = rig.hip * (1.14 if straight else 1.5 + 0.25 * (person.outfit.reach < 0.7))
    top = rig.waist_y - (40 * rig.size if person.outfit.garment == "hanbok" else 0)
    right: list[Point] = [
        (rig.waist + 3, top, 0),
        (rig.hip * 1.08, rig.hip_y),
        (flare, reach, 0),
        (flare * 0.4, reach + 8 * rig.size),
    ]
    pen.fill(smooth([*right, *[(-p[0], *p[1:]) for p in right][::-1]]), colour)
    for share in (-0.5, 0.1, 0.55) if not straight else (0.3,):
        pen.line(
            smooth([(rig.hip * share, rig.hip_y), (flare * share, reach - 6)], closed=False),
            shadow(colour, 0.4),
            0.6,
            1.0,
        )
