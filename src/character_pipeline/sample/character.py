"""Who is drawn: a person sampled by seed, with attributes that go together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import TypeVar

from character_pipeline.sample.hairdos import Hair, sample_hair
from character_pipeline.sample.outfits import OUTFITS, Outfit
from character_pipeline.sample.palette import CLOTH, EYES, ODD_SKIN, SKIN, STEEL, vary

T = TypeVar("T")

AGES = {"Child": 12, "Teen": 20, "Young Adult": 42, "Middle-Aged": 14, "Elderly": 12}
BODIES: Mapping[str, Mapping[str, int]] = {
    "Female": {"Average": 34, "Slim": 20, "Petite": 12, "Athletic": 8, "Muscular": 6, "Curvy": 10, "Plump": 10},
    "Male": {"Average": 36, "Slim": 18, "Athletic": 14, "Muscular": 18, "Plump": 14},
}
GROWN = frozenset({"Young Adult", "Middle-Aged", "Elderly"})
CHILD_BODIES = {"Average": 6, "Slim": 2, "Petite": 1, "Plump": 1}
SKINS = {"Pale": 10, "Light": 48, "Tan": 14, "Dark": 13, "Very Dark": 8, "Colored": 7}
ANIMALS = ("cat", "fox", "rabbit", "dog")

SLOTS: tuple[tuple[float, Mapping[str, int]], ...] = (
    # how often something is worn there, and what
    (0.24, {"Glasses": 8, "Sunglasses": 3, "Eyepatch": 3}),
    (0.05, {"Mask": 1}),
    (0.36, {"Hat": 6, "Helmet": 2, "Crown": 3, "Headband": 3, "Hairband": 4, "Veil": 2, "Headphones": 4, "Goggles": 3}),
    (0.06, {"Hijab": 1, "Fake Animal Ears": 2}),
    (0.30, {"Hair Ribbon": 4, "Hair Bow": 4, "Hair Flower": 4, "Hair Ornament": 5}),
    (0.22, {"Earrings": 1}),
    (0.05, {"Piercing": 1}),
    (0.28, {"Necklace": 4, "Choker": 3, "Collar": 2, "Scarf": 4}),
    (0.10, {"Necktie": 1, "Bow": 1, "Ribbon": 2}),
    (0.14, {"Bracelet": 1, "Watch": 1}),
    (0.16, {"Ring": 1, "Gloves": 3}),
    (0.10, {"Belt": 1}),
    (0.10, {"Bag": 1}),
    (0.07, {"Cape": 1}),
)
HEADWEAR = frozenset(
    {"Hat", "Helmet", "Crown", "Headband", "Hairband", "Veil", "Headphones", "Goggles", "Hijab", "Fake Animal Ears"}
)
HAIR_THINGS = frozenset({"Hair Ribbon", "Hair Bow", "Hair Flower", "Hair Ornament"})
AROUND_NECK = frozenset({"Necklace", "Choker", "Collar", "Scarf", "Necktie", "Bow", "Ribbon"})
NOT_FOR_MEN = frozenset({"Hijab", "Veil", "Hairband", "Hair Bow", "Hair Flower", "Hair Ribbon", "Fake Animal Ears"})
NOT_OVER_EARS = frozenset({"Hat", "Helmet", "Hijab", "Fake Animal Ears", "Headphones", "Veil"})
HIGH_HAIR = frozenset({"Afro", "Mohawk", "Double Bun", "Bun", "Pompadour", "Updo"})
FULL_COLLAR = frozenset({"Necktie", "Bow", "Ribbon", "Necklace", "Scarf"})
NOT_WITH_ROBES = frozenset({"Necktie", "Bow", "Belt", "Hairband", "Helmet"})
HIGH_NECKS = frozenset({"turtle", "mandarin", "standing", "plates", "zip", "furcollar", "kerchief", "earhood"})
COVERS_HAIR = frozenset({"Hijab", "Helmet"})
SCARS = {"Eye": 3, "Cheek": 3, "Nose": 2, "Face": 1, "Arm": 3, "Chest": 8, "Leg": 3, "Back": 8}
TATTOOS = {"Face": 2, "Neck": 2, "Hand": 2, "Arm": 5, "Chest": 8, "Leg": 4, "Back": 8}
BEARDS: tuple[tuple[str, ...], ...] = (
    ("Beard",), ("Beard", "Mustache"), ("Mustache",), ("Goatee",), ("Stubble",), ("Sideburns",), ("Goatee", "Mustache"),
)  # fmt: skip
FEATURES = {"Pointy Ears": 5, "Tail": 1, "Horns": 4, "Wings": 3, "Halo": 2, "Fangs": 4, "Mechanical Parts": 3}


@dataclass(frozen=True, slots=True)
class Character:
    """Everything that stays the same from picture to picture. Values are those of the vocabulary."""

    identity: str
    age: str
    gender: str
    body: str
    hair: Hair
    eyes: tuple[str, str]
    eye_kind: str
    skin: str
    skin_hex: str
    skin_name: str
    outfit: Outfit
    cloth: tuple[str, str, str]
    accent: str
    accessories: tuple[str, ...] = ()
    scars: tuple[str, ...] = ()
    tattoos: tuple[str, ...] = ()
    facial_hair: tuple[str, ...] = ()
    features: tuple[str, ...] = ()
    animal: str = "cat"
    fashion: int = 0

    @property
    def colours(self) -> tuple[str, str, str]:
        """The main, second and trimming colour of the outfit as "#rrggbb"."""
        main, second, trim = (CLOTH[name] for name in self.cloth)
        return (STEEL[self.cloth[0]] if self.outfit.top == "plate" else main), second, trim

    @property
    def hair_covered(self) -> bool:
        return bool(COVERS_HAIR & set(self.accessories))


def sample_character(seed: int) -> Character:
    """The person of this seed. The same seed gives the same person on every machine."""
    rng = Random(f"character {seed}")
    age, gender = pick(rng, AGES), rng.choice(["Female", "Female", "Male"])
    eyes, eye_kind = _eyes(rng)
    skin = pick(rng, SKINS)
    odd = rng.choice(list(ODD_SKIN))
    outfit = _outfit(rng, age, gender)
    person = Character(
        identity=f"character-{seed:06d}",
        age=age,
        gender=gender,
        body=_body(rng, age, gender),
        hair=sample_hair(rng, age, gender),
        eyes=eyes,
        eye_kind=eye_kind,
        skin=skin,
        skin_hex=vary(SKIN.get(skin, ODD_SKIN[odd]), rng, 0.008),
        skin_name=odd if skin == "Colored" else "",
        outfit=outfit,
        cloth=_cloth(rng, outfit),
        accent=rng.choice(["red", "blue", "pink", "purple", "green", "yellow", "white", "black", "aqua"]),
        fashion=rng.randrange(12),
    )
    return _adorned(rng, person)


def pick(rng: Random, weights: Mapping[str, int]) -> str:
    """One key, drawn by weight."""
    return rng.choices(list(weights), list(weights.values()))[0]


def maybe(rng: Random, chance: float, choice: Sequence[T], default: T) -> T:
    """One of the choices with this probability, else the default."""
    return rng.choice(choice) if rng.random() < chance else default


def _body(rng: Random, age: str, gender: str) -> str:
    return pick(rng, BODIES[gender] if age in GROWN else CHILD_BODIES)


def _eyes(rng: Random) -> tuple[tuple[str, str], str]:
    first, second = rng.sample(list(EYES), 2)
    kind = rng.choices(["plain", "Heterochromia", "Multicolored"], [90, 6, 4])[0]
    return (first, first if kind == "plain" else second), kind


def _outfit(rng: Random, age: str, gender: str) -> Outfit:
    fitting = [o for o in OUTFITS if o.gender in {None, gender} and (o.dress != "Swimwear" or age in GROWN)]
    dress = rng.choice(sorted({o.dress for o in fitting} | {"Casual"} | {"School Uniform"}))
    if age not in {"Child", "Teen", "Young Adult"} and dress == "School Uniform":
        dress = "Casual"
    return rng.choice([o for o in fitting if o.dress == dress])


def _cloth(rng: Random, outfit: Outfit) -> tuple[str, str, str]:
    main, trim = rng.choice(outfit.colours[0]), rng.choice(outfit.colours[2])
    if trim == main:
        trim = "white" if main != "white" else "blue" if len(outfit.colours[2]) == 1 else outfit.colours[2][-1]
    return main, rng.choice([c for c in outfit.colours[1] if c != main] or list(outfit.colours[1])), trim


def _adorned(rng: Random, person: Character) -> Character:
    features = _features(rng)
    return replace(
        person,
        accessories=_accessories(rng, person, features),
        scars=maybe(rng, 0.14, [(place,) for place in _bare(rng, person.outfit, SCARS)], ()),
        tattoos=maybe(rng, 0.16, [(place,) for place in _bare(rng, person.outfit, TATTOOS)], ())
        if person.age in GROWN
        else (),
        facial_hair=maybe(rng, 0.5, BEARDS, ()) if person.gender == "Male" and person.age in GROWN else (),
        features=features,
        animal=rng.choice(ANIMALS),
    )


def _bare(rng: Random, outfit: Outfit, places: Mapping[str, int]) -> list[str]:
    """One place for a mark that this outfit leaves bare."""
    hidden = set() if outfit.top == "straps" else {"Chest", "Back"}
    hidden |= set() if outfit.sleeve <= 0.5 else {"Arm"}
    hidden |= set() if outfit.bare_legs else {"Leg"}
    return [pick(rng, {place: weight for place, weight in places.items() if place not in hidden})]


def _features(rng: Random) -> tuple[str, ...]:
    if rng.random() < 0.1:
        return ("Animal Ears", "Tail")
    if rng.random() < 0.03:
        return ("Animal Ears",)
    chosen = {pick(rng, FEATURES) for _ in range(rng.choice([1, 1, 2]))} if rng.random() < 0.26 else set()
    return tuple(feature for feature in FEATURES if feature in chosen)


def _accessories(rng: Random, person: Character, features: tuple[str, ...]) -> tuple[str, ...]:
    chosen = [pick(rng, things) for chance, things in SLOTS if rng.random() < chance]
    chosen = [*person.outfit.wears, *chosen]
    banned = _unwearable(person, features)
    kept: list[str] = []
    for thing in chosen:
        groups = [group for group in (HEADWEAR, AROUND_NECK) if thing in group]
        if thing not in banned and thing not in kept and not any(group & set(kept) for group in groups):
            kept.append(thing)
    return tuple(_without_hidden(kept))


def _unwearable(person: Character, features: tuple[str, ...]) -> set[str]:
    hair, outfit = person.hair, person.outfit
    rules: tuple[tuple[bool, frozenset[str]], ...] = (
        (person.gender == "Male", NOT_FOR_MEN),
        (bool({"Animal Ears", "Horns"} & set(features)), NOT_OVER_EARS),
        ("Pointy Ears" in features, frozenset({"Hijab"})),
        (person.age == "Child", frozenset({"Piercing", "Choker", "Collar", "Veil"})),
        (hair.arrangement in {"Bald", "Buzz Cut", "Mohawk", "Cornrows"}, HAIR_THINGS | {"Hairband"}),
        (hair.arrangement in HIGH_HAIR, frozenset({"Hat", "Helmet", "Crown", "Veil", "Fake Animal Ears"})),
        (hair.arrangement in {"Half Updo", "One Side Up", "Two Side Up"}, frozenset({"Hat", "Helmet"})),
        (hair.fringe == "Hair Over One Eye", frozenset({"Eyepatch"})),
        (outfit.dress in {"Armor", "Swimwear", "Sleepwear"}, frozenset({"Necktie", "Bow", "Ribbon", "Belt", "Bag"})),
        (bool({"sailor", "hood", "ruffles"} & set(outfit.extras)), FULL_COLLAR),
        (hair.pattern == "streaks", frozenset({"Hat", "Helmet", "Veil"})),
        (bool(HIGH_NECKS & set(outfit.extras)), frozenset({"Necklace"})),
        (outfit.top == "robe" or "earhood" in outfit.extras, NOT_WITH_ROBES),
    )
    return {thing for applies, things in rules if applies for thing in things}


def _without_hidden(kept: list[str]) -> list[str]:
    if COVERS_HAIR & set(kept):
        return [thing for thing in kept if thing not in HAIR_THINGS | AROUND_NECK | {"Earrings"}]
    if "Mask" in kept:
        kept = [thing for thing in kept if thing != "Piercing"]
    if "Hat" in kept:
        return [thing for thing in kept if thing not in HAIR_THINGS]
    if {"Veil", "Crown"} & set(kept):
        return [thing for thing in kept if thing not in {"Hair Bow", "Hair Ribbon"}]
    return kept
