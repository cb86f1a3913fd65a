"""Arms, hands and sleeves."""

from __future__ import annotations

from character_pipeline.sample.character import Character
from character_pipeline.sample.geometry import Point, between, ellipse, limb, smooth
from character_pipeline.sample.palette import METAL, mix
from character_pipeline.sample.pen import Pen
from character_pipeline.sample.rig import Rig
from character_pipeline.sample.shot import Shot


def draw_arms(pen: Pen, person: Character, shot: Shot, rig: Rig) -> None:
    """Both arms with what the outfit puts over them."""
    for arm in rig.arms:
        thick = rig.limb * 1.08
        steel = "Mechanical Parts" in person.features and arm is rig.arms[1]
        sleeved = person.outfit.sleeve > (0.5 if steel else 0)
        start = between(arm[0], arm[1], 0.4) if sleeved and person.outfit.sleeve > 0.3 else arm[0]
        bare = limb([start, *arm[1:]], [thick * 0.95, thick * 0.84, thick * 0.62])
        _hand(pen, person, rig, arm, METAL if steel else person.skin_hex)
        pen.fill(bare, METAL if steel else person.skin_hex)
        if steel:
            _joints(pen, rig, arm)
        if sleeved:
            _sleeve(pen, person, rig, arm)


def _joints(pen: Pen, rig: Rig, arm: tuple[Point, ...]) -> None:
    for x, y in (arm[1][:2], arm[2][:2], between(arm[0], arm[1], 0.5), between(arm[1], arm[2], 0.5)):
        pen.fill(ellipse(x, y, rig.limb * 0.86), "#7d8796", 0.8, shade=False)
        pen.flat(ellipse(x, y, rig.limb * 0.36), "#4fd0e8")


def _hand(pen: Pen, person: Character, rig: Rig, arm: tuple[Point, ...], colour: str) -> None:
    tip = between(arm[1], arm[2], 1.17)
    pen.fill(ellipse(*tip, rig.limb * 0.78, rig.limb * 0.86), colour)
    thumb = between(arm[1], arm[2], 1.1)
    inward = -1 if arm[2][0] > 0 else 1
    pen.fill(
        limb(
            [thumb, (thumb[0] + inward * rig.limb * 0.8, thumb[1] + rig.limb * 0.5)], [rig.limb * 0.3, rig.limb * 0.24]
        ),
        colour,
        0.8,
    )


def _sleeve(pen: Pen, person: Character, rig: Rig, arm: tuple[Point, ...]) -> None:
    main, _second, trim = person.colours
    share, thick = person.outfit.sleeve, rig.limb * 1.34
    shoulder = between(arm[0], arm[1], -0.05)
    if share <= 0.5:
        end = between(arm[0], arm[1], share * 1.7)
        pen.fill(limb([shoulder, between(shoulder, end, 0.5), end], [thick, thick * 1.06, thick * 1.02]), main)
        return
    end = between(arm[1], arm[2], min(1.0, (share - 0.5) * 2) * 0.98)
    if person.outfit.wide:
        inward = -1 if arm[0][0] > 0 else 1
        drop = 66 * rig.size
        cloth: list[Point] = [
            (shoulder[0] - inward * thick, shoulder[1]),
            (arm[1][0] - inward * thick * 1.2, arm[1][1]),
            (end[0] - inward * thick * 1.1, end[1], 0),
            (end[0] - inward * thick * 0.6, end[1] + drop),
            (end[0] + inward * thick * 1.3, end[1] + drop * 0.8),
            (end[0] + inward * thick, end[1], 0),
            (arm[1][0] + inward * thick * 0.9, arm[1][1]),
            (shoulder[0] + inward * thick * 0.8, shoulder[1] + 14),
        ]
        pen.fill(smooth(cloth), main)
        return
    pen.fill(
        limb([shoulder, arm[1], end], [thick, thick * 0.92, thick * 0.8]),
        mix(main, "#30303c", 0.1) if person.outfit.top == "plate" else main,
    )
    if person.outfit.dress in {"Maid Outfit", "Gothic", "Costume", "Armor"}:
        pen.fill(limb([between(arm[1], end, 0.82), end], [thick * 0.95, thick]), trim, 0.8, shade=False)
