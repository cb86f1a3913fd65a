"""What the reader knows while it walks through a sentence."""

from __future__ import annotations

from dataclasses import dataclass, field

from character_pipeline.vocabulary.phrases import Claim, Person


@dataclass(slots=True)
class Pending:
    """An adjective that waits for its noun. `joined` is the word or sign before it, within one noun phrase."""

    claims: tuple[Claim, ...]
    start: int
    end: int
    joined: str = ""
    negated: bool = False
    blocked: bool = False
    loose: bool = False
    compared: bool = False
    firm: bool = False
    """A form that cannot stand before a noun: "smiles"."""
    trails: bool = False
    """A phrase that stands after its noun: "to her waist"."""


@dataclass(slots=True)
class NounPhrase:
    """The noun phrase that is being read: article or possessive, adjectives, whether an unknown word stands in it."""

    det: str = ""
    other: bool = False
    unknown: bool = False
    tail: int = 0
    joined: str = ""
    mods: list[Pending] = field(default_factory=list)
    start: int = -1
    person: Person | None = None


@dataclass(slots=True)
class Clause:
    """Of whom the clause speaks, and what its verb or preposition makes of the nouns that follow."""

    mine: bool = True
    mode: str = ""
    place: str = ""
    subject: str = "person"
    fresh: bool = False
    focus: str = ""
    focus_mine: bool = True
    focus_single: bool = False
    focus_start: int = 0
    after_of: bool = False
    foreign: bool = False
    label: bool = False
    carried: bool = False
    """The last part was named in passing: in "a man with long hair is smiling" the man is the subject."""


@dataclass(slots=True)
class Cast:
    """The people of the whole text: the character, and who else is there."""

    main: Person | None = None
    plural: bool = False
    span: tuple[int, int] = (0, 0)
    others: int = 0
    far: int = 0
    nobody: tuple[int, int] | None = None
    group: tuple[int, int] | None = None
    detail: str = ""
    pronouns: dict[str, tuple[int, int]] = field(default_factory=dict)
