"""From truth to training targets: one class a question, or unlabelled."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from character_pipeline.sample.truth import FACE_THINGS, HEAD_THINGS
from character_pipeline.training.corpus import HEAD
from character_pipeline.vocabulary import Vocabulary
from character_pipeline.vocabulary.prompts import PromptBook, Question

UNLABELLED = -1
BALD = "Bald"
HAIR = ("hair_color", "hair_length")
ANY: frozenset[str] = frozenset()
ON_HEADS: Mapping[str, frozenset[str]] = {
    # what can be judged where only a head is shown; `ANY`: all values
    "hair_color": ANY, "eye_color": ANY, "facial_expression": ANY, "facial_hair": ANY, "age": ANY, "gender": ANY,
    "skin_tone": ANY,
    "accessories": FACE_THINGS | HEAD_THINGS | {"Earrings"},
    "features": frozenset({"Animal Ears", "Pointy Ears", "Horns", "Halo", "Fangs"}),
}  # fmt: skip
COUNTED = ("facial_hair",)
"""Lists of which some sources only say whether they are empty."""
FINE = ("eye_color", "facial_expression")
SMALL_HEAD = 0.3
"""Of the picture; where the head is smaller, nobody sees what is `FINE`."""

Classes = NDArray[np.int64]


@dataclass(frozen=True)
class Targets:
    """What is true of N pictures.

    Attributes:
        choice: by attribute, the place of the value among the question's values, (N,); one past the last where none
            of them can be told; -1 where it is not labelled.
        each: by attribute, for each of the question's values 1, 0 or -1 for unlabelled, (N, values).
        some: by attribute, whether any value at all is true, (N,).
    """

    choice: dict[str, Classes]
    each: dict[str, Classes]
    some: dict[str, Classes]

    def take(self, rows: Classes) -> Self:
        parts = ({key: whole[rows] for key, whole in part.items()} for part in (self.choice, self.each, self.some))
        return type(self)(*parts)

    @classmethod
    def join(cls, parts: Sequence[Self]) -> Self:
        kinds = ([part.choice for part in parts], [part.each for part in parts], [part.some for part in parts])
        return cls(*({key: np.concatenate([one[key] for one in kind]) for key in kind[0]} for kind in kinds))


def make_targets(vocabulary: Vocabulary, book: PromptBook, lines: Sequence[Mapping[str, Any]]) -> Targets:
    """Targets of truth lines.

    A line has `attributes` by label, and `people`. Where it has `labelled` (label -> the values that its labeller
    knew), nothing is concluded from what the line does not say of other labels and values. Of a line whose "view" is
    a head, only what heads show is labelled.
    """
    choice, each, some = {}, {}, {}
    for key, question in book.questions.items():
        if question.ask == "choice":
            choice[key] = np.array([_choice(vocabulary, question, line) for line in lines], dtype=np.int64)
        else:
            each[key] = np.array([_each(vocabulary, question, line) for line in lines], dtype=np.int64)
            some[key] = np.array([_some(vocabulary, key, line) for line in lines], dtype=np.int64)
    return Targets(choice, each, some)


def _choice(vocabulary: Vocabulary, question: Question, line: Mapping[str, Any]) -> int:
    values = list(question.values)
    if not _shown(question.attribute, line):
        return UNLABELLED
    if question.attribute == "people":
        return values.index(line["people"]) if line["people"] in values else UNLABELLED
    if line["people"] != "single":
        return UNLABELLED
    given = line["attributes"].get(vocabulary.attributes[question.attribute].label)
    if given is not None:
        return values.index(given) if given in values else UNLABELLED
    bald = question.attribute in HAIR and BALD in _listed(line["attributes"].get("Hair Style"))
    unsure = bald or "labelled" not in line
    return len(values) if unsure and question.unsure else UNLABELLED


def _shown(key: str, line: Mapping[str, Any]) -> bool:
    """Whether the picture shows what the attribute is about."""
    if line.get("view") == HEAD:
        return key in ON_HEADS
    square = line.get("square")
    return key not in FINE or square is None or square[2] >= SMALL_HEAD


def _each(vocabulary: Vocabulary, question: Question, line: Mapping[str, Any]) -> list[int]:
    attribute = vocabulary.attributes[question.attribute]
    given = line["attributes"].get(attribute.label)
    if line["people"] != "single" or given is True or not _shown(question.attribute, line):
        return [UNLABELLED] * len(question.values)
    if given is False:
        return [0] * len(question.values)
    stated = set(_listed(given))
    true = stated | {other for value in stated for other in attribute.refines.get(value, ())}
    known = set(question.values) if "labelled" not in line else set(line["labelled"].get(attribute.label, ()))
    if line.get("view") == HEAD:
        known &= ON_HEADS[question.attribute] or known
    return [int(value in true) if value in known else UNLABELLED for value in question.values]


def _some(vocabulary: Vocabulary, key: str, line: Mapping[str, Any]) -> int:
    label = vocabulary.attributes[key].label
    given = line["attributes"].get(label)
    if isinstance(given, bool):
        return int(given)
    known = "labelled" not in line or label in line["labelled"]
    return (
        int(bool(given))
        if known and line["people"] == "single" and _shown(key, line) and key in COUNTED
        else UNLABELLED
    )


def _listed(given: Any) -> Iterable[str]:
    if given is None or isinstance(given, bool):
        return ()
    return given if isinstance(given, list) else (given,)


def labelled_values(lines: Iterable[Mapping[str, Any]], label: str) -> list[str]:
    """All values of a label that occur in lines of one labeller: what it could have said, had it been true."""
    return sorted({value for line in lines for value in _listed(line["attributes"].get(label))})
