"""The phrases of plain English and what each says: data files in `phrases/`, and the loader that checks them.

A CSV file of claims has the columns:
    phrases    one or more, separated by "|"; in the singular; "=word", alone, means this very form
    kind       adj: an adjective; pred: one that counts only after a verb ("is old"); verb: what a person does; noun: a
               thing worn or had; mod: an adjective that needs the noun in `head`; image: a word of comparison for it
               ("hair like fire"); mark: an adjective that places on the body share; trait: what kind of person;
               mood: a feeling shown ("in surprise"); scene: true of the whole picture; gate: counts wherever it stands;
               multi: several colours; none: counts only when denied; skip: says nothing
    head       mod, image: the noun; noun: what else is needed (np, worn, in_hair, inhair, colours, carried,
               ringed, indef)
    attribute, value, score, stance    what is claimed; "@" as the value stands for a place on the body
"""

from __future__ import annotations

import csv
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, cast, get_args

from character_pipeline.data import Stance
from character_pipeline.errors import ConfigError, unknown_name
from character_pipeline.vocabulary import Vocabulary

GATES: Mapping[str, tuple[str, ...]] = {
    "safety": ("minor", "sexual"),
    "people": ("single", "multiple", "none"),
}
CLAIM_KINDS = (
    "adj",
    "pred",
    "verb",
    "noun",
    "mod",
    "image",
    "mark",
    "trait",
    "mood",
    "scene",
    "gate",
    "multi",
    "none",
    "skip",
)

_PIECES = re.compile(r"[^\W_]+")
_FINAL = re.compile(r"(?:s[hs]|ch|x|z)es$")


@dataclass(frozen=True, slots=True)
class Claim:
    """What one phrase says of one attribute, and under which conditions."""

    kind: str
    head: str
    attribute: str
    value: str
    score: float
    stance: Stance = "is"


@dataclass(frozen=True, slots=True)
class Person:
    """A noun for a person: the class decides what adjectives of age mean."""

    kind: str
    gender: str
    age: str
    score: float


@dataclass(frozen=True, slots=True)
class Entry:
    """A phrase of the lexicon: its kind, what it claims, the person that it names."""

    kind: str
    claims: tuple[Claim, ...] = ()
    person: Person | None = None


@dataclass(slots=True)
class Phrases:
    """The whole lexicon. `table` maps a first word to (rest, entry) pairs, the longest first."""

    table: dict[str, list[tuple[tuple[str, ...], Entry]]] = field(default_factory=dict)
    spelling: dict[str, str] = field(default_factory=dict)
    singular: dict[str, str] = field(default_factory=dict)
    carriers: dict[str, frozenset[str]] = field(default_factory=dict)
    numbers: dict[str, int] = field(default_factory=dict)
    without: dict[str, str] = field(default_factory=dict)
    body: frozenset[str] = frozenset()
    ages: tuple[tuple[int, str], ...] = ()
    oldest: int = 0
    places: dict[str, dict[str, str]] = field(default_factory=dict)
    bases: dict[str, str] = field(default_factory=dict)

    def base(self, word: str) -> str:
        """The form under which a lower-case word stands in the lexicon."""
        known = self.bases.get(word)
        if known is not None:
            return known
        found = self._base(word)
        if len(self.bases) < 20_000:
            self.bases[word] = found
        return found

    def _base(self, word: str) -> str:
        if word in self.singular:
            word = self.singular[word]
        elif word in self.spelling:
            return self.spelling[word]
        elif len(word) > 5 and word.endswith("men"):
            word = word[:-3] + "man"
        elif len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is", "'s")):
            word = word[:-3] + "y" if word.endswith("ies") else word[:-2] if _FINAL.search(word) else word[:-1]
        return self.spelling.get(word, word)

    def words(self, phrase: str) -> tuple[str, ...]:
        """A phrase of the data files as the matcher sees it."""
        pieces: list[str] = []
        for word in phrase.lower().replace("'", " '").split():
            if word.startswith("=") or word.startswith("'"):
                pieces.append(word)
            else:
                pieces.extend(self.base(piece) for piece in _PIECES.findall(word) or [word])
        return tuple(pieces)

    def age(self, years: int) -> str:
        """The value of the attribute age for a number of years; empty where nobody is so old."""
        reached = [value for start, value in self.ages if years >= start]
        return reached[-1] if reached and years <= self.oldest else ""


@lru_cache(maxsize=4)
def _load(folder: Path, digest: str, vocabulary: _Known) -> Phrases:
    grammar = _toml(folder / "grammar.toml")
    phrases = Phrases(
        spelling=grammar["spelling"],
        singular=grammar["singular"],
        carriers={head: frozenset(attributes) for head, attributes in grammar["carriers"].items()},
        ages=tuple((start, value) for start, value in grammar["ages"]["values"]),
        oldest=grammar["ages"]["oldest"],
        without=grammar["without"],
    )
    numbers = grammar["numbers"]
    phrases.numbers = {word: count for count, word in enumerate(numbers["units"], 1)}
    phrases.numbers |= {word: 10 * count for count, word in enumerate(numbers["tens"], 2)}
    phrases.places = _places(folder / "places.toml", vocabulary)
    phrases.body = frozenset(word for words in phrases.places.values() for word in words if word)
    entries: dict[tuple[str, ...], Entry] = {}
    for kind, words in grammar["kinds"].items():
        entries.update({phrases.words(word): Entry(kind) for word in words})
    for path in sorted(folder.glob("*.csv")):
        for words, entry in _rows(path, vocabulary, phrases):
            entries[words] = _merged(entries.get(words), entry)
    _index(phrases, entries)
    return phrases


@dataclass(frozen=True, slots=True)
class _Known:
    """The attributes that a row may name, with their values; hashable, so that loading can be remembered."""

    values: tuple[tuple[str, tuple[str, ...]], ...]

    def check(self, where: str, attribute: str, value: str) -> None:
        table = dict(self.values)
        if attribute not in table:
            raise ConfigError(f"{where}: {unknown_name('attribute', attribute, table)}")
        if value and value != "@" and value not in table[attribute]:
            raise ConfigError(f"{where}: {unknown_name('value', value, table[attribute])}")


def load_phrases(vocabulary: Vocabulary) -> Phrases:
    """Read and check the phrase lexicon that lies beside a vocabulary. Raises ConfigError naming file and entry."""
    values = {key: attribute.values for key, attribute in vocabulary.attributes.items()} | dict(GATES)
    return _load(vocabulary.folder / "phrases", vocabulary.digest, _Known(tuple(values.items())))


def _toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"the phrases cannot be read: {path}: {error}") from error


def _places(path: Path, known: _Known) -> dict[str, dict[str, str]]:
    table: dict[str, dict[str, str]] = {}
    for attribute, rows in _toml(path).items():
        for value, words in rows.items():
            known.check(f"{path}: [{attribute}]", attribute, value)
            table.setdefault(attribute, {}).update(dict.fromkeys(words, value))
    return table


def _rows(path: Path, known: _Known, phrases: Phrases) -> Iterator[tuple[tuple[str, ...], Entry]]:
    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#")]
    for row in csv.DictReader(lines):
        where = f"{path}: '{row['phrases']}'"
        entry = _person(where, row, known) if "class" in row else _claim(where, row, known)
        for phrase in row["phrases"].split("|"):
            words = phrases.words(phrase)
            if not words:
                raise ConfigError(f"{where}: an empty phrase")
            yield words, entry


def _person(where: str, row: Mapping[str, str], known: _Known) -> Entry:
    known.check(where, "gender", row["gender"])
    known.check(where, "age", row["age"])
    return Entry("person", (), Person(row["class"], row["gender"], row["age"], _score(where, row["score"])))


def _claim(where: str, row: Mapping[str, str], known: _Known) -> Entry:
    kind, stance = row["kind"], row["stance"] or "is"
    if kind not in CLAIM_KINDS:
        raise ConfigError(f"{where}: {unknown_name('kind', kind, CLAIM_KINDS)}")
    if kind == "skip":
        return Entry("skip")
    if stance not in get_args(Stance):
        raise ConfigError(f"{where}: {unknown_name('stance', stance, get_args(Stance))}")
    known.check(where, row["attribute"], row["value"])
    score = _score(where, row["score"])
    claim = Claim(kind, row["head"], row["attribute"], row["value"], score, cast("Stance", stance))
    return Entry("claim", (claim,))


def _score(where: str, text: str) -> float:
    try:
        score = float(text)
    except ValueError:
        score = -1.0
    if not 0.5 <= score <= 1:
        raise ConfigError(f"{where}: the score '{text}' is not a number from 0.5 to 1")
    return score


def _merged(old: Entry | None, new: Entry) -> Entry:
    """Two rows about one phrase: both claim. A person, or what says nothing, decides the kind."""
    if old is None or "skip" in {old.kind, new.kind}:
        return new if old is None or new.kind == "skip" else old
    claims = (*old.claims, *(claim for claim in new.claims if claim not in old.claims))
    only_gates = all(claim.kind == "gate" for claim in new.claims)
    kind = "person" if "person" in {old.kind, new.kind} else old.kind if only_gates else new.kind
    return replace(old, kind=kind, claims=claims, person=new.person or old.person)


def _index(phrases: Phrases, entries: Mapping[tuple[str, ...], Entry]) -> None:
    for words, entry in entries.items():
        phrases.table.setdefault(words[0], []).append((words[1:], entry))
    _longest_first(phrases.table.values())


def _longest_first(rows: Iterable[list[tuple[tuple[str, ...], Entry]]]) -> None:
    for row in rows:
        row.sort(key=lambda pair: -len(pair[0]))
