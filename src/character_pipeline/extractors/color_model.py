"""Which of a picture's regions is skin, and which is hair: two small networks over colour and place.

Each gives every region a score, and "none of them" a fixed one; the softmax of the scores is the probability that a
region is it. The weights are fitted by scripts/fit_colors.py, from pictures of which only the colours' names are known.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from typing import Any

import numpy as np

from character_pipeline.errors import ConfigError
from character_pipeline.extractors.color_names import ColorNames
from character_pipeline.extractors.color_regions import REGIONS, Regions
from character_pipeline.extractors.lab import Floats
from character_pipeline.vocabulary import Vocabulary

FILE = "color_model.toml"
SKIN_REACH = 12.0
"""The distance in CIELAB over which colours lose likeness to skin."""
PLAIN = (
    "light", "spread", "y", "x_spread", "y_spread", "crown", "middle_crown", "outline", "edge", "bottom", "upper",
    "centre", "solid",
)  # fmt: skip
"""Fields that are inputs as they are."""
BASE = ("size", "chroma", "off_centre", "area", *PLAIN)
SKIN_INPUTS = (*BASE, "skin_like", "skin_like_centre", "skin_like_size")
HAIR_INPUTS = (
    *BASE,
    # against what is skin: distance of the colour, likeness, place, and the shares of the region's own pixels that lie
    # a step above it, below it, beside it; the share of the skin that lies below the region; the chance that it is skin
    "from_skin", "like_skin", "under_middle", "aside", "above_skin", "below_skin", "beside_skin", "skin_under_it",
    "is_skin", "not_skin", "crown_not_skin",
    # against the ground: shares of the region's own pixels that lie below it, above it, beside it; the distance
    "below_ground", "above_ground", "beside_ground", "from_ground",
    "above_skin_size", "upper_size", "black",
)  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Chooser:
    """A network with one hidden layer: inputs (..., inputs), less `mean` over `scale`, to a score a region."""

    mean: Floats
    scale: Floats
    hidden: Floats
    bias: Floats
    out: Floats
    none: float

    def choose(self, inputs: Floats, present: Floats) -> Floats:
        """The probability of each region and of none, shape (n, REGIONS, inputs) to (n, REGIONS + 1)."""
        scores = np.tanh((inputs - self.mean) / self.scale @ self.hidden + self.bias) @ self.out
        scores = np.where(present > 0, scores, -1e4)
        scores = np.concatenate([scores, np.full((len(scores), 1), self.none)], axis=1)
        odds = np.exp(scores - scores.max(axis=1, keepdims=True))
        shares: Floats = odds / odds.sum(axis=1, keepdims=True)
        return shares


@dataclass(frozen=True, slots=True, eq=False)
class ColorModel:
    """Both networks, and how far their probabilities can be trusted on styles that they were not fitted on."""

    skin: Chooser
    hair: Chooser
    trust: float


def load_color_model(vocabulary: Vocabulary) -> ColorModel:
    """The fitted weights. Raises ConfigError where the file cannot be used."""
    path = vocabulary.folder / FILE
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
        skin, hair = _chooser(table["skin"], SKIN_INPUTS), _chooser(table["hair"], HAIR_INPUTS)
        return ColorModel(skin, hair, float(table["trust"]))
    except (OSError, tomllib.TOMLDecodeError, KeyError, TypeError, ValueError) as error:
        raise ConfigError(f"the model of colours cannot be read: {path}: {type(error).__name__}: {error}") from error


def _chooser(table: dict[str, Any], names: tuple[str, ...]) -> Chooser:
    rows = np.array([table["inputs"][name] for name in names], dtype=np.float64)
    return Chooser(rows[:, 0], rows[:, 1], rows[:, 2:], np.array(table["bias"]), np.array(table["out"]), table["none"])


def _base(regions: Regions) -> dict[str, Floats]:
    red, yellow = regions.column("red"), regions.column("yellow")
    return {
        "size": np.log(np.maximum(regions.column("share"), 1e-4) + 0.003) / 3,
        "chroma": np.hypot(red, yellow),
        "off_centre": abs(regions.column("x") - 0.5) * 2,
        "area": np.minimum(regions.column("area"), 1.0),
        **{name: regions.column(name) for name in PLAIN},
    }


def skin_like(regions: Regions, names: ColorNames) -> Floats:
    """How like human skin each region's colour is, 0 to 1."""
    human = names.owner != (names.names.index("Colored") if "Colored" in names.names else -1)
    gap = names.distances(regions.lab)[..., human].min(axis=-1)
    return np.asarray(np.exp(-((gap / SKIN_REACH) ** 2)))


def skin_inputs(regions: Regions, names: ColorNames) -> Floats:
    """What the first network sees, shape (n, REGIONS, SKIN_INPUTS)."""
    like = skin_like(regions, names)
    found = _base(regions) | {
        "skin_like": like,
        "skin_like_centre": like * regions.column("centre"),
        "skin_like_size": like * np.sqrt(regions.column("share")),
    }
    return np.stack([found[name] for name in SKIN_INPUTS], axis=-1)


def hair_inputs(regions: Regions, skin: Floats, hair: ColorNames) -> Floats:
    """What the second network sees, given the chance that each region is skin; shape (n, REGIONS, HAIR_INPUTS)."""
    skin, share = skin[:, :REGIONS], np.maximum(regions.column("share"), 1e-4)
    found = _base(regions) | _against_skin(regions, skin, share) | _against_ground(regions, share)
    found["upper_size"] = found["upper"] * np.sqrt(share)
    found["above_skin_size"] = found["above_skin"] * np.sqrt(share)
    found["black"] = hair.name(regions.lab)[..., hair.names.index("Black")]
    return np.stack([found[name] for name in HAIR_INPUTS], axis=-1)


def _against_skin(regions: Regions, skin: Floats, share: Floats) -> dict[str, Floats]:
    def middle(values: Floats) -> Floats:
        return np.asarray((values * skin).sum(axis=1, keepdims=True))

    weight = np.array([0.7, 1.0, 1.0])
    colour = np.stack([middle(regions.lab[..., part])[:, 0] for part in range(3)], axis=-1)
    gap = np.linalg.norm((regions.lab - colour[:, None]) * weight, axis=-1)
    below = regions.below[:, :REGIONS, :REGIONS]
    beside = regions.beside[:, :REGIONS, :REGIONS]
    over = (below * skin[:, None, :]).sum(axis=2)
    sides = (beside * skin[:, None, :]).sum(axis=2) + (beside * skin[:, :, None]).sum(axis=1)
    return {
        "from_skin": np.minimum(gap / 50, 1.5),
        "like_skin": np.exp(-((gap / SKIN_REACH) ** 2)),
        "under_middle": regions.column("y") - middle(regions.column("y")),
        "aside": abs(regions.column("x") - middle(regions.column("x"))),
        "above_skin": np.minimum(over / share, 1.0),
        "below_skin": np.minimum((below * skin[:, :, None]).sum(axis=1) / share, 1.0),
        "beside_skin": np.minimum(sides / share, 2.0),
        "skin_under_it": np.minimum(over / np.maximum(middle(share), 1e-4), 1.0),
        "is_skin": skin,
        "not_skin": np.log(1.02 - skin),
        "crown_not_skin": regions.column("crown") * (1 - skin),
    }


def _against_ground(regions: Regions, share: Floats) -> dict[str, Floats]:
    below, beside = regions.below, regions.beside
    ground = regions.picture[:, None, :3] * 100
    return {
        "below_ground": below[:, REGIONS, :REGIONS] / share,
        "above_ground": below[:, :REGIONS, REGIONS] / share,
        "beside_ground": (beside[:, REGIONS, :REGIONS] + beside[:, :REGIONS, REGIONS]) / share,
        "from_ground": np.linalg.norm(regions.lab - ground, axis=-1) / 100,
    }
