from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from character_pipeline.evaluation import metrics
from character_pipeline.evaluation.metrics import Ints

VALUES = 4
PAIRS = st.lists(st.tuples(st.integers(0, VALUES - 1), st.integers(-1, VALUES - 1)), min_size=1, max_size=60)


def columns(pairs: list[tuple[int, int]]) -> tuple[Ints, Ints]:
    return np.array([t for t, _ in pairs], dtype=np.int64), np.array([s for _, s in pairs], dtype=np.int64)


def test_the_numbers_agree_with_those_worked_by_hand() -> None:
    true, said = columns([(0, 0), (0, 0), (0, 1), (1, 1), (1, -1), (2, 0)])
    assert metrics.accuracy(true, said) == pytest.approx(3 / 6)
    assert metrics.coverage(said) == pytest.approx(5 / 6)
    assert metrics.selective_accuracy(true, said) == pytest.approx(3 / 5)
    assert metrics.macro_f1(true, said, VALUES) == pytest.approx((4 / 6 + 2 / 4 + 0) / 3)
    assert metrics.balanced_accuracy(true, said, VALUES) == pytest.approx((2 / 3 + 1 / 2 + 0) / 3)
    assert metrics.majority_accuracy(true) == pytest.approx(3 / 6)


def test_wilson_agrees_with_its_formula_worked_by_hand() -> None:
    assert metrics.wilson(8, 10) == pytest.approx((0.4902, 0.9433), abs=1e-4)
    assert metrics.wilson(0, 10) == pytest.approx((0.0, 0.2775), abs=1e-4)


def test_of_nothing_nothing_can_be_told() -> None:
    none = np.zeros(0, dtype=np.int64)
    assert math.isnan(metrics.accuracy(none, none))
    assert math.isnan(metrics.macro_f1(none, none, VALUES))
    assert math.isnan(metrics.balanced_accuracy(none, none, VALUES))
    assert math.isnan(metrics.calibration_error(np.zeros(0), np.zeros(0, dtype=np.bool_)))
    assert all(math.isnan(end) for end in metrics.share_interval(none == 1, none))
    assert all(math.isnan(end) for end in metrics.wilson(0, 0))


@given(PAIRS)
def test_all_shares_lie_between_0_and_1_and_all_right_is_1(pairs: list[tuple[int, int]]) -> None:
    true, said = columns(pairs)
    for share in (
        metrics.accuracy(true, said),
        metrics.coverage(said),
        metrics.macro_f1(true, said, VALUES),
        metrics.balanced_accuracy(true, said, VALUES),
    ):
        assert 0 <= share <= 1
    assert metrics.accuracy(true, true) == metrics.macro_f1(true, true, VALUES) == 1
    assert metrics.balanced_accuracy(true, true, VALUES) == 1


@given(PAIRS, st.randoms(use_true_random=False))
def test_the_order_of_the_items_does_not_matter(pairs: list[tuple[int, int]], random: object) -> None:
    true, said = columns(pairs)
    again_true, again_said = columns(sorted(pairs))
    assert metrics.macro_f1(true, said, VALUES) == pytest.approx(metrics.macro_f1(again_true, again_said, VALUES))
    assert metrics.balanced_accuracy(true, said, VALUES) == pytest.approx(
        metrics.balanced_accuracy(again_true, again_said, VALUES)
    )


@given(PAIRS)
def test_accuracy_is_coverage_times_the_accuracy_of_the_answers(pairs: list[tuple[int, int]]) -> None:
    true, said = columns(pairs)
    if (said >= 0).any():
        assert metrics.accuracy(true, said) == pytest.approx(
            metrics.coverage(said) * metrics.selective_accuracy(true, said)
        )


def test_an_honest_forecaster_is_calibrated_and_a_boaster_is_not() -> None:
    rng = np.random.default_rng(1)
    confidence = rng.uniform(size=20_000)
    right = rng.uniform(size=20_000) < confidence
    assert metrics.calibration_error(confidence, right) < 0.02
    assert metrics.calibration_error(np.ones(20_000), right) == pytest.approx(0.5, abs=0.02)


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=80))
def test_calibration_errors_lie_between_0_and_1_in_any_order(answers: list[tuple[float, bool]]) -> None:
    confidence, right = np.array([c for c, _ in answers]), np.array([r for _, r in answers])
    error = metrics.calibration_error(confidence, right)
    assert 0 <= error <= 1
    assert metrics.calibration_error(confidence[::-1], right[::-1]) == pytest.approx(error)


def test_answers_of_one_confidence_are_judged_together() -> None:
    right = np.array([True] * 80 + [False] * 20)
    assert metrics.calibration_error(np.full(100, 0.8), right) == pytest.approx(0)


def test_pictures_of_the_same_person_widen_the_interval() -> None:
    hits = np.repeat(np.arange(50) % 2 == 0, 20)
    alone = metrics.share_interval(hits, None)
    together = metrics.share_interval(hits, np.repeat(np.arange(50), 20))
    assert together[0] < alone[0] < 0.5 < alone[1] < together[1]


def test_resampling_single_items_agrees_with_wilson() -> None:
    hits = np.arange(400) % 4 == 0
    table = np.stack([hits, np.ones(400)], axis=1)
    found = metrics.bootstrap(table, np.arange(400), metrics.share_of_sums)
    assert found == pytest.approx(metrics.wilson(100, 400), abs=0.01)
    assert found == metrics.bootstrap(table, np.arange(400), metrics.share_of_sums)


def test_f1_can_be_resampled() -> None:
    table = np.tile([[2, 1, 1], [0, 0, 1]], (100, 1))
    low, high = metrics.bootstrap(table, np.arange(200), metrics.f1_of_sums)
    assert low < 4 / 7 < high
    assert all(math.isnan(end) for end in metrics.bootstrap(np.zeros((3, 3)), np.arange(3), metrics.f1_of_sums))
