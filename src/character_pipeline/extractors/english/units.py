"""Cuts English into units: the phrases of the lexicon, ages, other words, and the signs between them."""

from __future__ import annotations

import re
from dataclasses import dataclass

from character_pipeline.vocabulary.phrases import Claim, Entry, Phrases

_TOKEN = re.compile(
    r"[^\W_]+|['’](?:s|re|m|t|ve|ll|d)\b|[.!?;:,()—–]|\n\s*\n"
    r"|\n(?=[ \t]*[-*•]?[ \t]*[a-z]+(?: [a-z]+)? ?:)",
    re.IGNORECASE,
)
_SIGNS = {
    ".": "stop", "!": "stop", "?": "stop", ";": "stop", ":": "colon",
    ",": "comma", "(": "comma", ")": "comma", "—": "comma", "–": "comma",
}  # fmt: skip
_NUMBER = re.compile(r"\d{1,3}")
_PLURALS = ("s", "men", "children")
_SHORT_AGE = re.compile(r"(?=\d0(s)|\d+y)(\d{1,3})(?:s|yo|yrs|y)", re.ASCII)
_YEARS_OLD = ((("year", "old"), 2), (("yr", "old"), 2), (("year", "of", "age"), 3), (("yo",), 1), (("y", "o"), 2))
_BEFORE_AGE = {"about", "barely", "is", "turned", "turning", "was", "just", "only"}
_AFTER_AGE = {".", ",", "and", ";", "!"}
_AGED = {"aged", "age"}
_BEFORE_DECADE = {"her", "his", "their", "early", "mid", "late", "in"}
_PRONOUNS = {"she", "he", "it", "that", "there", "who", "they"}
_NEGATED = {
    **{
        f"{verb}n": verb for verb in ("does", "is", "are", "was", "were", "has", "have", "had", "did", "could", "would")
    },
    "don": "do",
    "won": "will",
    "can": "can",
}


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
        self.exact = {
            word[1:]: rows[-1][1] for word, rows in phrases.table.items() if word[0] == "=" and not rows[-1][0]
        }
        self.counting = {*phrases.numbers, *self.decades, *_AGED, "teens"}

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
            entry: Entry | None = None
            if word in self.counting or word[0].isdigit():
                entry, length = self._age(words, bases, index)
            if entry is None:
                entry, length = self._phrase(words, bases, index)
            last = index + length - 1
            plural = words[last] != bases[last] and words[last].endswith(_PLURALS)
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
        exact = self.exact.get(words[index])
        if exact is not None:
            return exact, 1
        rows = self.phrases.table.get(bases[index])
        if rows is None:
            return _PLAIN, 1
        after = bases[index + 1] if index + 1 < len(bases) else ""
        for rest, entry in rows:
            if not rest:
                return entry, 1
            if rest[0] == after and tuple(bases[index + 1 : index + 1 + len(rest)]) == rest:
                return entry, len(rest) + 1
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
            return self._age_entry(self.decades[word]), 1
        if word == "teens" and index and words[index - 1] in _BEFORE_DECADE:
            return self._age_entry(15), 1
        return None, 0

    def _years(self, words: list[str], bases: list[str], index: int) -> tuple[Entry | None, int]:
        short = _SHORT_AGE.fullmatch(words[index])
        if short and (not short[1] or self._before_decade(words, bases, index)):
            return self._age_entry(int(short[2])), 1
        years, used = self._number(words, index)
        after = tuple(bases[index + used : index + used + 3])
        if years is None:
            return None, 0
        after = after or (".",)
        if after[0] in {"year", "yr", "yo", "y"}:
            length = next((count for words_after, count in _YEARS_OLD if after[: len(words_after)] == words_after), 0)
            return (self._age_entry(years), used + length) if length else (None, 0)
        before = words[index - 1] if index else ""
        aged = before in _BEFORE_AGE or (before == "of" and index > 1 and self._names_person(bases[index - 2]))
        alone = after[0] in _AFTER_AGE and aged and years > 9
        return (self._age_entry(years), used) if alone else (None, 0)

    def _before_decade(self, words: list[str], bases: list[str], index: int) -> bool:
        """Whether the "50s" are an age: "in her 50s", "woman, 50s"."""
        before = words[index - 1] if index else ""
        return before in _BEFORE_DECADE or (before == "," and index > 1 and self._names_person(bases[index - 2]))

    def _names_person(self, base: str) -> bool:
        return any(not rest and entry.person is not None for rest, entry in self.phrases.table.get(base, ()))

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

    def _age_entry(self, years: int) -> Entry:
        known = self.entries.get(years)
        if known is None:
            value = self.phrases.age(years)
            claims = [Claim("adj", "", "age", value, 0.93)] if value else []
            if years < 18 and value:
                claims.append(Claim("gate", "", "safety", "minor", 0.95))
            known = self.entries[years] = Entry("claim" if claims else "word", tuple(claims))
        return known
