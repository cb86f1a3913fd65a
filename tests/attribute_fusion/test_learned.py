"""Naive Bayes and stacking, against examples worked by hand and against plain loops."""

from __future__ import annotations

import itertools
import math
from functools import lru_cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from character_pipeline.attribute_fusion.ballots import Ballot
from character_pipeline.attribute_fusion.bayesian import Bayesian, Habits, noisy_or
from character_pipeline.attribute_fusion.ensemble import Ensemble, Stack, features
from character_pipeline.attribute_fusion.fusion import Fuser
from character_pipeline.attribute_fusion.strategies import BUILT_IN, Strategy, find_strategy
from character_pipeline.attribute_fusion.weights import load_weights
from character_pipeline.data import Evidence, by_attribute
from character_pipeline.schema import find_fault
from tests.attribute_fusion.claims import any_claim
from tests.attribute_fusion.voting import CALIBRATION, KEYS, VOCABULARY, any_ballot, habits_of, make_ballot, stack_of

BAYES = Bayesian(CALIBRATION, {key: habits_of(key) for key in KEYS if key != "hair_style"})
ENSEMBLE = Ensemble(CALIBRATION, {"*": stack_of(), "gender": stack_of(1)})
STRATEGIES: tuple[Strategy, ...] = (*BUILT_IN, BAYES, ENSEMBLE, Bayesian(), Ensemble())
LOOKERS = frozenset({"clip_analyzer", "color_analyzer"})


@lru_cache(maxsize=1)
def shipped() -> tuple[Strategy, ...]:
    weights = load_weights()
    return tuple(find_strategy(name, lambda: weights) for name in ("ensemble", "bayesian"))


def brute_force(habits: Habits, ballot: Ballot, row: int) -> list[float]:
    """The product rule, a class and a source at a time."""
    classes = len(ballot.attribute.values) + 1
    chances = []
    for true in range(classes):
        chance = habits.prior[true]
        for place, source in enumerate(habits.sources):
            if source in ballot.sources:
                at = ballot.sources.index(source)
                said = ballot.scores[row, at].tolist()
                chance *= likelihood(habits, said, bool(ballot.heard[row, at]), place, true) ** habits.weight[place]
        chances.append(chance)
    return [chance / math.fsum(chances) for chance in chances[:-1]]


def likelihood(habits: Habits, said: list[float], heard: bool, place: int, true: int) -> float:
    if not any(said):
        return float(habits.silent[place, true]) if heard else 1.0
    free = [number for number in range(len(said) + 1) if number == len(said) or said[number] == 0]
    left = max(1.0 - math.fsum(said), 1e-4)
    share = left * habits.prior[true] / math.fsum(habits.prior[free]) if true in free else 0.0
    own = said[true] if true < len(said) else 0.0
    return float(max(own + share, 1e-9) / habits.prior[true])


def test_bayes_agrees_with_an_example_worked_by_hand() -> None:
    habits = Habits(
        ("a", "b"),
        prior=np.array([0.5, 0.3, 0.1, 0.1]),
        silent=np.array([[0.2, 0.4, 0.5, 0.9], [0.5, 0.5, 0.5, 0.5]]),
        mute=np.zeros((0, 0)),
        weight=np.ones(2),
    )
    gender = VOCABULARY.attributes["gender"]
    assert len(gender.values) == 3
    first = gender.values[0]
    ballot = make_ballot("gender", [[{first: 0.8}, {}]])
    # a gives 0.8 to the first, and of the rest 0.3 : 0.1 : 0.1; b is silent, which says nothing here.
    np.testing.assert_allclose(habits.posterior(ballot)[0], [0.8, 0.12, 0.04], atol=1e-12)
    quiet = make_ballot("gender", [[{}, {}]])
    whole = 0.5 * 0.2 + 0.3 * 0.4 + 0.1 * 0.5 + 0.1 * 0.9
    np.testing.assert_allclose(habits.posterior(quiet)[0], [0.1 / whole, 0.12 / whole, 0.05 / whole])
    unheard = make_ballot("gender", [[{}, {}]], heard=[[False, True]])
    np.testing.assert_allclose(habits.posterior(unheard)[0], [0.5, 0.3, 0.1])


@given(any_ballot(("gender", "hair_color")))
def test_bayes_agrees_with_brute_force(ballot: Ballot) -> None:
    calibrated = CALIBRATION.apply(ballot)
    habits = habits_of(ballot.attribute.key)
    found = habits.posterior(calibrated)
    for row in range(len(ballot)):
        np.testing.assert_allclose(found[row], brute_force(habits, calibrated, row), rtol=1e-6, atol=1e-9)


def test_each_value_of_a_list_is_judged_by_itself() -> None:
    habits = habits_of("accessories")
    glasses = VOCABULARY.attributes["accessories"].order["Glasses"]
    found = habits.posterior(make_ballot("accessories", [[{"Glasses": 0.9}, {}]]))[0, glasses]
    prior = habits.prior[glasses]
    odds = prior / (1 - prior) * (9 / (prior / (1 - prior))) ** habits.weight[0]
    odds *= (habits.silent[1, glasses] / habits.mute[1, glasses]) ** habits.weight[1]
    assert found == pytest.approx(odds / (1 + odds))


@pytest.mark.parametrize("key", ["hair_color", "accessories"])
def test_silence_matters(key: str) -> None:
    value = VOCABULARY.attributes[key].values[0]
    habits = habits_of(key)
    telling = habits.silent.copy()
    telling[1, 0] = 0.01
    never_silent = Habits(habits.sources, habits.prior, telling, habits.mute, np.ones(2))
    strategy = Bayesian(habits={key: never_silent})
    both = strategy.support(make_ballot(key, [[{value: 0.6}, {}]]))[0, 0]
    unheard = strategy.support(make_ballot(key, [[{value: 0.6}, {}]], heard=[[True, False]]))[0, 0]
    assert both < unheard - 0.1


def test_sources_that_err_together_count_less() -> None:
    habits = habits_of("gender")
    ballot = make_ballot("gender", [[{"Female": 0.8}, {"Female": 0.8}]])
    place = VOCABULARY.attributes["gender"].order["Female"]
    two, one = (habits.posterior(ballot, np.array(weight))[0, place] for weight in ([1.0, 1.0], [1.0, 0.0]))
    assert two > one == pytest.approx(0.8)


def test_features_by_hand() -> None:
    gender = VOCABULARY.attributes["gender"]
    ballot = make_ballot("gender", [[{"Female": 0.8, "Male": 0.1}, {}]], heard=[[True, True]])
    four, ninth = math.log(0.8 / 0.2), math.log(0.1 / 0.9)
    wanted = {"Female": [four, 1, ninth, 1, 0, 0, 0, 0, 0, 1], "Male": [ninth, 1, four, 1, 0, 0, 0, 0, 0, 1]}
    in_order = sorted(wanted, key=gender.order.__getitem__)
    np.testing.assert_allclose(features(ballot, ("a", "b")), [wanted[value] for value in in_order])
    third = make_ballot("gender", [[{"Female": 0.8}, {}], [{}, {"Male": 0.1}]], heard=[[True, True]] * 2)
    np.testing.assert_allclose(features(third, ("a", "b"))[:, [0, 4, 5, 9]], [[four, 0, 0, 1], [0, 1, ninth, 0]])
    listed = features(make_ballot("accessories", [[{"Hat": 0.8, "Glasses": 0.1}, {}]], heard=[[True, False]]), "ab")
    order = VOCABULARY.attributes["accessories"].order
    hat = int(order["Hat"] > order["Glasses"])
    np.testing.assert_allclose(listed[hat], [four, 1, 0, 0, 0, 0, 0, 0, 0, 0])


def test_a_stack_weighs_its_features() -> None:
    stack = Stack(("a",), np.array([1.0, 0.5, -1.0, 0.25, 0.0]), -0.5)
    ballot = make_ballot("gender", [[{"Female": 0.8, "Male": 0.1}]])
    logit = math.log(4) + 0.5 + math.log(9) + 0.25 - 0.5
    female = VOCABULARY.attributes["gender"].order["Female"]
    assert stack(ballot)[0, female] == pytest.approx(1 / (1 + math.exp(-logit)))


@pytest.mark.parametrize("strategy", [BAYES, ENSEMBLE])
def test_strange_sources_are_taken_at_their_word(strategy: Strategy) -> None:
    ballot = make_ballot("gender", [[{"Female": 0.6}, {}, {}], [{"Female": 0.6}, {}, {"Female": 0.9}]])
    female = VOCABULARY.attributes["gender"].order["Female"]
    without, with_it = strategy.support(ballot)[:, female]
    assert with_it == pytest.approx(1 - (1 - without) * 0.1)


def test_noisy_or_of_a_choice_is_one_distribution() -> None:
    found = noisy_or(make_ballot("gender", [[{"Female": 0.8}, {"Male": 0.8}], [{"Female": 0.5}, {"Female": 0.5}]]))
    order = VOCABULARY.attributes["gender"].order
    np.testing.assert_allclose(found[0, [order["Female"], order["Male"]]], [0.5, 0.5])
    assert found[1, order["Female"]] == pytest.approx(0.75)


@pytest.mark.parametrize("strategy", STRATEGIES, ids=lambda one: one.name)
@given(ballot=any_ballot())
def test_supports_are_bounded_and_of_every_row_by_itself(strategy: Strategy, ballot: Ballot) -> None:
    found = strategy.support(ballot)
    assert found.shape == ballot.stated.shape
    assert ((found >= 0) & (found <= 1)).all()
    assert not found[~ballot.stated].any()
    if strategy.settles and not ballot.attribute.many and strategy.name != "majority_voting":
        assert (found.sum(axis=1) <= 1 + 1e-9).all()
    for row in range(len(ballot)):
        assert strategy.support(ballot.take(np.array([row]))).tobytes() == found[[row]].tobytes()


CLAIMS = any_claim(["tag_parser/1", "text_parser/1", "clip_analyzer/1", "color_analyzer/1", "strange/1"])


@given(st.lists(st.lists(CLAIMS, max_size=10), min_size=1, max_size=3))
def test_every_strategy_keeps_the_schema(items: list[list[Evidence]]) -> None:
    batch = [by_attribute(claims) for claims in items]
    for strategy in (*STRATEGIES, *shipped()):
        fuser = Fuser(VOCABULARY, lookers=LOOKERS, strategy=strategy)
        decided = fuser.decide_all(batch)
        for claims, one in zip(items, decided, strict=True):
            for label, value in one.items():
                attribute = VOCABULARY.attribute(label)
                assert find_fault(attribute, value) is None
                stated = {c.value for c in claims if c.attribute == attribute.key and c.stance == "is"}
                assert set(value.values) <= stated
        for said, one in zip(batch, decided, strict=True):
            alone = Fuser(VOCABULARY, lookers=LOOKERS, strategy=strategy).decide(said)
            assert {label: value.to_json() for label, value in alone.items()} == {
                label: value.to_json() for label, value in one.items()
            }


@given(st.lists(CLAIMS, max_size=6))
def test_the_order_of_claims_decides_nothing(claims: list[Evidence]) -> None:
    for strategy, turned in itertools.product(shipped(), (claims[::-1], sorted(claims, key=lambda c: c.score))):
        fuser = Fuser(VOCABULARY, lookers=LOOKERS, strategy=strategy)
        one, other = fuser.decide(by_attribute(claims)), fuser.decide(by_attribute(turned))
        assert [(d.state, d.values, d.confidence) for d in one.values()] == [
            (d.state, d.values, d.confidence) for d in other.values()
        ]
