"""What a new policy would have earned, told from what another one did: estimates with 95 % intervals.

The logs say of every decision which action was taken, with what chance, and what it earned. Three estimates of the mean
reward under the new policy:

- inverse propensity: each reward counts as many times as the new policy would have earned it (Horvitz and Thompson,
  1952). Right where the propensities are; varies much where the policies differ.
- self-normalised: the same, in shares of the sum of the weights (Swaminathan and Joachims, 2015).
- doubly robust: a model's rewards, corrected by what is left of those seen (Dudik et al., 2011). Right where either the
  propensities or the model is, and varies less the better the model is.

Decisions of one group, such as those about one item, may depend on each other: errors are taken from sums of groups.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from character_pipeline.errors import ConfigError

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Z = 1.96
ROUNDING = 1e-6


@dataclass(frozen=True, eq=False)
class Logs:
    """What was done, and what the new policy would do. Shapes: n decisions, A actions.

    Attributes:
        rewards: (n,).
        actions: (n,), those taken.
        propensities: (n,), the chances in (0, 1] with which they were taken.
        policy: (n, A), the chance of each action under the new policy.
        groups: (n,), which decisions may depend on each other; None: none.

    Raises ConfigError that names what is out of its range, or has another shape.
    """

    rewards: Floats
    actions: Ints
    propensities: Floats
    policy: Floats
    groups: Ints | None = None

    def __post_init__(self) -> None:
        n = len(self.rewards)
        columns = (self.rewards, self.actions, self.propensities, *(() if self.groups is None else (self.groups,)))
        if not n or any(column.shape != (n,) for column in columns) or self.policy.shape[:-1] != (n,):
            shapes = [column.shape for column in (*columns, self.policy)]
            raise ConfigError(f"logs need at least one decision, and one entry a decision in all columns, not {shapes}")
        _refuse("reward", self.rewards, np.isfinite(self.rewards), "finite")
        _refuse("action", self.actions, (self.actions >= 0) & (self.actions < self.policy.shape[1]), "known")
        _refuse("propensity", self.propensities, (self.propensities > 0) & (self.propensities <= 1), "in (0, 1]")
        whole = abs(self.policy.sum(axis=1) - 1) <= ROUNDING
        _refuse("row of the policy", self.policy, whole & (self.policy >= 0).all(axis=1), "chances with the sum 1")

    def weights(self, most: float | None = None) -> Floats:
        """How much more often the new policy does what was done, shape (n,); clipped to `most`."""
        chance = np.take_along_axis(self.policy, self.actions[:, None], axis=1)[:, 0]
        found: Floats = chance / self.propensities
        return found if most is None else np.minimum(found, most)


def _refuse(what: str, values: NDArray[np.generic], good: NDArray[np.bool_], allowed: str) -> None:
    if not good.all():
        place = int(np.argmin(good))
        raise ConfigError(f"decision {place}: the {what} must be {allowed}, not {str(values[place])[:200]}")


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean reward.

    Attributes:
        interval: the ends of the 95 % interval, from the normal distribution of sums of groups; NaN with one group.
        effective: how many decisions of the new policy itself would tell as much (Kish, 1965); of n.
    """

    value: float
    interval: tuple[float, float]
    effective: float
    n: int


def inverse_propensity(logs: Logs, most: float | None = None) -> Estimate:
    """The mean of weighted rewards. Clipping weights to `most` trades variance for bias."""
    weights = logs.weights(most)
    terms = weights * logs.rewards
    value = float(terms.mean())
    return _estimate(value, terms - value, weights, logs)


def self_normalised(logs: Logs, most: float | None = None) -> Estimate:
    """The weighted mean of rewards; NaN where the new policy would have done nothing of what was done."""
    weights = logs.weights(most)
    if not weights.any():
        return _estimate(math.nan, np.full(len(weights), math.nan), weights, logs)
    value = float((weights * logs.rewards).sum() / weights.sum())
    return _estimate(value, weights * (logs.rewards - value) / weights.mean(), weights, logs)


def doubly_robust(logs: Logs, modelled: Floats, most: float | None = None) -> Estimate:
    """The mean of what a model expects, plus the weighted rest of what was seen.

    Args:
        modelled: (n, A), the model's reward of each action; the model must not have been fitted on these decisions.

    Raises ConfigError where that has another shape or is not finite.
    """
    if modelled.shape != logs.policy.shape or not np.isfinite(modelled).all():
        raise ConfigError(f"modelled rewards must be finite and of shape {logs.policy.shape}, not {modelled.shape}")
    weights = logs.weights(most)
    taken = np.take_along_axis(modelled, logs.actions[:, None], axis=1)[:, 0]
    terms = (logs.policy * modelled).sum(axis=1) + weights * (logs.rewards - taken)
    value = float(terms.mean())
    return _estimate(value, terms - value, weights, logs)


def _estimate(value: float, influence: Floats, weights: Floats, logs: Logs) -> Estimate:
    """An estimate from how far each decision moves it, shape (n,), with the mean 0."""
    n, squares = len(weights), float((weights**2).sum())
    reach = Z * _error(influence, logs.groups)
    effective = float(weights.sum()) ** 2 / squares if squares else 0.0
    return Estimate(value, (value - reach, value + reach), effective, n)


def _error(influence: Floats, groups: Ints | None) -> float:
    """The standard error of the mean, from independent groups of decisions."""
    sums = influence if groups is None else np.bincount(np.unique(groups, return_inverse=True)[1], influence)
    if len(sums) < 2:
        return math.nan
    return math.sqrt(len(sums) / (len(sums) - 1) * float((sums**2).sum())) / len(influence)
