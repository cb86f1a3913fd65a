"""How far confidence can be relied on: proper scores, calibration with its interval, and what abstaining buys.

What cannot be told (no answers) is NaN.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from character_pipeline.evaluation.metrics import (
    UNKNOWN,
    Flags,
    Floats,
    Interval,
    Ints,
    bins_of,
    bootstrap,
    calibration_error,
    wilson,
)

BINS = 15
SUREST = 1e-4
"""The log loss takes no probability to be nearer to 0 or 1: one mistake must not outweigh all else."""
ALL = "all"


class Said(NamedTuple):
    """Said values: how sure each is, whether it is right, and the group (the character) that it is of; (answers,)."""

    sure: Floats
    right: Flags
    groups: Ints


def join(parts: Iterable[Said]) -> Said:
    """All answers of some parts."""
    some = list(parts) or [Said(np.zeros(0), np.zeros(0, dtype=np.bool_), np.zeros(0, dtype=np.int64))]
    return Said(*(np.concatenate(column) for column in zip(*some, strict=True)))


def brier(said: Said) -> float:
    """The mean squared distance of confidence from the truth (Brier, 1950)."""
    return float(np.mean((said.sure - said.right) ** 2)) if len(said.sure) else math.nan


def log_loss(said: Said) -> float:
    """The mean of minus the logarithm of the probability that was given to what is true."""
    if not len(said.sure):
        return math.nan
    given = np.where(said.right, said.sure, 1 - said.sure)
    return float(-np.log(np.clip(given, SUREST, 1 - SUREST)).mean())


def calibration_interval(said: Said, bins: int = BINS) -> Interval:
    """The 95 % interval of the expected calibration error, from resampling groups in the bins of all answers.

    Chance widens the gaps of bins, in each resample once more: so the interval is reflected at the error (Davison and
    Hinkley, 1997), which takes that out. Where little is wrong with the confidence it lies below the error itself.
    """
    if not len(said.sure):
        return UNKNOWN
    which = bins_of(said.sure, bins)
    table = np.zeros((len(which), which.max() + 2))
    table[np.arange(len(which)), which] = said.sure - said.right
    table[:, -1] = 1
    low, high = bootstrap(table, said.groups, _error_of_sums)
    error = float(_error_of_sums(table.sum(axis=0)[None])[0])
    return max(0.0, 2 * error - high), max(0.0, 2 * error - low)


def _error_of_sums(sums: Floats) -> Floats:
    found: Floats = np.abs(sums[:, :-1]).sum(axis=1) / sums[:, -1]
    return found


class Bin(NamedTuple):
    """Answers of about the same confidence: between which bounds it lies, how sure they are on average, how many are
    right of how many, and the 95 % interval of that share (Wilson)."""

    low: float
    high: float
    sure: float
    right: int
    answers: int
    interval: Interval


def diagram(said: Said, bins: int = BINS) -> tuple[Bin, ...]:
    """The reliability diagram: bins of about equally many answers, from the least sure."""
    which = bins_of(said.sure, bins)
    return tuple(_bin(said.sure[which == one], said.right[which == one]) for one in np.unique(which))


def _bin(sure: Floats, right: Flags) -> Bin:
    hits = int(right.sum())
    return Bin(float(sure.min()), float(sure.max()), float(sure.mean()), hits, len(sure), wilson(hits, len(sure)))


class Curve(NamedTuple):
    """What is lost by answering more: at each level of confidence, from the surest, the share of answers that are as
    sure (of `asked`), and the share of those that is wrong."""

    coverage: Floats
    risk: Floats


def risk_coverage(said: Said, asked: int | None = None) -> Curve:
    """The risk-coverage curve (El-Yaniv and Wiener, 2010); answers of one confidence are given or withheld together.

    Args:
        asked: how many answers could have been given; by default as many as were.
    """
    levels, place = np.unique(-said.sure, return_inverse=True)
    count = np.cumsum(np.bincount(place, minlength=len(levels)))
    wrong = np.cumsum(np.bincount(place, ~said.right, minlength=len(levels)))
    return Curve(count / max(1, len(said.sure) if asked is None else asked), wrong / np.maximum(count, 1))


def risk_area(said: Said) -> float:
    """The area under the risk-coverage curve over the given answers (Geifman et al., 2019): the lower, the better
    confidence tells right from wrong, and the more is right at all."""
    if not len(said.sure):
        return math.nan
    coverage, risk = risk_coverage(said)
    return float((np.diff(coverage, prepend=0.0) * risk).sum())


@dataclass(frozen=True, slots=True)
class Reliability:
    """How far some answers can be relied on.

    Attributes:
        calibration: the expected calibration error.
        interval: 95 % of that.
        area: under the risk-coverage curve.
    """

    answers: int
    right: float
    log_loss: float
    brier: float
    calibration: float
    interval: Interval
    area: float


def reliability(said: Said) -> Reliability:
    """All numbers of some answers."""
    return Reliability(
        answers=len(said.sure),
        right=float(said.right.mean()) if len(said.right) else math.nan,
        log_loss=log_loss(said),
        brier=brier(said),
        calibration=calibration_error(said.sure, said.right, BINS),
        interval=calibration_interval(said),
        area=risk_area(said),
    )


def reliabilities(parts: Mapping[str, Said]) -> dict[str, Reliability]:
    """By part, such as the label of an attribute, and of all together as "all"."""
    return {name: reliability(said) for name, said in {**parts, ALL: join(parts.values())}.items()}
