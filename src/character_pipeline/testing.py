"""Fakes for the tests of those who extend the pipeline: they keep the interfaces and need no data files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from character_pipeline.data import Evidence, Item
from character_pipeline.errors import ItemError
from character_pipeline.extractors.base import Need


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
