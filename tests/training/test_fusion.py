"""What is learned of sources from labelled items, on items whose faults are known."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import lru_cache

import numpy as np
import pytest

from character_pipeline.attribute_fusion.calibration import logistic, logit
from character_pipeline.attribute_fusion.fusion import Fuser
from character_pipeline.attribute_fusion.strategies import find_strategy
from character_pipeline.attribute_fusion.weights import CurveRow
from character_pipeline.data import Evidence
from character_pipeline.errors import ConfigError
from character_pipeline.evaluation.gold import Gold
from character_pipeline.evaluation.metrics import Flags, Floats
from character_pipeline.evaluation.reliability import ALL, brier
from character_pipeline.training.fusion.crossing import cross_fit, said_values
from character_pipeline.training.fusion.curves import LEAST_CLAIMS, fit_curve
from character_pipeline.training.fusion.fit import fit_weights
from character_pipeline.training.fusion.recipe import Learned, kind_of, learn_weights
from tests.rl_optimizer.simulated import TOLD, VOCABULARY, make_gold

KINDS: dict[str, Callable[[Floats], Floats]] = {
    "scaled": lambda scores: logistic(0.4 * logit(scores)),
    "platt": lambda scores: logistic(0.7 * logit(scores) - 1.2),
    "isotonic": lambda scores: np.where(scores < 0.5, 0.2, np.where(scores < 0.8, 0.25, 0.95)),
}


@lru_cache(maxsize=1)
def gold() -> Gold:
    return make_gold(600)


@lru_cache(maxsize=1)
def learned() -> Learned:
    return learn_weights(gold())


def drawn(kind: str, count: int = 8_000, seed: int = 0) -> tuple[Floats, Flags, Floats]:
    """Scores, what is right, and the true chances."""
    rng = np.random.default_rng(seed)
    scores = rng.uniform(0.05, 0.99, count)
    chances: Floats = KINDS[kind](scores)
    return scores, rng.uniform(size=count) < chances, chances


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_of_curve_wins_on_what_it_was_made_for(kind: str) -> None:
    names = []
    for seed in range(7):
        scores, right, chances = drawn(kind, 3_000, seed)
        found = fit_curve(scores, right, np.arange(len(scores)) // 2)
        assert found is not None
        name, curve = found
        names.append(name)
        row = CurveRow(slope=curve.slope, offset=curve.offset, scores=curve.scores, chances=curve.chances)
        assert kind_of(row) == name
        assert np.abs(curve(scores) - chances).mean() < 0.04
    assert Counter(names).most_common(1)[0][0] == kind


def test_probabilities_that_are_right_stay_about_as_they_are() -> None:
    rng = np.random.default_rng(1)
    scores = rng.uniform(0.05, 0.95, 4_000)
    found = fit_curve(scores, rng.uniform(size=4_000) < scores, np.arange(4_000))
    assert found is not None
    assert np.abs(found[1](scores) - scores).max() < 0.04


def test_surer_claims_that_are_worse_are_worth_the_same() -> None:
    rng = np.random.default_rng(2)
    scores = rng.uniform(0.1, 0.9, 2_000)
    found = fit_curve(scores, rng.uniform(size=2_000) < 1 - scores, np.arange(2_000))
    assert found is not None
    assert np.ptp(found[1](scores)) < 0.1


@pytest.mark.parametrize(
    ("count", "share", "characters"), [(LEAST_CLAIMS - 1, 0.5, 1_000), (1_000, 0.99, 1_000), (1_000, 0.5, 4)]
)
def test_too_few_claims_leave_scores_as_they_are(count: int, share: float, characters: int) -> None:
    scores = np.linspace(0.1, 0.9, count)
    right = np.arange(count) < share * count
    assert fit_curve(scores, right, np.arange(count) % characters) is None


def test_rarely_labelled_attributes_keep_their_scores() -> None:
    labels = ["Gender", "Hair Color"]
    few = [{**truth, "labels": labels if number < 60 else ["Gender"]} for number, truth in enumerate(gold().truths)]
    weights = fit_weights(Gold(VOCABULARY, few, gold().claims), {})
    assert set(weights.habits) == {"gender"}
    assert all(set(curves) <= {"gender"} for curves in weights.curves.values())


def test_too_few_items_and_no_evidence_are_told() -> None:
    with pytest.raises(ConfigError, match="50 labelled items are too few"):
        learn_weights(gold().take(np.arange(50)))
    silent = Gold(VOCABULARY, gold().truths, [{} for _ in gold().truths])
    with pytest.raises(ConfigError, match=r"no evidence on the labelled items\. Run charpipe extract"):
        learn_weights(silent)
    same = [{**truth, "character": "one"} for truth in gold().truths]
    with pytest.raises(ConfigError, match="fewer than 5 characters"):
        learn_weights(Gold(VOCABULARY, same, gold().claims))


def test_no_item_is_judged_by_what_was_learned_from_its_character() -> None:
    twins = [{**truth, "character": str(number // 3)} for number, truth in enumerate(gold().truths)]
    paired = Gold(VOCABULARY, twins, gold().claims)
    met = []
    for weights, rows in cross_fit(paired):
        others = np.setdiff1d(np.arange(len(paired)), rows)
        assert not set(paired.groups[rows]) & set(paired.groups[others])
        assert weights.learned_from["items"] == len(others)
        met.append(rows)
    np.testing.assert_array_equal(np.sort(np.concatenate(met)), np.arange(len(paired)))


def test_learning_makes_claims_and_answers_more_reliable_on_other_characters() -> None:
    before, after = learned().before[ALL], learned().after[ALL]
    assert after.answers == before.answers > 1_000
    assert after.log_loss < before.log_loss
    assert after.brier < before.brier
    assert after.calibration < 0.5 * before.calibration
    others = make_gold(600, seed=7)
    rows = np.arange(len(others))
    for name in ("ensemble", "bayesian"):
        fitted = said_values(others, find_strategy(name, lambda: learned().weights), rows)["hair_color"]
        usual = said_values(others, find_strategy("hierarchical"), rows)["hair_color"]
        assert brier(fitted) < brier(usual)


def test_what_is_learned_does_not_depend_on_chance_and_covers_what_was_labelled() -> None:
    again = fit_weights(gold(), dict(learned().weights.learned_from))
    assert again.digest == learned().weights.digest
    assert set(TOLD) <= set(again.habits)
    assert set(learned().weights.thresholds) == {"hierarchical", "ensemble", "bayesian"}
    assert set(learned().weights.thresholds["ensemble"]) == {"0.9", "0.95", "0.98", "0.99"}


def test_said_values_are_those_that_are_decided() -> None:
    rows = np.arange(0, 600, 3)
    strategy = find_strategy("ensemble", lambda: learned().weights)
    said = said_values(gold(), strategy, rows)
    fuser = Fuser(VOCABULARY, lookers=gold().lookers, strategy=strategy)
    decided = fuser.decide_all([gold().claims[int(row)] for row in rows])
    for key in TOLD:
        attribute = VOCABULARY.attributes[key]
        assert len(said[key].sure) == sum(len(one[attribute.label].values) for one in decided)
    assert not len(said["ethnicity"].sure)


def _copies(claims: Sequence[Evidence]) -> list[Evidence]:
    return [replace(claim, source="twin/1") for claim in claims if claim.extractor == "clip_analyzer"]


def test_a_source_that_repeats_another_counts_little() -> None:
    doubled = [{key: [*some, *_copies(some)] for key, some in claims.items()} for claims in gold().claims]
    weights = fit_weights(Gold(VOCABULARY, gold().truths, doubled), {})
    row = weights.habits["hair_color"]
    own = dict(zip(row.sources, row.weight, strict=True))
    assert own["clip_analyzer"] + own["twin"] <= 1.3


def test_what_a_more_precise_claim_replaces_is_no_wrong_claim() -> None:
    rng = np.random.default_rng(0)
    places = rng.choice(["Cheek", "Eye", "Nose"], 400)
    truths = [
        {"item_id": str(n), "character": str(n), "attributes": {"Scars": [str(place)] if rng.random() < 0.9 else []}}
        for n, place in enumerate(places)
    ]
    claims = [
        {"scars": [Evidence("scars", value, 0.86, "tag_parser/1", "scar") for value in ("Other", str(place))]}
        for place in places
    ]
    scars = Gold(VOCABULARY, truths, claims)
    weights = fit_weights(scars, {})
    fuser = Fuser(VOCABULARY, strategy=find_strategy("ensemble", lambda: weights))
    sure = [one["Scars"].confidence for one in fuser.decide_all(scars.claims)]
    assert np.mean(sure) == pytest.approx(0.9, abs=0.03)
