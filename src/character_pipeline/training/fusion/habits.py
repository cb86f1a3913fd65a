"""How frequent values are, what sources leave unsaid, and how much of each counts."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from character_pipeline.attribute_fusion.ballots import Ballot
from character_pipeline.attribute_fusion.bayesian import Habits

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

SHARES = (0.0, 0.1, 0.25, 0.4, 0.55, 0.7, 0.85, 1.0)
"""Weights that a source may have."""
ROUNDS = 3
DIGITS = 6


def fit_habits(ballot: Ballot, truth: Ints) -> Habits:
    """From calibrated scores.

    Args:
        truth: of a choice the place of the true value, or the number of values for none, shape (n,); of a list 1 or 0
            for each value, shape (n, V).
    """
    many = ballot.attribute.many
    habits = _each(ballot, truth) if many else _one(ballot, truth)
    weight = np.ones(len(ballot.sources))
    for _ in range(ROUNDS):
        for place in range(len(weight)):
            tried = [np.where(np.arange(len(weight)) == place, share, weight) for share in SHARES]
            weight = min(tried, key=lambda one: _loss(habits.posterior(ballot, one), truth, many))
    return Habits(habits.sources, habits.prior, habits.silent, habits.mute, weight)


def _one(ballot: Ballot, truth: Ints) -> Habits:
    values = len(ballot.attribute.values)
    counts = np.bincount(truth, minlength=values + 1) + 1.0
    silent = []
    for place in range(len(ballot.sources)):
        heard = ballot.heard[:, place]
        quiet = heard & ~ballot.scores[:, place].any(axis=1)
        overall = (quiet.sum() + 1) / (heard.sum() + 2)
        # A rare value is taken to be left unsaid as often as any.
        silent.append(_share(truth[quiet], truth[heard], values + 1, float(overall)))
    return Habits(ballot.sources, _rounded(counts / counts.sum()), _rounded(np.stack(silent)), np.zeros((0, 0)),
                  np.ones(len(ballot.sources)))  # fmt: skip


def _share(part: Ints, whole: Ints, values: int, usual: float, strength: float = 4.0) -> Floats:
    some, every = (np.bincount(rows, minlength=values).astype(np.float64) for rows in (part, whole))
    found: Floats = (some + strength * usual) / (every + strength)
    return found


def _each(ballot: Ballot, truth: Ints) -> Habits:
    prior = (truth.sum(axis=0) + 0.5) / (len(truth) + 1)
    silent: list[Floats] = []
    mute: list[Floats] = []
    for place in range(len(ballot.sources)):
        heard = ballot.heard[:, place, None]
        quiet = heard & (ballot.scores[:, place] <= 0)
        for state, found in ((1, silent), (0, mute)):
            there = heard & (truth == state)
            usual = (quiet & there).sum() + 1
            share = usual / (there.sum() + 2)
            found.append(((quiet & there).sum(axis=0) + 4 * share) / (there.sum(axis=0) + 4))
    last = np.full((len(silent), 1), 0.5)
    return Habits(ballot.sources, _rounded(np.append(prior, 0.5)),
                  _rounded(np.concatenate([np.stack(silent), last], axis=1)), _rounded(np.stack(mute)),
                  np.ones(len(ballot.sources)))  # fmt: skip


def _rounded(shares: Floats) -> Floats:
    found: Floats = np.clip(shares, 10.0**-DIGITS, 1 - 10.0**-DIGITS).round(DIGITS)
    return found


def _loss(chances: Floats, truth: Ints, many: bool) -> float:
    """The mean log loss of probabilities (n, V)."""
    if many:
        return float(-np.log(np.clip(np.where(truth == 1, chances, 1 - chances), 1e-9, 1)).mean())
    whole = np.concatenate([chances, np.maximum(1 - chances.sum(axis=1, keepdims=True), 0)], axis=1)
    return float(-np.log(np.clip(whole[np.arange(len(truth)), truth], 1e-9, 1)).mean())
