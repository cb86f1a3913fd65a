"""Cuts English into units: the phrases of the lexicon, ages, other words, and the signs between them."""

from __future__ import annotations

import re
from dataclasses import dataclass

from character_pipeline.vocabulary.phrases import Claim, Entry, Phrases

_TOKEN = re.compile(r"[^\W_]+|['’](?:s|re|m|t|ve|ll|d)\b|[.!?;:,()—–]|\n\s*\n", re.IGNORECASE)
_SIGNS = {
    ".": "stop", "!": "stop", "?": "stop", ";": "stop", ":": "colon",
    ",": "comma", "(": "comma", ")": "comma", "—": "comma", "–": "comma",
}  # fmt: skip
_NUMBER = re.compile(r"\d{1,3}")
_DECADE = re.compile(r"([1-9]0)s")
_AGED = {"aged", "age"}
_BEFORE_DECADE = {"her", "his", "their", "early", "mid", "late", "in"}
_PRONOUNS = {"she", "he", "it", "that", "there", "who", "they"}
_NEGATED = {"don": "do", "doesn": "does", "isn": "is", "aren": "are", "wasn": "was", "weren": "were", "hasn": "has",
            "haven": "have", "hadn": "had", "didn": "did", "couldn": "could", "wouldn": "would", "won": "will", "can": "can"}  # fmt: skip


@dataclass(slots=True)
class Unit:
    """A phrase of the text: its kind, its entry in the lexicon, where it stands."""

    kind: str
    entry: Entry
    start: int
    end: int
    word: str
    last: str
    plural: bool = False


_PLAIN = Entry("word")
_BLANK = Entry("sign")


class Matcher:
    """Finds the longest phrases of a lexicon in a text."""

    def __init__(self, phrases: Phrases) -> None:
        self.phrases = phrases
        self.decades = {
            f"{word[:-1]}ies": years for word, years in phrases.numbers.items() if years >= 20 and word.endswith("ty")
        }
        self.entries: dict[int, Entry] = {}

    def units(self, text: str) -> list[Unit]:
        words, bases, spans = self._tokens(text)
        units: list[Unit] = []
        index, count = 0, len(words)
        while index < count:
            word = words[index]
            sign = _SIGNS.get(word)
            if sign is not None:
                units.append(Unit(sign, _BLANK, *spans[index], word, word))
                index += 1
                continue
            entry, length = self._age(words, bases, index)
            if entry is None:
                entry, length = self._phrase(words, bases, index)
            last = index + length - 1
            plural = words[last] != bases[last] and words[last].endswith(("s", "men", "children"))
            units.append(Unit(entry.kind, entry, spans[index][0], spans[last][1], bases[index], bases[last], plural))
            index += length
        return units

    def _tokens(self, text: str) -> tuple[list[str], list[str], list[tuple[int, int]]]:
        words: list[str] = []
        bases: list[str] = []
        spans: list[tuple[int, int]] = []
        base = self.phrases.base
        for found in _TOKEN.finditer(text):
            word = found.group().lower().replace("’", "'")
            if word[0] in "'\n":
                word = self._clitic(words, bases, word)
            elif word == "cannot":
                word = "not"
            words.append(word)
            bases.append(base(word))
            spans.append(found.span())
        return words, bases, spans

    @staticmethod
    def _clitic(words: list[str], bases: list[str], word: str) -> str:
        """ "isn't" is "is not", "she's" is "she is", "the cat's" stays; an empty line ends a sentence."""
        if word[0] == "\n":
            return "."
        before = words[-1] if words else ""
        if word == "'t":
            if before.endswith("n") and before in _NEGATED:
                words[-1] = bases[-1] = _NEGATED[before]
            return "not"
        return "is" if word == "'s" and before in _PRONOUNS else word

    def _phrase(self, words: list[str], bases: list[str], index: int) -> tuple[Entry, int]:
        table = self.phrases.table
        rows = table.get("=" + words[index])
        if rows is not None:
            return rows[0][1], 1
        for rest, entry in table.get(bases[index], ()):
            length = len(rest) + 1
            if not rest or tuple(bases[index + 1 : index + length]) == rest:
                return entry, length
        return _PLAIN, 1

    def _age(self, words: list[str], bases: list[str], index: int) -> tuple[Entry | None, int]:
        word = words[index]
        if word[0].isdigit() or word in self.phrases.numbers:
            return self._years(words, bases, index)
        if word in _AGED and index + 1 < len(words):
            step = 2 if words[index + 1] in {"of", ":", "is"} and index + 2 < len(words) else 1
            years, used = self._number(words, index + step)
            if years is not None and (used == 1 or step == 1):
                return self._age_entry(years), step + used
        if word in self.decades and index and words[index - 1] in _BEFORE_DECADE:
            return self._age_entry(self.decades[word], decade=True), 1
        if word == "teens" and index and words[index - 1] in _BEFORE_DECADE:
            return self._age_entry(15), 1
        return None, 0

    def _years(self, words: list[str], bases: list[str], index: int) -> tuple[Entry | None, int]:
        decade = _DECADE.fullmatch(words[index])
        if decade and index and words[index - 1] in _BEFORE_DECADE:
            return self._age_entry(int(decade[1]), decade=True), 1
        if words[index].endswith(("yo", "yrs")) and _NUMBER.fullmatch(words[index].rstrip("yors")):
            return self._age_entry(int(words[index].rstrip("yors"))), 1
        years, used = self._number(words, index)
        after = tuple(bases[index + used : index + used + 3])
        if years is None or not after:
            return None, 0
        if after[0] in {"year", "yr"}:
            if after[1:2] == ("old",):
                return self._age_entry(years), used + 2
            if after[1:3] == ("of", "age"):
                return self._age_entry(years), used + 3
        if after[0] == "yo":
            return self._age_entry(years), used + 1
        before = words[index - 1] if index else ""
        alone = after[0] in {".", ",", "and", ";", "!"} and before in {"is", "turned", "turning", "was", "just"}
        return (self._age_entry(years), used) if alone and years > 9 else (None, 0)

    def _number(self, words: list[str], index: int) -> tuple[int | None, int]:
        if index >= len(words):
            return None, 1
        word, numbers = words[index], self.phrases.numbers
        if _NUMBER.fullmatch(word) and word.isascii():
            return int(word), 1
        years = numbers.get(word)
        if years is None:
            return None, 1
        unit = numbers.get(words[index + 1], 99) if index + 1 < len(words) else 99
        return (years + unit, 2) if years >= 20 and unit < 10 else (years, 1)

    def _age_entry(self, years: int, *, decade: bool = False) -> Entry:
        known = self.entries.get(years)
        if known is None:
            value = self.phrases.age(years)
            claims = [Claim("adj", "", "age", value, 0.93)] if value else []
            if years < 18 and value:
                claims.append(Claim("gate", "", "safety", "minor", 0.95))
            known = self.entries[years] = Entry("claim" if claims else "word", tuple(claims))
        return known
