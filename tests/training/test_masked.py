"""What is learned of sources without labels, on items whose faults are known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from character_pipeline.attribute_fusion.fusion import Fuser
from character_pipeline.attribute_fusion.strategies import find_strategy
from character_pipeline.attribute_fusion.weights import Weights, load_weights
from character_pipeline.data import Claims, Evidence
from character_pipeline.errors import ConfigError
from character_pipeline.evaluation.contest.contenders import Ring, raw_vote, strategy
from character_pipeline.evaluation.contest.field import lay_out
from character_pipeline.evaluation.contest.verdicts import mark
from character_pipeline.evaluation.gold import Gold
from character_pipeline.training.fusion.fit import fit_weights
from character_pipeline.training.fusion.masked import learn_masked
from character_pipeline.training.fusion.sides import ECHO
from tests.rl_optimizer.simulated import VOCABULARY, make_gold

CHOICES = ("gender", "hair_color", "hair_length", "eye_color")
GOLD = make_gold(1_500)


def utility(weights: Weights) -> float:
    field = lay_out(make_gold(800, seed=1), weights)
    return mark(field, strategy(Ring(field, field), "bayesian"))["all"].utility


def test_texts_are_as_reliable_as_sure_pictures_confirm_them() -> None:
    weights = learn_masked(GOLD)
    assert set(weights.habits) == {*CHOICES, "accessories"}
    fuser = Fuser(VOCABULARY, lookers=GOLD.lookers, strategy=find_strategy("bayesian"))
    for key in CHOICES:
        attribute = VOCABULARY.attributes[key]
        ballot, _ = GOLD.ballot(attribute, fuser)
        raw = ballot.of(["tag_parser"])
        alone = (raw.scores[:, 0] > 0).sum(axis=1) == 1
        said = weights.calibration().apply(raw).scores[alone, 0].max(axis=1)
        right = (raw.scores[:, 0].argmax(axis=1) == GOLD.one(attribute))[alone]
        assert abs(said.mean() - right.mean()) < 0.08


def test_what_texts_leave_unsaid_of_a_list_is_told_by_sure_pictures() -> None:
    row, attribute = learn_masked(GOLD).habits["accessories"], VOCABULARY.attributes["accessories"]
    place, known = row.sources.index("tag_parser"), GOLD.each(attribute) == 1
    stated = np.array([[v in _values(one) for v in attribute.values] for one in GOLD.claims])
    true = (known & ~stated).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
    for value in np.flatnonzero(known.sum(axis=0)):
        assert row.silent[place][value] == pytest.approx(true[value], abs=0.12)
        assert row.silent[place][value] < row.mute[place][value]


def _values(claims: Claims) -> set[str]:
    return {claim.value for claim in claims["accessories"] if claim.extractor == "tag_parser"}


def test_it_is_worth_what_the_same_strategy_learns_from_labels() -> None:
    field = lay_out(make_gold(800, seed=1), Weights())
    raw = mark(field, raw_vote(Ring(field, field)))["all"].utility
    masked, labelled = utility(learn_masked(GOLD)), utility(fit_weights(GOLD, {}))
    assert labelled > raw + 0.01
    assert masked - raw > 0.9 * (labelled - raw)


def test_the_truth_is_not_looked_at() -> None:
    assert learn_masked(make_gold(600)) == learn_masked(make_gold(600, shuffled=True))


def test_the_order_of_items_does_not_matter() -> None:
    order = np.random.default_rng(0).permutation(len(GOLD))
    assert learn_masked(GOLD).curves == learn_masked(GOLD.take(order)).curves
    for key, row in learn_masked(GOLD.take(order)).habits.items():
        assert row.prior == pytest.approx(learn_masked(GOLD).habits[key].prior, abs=2e-6)


def test_a_second_look_at_the_same_picture_counts_less() -> None:
    claims = [{key: [*some, *_again(some)] for key, some in one.items()} for one in GOLD.claims]
    row = learn_masked(Gold(VOCABULARY, GOLD.truths, claims)).habits["hair_color"]
    assert dict(zip(row.sources, row.weight, strict=True)) == {
        "clip_analyzer": 1.0,
        "color_analyzer": ECHO,
        "tag_parser": 1.0,
    }


def _again(some: Sequence[Evidence]) -> list[Evidence]:
    seen = [claim for claim in some if claim.extractor == "clip_analyzer" and claim.score > 0.5]
    return [replace(claim, source="color_analyzer/1") for claim in seen]


def test_it_is_told_and_kept_in_a_file(tmp_path: Path) -> None:
    lines: list[str] = []
    weights = learn_masked(GOLD, lines.append)
    assert len(lines) == len(CHOICES) + 1
    assert "Hair Color: of " in lines[1]
    weights.save(tmp_path / "w.json")
    assert load_weights(tmp_path / "w.json") == weights


@pytest.mark.parametrize("kept", ["tag_parser", "clip_analyzer", "nobody"])
def test_one_kind_of_source_teaches_nothing(kept: str) -> None:
    claims: list[Claims] = [
        {key: [claim for claim in some if claim.extractor == kept] for key, some in one.items()} for one in GOLD.claims
    ]
    with pytest.raises(ConfigError, match="a text and a picture that is sure"):
        learn_masked(Gold(VOCABULARY, GOLD.truths, claims))
