"""Simpler learners than the policy: what they choose, what they buy, and that they learn from one set alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache

import numpy as np
import pytest

from character_pipeline.attribute_fusion.weights import Weights
from character_pipeline.evaluation.contest.contenders import Ring, best_action
from character_pipeline.evaluation.contest.field import cut, lay_out
from character_pipeline.evaluation.contest.trained import agents, one_step, per_cost, predict, regress, trained
from character_pipeline.evaluation.contest.verdicts import Verdicts, difference
from character_pipeline.rl_optimizer.actions import SUBSETS
from tests.rl_optimizer.simulated import make_gold

LEARNERS = (one_step, per_cost, agents)


@lru_cache(maxsize=1)
def ring() -> Ring:
    fit, test = cut(make_gold(900), 0.4, seed=0)
    first = lay_out(fit, Weights())
    return Ring(first, lay_out(test, Weights(), list(first.ballots)))


@pytest.mark.parametrize("learner", LEARNERS)
def test_each_beats_the_best_fixed_action_where_items_differ(learner: Callable[[Ring], Verdicts]) -> None:
    assert difference(ring().test, learner(ring()), best_action(ring())).interval[0] > 0


def test_all_take_part_under_names_of_their_own() -> None:
    assert len({one.name for one in trained(ring())}) == len(LEARNERS)


@pytest.mark.parametrize("learner", LEARNERS)
def test_nothing_of_the_items_to_judge_on_is_learned(learner: Callable[[Ring], Verdicts]) -> None:
    rows = np.arange(20)
    part = lay_out(ring().test.gold.take(rows), Weights(), list(ring().fit.ballots))
    whole, few = learner(ring()), learner(replace(ring(), test=part))
    for key, chances in few.chances.items():
        np.testing.assert_allclose(whole.chances[key][rows], chances)


@pytest.mark.parametrize("learner", [one_step, per_cost])
def test_dearer_milliseconds_buy_less(learner: Callable[[Ring], Verdicts]) -> None:
    costs = [learner(replace(ring(), price=price)).cost.mean() for price in (0.0, 0.05, 0.3)]
    assert costs[0] >= costs[1] >= costs[2]
    assert costs[2] < costs[0]


def test_a_regression_finds_what_is_linear() -> None:
    known = ring().fit.known
    rng = np.random.default_rng(0)
    slopes = rng.normal(size=(known.states.shape[-1], 2))
    weights = regress(known, known.states @ slopes + 1.0)
    for subset in range(SUBSETS):
        states = known.states[known.judged[:, 1], 1, subset]
        assert np.abs(predict(weights[1], states) - (states @ slopes + 1.0)).mean() < 0.1
