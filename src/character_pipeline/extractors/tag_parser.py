"""Reads attributes from tags: each known tag says what the lexicon says of it, and an unknown tag says nothing."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain

from character_pipeline.data import Evidence, Item
from character_pipeline.extractors.base import Need
from character_pipeline.extractors.prompt_syntax import is_regional
from character_pipeline.vocabulary.lexicon import Lexicon, load_lexicon
from character_pipeline.vocabulary.tag_form import tag_form

REMEMBERED = 32_768


class TagParser:
    """Tags in, evidence out. The evidence of a tag is made once and shared by all items that have the tag.

    Args:
        lexicon: what the tags say; the one of the package by default.
    """

    name = "tag_parser"
    version = "1"
    needs: frozenset[Need] = frozenset({"text"})

    def __init__(self, lexicon: Lexicon | None = None) -> None:
        self.lexicon = lexicon or load_lexicon()
        source = f"{self.name}/{self.version}"
        self._memory = _Memory(self.lexicon, source)
        self._regional = Evidence("people", "multiple", 0.75, source, "BREAK", detail="group")

    def process(self, batch: Sequence[Item]) -> list[tuple[Evidence, ...]]:
        return [self._read(item.text or "") for item in batch]

    def _read(self, text: str) -> tuple[Evidence, ...]:
        found = self.parse(_segments(text, self.lexicon))
        return (*found, self._regional) if "BREAK" in text and is_regional(text) else found

    def parse(self, segments: Sequence[str]) -> tuple[Evidence, ...]:
        """What these tags say, each tag once, in their order."""
        return tuple(dict.fromkeys(chain.from_iterable(map(self._memory.__getitem__, segments))))


class _Memory(dict[str, tuple[Evidence, ...]]):
    """The evidence of each tag as written: one look-up for a tag that was seen before."""

    def __init__(self, lexicon: Lexicon, source: str) -> None:
        super().__init__()
        self._lexicon = lexicon
        self._source = source
        self._by_form: dict[str, tuple[Evidence, ...]] = {}

    def __missing__(self, written: str) -> tuple[Evidence, ...]:
        if len(self) >= REMEMBERED:
            self.clear()
            self._by_form.clear()
        form = tag_form(written)
        # Every spelling of a tag shares its evidence, so that a tag given twice counts once.
        if form not in self._by_form:
            self._by_form[form] = self._evidence(form)
        evidence = self[written] = self._by_form[form]
        return evidence

    def _evidence(self, form: str) -> tuple[Evidence, ...]:
        return tuple(
            Evidence(claim.attribute, claim.value, claim.score, self._source, form, claim.stance, claim.detail)
            for claim in self._lexicon.lookup(form)
        )


def _segments(text: str, lexicon: Lexicon) -> tuple[str, ...]:
    from character_pipeline.extractors.reading import read

    return read(text, lexicon.knows).tags
