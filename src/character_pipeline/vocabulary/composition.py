"""Reads what a tag says from its words, for the tags that no table lists."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

from character_pipeline.errors import ConfigError

MAX_WORDS = 8


class Part(NamedTuple):
    """What a compound says of one attribute."""

    attribute: str
    value: str
    strength: float
    detail: str | None


class Worn(NamedTuple):
    """What the last words of a tag name; `open` lets any word stand before them."""

    attribute: str
    value: str
    strength: float
    open: bool


@dataclass(frozen=True, slots=True)
class Built:
    """Heads such as "hair", before which every word says something of its own."""

    heads: Mapping[str, str]
    head_attribute: str
    colors: str
    several: str
    neutral: frozenset[str]
    words: Mapping[str, tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Composition:
    """The word lists of `tag_composition.toml`, ready to be asked."""

    stops: frozenset[str]
    traps: frozenset[str]
    modifiers: frozenset[str]
    modifier_endings: tuple[str, ...]
    namespaces: frozenset[str]
    spellings: Mapping[str, str]
    shades: frozenset[str]
    colors: Mapping[str, Mapping[str, str]]
    worn: Mapping[str, Worn]
    built: tuple[Built, ...]

    def respell(self, tag: str) -> str:
        """The tag without its namespace and with each word in the usual spelling."""
        space, colon, rest = tag.partition(":")
        if colon and space in self.namespaces:
            tag = rest
        return "_".join(self.spellings.get(word, word) for word in tag.split("_"))

    def claims(self) -> Iterator[tuple[str, str]]:
        """Every attribute and value that a compound may be given, to be checked against the vocabulary."""
        for worn in self.worn.values():
            yield worn.attribute, worn.value
        for built in self.built:
            yield from built.words.values()
            yield from ((built.head_attribute, value) for value in built.heads.values() if value)
            yield from ((built.colors, value) for value in self.colors[built.colors].values())
            if built.several:
                yield built.colors, built.several

    def read(self, tag: str, *, strict: bool = False) -> tuple[Part, ...]:
        """What the words of a tag say; `strict` takes no unknown word, so that a sentence is never read as a tag."""
        words = tag.split("_")
        if "(" in tag or len(words) > MAX_WORDS or not all(words):
            return ()
        return self._built(words) or self._worn(words, strict)

    def _worn(self, words: Sequence[str], strict: bool) -> tuple[Part, ...]:
        for start in range(len(words)):
            ending = "_".join(words[start:])
            if ending in self.traps:
                return ()
            if worn := self.worn.get(ending):
                return self._dressed(words, start, worn, strict)
        return ()

    def _dressed(self, words: Sequence[str], start: int, worn: Worn, strict: bool) -> tuple[Part, ...]:
        before = words[:start]
        if not self.stops.isdisjoint(before) or not (self._modify(before) or (worn.open and not strict)):
            return ()
        return (Part(worn.attribute, worn.value, worn.strength, " ".join(words)),)

    def _modify(self, words: Sequence[str]) -> bool:
        # "cat_print_shirt": whatever stands before "print" is what is printed.
        rest = words[len(words) - 1 - words[::-1].index("print") :] if "print" in words else words
        return all(word in self.modifiers or word.endswith(self.modifier_endings) for word in rest)

    def _built(self, words: Sequence[str]) -> tuple[Part, ...]:
        for size in (2, 1):
            if len(words) > size - 1:
                head = "_".join(words[-size:])
                for built in self.built:
                    if head in built.heads:
                        return self._describe(built, words[:-size], head)
        return ()

    def _describe(self, built: Built, before: Sequence[str], head: str) -> tuple[Part, ...]:
        palette = self.colors[built.colors]
        colors = [word for word in before if word in palette and word not in self._shading(before, palette)]
        values = dict.fromkeys(palette[word] for word in colors)
        parts = [Part(*built.words[word], 0.95, None) for word in before if word in built.words]
        known = self._known(built, palette)
        if not (parts or colors or built.heads[head]) or not all(word in known for word in before):
            return ()
        if built.heads[head]:
            parts.append(Part(built.head_attribute, built.heads[head], 0.95, None))
        if not values:
            return tuple(parts)
        value = next(iter(values)) if len(values) == 1 else built.several
        if not value:
            return ()
        shade = " ".join(word for word in before if word in palette or word in self.shades or word == "and")
        shade = shade.removeprefix("and ").removesuffix(" and")
        return (*parts, Part(built.colors, value, 0.95, None if shade == value.lower() else shade))

    def _shading(self, before: Sequence[str], palette: Mapping[str, str]) -> frozenset[str]:
        """Words that are a shade here because a colour follows: the "platinum" of "platinum blonde"."""
        return frozenset(word for word, following in pairwise(before) if word in self.shades and following in palette)

    def _known(self, built: Built, palette: Mapping[str, str]) -> frozenset[str]:
        return frozenset({*palette, *built.words, *built.neutral, *self.shades, "and"})


def load_composition(path: Path) -> Composition:
    """Read the word lists. Raises ConfigError naming the file and what is wrong."""
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
        return _composition(table)
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"the tag composition cannot be read: {path}: {error}") from error
    except (KeyError, TypeError, ValueError) as error:
        raise ConfigError(f"{path}: a table is incomplete: {error!r}") from error


def _composition(table: Mapping[str, Any]) -> Composition:
    return Composition(
        stops=frozenset(table["stops"]),
        traps=frozenset(table["traps"]),
        modifiers=frozenset(table["modifiers"]),
        modifier_endings=tuple(table["modifier_endings"]),
        namespaces=frozenset(table["namespaces"]),
        spellings=table["spellings"],
        shades=frozenset(table["shades"]["words"]),
        colors={key: _inverted(values) for key, values in table["colors"].items()},
        worn={word: _worn(row) for row in table["worn"] for word in row["words"]},
        built=tuple(_built(row) for row in table["built"]),
    )


def _worn(row: Mapping[str, Any]) -> Worn:
    return Worn(row["attribute"], row["value"], float(row["strength"]), bool(row.get("open", False)))


def _built(row: Mapping[str, Any]) -> Built:
    words = {
        word: (attribute, value)
        for attribute, values in row.get("words", {}).items()
        for value, spoken in values.items()
        for word in spoken
    }
    return Built(row["heads"], row["head_attribute"], row["colors"], row["several"], frozenset(row["neutral"]), words)


def _inverted(values: Mapping[str, Iterable[str]]) -> Mapping[str, str]:
    return {word: value for value, words in values.items() for word in words}
