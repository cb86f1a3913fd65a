"""Thresholds keep their promise: precision reaches the target but for a chance of delta."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest

from character_pipeline.attribute_fusion.precision import NEVER
from character_pipeline.attribute_fusion.strategies import find_strategy
from character_pipeline.attribute_fusion.weights import Weights
from character_pipeline.evaluation.metrics import Floats
from character_pipeline.evaluation.reliability import Said
from character_pipeline.training.fusion.crossing import cross_fit, merge, said_values
from character_pipeline.training.fusion.precision import DELTA, draw_one_each, fit_threshold, fit_thresholds
from character_pipeline.training.fusion.precision import thresholds_to_try as to_try
from tests.rl_optimizer.simulated import make_gold


def drawn(chance: Floats, count: int, rng: np.random.Generator, each: int = 1) -> Said:
    """Answers of characters with some answers each, which are all right or all wrong."""
    place = rng.integers(0, len(chance), count)
    sure = (place + rng.uniform(size=count)) / len(chance)
    right = rng.uniform(size=count) < chance[place]
    groups = np.arange(count)
    return Said(np.repeat(sure, each), np.repeat(right, each), np.repeat(groups, each))


RISING = np.array([0.5, 0.7, 0.85, 0.93, 0.97, 0.99, 0.995, 0.999])
WAVY = np.array([0.5, 0.99, 0.6, 0.97, 0.9, 0.99, 0.8, 0.96])


def precision_at(chance: Floats, least: float) -> float:
    """The true precision of what is said from a threshold on."""
    edges = np.arange(len(chance) + 1) / len(chance)
    wide = np.clip(edges[1:] - np.maximum(edges[:-1], least), 0, None)
    return float((wide * chance).sum() / wide.sum()) if wide.sum() else 1.0


@pytest.mark.parametrize("chance", [RISING, WAVY], ids=["rising", "wavy"])
@pytest.mark.parametrize(("target", "each"), [(0.9, 1), (0.95, 3)])
def test_the_promise_is_kept(chance: Floats, target: float, each: int) -> None:
    rng = np.random.default_rng(0)
    tries, missed, found = 200, 0, 0
    for _ in range(tries):
        least = fit_threshold(drawn(chance, 600, rng, each), target)
        found += least <= 1
        missed += least <= 1 and precision_at(chance, least) < target
    # Three standard deviations above delta would be a broken promise.
    assert missed <= tries * DELTA + 3 * np.sqrt(tries * DELTA * (1 - DELTA))
    assert found > 0.9 * tries or chance is WAVY


def test_more_labels_say_more() -> None:
    rng = np.random.default_rng(1)
    few, many = (fit_threshold(drawn(RISING, count, rng), 0.95) for count in (150, 20_000))
    assert many < few
    # From 0.23 on the precision is 0.95.
    assert 0.23 < many < 0.3


def test_copies_of_an_answer_are_no_more_labels() -> None:
    said = drawn(RISING, 300, np.random.default_rng(2))
    copied = Said(np.repeat(said.sure, 20), np.repeat(said.right, 20), np.repeat(said.groups, 20))
    assert fit_threshold(copied, 0.95) == fit_threshold(said, 0.95)


@pytest.mark.parametrize("target", [0.9, 0.99])
def test_where_nothing_reaches_the_target_nothing_is_said(target: float) -> None:
    rng = np.random.default_rng(3)
    assert fit_threshold(drawn(np.array([0.5, 0.6]), 5_000, rng), target) == NEVER
    assert fit_threshold(drawn(np.ones(2), 20, rng), target) == NEVER
    nothing = Said(np.zeros(0), np.zeros(0, dtype=np.bool_), np.zeros(0, dtype=np.int64))
    assert fit_threshold(nothing, target) == NEVER


def test_where_everything_is_right_everything_is_said() -> None:
    said = drawn(np.ones(2), 2_000, np.random.default_rng(4), each=2)
    least = fit_threshold(said, 0.99)
    assert least <= said.sure.min()


def test_the_thresholds_that_are_tried_do_not_depend_on_what_is_right() -> None:
    said = drawn(RISING, 500, np.random.default_rng(5))
    turned = said._replace(right=~said.right)
    np.testing.assert_array_equal(to_try(said, 0.9), to_try(turned, 0.9))
    assert (np.diff(to_try(said, 0.9)) < 0).all()


def test_one_value_is_drawn_of_each_character() -> None:
    said = Said(np.array([0.9, 0.8, 0.7, 0.6]), np.array([True, False, False, False]), np.array([0, 0, 1, 1]))
    wrong, count = draw_one_each(said, np.array([0.85, 0.65, 0.0]))
    assert count.tolist() == [1, 2, 2]
    assert wrong[0] == 0
    assert 1 <= wrong[1] <= 2


def _same(weights: Weights) -> Weights:
    return weights


def test_cross_fitted_thresholds_hold_on_other_characters() -> None:
    gold, others = make_gold(900), make_gold(900, seed=9)
    parts: dict[str, list[dict[str, Said]]] = {"ensemble": [], "bayesian": []}
    for weights, rows in cross_fit(gold):
        for name, some in parts.items():
            some.append(said_values(gold, find_strategy(name, partial(_same, weights)), rows))
    thresholds = fit_thresholds({name: merge(some) for name, some in parts.items()})
    missed = judged = 0
    for name in parts:
        strategy = find_strategy(name, partial(_same, weights))
        said = said_values(others, strategy, np.arange(len(others)))
        for key, least in thresholds[name]["0.9"].items():
            through = said[key].sure >= least
            if through.sum() >= 50:
                judged += 1
                missed += said[key].right[through].mean() < 0.9
    assert judged >= 5
    assert missed <= 1
