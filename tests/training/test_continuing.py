"""A policy goes on with the labels that came since; the gate decides whether that was better."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import numpy as np
import pytest
import torch

from character_pipeline.attribute_fusion.weights import Weights
from character_pipeline.errors import ConfigError
from character_pipeline.evaluation.contest.field import lay_out
from character_pipeline.evaluation.gold import Lessons, overlay
from character_pipeline.rl_optimizer.episodes import Game, play
from character_pipeline.rl_optimizer.learning import greedy, net
from character_pipeline.rl_optimizer.policy import Policy, load_policy, make_policy
from character_pipeline.rl_optimizer.resume import learner_of
from character_pipeline.rl_optimizer.settings import Settings
from character_pipeline.training.continuing import continue_policy, odds_of, part, since
from character_pipeline.training.policy import BEFORE, Plan, best_policy
from tests.rl_optimizer.simulated import make_gold

PLAN = Plan(settings=Settings(hidden=(32,), learning_rate=3e-3, target_rate=0.05), steps=60)


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


@lru_cache(maxsize=1)
def base() -> Policy:
    return best_policy(lay_out(make_gold(120), Weights()), PLAN, Weights(), lambda line: None)[0]


@lru_cache(maxsize=2)
def lessons(shuffled: bool = False) -> Lessons:
    """The items that the base was trained on, and many new ones."""
    old, new = make_gold(120), make_gold(500, seed=8, shuffled=shuffled)
    truths = [{**line, "item_id": f"new {n}", "character": f"new {n}"} for n, line in enumerate(new.truths)]
    gold = replace(old, truths=[*old.truths, *truths], claims=[*old.claims, *new.claims])
    fresh = np.arange(len(gold)) >= len(old)
    return Lessons(gold, fresh, ~fresh)


def test_a_policy_becomes_a_learner_and_a_policy_again() -> None:
    made = learner_of(base(), PLAN.settings)
    again = make_policy(made.layers(), base().about)
    for (weights, bias), (others, other) in zip(base().layers[:-1], again.layers[:-1], strict=True):
        np.testing.assert_array_equal(weights, others)
        np.testing.assert_array_equal(bias, other)
    np.testing.assert_array_equal(base().layers[-1].weights, again.layers[-1].weights)
    np.testing.assert_allclose(base().layers[-1].bias / 2**32, again.layers[-1].bias / 2**32, atol=1e-7)
    states = np.random.default_rng(0).uniform(0, 1, (50, len(base().about.features)))
    np.testing.assert_allclose(made.values(states.astype(np.float32)), base().values(states), atol=1e-3)
    for old, new in zip(made.online.parameters(), made.target.parameters(), strict=True):
        torch.testing.assert_close(old, new, rtol=0, atol=0)


def test_new_labels_make_it_better_or_the_gate_refuses(tmp_path: Path) -> None:
    path = tmp_path / "policy.safetensors"
    report = continue_policy(base(), lessons(), Weights(), replace(PLAN, feedback_until=5.0), path)
    policy = load_policy(path)
    assert since(policy) == 5.0
    assert policy.about.provenance["from"] == base().digest
    assert bool(policy.about.provenance["instead"]) != report["gate"]["adopted"]
    assert BEFORE in report["utility"]
    kept = [float(np.mean(list(one["net"].values()))) for one in report["curves"]]
    assert max(kept) >= kept[0]
    other = lay_out(make_gold(600, seed=9), Weights(), list(lay_out(make_gold(120), Weights()).ballots)).known
    earned = [net(play(other, Game(), greedy(one, 0.0)), other, 0.0) for one in (base(), policy)]
    assert earned[1] > earned[0] or not report["gate"]["adopted"]


def test_labels_that_mean_nothing_are_refused_and_the_policy_stays_to_the_last_bit() -> None:
    plan = replace(PLAN, settings=replace(PLAN.settings, learning_rate=0.5), steps=12)
    report = continue_policy(base(), lessons(shuffled=True), Weights(), plan, None)
    assert not report["gate"]["adopted"]


def test_without_a_better_step_the_same_policy_is_written(tmp_path: Path) -> None:
    plan = replace(PLAN, settings=replace(PLAN.settings, learning_rate=1e-30), steps=1)
    continue_policy(base(), lessons(), Weights(), plan, tmp_path / "policy.safetensors")
    same = load_policy(tmp_path / "policy.safetensors")
    assert same.digest == base().digest
    assert same.about.provenance["instead"], "it is no better than itself"


def test_nobody_is_judged_on_whom_the_policy_has_met() -> None:
    found = part(lessons(), judge=True)
    assert not (found.judged & lessons().met).any()
    assert not (found.kept & lessons().met).any()
    np.testing.assert_array_equal(found.learned.astype(int) + found.kept + found.judged, 1)
    assert not part(lessons(), judge=False).judged.any()
    same = [{**line, "character": "one"} for line in lessons().gold.truths]
    with pytest.raises(ConfigError, match="has met"):
        part(replace(lessons(), gold=replace(lessons().gold, truths=same)), judge=True)


def test_new_labels_are_met_as_often_as_old_ones() -> None:
    odds = odds_of(np.array([True, False, False, False]))
    np.testing.assert_allclose(odds, [0.5, 1 / 6, 1 / 6, 1 / 6])
    np.testing.assert_allclose(odds_of(np.ones(4, dtype=np.bool_)), 0.25)


def test_too_few_new_labels_and_other_weights_are_told() -> None:
    few = lessons().gold.take(np.arange(130))
    flags = np.arange(130) >= 120
    with pytest.raises(ConfigError, match="10 items were labelled since"):
        continue_policy(base(), Lessons(few, flags, ~flags), Weights(), PLAN, None)
    with pytest.raises(ConfigError, match="other fusion weights"):
        continue_policy(base(), lessons(), Weights(learned_from={"other": True}), PLAN, None)


def test_feedback_goes_before_the_truth_file() -> None:
    line = {"item_id": "a", "attributes": {"Age": "Teen", "Scars": ["Eye"]}, "character": "x"}
    said = {"item_id": "a", "labels": ["Age", "Dress"], "attributes": {"Dress": "Casual"}}
    assert overlay(line, said) == {
        "item_id": "a",
        "attributes": {"Scars": ["Eye"], "Dress": "Casual"},
        "character": "x",
    }
    assert overlay({**line, "labels": ["Age", "Scars"]}, said)["labels"] == ["Age", "Scars", "Dress"]
