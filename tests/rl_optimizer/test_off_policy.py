"""Estimates in a simulation whose truth is known."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from functools import partial

import numpy as np
import pytest
from numpy.typing import NDArray

from character_pipeline.errors import ConfigError
from character_pipeline.rl_optimizer.off_policy import (
    Estimate,
    Logs,
    doubly_robust,
    inverse_propensity,
    self_normalised,
)

Floats = NDArray[np.float64]
KINDS, ACTIONS, REPEATS = 5, 4, 200
WORLD = np.random.default_rng(7)
REWARDS = WORLD.uniform(0, 1, (KINDS, ACTIONS))
"""The mean reward of each action for each kind of decision."""
OLD = WORLD.dirichlet(np.full(ACTIONS, 2.0), KINDS)
NEW = WORLD.dirichlet(np.full(ACTIONS, 1.0), KINDS)
TRUTH = float((NEW * REWARDS).sum(axis=1).mean())
WRONG_MODEL = REWARDS[:, ::-1] * 0.5 + 0.3
WRONG_OLD = 0.5 * OLD + 0.5 * OLD[:, ::-1]


def simulate(seed: int, n: int = 1500, believed: Floats = OLD, together: int = 1) -> tuple[Logs, NDArray[np.int64]]:
    """Decisions of the old policy, and their kinds; so many at a time belong together and share their luck."""
    rng = np.random.default_rng(seed)
    groups = np.arange(n) // together
    kinds = rng.integers(KINDS, size=n)[groups]
    actions = (OLD[kinds].cumsum(axis=1) < rng.random((n, 1))).sum(axis=1).clip(max=ACTIONS - 1)
    rewards = REWARDS[kinds, actions] + rng.normal(size=n)[groups] * 0.3
    return Logs(rewards, actions, believed[kinds, actions], NEW[kinds], groups), kinds


def robust(model: Floats, logs: Logs, kinds: NDArray[np.int64]) -> Estimate:
    return doubly_robust(logs, model[kinds])


ESTIMATORS: dict[str, Callable[[Logs, NDArray[np.int64]], Estimate]] = {
    "ips": lambda logs, _: inverse_propensity(logs),
    "snips": lambda logs, _: self_normalised(logs),
    "dr": partial(robust, REWARDS),
    "dr, wrong model": partial(robust, WRONG_MODEL),
}


def repeat(name: str, believed: Floats = OLD, together: int = 1) -> tuple[Floats, float]:
    """The values of all repetitions, and the share of their intervals that cover the truth."""
    found = [ESTIMATORS[name](*simulate(seed, believed=believed, together=together)) for seed in range(REPEATS)]
    covered = [one.interval[0] <= TRUTH <= one.interval[1] for one in found]
    return np.array([one.value for one in found]), float(np.mean(covered))


def off(values: Floats) -> float:
    """How many standard errors the mean of all repetitions lies beside the truth."""
    return abs(float(values.mean()) - TRUTH) / (float(values.std()) / math.sqrt(len(values)))


@pytest.mark.parametrize("name", ESTIMATORS)
@pytest.mark.parametrize("together", [1, 10])
def test_intervals_cover_the_truth(name: str, together: int) -> None:
    values, covered = repeat(name, together=together)
    assert 0.90 <= covered <= 0.99
    assert off(values) < 4


def test_a_model_makes_estimates_surer() -> None:
    assert repeat("dr")[0].std() < 0.8 * repeat("ips")[0].std()


def test_either_the_propensities_or_the_model_must_be_right() -> None:
    assert off(repeat("dr, wrong model")[0]) < 4
    assert off(repeat("dr", believed=WRONG_OLD)[0]) < 4
    for name in ("dr, wrong model", "ips", "snips"):
        assert off(repeat(name, believed=WRONG_OLD)[0]) > 10


def test_decisions_that_belong_together_widen_the_interval() -> None:
    logs, _ = simulate(0, together=10)
    assert logs.groups is not None
    alone = inverse_propensity(dataclasses.replace(logs, groups=None))
    together = inverse_propensity(logs)
    assert together.value == alone.value
    assert together.interval[0] < alone.interval[0] < alone.interval[1] < together.interval[1]
    renamed = inverse_propensity(dataclasses.replace(logs, groups=1000 - logs.groups * 3))
    assert renamed.interval == pytest.approx(together.interval)


HAND = Logs(
    rewards=np.array([1.0, 0.0, 2.0]),
    actions=np.array([0, 1, 1]),
    propensities=np.array([0.5, 0.5, 0.25]),
    policy=np.array([[1.0, 0.0], [0.5, 0.5], [0.5, 0.5]]),
)


def test_the_numbers_agree_with_those_worked_by_hand() -> None:
    # The weights are 2, 1 and 2.
    ips = inverse_propensity(HAND)
    assert (ips.value, ips.effective, ips.n) == pytest.approx((2, 25 / 9, 3))
    assert ips.interval[1] - ips.value == pytest.approx(1.96 * math.sqrt((0 + 4 + 4) / 6))
    assert self_normalised(HAND).value == pytest.approx(6 / 5)
    model = np.array([[1.0, 9.0], [2.0, 1.0], [2.0, 1.0]])
    assert doubly_robust(HAND, model).value == pytest.approx((1 + 0 + 1.5 - 1 + 1.5 + 2) / 3)
    assert inverse_propensity(HAND, most=1.5).value == pytest.approx(4.5 / 3)


def test_the_policy_that_was_followed_earns_what_was_earned() -> None:
    same = dataclasses.replace(HAND, policy=np.array([[0.5, 0.5], [0.5, 0.5], [0.75, 0.25]]))
    for found in (inverse_propensity(same), self_normalised(same), doubly_robust(same, np.zeros((3, 2)))):
        assert (found.value, found.effective) == pytest.approx((1, 3))


def test_what_cannot_be_told_is_nan() -> None:
    never = dataclasses.replace(HAND, policy=np.array([[0.0, 1.0], [1.0, 0.0], [1.0, 0.0]]))
    assert math.isnan(self_normalised(never).value)
    assert (inverse_propensity(never).value, inverse_propensity(never).effective) == (0, 0)
    one_group = dataclasses.replace(HAND, groups=np.zeros(3, dtype=np.int64))
    assert all(math.isnan(end) for end in inverse_propensity(one_group).interval)


@pytest.mark.parametrize(
    ("name", "values", "told"),
    [
        ("propensities", [0.5, 0.0, 0.5], r"decision 1: the propensity must be in \(0, 1\]"),
        ("propensities", [0.5, 0.5, 1.5], "decision 2"),
        ("propensities", [np.nan, 0.5, 0.5], "decision 0"),
        ("rewards", [0.0, np.inf, 0.0], "decision 1: the reward must be finite"),
        ("rewards", [0.0, 1.0], "one entry a decision"),
        ("rewards", [], "at least one decision"),
        ("actions", [0, 1, 2], "decision 2: the action must be known"),
        ("actions", [0, -1, 1], "decision 1"),
        ("policy", [[1.0, 0.0], [0.5, 0.6], [0.5, 0.5]], "decision 1: the row of the policy"),
        ("policy", [[1.0, 0.0], [0.5, 0.5], [-0.5, 1.5]], "decision 2"),
        ("policy", [[np.nan, 0.0], [0.5, 0.5], [0.5, 0.5]], "decision 0"),
    ],
)
def test_logs_that_cannot_be_are_refused(name: str, values: list[float], told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        dataclasses.replace(HAND, **{name: np.array(values)})


def test_models_that_do_not_fit_are_refused() -> None:
    for model in (np.zeros((3, 3)), np.full((3, 2), np.nan)):
        with pytest.raises(ConfigError, match="modelled rewards"):
            doubly_robust(HAND, model)
