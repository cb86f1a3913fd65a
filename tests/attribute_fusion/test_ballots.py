"""Claims as arrays, and curves over them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from character_pipeline.attribute_fusion.ballots import Ballot, cast_ballot
from character_pipeline.attribute_fusion.calibration import EDGE, Calibration, Curve, logistic, logit
from character_pipeline.data import Evidence
from tests.attribute_fusion.voting import CALIBRATION, VOCABULARY, any_ballot, make_ballot

HAIR = VOCABULARY.attributes["hair_color"]


@st.composite
def any_curve(draw: st.DrawFn) -> Curve:
    if draw(st.booleans()):
        return Curve(draw(st.floats(0.0, 20.0)), draw(st.floats(-20.0, 20.0)))
    points = sorted(draw(st.lists(st.floats(0.0, 1.0), min_size=1, max_size=6)))
    chances = sorted(draw(st.lists(st.floats(0.0, 1.0), min_size=len(points), max_size=len(points))))
    return Curve(scores=tuple(points), chances=tuple(chances))


def claim(value: str, score: float, source: str) -> Evidence:
    return Evidence("hair_color", value, score, source, value)


def test_the_strongest_claim_of_a_source_counts() -> None:
    ballot = cast_ballot(
        HAIR,
        [[claim("Red", 0.4, "b/1"), claim("Red", 0.9, "b/1"), claim("Blue", 0.3, "a/1")], []],
        heard=[{"a", "b", "c"}, {"c"}],
    )
    assert ballot.sources == ("a", "b", "c")
    assert ballot.scores[0, 1, HAIR.order["Red"]] == 0.9
    assert ballot.scores[0, 0, HAIR.order["Blue"]] == 0.3
    assert ballot.heard.tolist() == [[True, True, True], [False, False, True]]
    assert ballot.told.tolist() == [True, False]
    assert np.flatnonzero(ballot.stated[0]).tolist() == sorted([HAIR.order["Red"], HAIR.order["Blue"]])


def test_only_what_says_that_a_value_is_right_counts() -> None:
    others = [Evidence("hair_color", "Red", 0.9, "a/1", "x", stance) for stance in ("not", "hidden", "absent")]
    strange = Evidence("hair_color", "No Such Color", 0.9, "a/1", "x")
    ballot = cast_ballot(HAIR, [[*others, strange]])
    assert not ballot.scores.any()
    assert ballot.heard.all()


def test_sources_that_are_not_there_said_nothing() -> None:
    ballot = make_ballot("hair_color", [[{"Red": 0.9}, {"Blue": 0.4}]])
    turned = ballot.of(["b", "z", "a"])
    np.testing.assert_array_equal(turned.scores[:, 0], ballot.scores[:, 1])
    np.testing.assert_array_equal(turned.scores[:, 2], ballot.scores[:, 0])
    assert turned.heard.tolist() == [[True, False, True]]
    assert not turned.scores[:, 1].any()


def test_logits_are_finite_and_turn_back() -> None:
    chances = np.array([0.0, 0.2, 0.5, 0.8, 1.0])
    np.testing.assert_allclose(logistic(logit(chances)), np.clip(chances, EDGE, 1 - EDGE))


def test_curves_agree_with_their_formulas() -> None:
    scores = np.array([0.0, 0.2, 0.5, 0.8])
    odds = np.exp(2 * np.log(0.8 / 0.2) - 1)
    np.testing.assert_allclose(Curve(2.0, -1.0)(scores)[[0, 3]], [0.0, odds / (1 + odds)])
    through = Curve(scores=(0.2, 0.6), chances=(0.1, 0.5))
    np.testing.assert_allclose(through(np.array([0.1, 0.4, 0.9])), [0.1, 0.3, 0.5])


@given(any_curve(), st.lists(st.floats(0.0, 1.0), min_size=2, max_size=20))
def test_curves_rise_are_bounded_and_leave_no_claim_as_it_is(curve: Curve, given_scores: list[float]) -> None:
    scores = np.array(sorted(given_scores))
    found = curve(scores)
    assert (found[scores == 0] == 0).all()
    stated = found[scores > 0]
    assert (np.diff(stated) >= 0).all()
    assert ((stated >= EDGE) & (stated <= 1 - EDGE)).all()
    assert all(curve(scores[[row]]).tobytes() == found[[row]].tobytes() for row in range(len(scores)))


@given(any_ballot())
def test_calibrated_ballots_keep_what_is_not_claimed_and_add_up(ballot: Ballot) -> None:
    found = CALIBRATION.apply(ballot)
    np.testing.assert_array_equal(found.scores > 0, ballot.scores > 0)
    assert ((found.scores >= 0) & (found.scores <= 1)).all()
    if not ballot.attribute.many:
        assert (found.scores.sum(axis=2) <= 1 + 1e-12).all()
    for row in range(len(ballot)):
        alone = CALIBRATION.apply(ballot.take(np.array([row])))
        assert alone.scores.tobytes() == found.scores[[row]].tobytes()


@pytest.mark.parametrize(("key", "source", "slope"), [("gender", "a", 0.8), ("gender", "b", 1.3)])
def test_an_attribute_has_its_own_curve_or_that_of_all(key: str, source: str, slope: float) -> None:
    curve = CALIBRATION.curve(source, key)
    assert curve is not None
    assert curve.slope == slope


def test_without_a_curve_scores_are_probabilities_already() -> None:
    assert CALIBRATION.curve("c", "gender") is None
    assert CALIBRATION.curve("b", "age") is None
    ballot = make_ballot("gender", [[{"Male": 0.7}, {"Female": 0.2}]])
    np.testing.assert_array_equal(Calibration().apply(ballot).scores, ballot.scores)
