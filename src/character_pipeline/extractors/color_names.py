"""What colours are called: the tables of color_names.toml, checked against the vocabulary."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from character_pipeline.errors import ConfigError, unknown_name
from character_pipeline.extractors.lab import Floats, hex_to_lab
from character_pipeline.vocabulary import Vocabulary

FILE = "color_names.toml"
FLOOR = 1e-4
"""No name is quite out of the question: colours of no name are shared by all of them."""


@dataclass(frozen=True, eq=False)
class ColorNames:
    """The names of one attribute's colours; the head of color_names.toml explains the numbers.

    Attributes:
        points: colours that are plainly called so, in CIELAB, shape (points, 3).
        owner: the place in `names` of each point, ascending; every name has a point.
    """

    names: tuple[str, ...]
    points: Floats
    owner: Floats
    light_weight: float
    dark: float
    least_chroma: float
    reach: float

    def distances(self, lab: Floats) -> Floats:
        """How far colours, shape (..., 3), are from each point, shape (..., points)."""
        return np.asarray(np.sqrt(self._squares(lab)))

    def name(self, lab: Floats) -> Floats:
        """The probability of each name for colours, shape (..., 3) to (..., names)."""
        near = np.exp(self._squares(lab) / (-2 * self.reach**2))
        odds = np.maximum.reduceat(near, self._first, axis=-1) + FLOOR
        shares: Floats = odds / odds.sum(axis=-1, keepdims=True)
        return shares

    def _squares(self, lab: Floats) -> Floats:
        """The squares of the distances: plane by plane, in a third of the time of all at once."""
        seen = self._seen(lab)
        found = np.zeros((*seen.shape[:-1], len(self.points)))
        for plane in range(3):
            found += (seen[..., plane, None] - self._seen_points[:, plane]) ** 2
        return found

    @cached_property
    def _seen_points(self) -> Floats:
        return self._seen(self.points)

    @cached_property
    def _first(self) -> NDArray[np.intp]:
        """The first point of each name."""
        return np.searchsorted(self.owner, np.arange(len(self.names)))

    def _seen(self, lab: Floats) -> Floats:
        chroma = np.clip(lab[..., :1] / max(self.dark, 1e-9), self.least_chroma, 1.0)
        return np.concatenate([lab[..., :1] * self.light_weight, lab[..., 1:] * chroma], axis=-1)


def load_color_names(vocabulary: Vocabulary) -> dict[str, ColorNames]:
    """The names by attribute, of those that the vocabulary has. Raises ConfigError naming the entry that is wrong."""
    path = vocabulary.folder / FILE
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
        return {key: _names(vocabulary, key, row) for key, row in table.items() if key in vocabulary.attributes}
    except (OSError, tomllib.TOMLDecodeError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise ConfigError(f"the names of colours cannot be read: {path}: {type(error).__name__}: {error}") from error


def _names(vocabulary: Vocabulary, key: str, row: Mapping[str, Any]) -> ColorNames:
    values: Mapping[str, list[str]] = row["values"]
    allowed = vocabulary.attributes[key].values
    if stray := set(values) - set(allowed):
        raise ConfigError(f"{FILE}: [{key}] {unknown_name('value', min(stray), allowed)}")
    if empty := [value for value, colours in values.items() if not colours]:
        raise ConfigError(f"{FILE}: [{key}] no colour is given for {empty[0]}")
    points = [hex_to_lab(colour) for colours in values.values() for colour in colours]
    owner = [place for place, colours in enumerate(values.values()) for _ in colours]
    settings = {name: float(row[name]) for name in ("light_weight", "dark", "least_chroma", "reach")}
    places = np.array(owner, dtype=np.float64)
    return ColorNames(tuple(values), np.array(points), places, **settings)
