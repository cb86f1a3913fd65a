"""Names the colours of hair and skin in pictures, from where the colours lie."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from character_pipeline.data import Evidence, Item
from character_pipeline.extractors.base import Need, PictureReader
from character_pipeline.extractors.color_model import ColorModel, hair_inputs, load_color_model, skin_inputs
from character_pipeline.extractors.color_names import ColorNames, load_color_names
from character_pipeline.extractors.color_regions import PICTURE_FIELDS, REGIONS, RegionReader, Regions, unpack
from character_pipeline.extractors.lab import Floats, to_hex
from character_pipeline.vocabulary import Vocabulary

LEAST = 0.5
"""Below this probability nothing is said."""
COLOURLESS = 0.06
"""A picture whose most coloured tenth has less chroma (of 100 in CIELAB) is grey or tinted, and tells no colours."""
PLACES = {"hair_color": "hair", "skin_tone": "skin"}
REMEMBERED = 8_192
MOST = 0.97
"""No claim from colours alone is surer than this."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What regions say: by attribute, the chance of each name, shape (n, names), which leaves a rest for none; and the
    colour of the region that is most likely meant, in CIELAB, shape (n, 3)."""

    chances: Mapping[str, Floats]
    colours: Mapping[str, Floats]


def read_colors(regions: Regions, model: ColorModel, names: Mapping[str, ColorNames]) -> Reading:
    """Choose the regions of skin and hair, and name their colours."""
    tone, hair = names["skin_tone"], names["hair_color"]
    present = regions.column("share")
    skin = model.skin.choose(skin_inputs(regions, tone), present)
    chosen = {"skin_tone": skin, "hair_color": model.hair.choose(hair_inputs(regions, skin, hair), present)}
    chances = {key: _named(regions, names[key], chosen[key]) for key in PLACES}
    return Reading(chances, {key: _most_likely(regions, chosen[key]) for key in PLACES})


def _named(regions: Regions, names: ColorNames, chosen: Floats) -> Floats:
    return np.asarray((chosen[:, :REGIONS, None] * names.name(regions.lab)).sum(axis=1))


def _most_likely(regions: Regions, chosen: Floats) -> Floats:
    best = chosen[:, :REGIONS].argmax(axis=1)
    return np.asarray(regions.lab[np.arange(len(best)), best])


class ColorAnalyzer:
    """Claims colours of hair and skin, each with the probability that it is right; where it is unsure, nothing.

    Needs no picture where its reader has read it before: names and weights may change without reading again.
    """

    name = "color_analyzer"
    version = "1"
    needs: frozenset[Need] = frozenset({"readings"})

    def __init__(self, names: Mapping[str, ColorNames], model: ColorModel, told: Sequence[str]) -> None:
        self.names, self.model, self.told = names, model, tuple(told)
        self.reader = RegionReader()
        self.readers: Sequence[PictureReader] = (self.reader,)
        self._claim = lru_cache(maxsize=REMEMBERED)(self._make)

    def process(self, batch: Sequence[Item]) -> list[tuple[Evidence, ...]]:
        # One by one: in a batch, sums are rounded in another order, and a record must not depend on its neighbours.
        return [self._read(item.readings.get(self.reader.key)) for item in batch]

    def _read(self, vector: NDArray[np.float16] | None) -> tuple[Evidence, ...]:
        if vector is None:
            return ()
        regions = unpack(np.asarray(vector)[None])
        if regions.picture[0, PICTURE_FIELDS.index("chroma")] < COLOURLESS:
            return ()
        reading = read_colors(regions, self.model, self.names)
        return tuple(claim for key in self.told if (claim := self._best(key, reading)))

    def _best(self, key: str, reading: Reading) -> Evidence | None:
        chances = reading.chances[key][0]
        best = int(chances.argmax())
        if chances[best] < LEAST:
            return None
        origin = f"{_rough(to_hex(reading.colours[key][0]))} in the {PLACES[key]} region"
        score = round(min(float(chances[best]) * self.model.trust, MOST), 2)
        return self._claim(key, self.names[key].names[best], score, origin)

    def _make(self, key: str, value: str, score: float, origin: str) -> Evidence:
        return Evidence(key, value, score, f"{self.name}/{self.version}", origin)


def _rough(colour: str) -> str:
    """The colour in steps of 8 levels, so that like pictures share their evidence."""
    return "#" + "".join(f"{int(colour[at : at + 2], 16) // 8 * 8:02x}" for at in (1, 3, 5))


def make_color_analyzer(vocabulary: Vocabulary) -> ColorAnalyzer:
    """The analyzer for the attributes that a vocabulary has. Raises ConfigError where a data file cannot be used."""
    names = load_color_names(vocabulary)
    return ColorAnalyzer(
        names, load_color_model(vocabulary), [key for key in PLACES if key in names and names[key].told]
    )
