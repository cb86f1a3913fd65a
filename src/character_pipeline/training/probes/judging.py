"""Probes against prompts, on pictures whose tags were hidden from both."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Protocol

import numpy as np

from character_pipeline.data import Evidence, Item
from character_pipeline.evaluation.metrics import (
    NOTHING,
    Flags,
    Floats,
    Interval,
    Ints,
    accuracy,
    balanced_accuracy,
    bootstrap,
    calibration_error,
    coverage,
)
from character_pipeline.training.probes.tagged import UNLABELLED
from character_pipeline.vocabulary import Attribute

LIKELY = 0.5
"""From here on a claim is taken for more likely right than wrong."""


class Claimant(Protocol):
    """What looks at pictures, with a threshold of 0."""

    def process(self, batch: Sequence[Item]) -> list[tuple[Evidence, ...]]: ...


@dataclass(frozen=True, slots=True)
class Marks:
    """How good one of the two is.

    Attributes:
        accuracy: the share of pictures of which the value with the best score is the true one; of lists, of values
            that are rightly claimed, or not claimed, with a score of LIKELY.
        balanced: the same, all values weighing alike.
        coverage: the share of pictures with a claim of LIKELY or more.
        calibration: the expected calibration error of the scores.
    """

    accuracy: float
    balanced: float
    coverage: float
    calibration: float


@dataclass(frozen=True, slots=True)
class Verdict:
    """The comparison for one attribute.

    Attributes:
        gain: how much more accurate probes are (of lists: balanced); `interval`: 95 %, paired, by character.
        kept: whether its lower end is above zero.
    """

    attribute: str
    label: str
    items: int
    prompts: Marks
    probes: Marks
    gain: float
    interval: Interval

    @property
    def kept(self) -> bool:
        return self.interval[0] > 0

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def scores_of(claimant: Claimant, items: Sequence[Item], attributes: Iterable[Attribute]) -> dict[str, Floats]:
    """The score of each value of each attribute, (N, V); 0 where it is not claimed."""
    known = {attribute.key: attribute for attribute in attributes}
    found = {key: np.zeros((len(items), len(attribute.values))) for key, attribute in known.items()}
    for row, evidence in enumerate(claimant.process(items)):
        for claim in evidence:
            if claim.attribute in known and claim.value in known[claim.attribute].order:
                found[claim.attribute][row, known[claim.attribute].order[claim.value]] = claim.score
    return found


def judge(attribute: Attribute, labels: Ints, scores: Mapping[str, Floats], groups: Ints) -> Verdict | None:
    """Compare the scores of "prompts" and "probes"; None where no picture has a label.

    Args:
        labels: see `Tagged`; of a list, those of values that are not to be judged are UNLABELLED.
    """
    if attribute.many:
        return _judge_each(attribute, labels, scores, groups)
    rows = (labels != UNLABELLED) & (labels < len(attribute.values))
    if not rows.any():
        return None
    true = labels[rows]
    said = {name: _best(found[rows]) for name, found in scores.items()}
    right = {name: (found == true).astype(np.float64) for name, found in said.items()}
    marks = {name: _mark_one(true, said[name], scores[name][rows].max(axis=1), len(attribute.values)) for name in said}
    gaps = right["probes"] - right["prompts"]
    interval = bootstrap(np.stack([gaps, np.ones(len(gaps))], axis=1), groups[rows], _mean_of_sums)
    return Verdict(
        attribute.key, attribute.label, len(true), marks["prompts"], marks["probes"], float(gaps.mean()), interval
    )


def _mean_of_sums(sums: Floats) -> Floats:
    found: Floats = sums[:, 0] / sums[:, 1]
    return found


def _best(scores: Floats) -> Ints:
    """The value with the best score; NOTHING where none is claimed."""
    found: Ints = np.where(scores.max(axis=1) > 0, scores.argmax(axis=1), NOTHING)
    return found


def _mark_one(true: Ints, said: Ints, confidence: Floats, values: int) -> Marks:
    given = said != NOTHING
    calibration = calibration_error(confidence[given], (said == true)[given])
    likely = np.where(confidence >= LIKELY, said, NOTHING)
    return Marks(accuracy(true, said), balanced_accuracy(true, said, values), coverage(likely), calibration)


def _judge_each(attribute: Attribute, labels: Ints, scores: Mapping[str, Floats], groups: Ints) -> Verdict | None:
    known = labels != UNLABELLED
    rows = known.any(axis=1)
    both = [((labels == one) & known).any(axis=0) for one in (0, 1)]
    judged = both[0] & both[1]
    if not judged.any():
        return None
    true, told, which = labels[rows][:, judged], known[rows][:, judged], groups[rows]
    found = {name: one[rows][:, judged] for name, one in scores.items()}
    table = np.concatenate([_counts(true, told, found[name] >= LIKELY) for name in ("prompts", "probes")], axis=1)
    marks = {name: _mark_each(true, told, one) for name, one in found.items()}
    gain = float(_gap_of_sums(table.sum(axis=0)[None])[0])
    interval = bootstrap(table, which, _gap_of_sums)
    return Verdict(attribute.key, attribute.label, int(rows.sum()), marks["prompts"], marks["probes"], gain, interval)


def _counts(true: Ints, told: Flags, said: Flags) -> Floats:
    """For each item and value: rightly claimed, true, rightly not claimed, not true; shape (N, 4 V)."""
    there, absent = told & (true == 1), told & (true == 0)
    return np.concatenate([there & said, there, absent & ~said, absent], axis=1).astype(np.float64)


def _balanced_of_sums(sums: Floats) -> Floats:
    """The mean balanced accuracy over values; one of which a resample has none, or nothing else, is left out."""
    hits, there, passes, absent = np.split(sums, 4, axis=1)
    whole = (there > 0) & (absent > 0)
    each = np.where(whole, (hits / np.maximum(there, 1) + passes / np.maximum(absent, 1)) / 2, 0.0)
    found: Floats = each.sum(axis=1) / np.where(whole.any(axis=1), whole.sum(axis=1), np.nan)
    return found


def _gap_of_sums(sums: Floats) -> Floats:
    prompts, probes = np.split(sums, 2, axis=1)
    return _balanced_of_sums(probes) - _balanced_of_sums(prompts)


def _mark_each(true: Ints, told: Flags, scores: Floats) -> Marks:
    said = scores >= LIKELY
    table = _counts(true, told, said)
    return Marks(
        accuracy=float((said == true)[told].mean()),
        balanced=float(_balanced_of_sums(table.sum(axis=0)[None])[0]),
        coverage=float((said & told).any(axis=1).mean()),
        calibration=calibration_error(scores[told], true[told] == 1),
    )
