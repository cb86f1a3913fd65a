"""From the truth to the tags that people would give, and to what those tags state."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path
from random import Random

from character_pipeline.sample.character import Character
from character_pipeline.sample.face import look_of
from character_pipeline.sample.shot import Shot
from character_pipeline.sample.styles import Style
from character_pipeline.sample.truth import Truth, Values

Chances = Mapping[str, Mapping[str, list[tuple[str, float]]]]

BACKGROUND_TAGS: Mapping[str, tuple[str, ...]] = {
    "white": ("simple_background", "white_background"),
    "colour": ("simple_background",),
    "gradient": ("gradient_background",),
    "dots": ("polka_dot_background",),
    "stripes": ("striped_background",),
    "sunburst": ("sunburst_background",),
    "sky": ("outdoors", "sky", "cloud", "day"),
    "meadow": ("outdoors", "grass", "flower", "day"),
    "room": ("indoors", "window"),
    "night": ("night", "night_sky", "star_(sky)", "moon"),
}
POSE_TAGS: Mapping[str, str] = {"hip": "hand_on_own_hip", "wave": "waving", "behind": "arms_behind_back"}
EMPTY_TAGS: Mapping[str, tuple[str, ...]] = {
    "landscape": ("scenery", "landscape", "mountain", "house", "tree", "sky", "cloud", "grass", "outdoors", "day"),
    "still life": ("still_life", "cup", "vase", "flower", "table", "coffee", "indoors"),
}
PATTERN_TAGS: Mapping[str, tuple[str, ...]] = {
    "split": ("two-tone_hair", "split-color_hair"),
    "fade": ("gradient_hair",),
    "streaks": ("streaked_hair",),
}
COLOURED = frozenset({"Hat", "Choker", "Scarf", "Necktie", "Bow", "Ribbon", "Gloves", "Cape", "Hairband", "Headband"})
"""Accessories that have a tag for every colour they come in."""


@lru_cache(maxsize=1)
def chances() -> Chances:
    """How often which tag is given for which value, by label and value."""
    table = tomllib.loads((Path(__file__).parent / "tags.toml").read_text(encoding="utf-8"))
    return {
        label: {value: [(str(tag), float(chance)) for tag, chance in pairs] for value, pairs in values.items()}
        for label, values in table.items()
    }


def single_tags(person: Character, shot: Shot, style: Style, truth: Truth, seed: int) -> tuple[list[str], Values]:
    """Tags for a picture of one person, and the part of the truth that they state."""
    rng = Random(f"tags {seed}")
    tags, stated = _stating_tags(person, truth, rng)
    if "Dress" in truth.attributes:
        dress = _dress_tags(person, shot, rng)
        tags += dress
        if dress:
            stated["Dress"] = person.outfit.dress
    tags += _precise_tags(person, shot, truth, stated, rng)
    tags += [tag for tag in _seen_tags(person, shot) if rng.random() < 0.9]
    tags += _general_tags(shot, style, rng)
    stated["Gender"] = person.gender
    count = "1girl" if person.gender == "Female" else "1boy"
    ordered = {label: stated[label] for label in truth.attributes if label in stated}
    return _in_order(
        [count, "solo", *(["male_focus"] if count == "1boy" and rng.random() < 0.6 else [])], tags, rng
    ), ordered


def group_tags(people: list[Character], style: Style, seed: int) -> list[str]:
    """Tags for a picture of several people."""
    rng = Random(f"tags {seed}")
    girls = sum(person.gender == "Female" for person in people)
    boys = len(people) - girls
    counts = [f"{n}{name}" + ("s" if n > 1 else "") for n, name in ((girls, "girl"), (boys, "boy")) if n]
    counts += [tag for n, tag in ((girls, "multiple_girls"), (boys, "multiple_boys")) if n > 1]
    tags: list[str] = []
    for person in people:
        colour = person.hair.colours[0].lower() if person.hair.colours and not person.hair_covered else ""
        tags += [f"{colour}_hair"] if colour and not person.hair.pattern else []
        length = person.hair.length.lower()
        tags += [f"{length}_hair"] if length and not person.hair_covered and rng.random() < 0.6 else []
    tags += [tag for tag in ("standing", "looking_at_viewer", "full_body") if rng.random() < 0.5]
    return _in_order(counts, [*tags, *(tag for tag in style.tags if rng.random() < 0.6)], rng)


def empty_tags(kind: str, style: Style, seed: int) -> list[str]:
    """Tags for a picture of nobody."""
    rng = Random(f"tags {seed}")
    tags = [tag for tag in EMPTY_TAGS[kind] if rng.random() < 0.85]
    return _in_order(["no_humans"], [*tags, *(tag for tag in style.tags if tag != "chibi" and rng.random() < 0.6)], rng)


def _stating_tags(person: Character, truth: Truth, rng: Random) -> tuple[list[str], Values]:
    tags: list[str] = []
    stated: Values = {}
    for label, value in truth.attributes.items():
        names = value if isinstance(value, list) else [value]
        kept = []
        for name in names:
            given = _given(chances().get(label, {}).get(name, []), person, rng)
            tags += given
            kept += [name] if given else []
        if kept:
            stated[label] = kept if isinstance(value, list) else kept[0]
    return tags, stated


def _given(pairs: list[tuple[str, float]], person: Character, rng: Random) -> list[str]:
    gender = person.gender.lower()
    drawn = [tag.replace("{g}", gender) for tag, chance in pairs if rng.random() < chance]
    return drawn if pairs and pairs[0][0].replace("{g}", gender) in drawn else []


def _dress_tags(person: Character, shot: Shot, rng: Random) -> list[str]:
    a, b, c = person.cloth
    first, *others = (
        (tag for tag in person.outfit.tags if not (shot.grey and "{" in tag)) if shot.grey else person.outfit.tags
    )
    if rng.random() > 0.94:
        return []
    low = shot.framing in {"cowboy", "full_body", "headless"}
    chosen = [first, *(tag for tag in others if rng.random() < 0.72 and (low or not _is_low(tag)))]
    chosen = [tag for tag in chosen if tag != "maid_headdress" or "Hairband" in person.accessories]
    return [tag.format(a=a, b=b, c=c) for tag in chosen]


def _is_low(tag: str) -> bool:
    return tag.endswith(("pants", "skirt", "shorts", "greaves", "hakama"))


def _precise_tags(person: Character, shot: Shot, truth: Truth, stated: Values, rng: Random) -> list[str]:
    found: list[str] = []
    attributes = truth.attributes
    if attributes.get("Hair Color") == "Multicolored":
        found += PATTERN_TAGS[person.hair.pattern]
        found += [f"{name.lower()}_hair" for name in person.hair.colours if rng.random() < 0.55]
    if stated.get("Eye Color") in {"Heterochromia", "Multicolored"}:
        found += [f"{name.lower()}_eyes" for name in person.eyes if rng.random() < 0.6]
    if attributes.get("Skin Tone") == "Colored":
        found.append(f"{person.skin_name}_skin")
    if "Animal Ears" in attributes.get("Features", []):
        found.append(f"{person.animal}_ears")
    if not shot.grey:
        worn = [thing for thing in attributes.get("Accessories", []) if thing in COLOURED and rng.random() < 0.3]
        plain = {"Hat"} if "santa_hat" in person.outfit.tags or person.fashion % 6 == 1 else set()
        found += [f"{person.accent}_{thing.lower()}" for thing in worn if thing not in plain and thing != "Choker"]
    return found


def _seen_tags(person: Character, shot: Shot) -> Iterable[str]:
    facing = not shot.back and shot.framing != "headless"
    if facing and not shot.closed and not shot.cover and not shot.glance:
        yield "looking_at_viewer"
    if shot.closed and facing:
        yield "closed_eyes"
    if shot.back:
        yield from ("from_behind", "facing_away")
    if shot.cover == "bangs":
        yield from ("hair_over_eyes", "covered_eyes")
    if shot.cover == "blindfold":
        yield from ("blindfold", "covered_eyes")
    if shot.framing == "headless":
        yield "head_out_of_frame"
    if shot.grey:
        yield from ("monochrome", "greyscale")
    mouth = look_of(person, shot).mouth if facing and shot.expression == "Happy" else ""
    if mouth in {"open_smile", "grin"} and "Mask" not in person.accessories:
        yield "open_mouth" if mouth == "open_smile" else "grin"


def _general_tags(shot: Shot, style: Style, rng: Random) -> list[str]:
    framing = {"portrait": "portrait", "upper_body": "upper_body", "cowboy": "cowboy_shot", "full_body": "full_body"}
    tags = [framing[shot.framing]] if shot.framing in framing else []
    tags += [*(("simple_background",) if style.loose else BACKGROUND_TAGS[shot.background]), *style.tags]
    tags += ["standing"] if shot.framing == "full_body" else []
    tags += [POSE_TAGS[shot.pose]] if shot.pose in POSE_TAGS and shot.framing in {"cowboy", "full_body"} else []
    return [tag for tag in tags if rng.random() < 0.66]


def _in_order(counts: list[str], tags: list[str], rng: Random) -> list[str]:
    """Half of the tag lists of this world are sorted; the others begin with who is there."""
    unique = list(dict.fromkeys(tags))
    if rng.random() < 0.5:
        return sorted([*counts, *unique])
    rng.shuffle(unique)
    return [*counts, *unique]
