"""The prompts that a dual encoder is asked with: data in prompts.toml, checked against the vocabulary."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from character_pipeline.config import order_views
from character_pipeline.data import PEOPLE, View
from character_pipeline.errors import ConfigError, unknown_name
from character_pipeline.vocabulary import Vocabulary

Ask = Literal["choice", "each"]
GATE_VALUES = {"people": tuple(value for value in PEOPLE if value != "unknown")}
"""The gates that a picture can be asked about, and their answers."""


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked about one attribute or gate.

    Attributes:
        attribute: its key in the vocabulary, or "people".
        ask: "choice": the values and `unsure` compete; "each": every value competes with its own `absent`.
        values: phrases by value.
        unsure: phrases of "cannot be told"; may be empty. For "choice".
        absent: phrase of "not there" by value. For "each".
        look: the views of a picture that it is told from, where a model does not say so itself.
    """

    attribute: str
    ask: Ask
    values: Mapping[str, tuple[str, ...]]
    unsure: tuple[str, ...] = ()
    absent: Mapping[str, tuple[str, ...]] | None = None
    look: tuple[View, ...] = ("whole",)


@dataclass(frozen=True, slots=True)
class PromptBook:
    """All questions by attribute, and the templates of each prompt set by its name."""

    questions: Mapping[str, Question]
    sets: Mapping[str, tuple[str, ...]]

    def templates(self, name: str) -> tuple[str, ...]:
        """The templates of a set. Raises ConfigError that names all sets."""
        if name not in self.sets:
            raise ConfigError(unknown_name("prompt set", name, self.sets))
        return self.sets[name]

    def sentences(self, phrases: Sequence[str], name: str) -> list[str]:
        """Every phrase in every template of a set; their mean embedding stands for what the phrases say."""
        return [template.replace("{}", phrase) for template in self.templates(name) for phrase in phrases]


def load_prompts(vocabulary: Vocabulary) -> PromptBook:
    """The prompts of a vocabulary's folder. Raises ConfigError naming the entry that is wrong."""
    path = vocabulary.folder / "prompts.toml"
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
        sets = {name: tuple(row["templates"]) for name, row in table.pop("sets").items()}
        questions = {key: _question(vocabulary, key, row) for key, row in table.items()}
    except (OSError, tomllib.TOMLDecodeError, KeyError, TypeError, AttributeError) as error:
        raise ConfigError(f"the prompts cannot be read: {path}: {type(error).__name__}: {error}") from error
    return PromptBook(questions, sets)


def _question(vocabulary: Vocabulary, key: str, row: Mapping[str, Any]) -> Question:
    allowed = GATE_VALUES.get(key) or vocabulary.attribute(key).values
    special: Mapping[str, Sequence[str]] = row.get("values", {})
    skip = set(row.get("skip", ()))
    if stray := ({*special} | skip) - set(allowed):
        raise ConfigError(f"prompts.toml: [{key}] {unknown_name('value', min(stray), allowed)}")
    asked = [value for value in allowed if value not in skip]
    phrase = str(row.get("phrase", "{}"))
    values = {v: tuple(special.get(v, (phrase.replace("{}", v.lower()),))) for v in asked}
    look = _look(key, row.get("look", ("whole",)))
    if row["ask"] == "choice":
        return Question(key, "choice", values, unsure=tuple(row["unsure"]), look=look)
    if row["ask"] == "each":
        absent = {v: (str(row["absent"]).replace("{}", v.lower()),) for v in asked}
        return Question(key, "each", values, absent=absent, look=look)
    raise ConfigError(f"prompts.toml: [{key}] {unknown_name('kind of question', str(row['ask']), ('choice', 'each'))}")


def _look(key: str, given: object) -> tuple[View, ...]:
    try:
        return order_views(given)
    except ValueError as error:
        raise ConfigError(f"prompts.toml: [{key}] look {error} (given: {given!r})") from error
