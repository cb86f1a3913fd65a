"""One person, put together layer by layer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from character_pipeline.sample import hats, worn_body, worn_head
from character_pipeline.sample.body import draw_body
from character_pipeline.sample.character import Character
from character_pipeline.sample.face import draw_ears, draw_face
from character_pipeline.sample.features import draw_behind_features, draw_crown_features
from character_pipeline.sample.hair_back import draw_back
from character_pipeline.sample.hair_front import draw_from_behind, draw_front
from character_pipeline.sample.marks import (
    draw_back_marks,
    draw_body_marks,
    draw_face_scars,
    draw_face_tattoo,
    draw_facial_hair,
    draw_trunk_marks,
)
from character_pipeline.sample.pen import Pen
from character_pipeline.sample.rig import Rig
from character_pipeline.sample.shot import Shot

Draw = Callable[[Pen, Character, Rig], None]

ON_FACE: Mapping[str, Draw] = {
    # on the face, under the fringe
    "Mask": worn_head.mask,
    "Piercing": worn_head.piercing,
    "Earrings": worn_head.earrings,
    "Eyepatch": worn_head.eyepatch,
}
ON_HEAD: Mapping[str, Draw] = {
    # over the hair, in the order of drawing
    "Hairband": worn_head.hairband,
    "Hair Ribbon": worn_head.hair_ribbon,
    "Hair Bow": worn_head.hair_bow,
    "Hair Flower": worn_head.hair_flower,
    "Hair Ornament": worn_head.hair_ornament,
    "Glasses": worn_head.glasses,
    "Sunglasses": worn_head.sunglasses,
    "Headband": worn_head.headband,
    "Crown": hats.crown,
    "Goggles": worn_head.goggles,
    "Headphones": worn_head.headphones,
    "Helmet": hats.helmet,
    "Hijab": worn_head.hijab,
    "Hat": hats.hat,
    "Veil": worn_head.veil,
    "Fake Animal Ears": worn_head.fake_ears,
}
ON_BODY: Mapping[str, Draw] = {
    "Belt": worn_body.belt,
    "Bag": worn_body.bag,
    "Necktie": worn_body.necktie,
    "Ribbon": worn_body.ribbon,
    "Bow": worn_body.bow,
    "Necklace": worn_body.necklace,
    "Cape": worn_body.cape_front,
    "Choker": worn_body.choker,
    "Collar": worn_body.collar,
    "Scarf": worn_body.scarf,
    "Bracelet": worn_body.bracelet,
    "Watch": worn_body.watch,
    "Ring": worn_body.ring,
    "Gloves": worn_body.gloves,
}
ON_HANDS = frozenset({"Bracelet", "Watch", "Ring", "Gloves"})
SEEN_FROM_BEHIND = frozenset(
    {"Belt", "Gloves", "Scarf", "Bracelet", "Watch", "Collar"}
    | {"Choker", "Hat", "Helmet", "Hijab", "Headphones", "Veil", "Crown"}
    | {"Hairband", "Hair Ribbon", "Hair Bow", "Cape", "Fake Animal Ears", "Headband"}
)  # fmt: skip


def draw_figure(pen: Pen, person: Character, shot: Shot, rig: Rig) -> None:
    """The whole person, around the middle of the face."""
    if shot.back:
        _from_behind(pen, person, shot, rig)
    else:
        _from_front(pen, person, shot, rig)


def _from_front(pen: Pen, person: Character, shot: Shot, rig: Rig) -> None:
    person = _worn_now(person, shot)
    draw_behind_features(pen, person, rig)
    if "Cape" in person.accessories:
        worn_body.cape_behind(pen, person, rig)
    tilted = f"rotate({shot.tilt:.1f} 0 {rig.chin:.0f})"
    with pen.moved(tilted):
        if not person.hair_covered:
            draw_back(pen, person, rig)
    draw_body(pen, person, shot, rig)
    draw_body_marks(pen, person, rig)
    draw_trunk_marks(pen, person, rig)
    _wear(pen, person, rig, ON_BODY, back=False)
    with pen.moved(tilted):
        _head(pen, person, shot, rig)


def _head(pen: Pen, person: Character, shot: Shot, rig: Rig) -> None:
    draw_ears(pen, person)
    draw_face(pen, person, shot, rig)
    with pen.moved(f"translate({shot.turn:.1f} 0)"):
        draw_face_scars(pen, person, rig)
        draw_face_tattoo(pen, person, rig)
        draw_facial_hair(pen, person, rig)
        if shot.cover == "blindfold":
            worn_head.blindfold(pen, person, rig)
    _wear(pen, person, rig, ON_FACE, back=False)
    if not person.hair_covered:
        draw_front(pen, person, shot, rig)
    draw_crown_features(pen, person, back=False)
    _wear(pen, person, rig, ON_HEAD, back=False)


def _from_behind(pen: Pen, person: Character, shot: Shot, rig: Rig) -> None:
    draw_body(pen, person, shot, rig)
    draw_body_marks(pen, person, rig)
    draw_back_marks(pen, person, rig)
    _wear(pen, person, rig, ON_BODY, back=True)
    if "Cape" in person.accessories:
        worn_body.cape_behind(pen, person, rig)
    draw_behind_features(pen, person, rig)
    draw_ears(pen, person)
    draw_face(pen, person, shot, rig)
    if not person.hair_covered:
        draw_back(pen, person, rig, back=True)
        draw_from_behind(pen, person, rig)
    draw_crown_features(pen, person, back=True)
    _wear(pen, person, rig, ON_HEAD, back=True)


def _worn_now(person: Character, shot: Shot) -> Character:
    """The person without what the hands behind the back hide."""
    if shot.pose != "behind":
        return person
    shown = tuple(thing for thing in person.accessories if thing not in ON_HANDS)
    hands = tuple(place for place in person.tattoos if place not in {"Hand", "Arm"})
    scars = tuple(place for place in person.scars if place != "Arm")
    return replace(person, accessories=shown, tattoos=hands, scars=scars)


def _wear(pen: Pen, person: Character, rig: Rig, things: Mapping[str, Draw], back: bool) -> None:
    for name, draw in things.items():
        if name in person.accessories and (not back or name in SEEN_FROM_BEHIND):
            draw(pen, person, rig)
