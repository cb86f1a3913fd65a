"""What goes wrong on the way from a picture to a data set: with its tags, and with its pixels."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from random import Random
from typing import TYPE_CHECKING

from character_pipeline.errors import ConfigError, unknown_name
from character_pipeline.sample.palette import EYES, HAIR
from character_pipeline.sample.tags import chances

if TYPE_CHECKING:
    from PIL.Image import Image


@dataclass(frozen=True, slots=True)
class Noise:
    """How often something goes wrong (chances in 0..1), and how badly it does (ranges).

    Attributes:
        drop: chance of each tag to be missing.
        wrong, conflict: chance of a picture to have a colour tag that is false, or a second one beside the right one.
        mistaken: chance of each tag of length, expression, age, body or skin to be that of another value.
        spaces: chance of a picture to have tags with spaces for underscores.
        blur: radius in pixels of a 512 px picture; jpeg: quality; shrink: share of the size that is left; tint: shift
            of each colour channel in 0..255. Each comes with its chance.
    """

    drop: float = 0.0
    wrong: float = 0.0
    conflict: float = 0.0
    mistaken: float = 0.0
    spaces: float = 0.0
    blur: tuple[float, float, float] = (0.0, 0.0, 0.0)
    jpeg: tuple[float, float, float] = (0.0, 0.0, 0.0)
    shrink: tuple[float, float, float] = (0.0, 0.0, 0.0)
    tint: tuple[float, float, float] = (0.0, 0.0, 0.0)


LEVELS: Mapping[str, Noise] = {
    "none": Noise(),
    "light": Noise(
        drop=0.12, wrong=0.03, conflict=0.02, spaces=0.3,
        blur=(0.1, 0.5, 1.0), jpeg=(0.4, 55, 85), shrink=(0.15, 0.5, 0.8), tint=(0.2, 3, 8),
    ),
    "heavy": Noise(
        drop=0.35, wrong=0.15, conflict=0.12, spaces=0.5,
        blur=(0.35, 0.8, 2.6), jpeg=(0.8, 15, 50), shrink=(0.45, 0.2, 0.5), tint=(0.5, 6, 22),
    ),
}  # fmt: skip
POOR = Noise(blur=(0.8, 1.2, 3.2), jpeg=(0.9, 10, 35), shrink=(0.7, 0.15, 0.4), tint=(0.7, 8, 26))
PLAIN = Noise(jpeg=(0.5, 40, 80))
REGIMES: Mapping[str, Noise] = {
    "clean tags, poor picture": replace(POOR, drop=0.05, wrong=0.01, mistaken=0.01),
    "rich picture, wrong tags": Noise(drop=0.2, wrong=0.35, mistaken=0.35, conflict=0.08),
    "sparse tags": replace(PLAIN, drop=0.8, wrong=0.02, mistaken=0.02),
    "conflicts": replace(PLAIN, drop=0.12, wrong=0.08, mistaken=0.08, conflict=0.7),
    "as usual": LEVELS["light"],
}
"""What differs from item to item of a data set that many people made."""
MIXED = "mixed"
MISTAKABLE = ("Hair Length", "Facial Expression", "Age", "Body Type", "Skin Tone")
KEPT = frozenset({"1girl", "1boy", "solo", "no_humans"})
"""Tags that nobody forgets."""


def check_noise(level: str) -> None:
    """Raise ConfigError that names the levels, where this is none."""
    if level not in {*LEVELS, MIXED}:
        raise ConfigError(unknown_name("noise level", level, (*LEVELS, MIXED)))


def find_noise(level: str, seed: int) -> tuple[Noise, str]:
    """What goes wrong with one item, and the name of its regime where each item has another."""
    if level != MIXED:
        return LEVELS[level], ""
    regime = Random(f"regime {seed}").choice(sorted(REGIMES))
    return REGIMES[regime], regime


def noisy_tags(tags: list[str], noise: Noise, seed: int) -> tuple[list[str], list[str]]:
    """The tags as people would have given them, and what was done to them."""
    rng = Random(f"tag noise {seed}")
    done: list[str] = []
    found = [_mistaken(tag, tags, noise, rng, done) for tag in tags if not _dropped(tag, noise, rng, done)]
    found += _conflicting(tags, noise, rng, done)
    if rng.random() < noise.spaces:
        done.append("spaces")
        found = [tag.replace("_", " ") for tag in found]
    return found, done


def _dropped(tag: str, noise: Noise, rng: Random, done: list[str]) -> bool:
    if tag in KEPT or "girls" in tag or "boys" in tag or rng.random() >= noise.drop:
        return False
    done.append(f"drop:{tag}")
    return True


def _colour_family(tag: str) -> tuple[str, list[str]]:
    name, _, noun = tag.partition("_")
    families = {"hair": list(HAIR), "eyes": list(EYES)}
    known = [colour.lower() for colour in families.get(noun, ())]
    return (noun, known) if name in known else ("", [])


@lru_cache(maxsize=1)
def families() -> Mapping[str, tuple[str, ...]]:
    """For each tag that states a value of MISTAKABLE, the tags that state the values of the same attribute."""
    by_label = (
        tuple(pairs[0][0] for pairs in chances()[label].values() if "{" not in pairs[0][0]) for label in MISTAKABLE
    )
    return {tag: family for family in by_label for tag in family}


def _mistaken(tag: str, tags: list[str], noise: Noise, rng: Random, done: list[str]) -> str:
    noun, colours = _colour_family(tag)
    if noise.mistaken and tag in families() and rng.random() < noise.mistaken:
        other = rng.choice([name for name in families()[tag] if name != tag])
        done.append(f"wrong:{tag}->{other}")
        return other
    if not noun or rng.random() >= noise.wrong:
        return tag
    wrong = rng.choice([c for c in colours if f"{c}_{noun}" not in tags])
    done.append(f"wrong:{tag}->{wrong}_{noun}")
    return f"{wrong}_{noun}"


def _conflicting(tags: list[str], noise: Noise, rng: Random, done: list[str]) -> list[str]:
    nouns = {_colour_family(tag)[0] for tag in tags} - {""}
    if not nouns or rng.random() >= noise.conflict:
        return []
    noun = rng.choice(sorted(nouns))
    names = [c.lower() for c in (HAIR if noun == "hair" else EYES) if f"{c.lower()}_{noun}" not in tags]
    extra = f"{rng.choice(names)}_{noun}"
    done.append(f"conflict:{extra}")
    return [extra]


def noisy_picture(picture: Image, noise: Noise, seed: int) -> tuple[Image, list[str]]:
    """The picture as it comes from the wild, and what was done to it."""
    rng = Random(f"picture noise {seed}")
    done: list[str] = []
    for name, damage in DAMAGES.items():
        chance, least, most = getattr(noise, name)
        if rng.random() < chance:
            amount = rng.uniform(least, most)
            picture = damage(picture, amount, rng)
            done.append(f"{name}:{amount:.2g}")
    return picture, done


def _shrunk(picture: Image, share: float, rng: Random) -> Image:
    from PIL import Image

    small = picture.resize((max(8, round(picture.width * share)), max(8, round(picture.height * share))))
    return small.resize(picture.size, Image.Resampling.BILINEAR) if rng.random() < 0.5 else small


def _blurred(picture: Image, radius: float, rng: Random) -> Image:
    from PIL import ImageFilter

    return picture.filter(ImageFilter.GaussianBlur(radius * max(picture.size) / 512))


def _tinted(picture: Image, amount: float, rng: Random) -> Image:
    shifts = [rng.uniform(-amount, amount) for _ in range(3)]
    table = [min(255, max(0, round(level + shift))) for shift in shifts for level in range(256)]
    return picture.point(table)


def _jpegged(picture: Image, quality: float, rng: Random) -> Image:
    from PIL import Image

    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=round(quality))
    return Image.open(buffer).convert("RGB")


DAMAGES: Mapping[str, Callable[[Image, float, Random], Image]] = {
    "shrink": _shrunk,
    "blur": _blurred,
    "tint": _tinted,
    "jpeg": _jpegged,
}
