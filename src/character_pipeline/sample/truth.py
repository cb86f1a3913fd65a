"""What is true and visible of a person in a picture, in the words of the vocabulary.

Of two values of which one says the other more precisely (Blunt Bangs, Bangs), the truth holds the precise one alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from character_pipeline.sample.character import HIGH_NECKS, Character
from character_pipeline.sample.figure import SEEN_FROM_BEHIND
from character_pipeline.sample.geometry import between
from character_pipeline.sample.hair_back import reach_of
from character_pipeline.sample.marks import bare_arm
from character_pipeline.sample.rig import Rig
from character_pipeline.sample.shot import Shot

Values = dict[str, str | list[str]]

UNDRAWN: Mapping[str, frozenset[str]] = {
    # values of the vocabulary that no picture of this room shows
    "Gender": frozenset({"Non-Binary"}),
    "Ethnicity": frozenset(
        {"Asian", "African", "Caucasian", "Hispanic", "Middle Eastern", "South Asian", "Indigenous"}
    ),
    "Dress": frozenset({"Underwear", "Nude"}),
    "Scars": frozenset({"Stomach", "Other"}),
    "Tattoos": frozenset({"Stomach", "Other"}),
}
FACE_THINGS = frozenset({"Glasses", "Sunglasses", "Eyepatch", "Mask", "Piercing"})
HEAD_THINGS = frozenset(
    {"Goggles", "Hat", "Helmet", "Crown", "Headband"}
    | {"Hairband", "Hair Ribbon", "Hair Bow", "Hair Flower", "Hair Ornament"}
    | {"Veil", "Headphones", "Hijab", "Fake Animal Ears"}
)  # fmt: skip
NECK_THINGS = frozenset({"Necklace", "Choker", "Collar", "Scarf"})
CHEST_THINGS = frozenset({"Necktie", "Bow", "Ribbon"})
BROUGHT = {"santa_hat": "Hat", "animal_hood": "Fake Animal Ears"}
"""What some outfits bring along, by the tag that says so."""
PINNED_UP = frozenset({"Bun", "Double Bun", "Updo"})
"""Arrangements that do not tell how long the hair is."""
HANGING_STYLES = frozenset({"Twintails", "Braid", "Twin Braids", "Drill Hair", "Dreadlocks"})
"""Arrangements that show even where the head does not."""


@dataclass(frozen=True, slots=True)
class Truth:
    """What a line of truth.jsonl says of the picture itself; see `sample` for the keys."""

    people: str
    attributes: Values = field(default_factory=dict)
    states: dict[str, str] = field(default_factory=dict)
    stated: Values = field(default_factory=dict)
    details: dict[str, list[str]] = field(default_factory=dict)
    character: str = ""

    def to_json(self) -> dict[str, Any]:
        found: dict[str, Any] = {"attributes": self.attributes, "states": self.states, "stated": self.stated}
        optional = {"details": self.details, "character": self.character}
        return found | {key: value for key, value in optional.items() if value}


class Eyewitness:
    """What can be seen of one person in one picture."""

    def __init__(self, person: Character, shot: Shot, rig: Rig, view: tuple[float, float, float, float]) -> None:
        self.person, self.shot, self.rig, self.view = person, shot, rig, view
        self.head = shot.framing != "headless"
        self.face = self.head and not shot.back
        self.masked = "Mask" in person.accessories
        self.worn = set(person.accessories)

    def inside(self, x: float, y: float, margin: float = 10.0) -> bool:
        """Whether a point lies well inside the frame."""
        left, top, width, height = self.view
        return left + margin < x < left + width - margin and top + margin < y < top + height - margin

    def arm(self, which: int, share: float) -> bool:
        """Whether the lower arm shows at this share of its length."""
        if self.shot.pose == "behind" and not self.shot.back:
            return False
        x, y = between(self.rig.arms[which][1], self.rig.arms[which][2], share)
        return self.inside(x, y)

    def throat(self) -> bool:
        """Whether the bare throat shows."""
        return (
            self.face
            and not (HIGH_NECKS | {"ruffles"}) & set(self.person.outfit.extras)
            and not {"Scarf", "Collar", "Hijab"} & self.worn
        )


def describe(person: Character, shot: Shot, rig: Rig, view: tuple[float, float, float, float]) -> Truth:
    """The truth about a picture of one person; `stated` is left to the tags."""
    seen = Eyewitness(person, shot, rig, view)
    found: dict[str, str | list[str] | None] = {
        "Age": person.age if seen.face else None,
        "Gender": person.gender,
        **_hair(seen),
        "Eye Color": _eye_colour(seen),
        "Body Type": person.body if shot.framing != "portrait" else None,
        "Dress": person.outfit.dress if shot.framing != "portrait" or person.outfit.telling else None,
        "Facial Expression": shot.expression if seen.face and not seen.masked else None,
        "Accessories": [thing for thing in _things(person) if _worn(seen, thing)],
        "Scars": [place for place in person.scars if _scarred(seen, place)],
        "Tattoos": [place for place in person.tattoos if _tattooed(seen, place)],
        "Facial Hair": [kind for kind in person.facial_hair if _bearded(seen, kind)],
        "Skin Tone": None if shot.grey else person.skin,
        "Features": [feature for feature in person.features if _featured(seen, feature)],
    }
    states = {label: "not_visible" for label, value in found.items() if value is None}
    if person.hair.arrangement == "Bald" and seen.head and not person.hair_covered:
        states |= {"Hair Color": "not_applicable", "Hair Length": "not_applicable"}
    attributes = {label: value for label, value in found.items() if value}
    return Truth("single", attributes, states, {}, _details(seen, attributes))


def _hair(seen: Eyewitness) -> dict[str, str | list[str] | None]:
    hair, names = seen.person.hair, ("Hair Style", "Hair Color", "Hair Length")
    hanging = hair.hangs and reach_of(seen.person, seen.rig) > seen.view[1] + 30
    if seen.person.hair_covered or not (seen.head or hanging):
        return dict.fromkeys(names)
    colour = None if seen.shot.grey or not hair.colour else hair.colour
    length = None if hair.arrangement in PINNED_UP else hair.length or None
    return {"Hair Style": _styles(seen), "Hair Color": colour, "Hair Length": length}


def _styles(seen: Eyewitness) -> list[str] | None:
    hair = seen.person.hair
    if not seen.head:
        plain = hair.arrangement in HANGING_STYLES
        return [style for style in (hair.arrangement if plain else "", hair.texture) if style] or None
    styles = list(hair.styles)
    if seen.shot.back:
        styles = [style for style in styles if style in {hair.arrangement, hair.texture}]
    elif seen.shot.cover == "bangs":
        styles = [*(style for style in styles if style != hair.fringe), "Bangs"]
    if {"Hat", "Helmet"} & seen.worn:
        styles = [style for style in styles if style != "Ahoge"]
    return styles or None


def _eye_colour(seen: Eyewitness) -> str | None:
    person, shot = seen.person, seen.shot
    if not seen.face or shot.closed or shot.cover or shot.grey or "Sunglasses" in seen.worn:
        return None
    if person.eye_kind == "Heterochromia" and one_eyed(person):
        return person.eyes[0]
    return person.eyes[0] if person.eye_kind == "plain" else person.eye_kind


def one_eyed(person: Character) -> bool:
    """Whether only one eye shows."""
    return "Eyepatch" in person.accessories or (person.hair.fringe == "Hair Over One Eye" and not person.hair_covered)


def _things(person: Character) -> list[str]:
    """The accessories of a person, with those that belong to the outfit."""
    brought = [thing for tag, thing in BROUGHT.items() if tag in person.outfit.tags]
    return [*person.accessories, *(thing for thing in brought if thing not in person.accessories)]


def _worn(seen: Eyewitness, thing: str) -> bool:
    if seen.shot.back and thing not in SEEN_FROM_BEHIND:
        return False
    if thing in FACE_THINGS | NECK_THINGS | HEAD_THINGS:
        return seen.head
    if thing in CHEST_THINGS | {"Cape"}:
        return True
    if thing == "Earrings":
        return seen.head and not seen.person.hair.sidelocks and seen.person.hair.arrangement != "Hime Cut"
    return _worn_low(seen, thing)


def _worn_low(seen: Eyewitness, thing: str) -> bool:
    rig = seen.rig
    if thing in {"Belt", "Bag"}:
        return seen.inside(0, rig.waist_y + (12 if thing == "Belt" else 70) * rig.size)
    if thing in {"Watch", "Ring"}:
        covered = thing == "Ring" and "Gloves" in seen.worn
        return not covered and seen.arm(0, 0.92 if thing == "Watch" else 1.26)
    return seen.arm(1, 0.93) or (thing == "Gloves" and seen.arm(0, 0.93))


def _bearded(seen: Eyewitness, kind: str) -> bool:
    return seen.face and (not seen.masked or kind in {"Beard", "Sideburns"})


def _scarred(seen: Eyewitness, place: str) -> bool:
    if place in {"Eye", "Cheek", "Nose", "Face"}:
        hidden = (place in {"Cheek", "Nose"} and seen.masked) or (place == "Cheek" and one_eyed(seen.person))
        return seen.face and not hidden and not (seen.shot.cover and place in {"Eye", "Face"})
    return _on_body(seen, place, arm=1)


def _tattooed(seen: Eyewitness, place: str) -> bool:
    if place == "Face":
        return seen.face and not seen.masked
    if place == "Neck":
        return seen.throat() and "Choker" not in seen.worn
    if place == "Hand":
        return "Gloves" not in seen.worn and seen.arm(0, 1.16)
    return _on_body(seen, place, arm=0)


def _on_body(seen: Eyewitness, place: str, arm: int) -> bool:
    person, rig = seen.person, seen.rig
    if place == "Arm":
        return bare_arm(person) and seen.arm(arm, 0.4) and "Gloves" not in seen.worn
    if place == "Leg":
        return person.outfit.bare_legs and seen.inside(0, between(rig.legs[0][1], rig.legs[0][2], 0.4)[1])
    straps = person.outfit.top == "straps"
    covered = seen.shot.back and ((person.hair.loose and person.hair.length != "Short") or "Cape" in seen.worn)
    return straps and seen.shot.back == (place == "Back") and not covered and not {"Scarf", "Cape", "Hijab"} & seen.worn


def _featured(seen: Eyewitness, feature: str) -> bool:
    steel = seen.arm(1, 0.25) if bare_arm(seen.person) else "Gloves" not in seen.worn and seen.arm(1, 1.16)
    checks = {
        "Fangs": seen.face and not seen.masked,
        "Pointy Ears": seen.head and "Headphones" not in seen.worn,
        "Tail": seen.inside(0, seen.rig.hip_y - 60 * seen.rig.size, 0),
        "Wings": True,
        "Mechanical Parts": steel,
    }
    return checks.get(feature, seen.head)


def _details(seen: Eyewitness, attributes: Mapping[str, Any]) -> dict[str, list[str]]:
    person, details = seen.person, {}
    if attributes.get("Hair Color") == "Multicolored":
        details["Hair Color"] = [name.lower() for name in person.hair.colours]
    if attributes.get("Eye Color") in {"Heterochromia", "Multicolored"}:
        details["Eye Color"] = [name.lower() for name in person.eyes]
    if attributes.get("Skin Tone") == "Colored":
        details["Skin Tone"] = [person.skin_name]
    if "Dress" in attributes:
        colour = person.cloth[1] if person.outfit.garment in {"hakama"} else person.cloth[0]
        plain = seen.shot.grey or person.outfit.garment in {"chef uniform", "santa costume"}
        details["Dress"] = [person.outfit.garment if plain else f"{colour} {person.outfit.garment}"]
    return details
