"""Names the colours of hair in pictures, from where the colours lie."""

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
CHROMA = PICTURE_FIELDS.index("chroma") - len(PICTURE_FIELDS)
"""Its place in a vector."""
REMEMBERED = 8_192
AT_ONCE = 16
"""Pictures whose regions are looked at together: more take longer each. Every sum is over one picture, so no answer
depends on the others."""
NEEDED = frozenset({"hair_color", "skin_tone"})
"""Where the vocabulary has one of these no more, nothing is said: by the skin it is found where the hair is."""
MOST = 0.97
"""No claim from colours alone is surer than this."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What regions say of hair: the chance of each name of a colour, shape (n, names), which leaves a rest for none;
    and the colour of the region that is most likely meant, in CIELAB, shape (n, 3)."""

    chances: Floats
    colours: Floats


def read_colors(regions: Regions, model: ColorModel, names: Mapping[str, ColorNames]) -> Reading:
    """Choose the regions of skin and, by it, of hair, and name the colour of the hair."""
    tone, hair = names["skin_tone"], names["hair_color"]
    present = regions.column("share")
    skin = model.skin.choose(skin_inputs(regions, tone), present)
    chosen = model.hair.choose(hair_inputs(regions, skin, hair), present)[:, :REGIONS]
    chances = (chosen[:, :, None] * hair.name(regions.lab)).sum(axis=1)
    return Reading(chances, regions.lab[np.arange(len(chosen)), chosen.argmax(axis=1)])


class ColorAnalyzer:
    """Claims colours of hair, each with the probability that it is right; where it is unsure, nothing.

    Needs no picture where its reader has read it before: names and weights may change without reading again.
    """

    name = "color_analyzer"
    version = "1"
    needs: frozenset[Need] = frozenset({"readings"})

    def __init__(self, names: Mapping[str, ColorNames], model: ColorModel) -> None:
        self.names, self.model = names, model
        self.reader = RegionReader()
        self.readers: Sequence[PictureReader] = (self.reader,)
        self._claim = lru_cache(maxsize=REMEMBERED)(self._make)

    def process(self, batch: Sequence[Item]) -> list[tuple[Evidence, ...]]:
        found: list[tuple[Evidence, ...]] = [()] * len(batch)
        given = [] if NEEDED - self.names.keys() else [item.readings.get(self.reader.key) for item in batch]
        told = [(place, vector) for place, vector in enumerate(given) if vector is not None and _tells(vector)]
        for start in range(0, len(told), AT_ONCE):
            places, vectors = zip(*told[start : start + AT_ONCE], strict=True)
            reading = read_colors(unpack(np.stack(vectors)), self.model, self.names)
            for place, chances, colour in zip(places, reading.chances, reading.colours, strict=True):
                found[place] = self._best(chances, colour)
        return found

    def _best(self, chances: Floats, colour: Floats) -> tuple[Evidence, ...]:
        best = int(chances.argmax())
        if chances[best] < LEAST:
            return ()
        origin = f"{_rough(to_hex(colour))} in the hair region"
        score = round(min(float(chances[best]) * self.model.trust, MOST), 2)
        return self._claim(self.names["hair_color"].names[best], score, origin)

    def _make(self, value: str, score: float, origin: str) -> tuple[Evidence, ...]:
        return (Evidence("hair_color", value, score, f"{self.name}/{self.version}", origin),)


def _tells(vector: NDArray[np.float16]) -> bool:
    """Whether a picture has colours."""
    return float(vector[CHROMA]) >= COLOURLESS


def _rough(colour: str) -> str:
    """The colour in steps of 8 levels, so that like pictures share their evidence."""
    return "#" + "".join(f"{int(colour[at : at + 2], 16) // 8 * 8:02x}" for at in (1, 3, 5))


def make_color_analyzer(vocabulary: Vocabulary) -> ColorAnalyzer:
    """The analyzer for the attributes that a vocabulary has. Raises ConfigError where a data file cannot be used."""
    return ColorAnalyzer(load_color_names(vocabulary), load_color_model(vocabulary))
