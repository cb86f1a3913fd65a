"""What a contender says of every item and attribute, and how good that is."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from character_pipeline.evaluation.contest.field import Field
from character_pipeline.evaluation.metrics import (
    NOTHING,
    Flags,
    Floats,
    Interval,
    Ints,
    bootstrap,
    calibration_error,
    counts,
    f1_of,
    ratio,
    share_of_sums,
)


@dataclass(frozen=True, eq=False)
class Verdicts:
    """What one contender says of N items.

    Attributes:
        chances: by attribute the probability of each value, (N, V).
        least: by attribute the probability from which a value is said, (N,).
        cost: milliseconds of each item, (N,).
    """

    name: str
    chances: Mapping[str, Floats]
    least: Mapping[str, Floats]
    cost: Floats

    def said(self, key: str, many: bool) -> Flags:
        """Whether each value is said, (N, V); of a choice, the most probable one alone."""
        chances, least = self.chances[key], self.least[key][:, None]
        enough = (chances >= least) & (chances > 0)
        if many or not chances.size:
            return np.asarray(enough)
        best = np.zeros_like(enough)
        best[np.arange(len(chances)), chances.argmax(axis=1)] = True
        return np.asarray(enough & best)


@dataclass(frozen=True)
class Mark:
    """How good a contender is at one attribute, or at all.

    Attributes:
        utility: the mean over the judged items: +1 right, less the price of a wrong answer, 0 for none.
        accuracy: right answers in shares of the items where a value is true (of a list: the F1 over all values).
        coverage: answers in shares of those items.
        calibration: the expected calibration error of the confidence of what is said.
    """

    judged: int
    utility: float
    accuracy: float
    coverage: float
    macro_f1: float
    calibration: float


def utilities(field: Field, verdicts: Verdicts) -> Floats:
    """The utility of every item and attribute, (N, A); 0 where it is not judged."""
    columns = []
    for attribute in field.attributes:
        key = attribute.key
        truth, said = field.truth[key], verdicts.said(key, attribute.many)
        right, wrong = (said & (truth == 1)).sum(axis=1), (said & (truth != 1)).sum(axis=1)
        worth = right - field.wrong * wrong
        if attribute.many:
            worth = np.clip(worth / np.maximum((truth == 1).sum(axis=1), 1), -field.wrong, 1.0)
        columns.append(np.where((truth[:, 0] >= 0) & field.asked[key], worth, 0.0))
    found: Floats = np.stack(columns, axis=1)
    return found


def judged(field: Field) -> Flags:
    """Which items count at which attribute, (N, A)."""
    columns = [(field.truth[key][:, 0] >= 0) & field.asked[key] for key in field.ballots]
    return np.stack(columns, axis=1)


def confidences(field: Field, verdicts: Verdicts, key: str, many: bool) -> tuple[Floats, Flags, Ints]:
    """Of all that is said at an attribute: how sure, whether it is right, and of which group; (answers,) each."""
    said = verdicts.said(key, many) & (field.truth[key] >= 0) & field.asked[key][:, None]
    groups = np.broadcast_to(field.gold.groups[:, None], said.shape)
    return verdicts.chances[key][said], (field.truth[key] == 1)[said], groups[said]


def mark(field: Field, verdicts: Verdicts) -> dict[str, Mark]:
    """By the label of the attribute, and "all"."""
    worth, counted = utilities(field, verdicts), judged(field)
    found = {}
    every: list[tuple[Floats, Flags]] = []
    for place, attribute in enumerate(field.attributes):
        rows = counted[:, place]
        sure, right, _ = confidences(field, verdicts, attribute.key, attribute.many)
        every.append((sure, right))
        accuracy, coverage, macro = _shares(field, verdicts, attribute.key, attribute.many)
        utility = ratio(worth[rows, place].sum(), int(rows.sum()))
        found[attribute.label] = Mark(
            int(rows.sum()), utility, accuracy, coverage, macro, calibration_error(sure, right)
        )
    sure, right = (np.concatenate(part) for part in zip(*every, strict=True))
    found["all"] = Mark(
        judged=int(counted.sum()),
        utility=ratio(worth.sum(), int(counted.sum())),
        accuracy=_mean(one.accuracy for one in found.values()),
        coverage=_mean(one.coverage for one in found.values()),
        macro_f1=_mean(one.macro_f1 for one in found.values()),
        calibration=calibration_error(sure, right),
    )
    return found


def _mean(numbers: Iterable[float]) -> float:
    """Over those that can be told."""
    told = [number for number in numbers if not np.isnan(number)]
    return ratio(sum(told), len(told))


def _shares(field: Field, verdicts: Verdicts, key: str, many: bool) -> tuple[float, float, float]:
    """Accuracy, coverage and macro F1 over the items where a value is true; of a list, F1, coverage and macro F1."""
    said, true = verdicts.said(key, many), field.truth[key] == 1
    rows = true.any(axis=1) & field.asked[key]
    if many:
        known = field.asked[key] & (field.truth[key][:, 0] >= 0)
        table = np.stack([part[known].sum(axis=0) for part in (true & said, ~true & said, true & ~said)])
        right, wrong, missed = (int(part) for part in table.sum(axis=1))
        macro = float(np.nanmean(f1_of(table)[(table[0] + table[2]) > 0])) if true.any() else float("nan")
        return ratio(2 * right, 2 * right + wrong + missed), ratio(int(said[rows].any(1).sum()), int(rows.sum())), macro
    answers = np.where(said.any(axis=1), said.argmax(axis=1), NOTHING)[rows].astype(np.int64)
    correct = true[rows].argmax(axis=1).astype(np.int64)
    table = counts(correct, answers, true.shape[1])
    macro = float(np.nanmean(f1_of(table)[(table[0] + table[2]) > 0])) if rows.any() else float("nan")
    return ratio(int((answers == correct).sum()), len(correct)), ratio(int((answers >= 0).sum()), len(correct)), macro


class Gap(NamedTuple):
    """How far two contenders are apart: the mean, its 95 % interval, and the two-sided chance of as much by chance."""

    mean: float
    interval: Interval
    chance: float


def difference(field: Field, one: Verdicts, other: Verdicts, price: float = 0.0) -> Gap:
    """How much more utility an attribute the one has, net of cost; paired, by resampling characters."""
    apart = (utilities(field, one) - utilities(field, other)).sum(axis=1) - price * (one.cost - other.cost)
    count = judged(field).sum(axis=1)
    interval = bootstrap(np.stack([apart, count], axis=1), field.gold.groups, share_of_sums)
    return Gap(ratio(float(apart.sum()), float(count.sum())), interval, _chance(apart, field.gold.groups))


def _chance(apart: Floats, groups: Ints) -> float:
    """Of the sum over characters, by the normal approximation."""
    sums = np.bincount(np.unique(groups, return_inverse=True)[1], apart)
    spread = float(np.sqrt((sums**2).sum()))
    return math.erfc(abs(float(sums.sum())) / spread / math.sqrt(2)) if spread else 1.0
