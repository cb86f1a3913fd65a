"""Numbers that say how good answers are. Pure functions over arrays; whole numbers stand for values, -1 for none.

Where an array has one entry an answer, its shape is (items,). What cannot be told (no items) is NaN.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Interval = tuple[float, float]

NOTHING = -1
UNKNOWN: Interval = (math.nan, math.nan)
RESAMPLES = 1_000


def ratio(part: float, whole: float) -> float:
    return float(part) / float(whole) if whole else math.nan


def accuracy(true: Ints, said: Ints) -> float:
    """The share of answers that are right; no answer is not right."""
    return ratio(int((true == said).sum()), len(true))


def coverage(said: Ints) -> float:
    """The share of items that got an answer."""
    return ratio(int((said != NOTHING).sum()), len(said))


def selective_accuracy(true: Ints, said: Ints) -> float:
    """The share of the given answers that are right."""
    given = said != NOTHING
    return accuracy(true[given], said[given])


def counts(true: Ints, said: Ints, values: int) -> Ints:
    """For each value: rightly said, wrongly said, not said though true. Shape (3, values)."""
    right = np.bincount(true[(true == said) & (true >= 0)], minlength=values)
    all_said = np.bincount(said[said >= 0], minlength=values)
    all_true = np.bincount(true[true >= 0], minlength=values)
    return np.stack([right, all_said - right, all_true - right])


def f1_of(table: NDArray[Any]) -> Floats:
    """F1 of each value from its counts, shape (..., 3, values) to (..., values); NaN for a value never met or said."""
    right, wrong, missed = (table[..., row, :].astype(np.float64) for row in range(3))
    whole = 2 * right + wrong + missed
    shares: Floats = np.divide(2 * right, whole, out=np.full_like(whole, np.nan), where=whole > 0)
    return shares


def macro_f1(true: Ints, said: Ints, values: int) -> float:
    """The mean F1 over the values that are true of at least one item: rare ones count as much as frequent ones."""
    table = counts(true, said, values)
    present = (table[0] + table[2]) > 0
    return float(f1_of(table)[present].mean()) if present.any() else math.nan


def balanced_accuracy(true: Ints, said: Ints, values: int) -> float:
    """The mean over the values of the share of their items that are right."""
    right, _, missed = counts(true, said, values)
    present = (right + missed) > 0
    return float((right[present] / (right + missed)[present]).mean()) if present.any() else math.nan


def majority_accuracy(true: Ints) -> float:
    """What one gets who always gives the most frequent value."""
    return ratio(int(np.bincount(true[true >= 0]).max(initial=0)), len(true))


def bins_of(confidence: Floats, bins: int = 15) -> Ints:
    """The bin of each answer, counted from the least sure; shape (answers,).

    The bins hold equally many answers each (Nixon et al., 2019), so that no bin is judged by a few; answers of the same
    confidence are kept together.
    """
    _, place, size = np.unique(confidence, return_inverse=True, return_counts=True)
    # A level of confidence belongs to the bin in which its middle answer falls.
    middle = np.cumsum(size) - (size + 1) / 2
    found: Ints = (middle * min(bins, len(confidence)) / max(1, len(confidence))).astype(np.int64)[place]
    return found


def calibration_error(confidence: Floats, right: Flags, bins: int = 15) -> float:
    """The expected calibration error: the mean distance of confidence from the share that is right, in bins."""
    if not len(confidence):
        return math.nan
    # In one order, so that the last bits of the sums do not depend on that of the answers.
    order = np.lexsort((right, confidence))
    gap = np.bincount(bins_of(confidence[order], bins), confidence[order] - right[order])
    return float(np.abs(gap).sum() / len(order))


def wilson(successes: int, trials: int, z: float = 1.96) -> Interval:
    """The 95 % score interval of a proportion (Wilson, 1927)."""
    if not trials:
        return UNKNOWN
    share = successes / trials
    middle = (share + z * z / (2 * trials)) / (1 + z * z / trials)
    reach = z / (1 + z * z / trials) * math.sqrt(share * (1 - share) / trials + z * z / (4 * trials * trials))
    return max(middle - reach, 0.0), min(middle + reach, 1.0)


def bootstrap(
    table: NDArray[Any],
    groups: Ints,
    statistic: Callable[[Floats], Floats],
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Interval:
    """The 95 % percentile interval of a statistic of column sums, from resampling whole groups of items.

    Args:
        table: one row an item, shape (items, columns).
        groups: the group of each item, such as the person in the picture; shape (items,).
        statistic: from sums, shape (resamples, columns), to shape (resamples,); NaN where it cannot be told.
    """
    if not len(table):
        return UNKNOWN
    _, place = np.unique(groups, return_inverse=True)
    sums = np.stack([np.bincount(place, column) for column in table.astype(np.float64).T], axis=1)
    n = len(sums)
    rng = np.random.default_rng(seed)
    drawn = [rng.multinomial(n, np.full(n, 1 / n)) @ sums for _ in range(resamples)]
    found = statistic(np.array(drawn))
    found = found[~np.isnan(found)]
    if not len(found):
        return UNKNOWN
    low, high = np.percentile(found, [2.5, 97.5])
    return float(low), float(high)


def share_of_sums(sums: Floats) -> Floats:
    """The first column in shares of the second: a statistic for `bootstrap`."""
    shares: Floats = np.divide(sums[:, 0], sums[:, 1], out=np.full(len(sums), np.nan), where=sums[:, 1] > 0)
    return shares


def f1_of_sums(sums: Floats) -> Floats:
    """F1 from the columns rightly said, wrongly said, not said: a statistic for `bootstrap`."""
    found: Floats = f1_of(sums[:, :, None])[:, 0]
    return found


def share_interval(hits: Flags, groups: Ints | None) -> Interval:
    """The 95 % interval of the share of hits: by resampling groups where some hold several items, else by Wilson."""
    if groups is None or len(np.unique(groups)) == len(groups):
        return wilson(int(hits.sum()), len(hits))
    return bootstrap(np.stack([hits, np.ones(len(hits))], axis=1), groups, share_of_sums)
