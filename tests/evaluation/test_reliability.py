from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from character_pipeline.evaluation import reliability as rely
from character_pipeline.evaluation.metrics import calibration_error
from character_pipeline.evaluation.reliability import Said

ANSWERS = st.lists(st.tuples(st.floats(0, 1), st.booleans(), st.integers(0, 5)), min_size=1, max_size=60)


def said(rows: list[tuple[float, bool, int]]) -> Said:
    sure, right, groups = zip(*rows, strict=True)
    return Said(np.array(sure), np.array(right, dtype=np.bool_), np.array(groups, dtype=np.int64))


def drawn(gap: float, count: int = 6_000, each: int = 2, seed: int = 0) -> Said:
    """Answers that are right less often than they are sure, by a gap."""
    rng = np.random.default_rng(seed)
    sure = rng.uniform(0.4, 1.0, count)
    return Said(sure, rng.uniform(size=count) < sure - gap, np.arange(count) // each)


def test_the_numbers_agree_with_those_worked_by_hand() -> None:
    some = said([(0.9, True, 0), (0.6, False, 1)])
    assert rely.brier(some) == pytest.approx((0.01 + 0.36) / 2)
    assert rely.log_loss(some) == pytest.approx(-(math.log(0.9) + math.log(0.4)) / 2)
    found = rely.reliabilities({"a": some, "b": said([(0.5, True, 0)])})
    assert (found["a"].answers, found["b"].answers, found["all"].answers) == (2, 1, 3)
    assert found["all"].brier == pytest.approx((0.01 + 0.36 + 0.25) / 3)
    assert found["all"].right == pytest.approx(2 / 3)


def test_of_nothing_nothing_can_be_told() -> None:
    found = rely.reliabilities({})["all"]
    assert found.answers == 0
    assert all(math.isnan(one) for one in (found.brier, found.log_loss, found.calibration, found.area, found.right))
    assert all(math.isnan(end) for end in found.interval)
    assert rely.diagram(rely.join(())) == ()


def test_a_sure_mistake_costs_much_and_not_everything() -> None:
    assert 5 < rely.log_loss(said([(1.0, False, 0)])) < 20


def test_the_curve_falls_with_what_is_withheld() -> None:
    some = said([(0.9, True, 0), (0.8, True, 0), (0.8, False, 0), (0.5, False, 0)])
    coverage, risk = rely.risk_coverage(some)
    np.testing.assert_allclose(coverage, [0.25, 0.75, 1.0])
    np.testing.assert_allclose(risk, [0.0, 1 / 3, 0.5])
    np.testing.assert_allclose(rely.risk_coverage(some, asked=8).coverage, [0.125, 0.375, 0.5])
    assert rely.risk_area(some) == pytest.approx(0.5 / 3 + 0.25 * 0.5)
    backwards = said([(0.5, True, 0), (0.6, True, 0), (0.7, False, 0), (0.9, False, 0)])
    assert rely.risk_area(backwards) > rely.risk_area(some)


def test_the_interval_of_the_calibration_error_is_about_the_gap() -> None:
    low, high = rely.calibration_interval(drawn(0.1))
    assert low < 0.1 < high
    assert high - low < 0.06
    calm_low, calm_high = rely.calibration_interval(drawn(0.0))
    assert calm_low < 0.005
    assert calm_high < 0.03


def test_the_interval_is_wider_where_answers_of_a_character_agree() -> None:
    alone = drawn(0.1, 2_000, each=1)
    sure, right, groups = drawn(0.1, 200, each=1)
    together = Said(np.repeat(sure, 10), np.repeat(right, 10), np.repeat(groups, 10))
    narrow, wide = rely.calibration_interval(alone), rely.calibration_interval(together)
    assert wide[1] - wide[0] > 2 * (narrow[1] - narrow[0])


def test_most_intervals_hold_the_gap() -> None:
    held = 0
    for seed in range(40):
        low, high = rely.calibration_interval(drawn(0.08, 1_500, seed=seed))
        held += low <= 0.08 <= high
    assert held >= 35


@given(ANSWERS)
def test_the_bins_of_the_diagram_hold_every_answer_once(rows: list[tuple[float, bool, int]]) -> None:
    some = said(rows)
    bins = rely.diagram(some)
    assert sum(one.answers for one in bins) == len(rows)
    assert sum(one.right for one in bins) == some.right.sum()
    for one in bins:
        assert one.low <= one.sure + 1e-12
        assert one.sure <= one.high + 1e-12
        assert 0 <= one.interval[0] <= one.right / one.answers + 1e-9
        assert one.right / one.answers - 1e-9 <= one.interval[1] <= 1
    assert all(a.high < b.low for a, b in itertools.pairwise(bins))
    error = sum(abs(one.sure * one.answers - one.right) for one in bins) / len(rows)
    assert calibration_error(some.sure, some.right) == pytest.approx(error)


@given(ANSWERS, st.randoms(use_true_random=False))
def test_scores_are_bounded_in_any_order(rows: list[tuple[float, bool, int]], random: object) -> None:
    some, turned = said(rows), said(rows[::-1])
    assert 0 <= rely.brier(some) <= 1
    assert 0 <= rely.risk_area(some) <= 1
    assert rely.risk_area(turned) == pytest.approx(rely.risk_area(some))
    coverage, risk = rely.risk_coverage(some)
    assert coverage[-1] == 1
    assert risk[-1] == pytest.approx(1 - some.right.mean())
    assert (np.diff(coverage) > 0).all()
