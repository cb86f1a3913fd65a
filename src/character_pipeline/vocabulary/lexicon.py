"""What each tag says: the tables of `tags/`, the aliases, and the word lists for tags that no table lists."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple, get_args

from character_pipeline.data import Stance
from character_pipeline.errors import ConfigError, unknown_name
from character_pipeline.vocabulary import DATA, Vocabulary, load_vocabulary
from character_pipeline.vocabulary.composition import Composition, load_composition
from character_pipeline.vocabulary.tag_form import tag_form

# No row may have a strength whose score would blur the line between hints and statements (data.STATEMENT).
HINTS = (0.45, 0.55)
STATEMENTS = (0.75, 1.0)
UNMEASURED = 0.5

GATES: Mapping[str, tuple[str, ...]] = {
    "people": ("single", "multiple", "none", "focus"),
    "safety": ("minor", "sexual"),
}
COLUMNS = ["tag", "value", "strength", "f1", "stance", "detail"]


class Claim(NamedTuple):
    """One row: what a tag says of one attribute, how directly, and how consistently people use the tag (`f1`)."""

    attribute: str
    value: str
    strength: float
    f1: float = UNMEASURED
    stance: Stance = "is"
    detail: str | None = None

    @property
    def score(self) -> float:
        """The prior probability that the claim is right."""
        return self.strength * (0.80 + 0.19 * self.f1)


@dataclass(frozen=True, slots=True)
class Lexicon:
    """All that is known of tags. Ask with a tag in any spelling."""

    rows: Mapping[str, tuple[Claim, ...]]
    aliases: Mapping[str, str]
    names: frozenset[str]
    composition: Composition

    def lookup(self, tag: str) -> tuple[Claim, ...]:
        """What a tag says; nothing for a tag that is unknown, or known and beside the point."""
        form = tag_form(tag)
        found = self._listed(form)
        if found is None:
            respelled = self.composition.respell(form)
            found = self._listed(respelled) if respelled != form else None
            found = self._composed(respelled) if found is None else found
        return found

    def knows(self, tag: str) -> bool:
        """Whether this is a tag at all, rather than words of a sentence."""
        form = tag_form(tag)
        respelled = self.composition.respell(form)
        listed = self._listed(form) is not None or self._listed(respelled) is not None
        return listed or bool(self.composition.read(respelled, strict=True))

    def _listed(self, form: str) -> tuple[Claim, ...] | None:
        """The claims of a listed tag, or None. What is listed is never composed: its words were weighed by a person."""
        if form in self.rows:
            return self.rows[form]
        if form in self.names:
            return ()
        target = self.aliases.get(form)
        return None if target is None else tuple(_renamed(claim, target, form) for claim in self.rows[target])

    def _composed(self, form: str) -> tuple[Claim, ...]:
        return tuple(
            Claim(part.attribute, part.value, part.strength, detail=part.detail) for part in self.composition.read(form)
        )


def _renamed(claim: Claim, tag: str, alias: str) -> Claim:
    """A garment keeps the name it was given: "green yukata", though the table lists it with the kimonos."""
    return claim._replace(detail=_in_words(alias)) if claim.detail == _in_words(tag) else claim


def _in_words(tag: str) -> str:
    return tag.replace("_", " ")


@lru_cache(maxsize=8)
def load_lexicon(folder: Path = DATA) -> Lexicon:
    """Read and check the tag tables of a vocabulary folder.

    `tags/KEY.csv` holds the rows of the attribute KEY: a new attribute is a new file.
    Raises ConfigError naming the file and the line that is wrong.
    """
    vocabulary = load_vocabulary(folder)
    rows: dict[str, list[Claim]] = {}
    for path in sorted((folder / "tags").glob("*.csv")):
        allowed = _values(vocabulary, path)
        for line, cells in _lines(path, COLUMNS):
            rows.setdefault(cells[0], []).append(_claim(path, line, cells, allowed))
    aliases = _aliases(folder / "tag_aliases.csv", rows)
    names = frozenset(_text(folder / "tag_names.txt").split())
    composition = load_composition(folder / "tag_composition.toml")
    _check(folder, vocabulary, composition)
    return Lexicon({tag: tuple(claims) for tag, claims in rows.items()}, aliases, names, composition)


def _values(vocabulary: Vocabulary, path: Path) -> frozenset[str]:
    """The values that a table may use; "" speaks of the whole attribute."""
    if path.stem in GATES:
        return frozenset(GATES[path.stem])
    if path.stem not in vocabulary.attributes:
        raise ConfigError(f"{path}: {unknown_name('attribute', path.stem, [*vocabulary.attributes, *GATES])}")
    return frozenset({"", *vocabulary.attributes[path.stem].values})


def _claim(path: Path, line: int, cells: list[str], allowed: frozenset[str]) -> Claim:
    tag, value, strength, f1, stance, detail = cells
    try:
        claim = Claim(
            path.stem,
            value,
            float(strength),
            float(f1) if f1 else UNMEASURED,
            stance or "is",  # type: ignore[arg-type]  # checked below
            _in_words(tag) if detail == "=" else detail or None,
        )
    except ValueError as error:
        raise ConfigError(f"{path}, line {line}: {error}") from error
    if fault := _fault(claim, allowed):
        raise ConfigError(f"{path}, line {line}: {fault}")
    return claim


def _fault(claim: Claim, allowed: frozenset[str]) -> str | None:
    if claim.value not in allowed:
        return unknown_name("value", claim.value, sorted(allowed - {""}))
    if claim.stance not in _STANCES:
        return unknown_name("stance", claim.stance, _STANCES)
    if not claim.value and claim.stance == "is":
        return "a claim with the stance 'is' needs a value"
    if not _is_clear(claim.strength):
        return f"strength {claim.strength} is neither a hint {HINTS} nor a statement {STATEMENTS}"
    if not 0 <= claim.f1 <= 1:
        return f"f1 {claim.f1} is not between 0 and 1"
    return None


def _is_clear(strength: float) -> bool:
    return any(low <= strength <= high for low, high in (HINTS, STATEMENTS))


_STANCES: tuple[str, ...] = get_args(Stance)


def _aliases(path: Path, rows: Mapping[str, object]) -> Mapping[str, str]:
    aliases: dict[str, str] = {}
    for line, (alias, tag) in _lines(path, ["alias", "tag"]):
        if tag not in rows:
            raise ConfigError(f"{path}, line {line}: '{tag}' is in no table: give it a row, or remove the alias")
        aliases[alias] = tag
    return aliases


def _lines(path: Path, columns: list[str]) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(_text(path).splitlines())
    if (header := next(reader, [])) != columns:
        raise ConfigError(f"{path}, line 1: the columns are {','.join(header)}; they have to be {','.join(columns)}")
    for cells in reader:
        if len(cells) != len(columns):
            raise ConfigError(f"{path}, line {reader.line_num}: {len(cells)} cells, not {len(columns)}")
        yield reader.line_num, cells


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"the tag lexicon cannot be read: {path}: {error}") from error


def _check(folder: Path, vocabulary: Vocabulary, composition: Composition) -> None:
    path = folder / "tag_composition.toml"
    for worn in composition.worn.values():
        if not _is_clear(worn.strength):
            raise ConfigError(
                f"{path}: strength {worn.strength} is neither a hint {HINTS} nor a statement {STATEMENTS}"
            )
    for attribute, value in composition.claims():
        known = vocabulary.attributes.get(attribute)
        if known is None or value not in known.values:
            raise ConfigError(
                f"{folder / 'tag_composition.toml'}: no value '{value}' of '{attribute}' in the vocabulary"
            )
