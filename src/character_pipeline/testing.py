"""Fakes for the tests of those who extend the pipeline: they keep the interfaces and need no data files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from character_pipeline.data import Evidence, Item
from character_pipeline.errors import ItemError
from character_pipeline.extractors.base import Need, PictureReader

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL import Image


class FakeExtractor:
    """Claims, for each word of a text that it knows, what the word stands for.

    Args:
        words: for each word its attribute and value, {"blonde": ("hair_color", "Blonde")}.
        fail_on: a word on which it fails.
    """

    name = "fake"
    version = "1"
    needs: frozenset[Need] = frozenset({"text"})

    def __init__(self, words: Mapping[str, tuple[str, str]], score: float = 0.9, fail_on: str = "") -> None:
        self.fail_on = fail_on
        self.claims = {word: Evidence(a, value, score, "fake/1", word) for word, (a, value) in words.items()}

    def process(self, batch: Sequence[Item]) -> list[tuple[Evidence, ...]]:
        return [self._read(item.text or "") for item in batch]

    def _read(self, text: str) -> tuple[Evidence, ...]:
        words = text.replace(",", " ").split()
        if self.fail_on and self.fail_on in words:
            raise ItemError("extractor_failed", f"the word '{self.fail_on}' was met")
        return tuple(self.claims[word] for word in words if word in self.claims)


class FakeReader:
    """Reads the mean red, green and blue of a picture, from 0 to 1.

    Args:
        fail_on: a channel (0, 1, 2); it fails on pictures of which that one is the strongest.
        broken_on: a channel; what it says of such pictures is no number.
    """

    size = 3

    def __init__(self, key: str = "fake_reader/1", fail_on: int | None = None, broken_on: int | None = None) -> None:
        self.key = key
        self.fail_on = fail_on
        self.broken_on = broken_on

    def read(self, pictures: Sequence[Image.Image]) -> NDArray[np.float16]:
        import numpy as np

        means = np.array([np.asarray(picture).mean(axis=(0, 1)) for picture in pictures]).reshape(-1, 3) / 255
        strongest = means.argmax(axis=1)
        if self.fail_on in strongest:
            raise RuntimeError("a picture of a colour that this reader cannot bear")
        means[strongest == self.broken_on] = np.nan
        return means.astype(np.float16)

    def describe(self) -> str:
        return "fake reader on paper"


class FakeLooker:
    """Claims a hair color from the strongest channel of a picture, as a `FakeReader` found it.

    Args:
        least: of a channel that counts; below it, it claims nothing.
    """

    name = "fake_looker"
    needs: frozenset[Need] = frozenset({"readings"})
    colors = ("Red", "Green", "Blue")

    def __init__(self, reader: PictureReader | None = None, least: float = 0.0) -> None:
        self.readers: Sequence[PictureReader] = [reader or FakeReader()]
        self.least = least
        self.version = f"1-{least}"

    def process(self, batch: Sequence[Item]) -> list[tuple[Evidence, ...]]:
        return [self._look(item) for item in batch]

    def _look(self, item: Item) -> tuple[Evidence, ...]:
        means = item.readings[self.readers[0].key]
        place = int(means.argmax())
        if means[place] < self.least:
            return ()
        score = round(float(means[place]), 4)
        return (Evidence("hair_color", self.colors[place], score, f"{self.name}/{self.version}", "picture"),)
