"""Scores of each attribute and each kind of source against the truth."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from character_pipeline.data import PEOPLE, AttributeValue
from character_pipeline.evaluation import metrics
from character_pipeline.evaluation.metrics import NOTHING, Flags, Floats, Interval, Ints
from character_pipeline.evaluation.sources import SOURCES, Answers
from character_pipeline.evaluation.truth import true_values
from character_pipeline.vocabulary import Attribute, Vocabulary


@dataclass(frozen=True, slots=True)
class Score:
    """How good one source is at an attribute that has one value, over the items where one value is true and visible.

    Attributes:
        interval: 95 %, of the accuracy.
        selective: the accuracy among the answers given.
        calibration: the expected calibration error of the confidence of the answers given.
        unfounded: answers where no value is true or visible; they are in none of the other numbers.
    """

    label: str
    source: str
    items: int
    accuracy: float
    interval: Interval
    coverage: float
    selective: float
    macro_f1: float
    balanced: float
    calibration: float
    unfounded: int


@dataclass(frozen=True, slots=True)
class ListScore:
    """How good one source is at an attribute with many values, value by value; the interval (95 %) is of F1."""

    label: str
    source: str
    items: int
    true: int
    precision: float
    recall: float
    f1: float
    interval: Interval
    macro_f1: float


@dataclass(frozen=True, slots=True)
class Scores:
    """All scores; `people` counts the items by source, true and said."""

    items: int
    single: tuple[Score, ...]
    many: tuple[ListScore, ...]
    people: Mapping[str, Mapping[str, Mapping[str, int]]]


def score(answers: Iterable[Answers], vocabulary: Vocabulary) -> Scores:
    """Score what the sources say, each beside the baseline "majority": always the most frequent true value."""
    given = list(answers)
    groups = _groups(given)
    attributes = vocabulary.attributes.values()
    single = [s for a in attributes if not a.many for s in _score_single(given, a, groups)]
    many = [s for a in attributes if a.many for s in _score_many(given, a, groups)]
    return Scores(len(given), tuple(single), tuple(many), _confusion(given))


def _groups(answers: Sequence[Answers]) -> Ints:
    """A number for each character; an item whose truth names none is a group of its own."""
    names = [str(a.truth.get("character") or f"\0{number}") for number, a in enumerate(answers)]
    return np.unique(names, return_inverse=True)[1].astype(np.int64) if names else np.zeros(0, dtype=np.int64)


def _confusion(answers: Sequence[Answers]) -> dict[str, dict[str, dict[str, int]]]:
    judged = [a for a in answers if "people" in a.truth]
    met = Counter((source, a.truth["people"], a.people[source]) for a in judged for source in SOURCES)
    true = [value for value in PEOPLE if any(a.truth["people"] == value for a in judged)]
    return {s: {t: {said: met[s, t, said] for said in PEOPLE} for t in true} for s in SOURCES}


@dataclass(frozen=True, slots=True)
class _Told:
    """What one source says on one attribute: a number for the value, its confidence."""

    said: Ints
    confidence: Floats


def _told(answers: Sequence[Answers], label: str, source: str, order: Mapping[str, int]) -> _Told:
    decided = [a.attributes[source][label] for a in answers]
    said = [order.get(d.value, NOTHING) if d.state == "known" and d.value else NOTHING for d in decided]
    return _Told(np.array(said, dtype=np.int64), np.array([d.confidence for d in decided], dtype=np.float64))


def _score_single(answers: Sequence[Answers], attribute: Attribute, groups: Ints) -> Iterator[Score]:
    known = [(a, true_values(a.truth, attribute.label)) for a in answers]
    true = np.array([_one(values, attribute.order) for _, values in known], dtype=np.int64)
    judged = true != NOTHING
    silent = np.array([values is not None and not values for _, values in known], dtype=np.bool_)
    if not judged.any():
        return
    for source in SOURCES:
        told = _told(answers, attribute.label, source, attribute.order)
        unfounded = int((told.said[silent] != NOTHING).sum())
        yield _single(attribute, source, true[judged], _Told(told.said[judged], told.confidence[judged]),
                      groups[judged], unfounded)  # fmt: skip
    most = int(np.bincount(true[judged]).argmax())
    always = np.full(int(judged.sum()), most)
    share = metrics.majority_accuracy(true[judged])
    yield _single(attribute, "majority", true[judged], _Told(always, np.full(len(always), share)), groups[judged], 0)


def _single(attribute: Attribute, source: str, true: Ints, told: _Told, groups: Ints, unfounded: int) -> Score:
    right: Flags = true == told.said
    given = told.said != NOTHING
    n = len(attribute.values)
    return Score(
        label=attribute.label,
        source=source,
        items=len(true),
        accuracy=metrics.accuracy(true, told.said),
        interval=metrics.share_interval(right, groups),
        coverage=metrics.coverage(told.said),
        selective=metrics.selective_accuracy(true, told.said),
        macro_f1=metrics.macro_f1(true, told.said, n),
        balanced=metrics.balanced_accuracy(true, told.said, n),
        calibration=metrics.calibration_error(told.confidence[given], right[given]),
        unfounded=unfounded,
    )


def _one(values: set[str] | None, order: Mapping[str, int]) -> int:
    return order.get(next(iter(values)), NOTHING) if values is not None and len(values) == 1 else NOTHING


def _score_many(answers: Sequence[Answers], attribute: Attribute, groups: Ints) -> Iterator[ListScore]:
    judged = [(place, values) for place, a in enumerate(answers)
              if (values := true_values(a.truth, attribute.label)) is not None]  # fmt: skip
    if not any(values for _, values in judged):
        return
    true = _flags([values for _, values in judged], attribute)
    own = groups[[place for place, _ in judged]]
    for source in SOURCES:
        decided = [answers[place].attributes[source][attribute.label] for place, _ in judged]
        yield _many(attribute, source, true, _flags([_values(d) for d in decided], attribute), own)


def _values(decided: AttributeValue) -> set[str]:
    return set(decided.values) if decided.state == "known" else set()


def _flags(sets: Sequence[set[str]], attribute: Attribute) -> Flags:
    flags = np.zeros((len(sets), len(attribute.values)), dtype=np.bool_)
    for row, values in enumerate(sets):
        flags[row, [attribute.order[value] for value in values if value in attribute.order]] = True
    return flags


def _many(attribute: Attribute, source: str, true: Flags, said: Flags, groups: Ints) -> ListScore:
    by_item: Any = np.stack([true & said, ~true & said, true & ~said], axis=1)
    by_value = by_item.sum(axis=0)
    right, wrong, missed = (int(part) for part in by_value.sum(axis=1))
    present = true.any(axis=0)
    return ListScore(
        label=attribute.label,
        source=source,
        items=len(true),
        true=right + missed,
        precision=metrics.ratio(right, right + wrong),
        recall=metrics.ratio(right, right + missed),
        f1=metrics.ratio(2 * right, 2 * right + wrong + missed),
        interval=metrics.bootstrap(by_item.sum(axis=2), groups, metrics.f1_of_sums),
        macro_f1=float(metrics.f1_of(by_value)[present].mean()) if present.any() else float("nan"),
    )
