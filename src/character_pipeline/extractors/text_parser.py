"""Reads plain English: descriptions, captions, fiction, character sheets."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import chain

from character_pipeline.data import Evidence, Item
from character_pipeline.extractors.base import Need
from character_pipeline.extractors.english.collector import Collector
from character_pipeline.extractors.english.reader import Reader
from character_pipeline.extractors.english.state import Cast
from character_pipeline.extractors.english.units import Matcher
from character_pipeline.extractors.reading import read
from character_pipeline.vocabulary import Vocabulary
from character_pipeline.vocabulary.phrases import load_phrases

REMEMBERED = 32_768


class TextParser:
    """Claims what the plain English in a text says of its character.

    Args:
        vocabulary: the attributes; the phrases lie in the same folder.
        is_tag: whether a string is a known tag, by which tags and English are told apart.
    """

    name = "text_parser"
    version = "1"
    needs: frozenset[Need] = frozenset({"text"})

    def __init__(self, vocabulary: Vocabulary, is_tag: Callable[[str], bool]) -> None:
        self._is_tag = is_tag
        self._phrases = load_phrases(vocabulary)
        self._matcher = Matcher(self._phrases)
        self._source = f"{self.name}/{self.version}"
        self._gates = _Memory(self._safety)

    def process(self, batch: Sequence[Item]) -> list[tuple[Evidence, ...]]:
        """The evidence in the English part of each item's text."""
        return [self._read(item.text or "") for item in batch]

    def _read(self, text: str) -> tuple[Evidence, ...]:
        reading = read(text, self._is_tag)
        unknown = chain.from_iterable(map(self._gates.__getitem__, reading.tags))
        english = self.parse(reading.prose) if reading.prose else ()
        return (*english, *dict.fromkeys(unknown))

    def _safety(self, tag: str) -> tuple[Evidence, ...]:
        """What a tag that no table lists says of safety, if its noun says it: "small_child", "12yo girl"."""
        if self._is_tag(tag) or "(" in tag:
            return ()
        words = tag.replace("_", " ")
        units = self._matcher.units(words)
        named = bool(units) and units[-1].entry.person is not None
        found = self.parse(words) if any(unit.entry.claims for unit in units) else ()
        return tuple(c for c in found if c.attribute == "safety" and (named or words.endswith(c.origin)))

    def parse(self, prose: str) -> tuple[Evidence, ...]:
        """The evidence in a text that is known to be English."""
        units = self._matcher.units(prose)
        if not units:
            return ()
        collector = Collector(prose, self._source)
        reader = Reader(prose, units, self._phrases, collector)
        reader.run()
        _gender(reader.cast, collector)
        _people(reader.cast, collector)
        return collector.evidence()


class _Memory(dict[str, tuple[Evidence, ...]]):
    """What was found in a tag, found once."""

    def __init__(self, find: Callable[[str], tuple[Evidence, ...]]) -> None:
        super().__init__()
        self._find = find

    def __missing__(self, tag: str) -> tuple[Evidence, ...]:
        if len(self) >= REMEMBERED:
            self.clear()
        found = self[tag] = self._find(tag)
        return found


def _gender(cast: Cast, collector: Collector) -> None:
    """Pronouns tell the gender where no noun does; the first one mostly is the subject."""
    if cast.pronouns and not collector.has("gender"):
        gender, span = next(iter(cast.pronouns.items()))
        collector.put(("gender", gender), 0.75 if len(cast.pronouns) == 1 else 0.55, span)


def _people(cast: Cast, collector: Collector) -> None:
    if cast.main is None and cast.group is None:
        if cast.nobody is not None and not cast.pronouns:
            collector.put(("people", "none"), 0.8, cast.nobody)
        elif cast.pronouns:
            value, score = ("multiple", 0.8) if cast.others else ("single", 0.6)
            collector.put(("people", value), score, next(iter(cast.pronouns.values())))
        return
    several = cast.plural or cast.group is not None
    span = cast.group if cast.group is not None and not cast.plural else cast.span
    if several or cast.others:
        score = 0.9 if several else 0.8
        collector.put(("people", "multiple"), score, span, cast.detail)
    else:
        detail = "others in the background" if cast.far else ""
        collector.put(("people", "single"), 0.6 if cast.far else 0.85, span, detail)
