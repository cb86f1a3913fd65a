"""Tells tags, prompts and plain English apart, and removes the syntax of prompts."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, NamedTuple

from character_pipeline.extractors.prompt_syntax import LONGEST_TAG, SEPARATOR, Segment, undo, without_metadata
from character_pipeline.vocabulary import DATA

Language = Literal["tags", "prompt", "english", "mixed", "empty"]
IsTag = Callable[[str], bool]

_SYNTAX = tuple("()[]{}<>|\\:;.!?")
_NAME = re.compile(r"(?!_)[a-z0-9'-]+(?:_[a-z0-9'-]+)*_\([a-z0-9'-]+(?:_[a-z0-9'-]+)*\)")
"""A tag in Danbooru's form with what it belongs to: "hatsune_miku_(vocaloid)"."""
_SETTLED = 32_768
_REMEMBERED = 512
_LONGEST_REMEMBERED = 10_000
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+")
_LABEL = re.compile(r"[\s\-*•]*([A-Za-z]+(?:[ _][A-Za-z]+)?) ?: ?[^\s:]")
_AGE = re.compile(r"\b\d{1,3} ?-?(?:years?|yrs?|yo|y/o)\b|\baged? ?:? ?\d{1,3}\b", re.IGNORECASE)
_YEARS_DOTTED = re.compile(r"(?<=\d)([ -]?)y\. ?o\.?(?!\w)", re.IGNORECASE)
"""In "35 y.o." the full stops end no sentence."""
_WORDS = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")
_COUNT_TAG = re.compile(r"\d\+?(?:girl|boy|other)s?")


@dataclass(frozen=True, slots=True)
class Reading:
    """A text, told apart: the raw tags in their order, and the part in plain English."""

    language: Language
    tags: tuple[str, ...] = ()
    prose: str = ""


class _Words(NamedTuple):
    function_words: frozenset[str]
    cue_words: frozenset[str]
    tag_only: frozenset[str]
    labels: frozenset[str]


_EMPTY = Reading("empty")
_memory: dict[str, tuple[IsTag, Reading]] = {}


def read(text: str, is_tag: IsTag) -> Reading:
    """Tell apart what is tags and what is English in a text.

    Args:
        text: tags, a prompt, plain English, or a mixture.
        is_tag: whether a string is a known Danbooru tag, with spaces or underscores, in any case.
    """
    known = _memory.get(text)
    if known is not None and known[0] == is_tag:
        return known[1]
    reading = _read(text, is_tag)
    if len(text) <= _LONGEST_REMEMBERED:
        if len(_memory) >= _REMEMBERED:
            _memory.clear()
        _memory[text] = (is_tag, reading)
    return reading


def _read(text: str, is_tag: IsTag) -> Reading:
    tags = _plain_tags(text, is_tag)
    if tags:
        return Reading("tags", tags)
    text = _YEARS_DOTTED.sub(r"\1yo", without_metadata(text))
    lines = [_Line(line, is_tag) for line in text.splitlines() if line.strip()]
    found = any(line.found for line in lines)
    all_tags = tuple(tag for line in lines for tag in line.tags)
    prose = "\n".join(line.prose for line in lines if line.prose)
    if prose:
        return Reading("mixed" if all_tags else "english", all_tags, prose)
    return Reading("prompt" if found else "tags", all_tags) if all_tags else _EMPTY


def _plain_tags(text: str, is_tag: IsTag) -> tuple[str, ...]:
    """The tags of the common cases: pieces between commas or lines of which none has syntax or might be English, or
    known tags between spaces. Empty for all other texts."""
    global _settled  # noqa: PLW0603 - a memory, replaced when another lexicon asks
    if _settled.is_tag != is_tag:
        _settled = _Settled(is_tag)
    if "," in text or "\n" in text:
        tags = [_settled[segment] for segment in text.split("," if "," in text else "\n")]
    else:
        tags = [word if is_tag(word) else None for word in text.split()] if "_" in text else []
    if len(tags) < 2 or None in tags:
        return ()
    return tuple(filter(None, tags))


class _Settled(dict[str, str | None]):
    """What a segment between two commas is for sure: a tag (stripped), nothing (empty), or None for a closer look."""

    def __init__(self, is_tag: IsTag) -> None:
        super().__init__()
        self.is_tag = is_tag

    def __missing__(self, segment: str) -> str | None:
        if len(self) >= _SETTLED:
            self.clear()
        tag = segment.strip()
        self[segment] = settled = tag if not tag or self._is_settled(tag) else None
        return settled

    def _is_settled(self, tag: str) -> bool:
        if "\n" in tag or "\r" in tag or len(tag) > LONGEST_TAG:
            return False
        if self.is_tag(tag) or _NAME.fullmatch(tag):
            return True
        plain = "__" not in tag and not any(map(tag.__contains__, _SYNTAX)) and not SEPARATOR.search(tag)
        return plain and not _is_prose(tag)


_settled = _Settled(lambda _: False)


@lru_cache(maxsize=1)
def _words() -> _Words:
    table = tomllib.loads((DATA / "phrases" / "reading.toml").read_text(encoding="utf-8"))
    return _Words(*(frozenset(table[name].split()) for name in _Words._fields))


class _Line:
    """One line of a text: its segments, each told to be tag or prose with a view to its neighbours."""

    def __init__(self, line: str, is_tag: IsTag) -> None:
        self.is_tag = is_tag
        undone = undo(line, is_tag)
        self.found = undone.found
        self.segments = list(_sentences(_spaced(undone.segments, is_tag), is_tag))
        self.known = [is_tag(segment.text) for segment in self.segments]
        prose = [not known and _is_prose(s.text) for s, known in zip(self.segments, self.known, strict=True)]
        if self._is_english(line, prose):
            prose = [True] * len(prose)
        self.mask = self._filled(prose)
        self.tags = [s.text for s, english in zip(self.segments, self.mask, strict=True) if not english]
        self.prose = self._joined()

    def _is_english(self, line: str, prose: list[bool]) -> bool:
        if _is_label(line):
            return True
        if not any(prose) or any(map(_is_only_tag, self.segments, self.known)):
            return False
        lengths = [len(segment.text) for segment in self.segments]
        return prose[0] or 2 * sum(n for n, english in zip(lengths, prose, strict=True) if english) >= sum(lengths)

    def _filled(self, prose: list[bool]) -> list[bool]:
        """Words between two pieces of English belong to them: "no hat, gloves, or a scarf"."""
        mask, last = list(prose), -1
        for index, english in enumerate(prose):
            if english:
                if 0 <= last < index - 1:
                    mask[last + 1 : index] = [True] * (index - last - 1)
                last = index
            elif _is_only_tag(self.segments[index], self.known[index]):
                last = -1
        return mask

    def _joined(self) -> str:
        """The English of the line, in order; a full stop stands where tags were taken out."""
        parts: list[str] = []
        gap = False
        for segment, english in zip(self.segments, self.mask, strict=True):
            if not english:
                gap = bool(parts)
                continue
            parts.append(self._glue_before(segment, gap) if parts else "")
            parts.append(segment.text)
            gap = False
        return "".join(parts)

    def _glue_before(self, segment: Segment, gap: bool) -> str:
        new_label = segment.before == "," and _is_label(segment.text)
        return ". " if gap or new_label else _glue(segment.before)


def _glue(separator: str) -> str:
    return {"": " ", "AND": " and ", "BREAK": ". ", "|": ". ", "|||": ". "}.get(separator, ", ")


def _sentences(segments: Iterable[Segment], is_tag: IsTag) -> Iterable[Segment]:
    """Cut segments of several sentences in two: "solo. She has green eyes"."""
    for segment in segments:
        if "." not in segment.text and "!" not in segment.text and "?" not in segment.text:
            yield segment
            continue
        known = len(segment.text) <= LONGEST_TAG and is_tag(segment.text)
        pieces = [segment.text] if known else _SENTENCE_END.split(segment.text)
        for index, piece in enumerate(pieces):
            bare = piece.rstrip(".!?")
            text = bare if len(bare) <= LONGEST_TAG and bare and is_tag(bare) else piece
            if text:
                yield Segment(text, "" if index else segment.before)


def _spaced(segments: Iterable[Segment], is_tag: IsTag) -> Iterator[Segment]:
    """Cut Danbooru's own form, tags with underscores between spaces, into its tags."""
    for segment in segments:
        words = segment.text.split()
        if len(words) > 1 and _is_list(segment.text, words, is_tag):
            yield from (Segment(word, "" if index else segment.before) for index, word in enumerate(words))
        else:
            yield segment


def _is_list(text: str, words: list[str], is_tag: IsTag) -> bool:
    if len(text) <= LONGEST_TAG and is_tag(text):
        return False
    marked = any("_" in word.strip("_") or _COUNT_TAG.fullmatch(word) for word in words)
    known = sum(map(is_tag, words)) if marked or len(words) >= 3 else 0
    return (2 * known >= len(words) and marked) or (known == len(words) >= 3)


def _is_label(text: str) -> bool:
    """Whether this begins as a line of a character sheet does: "Hair: long"."""
    label = _LABEL.match(text)
    return label is not None and label[1].lower().replace(" ", "_") in _words().labels


def _is_prose(text: str) -> bool:
    """Whether a piece that is no known tag reads as English."""
    if "_" in text and " " not in text:
        return False
    if _AGE.search(text):
        return True
    words = _WORDS.findall(text.lower())
    known = _words()
    if not known.cue_words.isdisjoint(words):
        return True
    return len(words) >= 2 and not known.function_words.isdisjoint(words)


def _is_only_tag(segment: Segment, known: bool) -> bool:
    """Whether this piece can only stand in a list of tags."""
    text = segment.text.lower()
    if text.replace(" ", "_") in _words().tag_only or text.startswith("score_"):
        return True
    return known and ("_" in text or not text.replace(" ", "").replace("-", "").isalpha())
