"""A truth that is drawn for items that nobody labelled, and a policy that is trained and judged by it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from character_pipeline.attribute_fusion.bayesian import Bayesian
from character_pipeline.attribute_fusion.fusion import Fuser
from character_pipeline.cli.main import app
from character_pipeline.database.queries import parse_filter
from character_pipeline.database.store import Store
from character_pipeline.errors import ConfigError
from character_pipeline.evaluation import gold as gold_module
from character_pipeline.evaluation.contest.contenders import Ring, baselines
from character_pipeline.evaluation.contest.field import lay_out
from character_pipeline.evaluation.gold import read_unlabelled
from character_pipeline.rl_optimizer.policy import load_policy
from character_pipeline.training.fusion.masked import learn_masked
from character_pipeline.training.fusion.masked_truth import MARGIN, draw_truth, read_masked
from character_pipeline.training.policy import judge
from tests.rl_optimizer.simulated import TOLD, VOCABULARY, make_gold
from tests.rl_optimizer.simulated_run import run_items, settings

GOLD = make_gold(1_200)
WEIGHTS = learn_masked(GOLD)


@pytest.mark.parametrize("key", ["hair_color", "accessories"])
def test_values_are_drawn_as_often_as_they_are_probable(key: str) -> None:
    attribute = VOCABULARY.attributes[key]
    ballot, _ = GOLD.ballot(attribute, Fuser(VOCABULARY, lookers=GOLD.lookers, strategy=Bayesian()))
    chances = Bayesian(WEIGHTS.calibration(), WEIGHTS.all_habits()).support(ballot)
    draws = np.mean([draw_truth(GOLD, WEIGHTS, seed).each(attribute) for seed in range(12)], axis=0)
    assert abs(draws - chances).mean() < 0.06
    assert draws.mean(axis=0) == pytest.approx(chances.mean(axis=0), abs=0.01)


def test_the_truth_that_is_known_is_not_looked_at() -> None:
    other = make_gold(1_200, shuffled=True)
    assert draw_truth(GOLD, WEIGHTS).truths == draw_truth(other, WEIGHTS).truths
    assert draw_truth(GOLD, WEIGHTS).truths != draw_truth(GOLD, WEIGHTS, seed=1).truths


def test_only_what_the_weights_know_is_judged() -> None:
    drawn = draw_truth(GOLD, WEIGHTS)
    for key, attribute in VOCABULARY.attributes.items():
        known = (drawn.each(attribute) >= 0).all(axis=1)
        assert known.all() if key in TOLD else not known.any()
    assert drawn.claims == GOLD.claims


def test_what_errs_by_the_margin_is_not_adopted() -> None:
    field = lay_out(draw_truth(GOLD, WEIGHTS), WEIGHTS)
    every = list(baselines(Ring(field, field)))
    best, others = next(one for one in every if one.name.startswith("oracle")), every[:4]
    gap = judge(field, best, others)
    assert gap.adopted
    assert not judge(field, best, others, margin=gap.interval[0] + 1e-6).adopted


def make_place(folder: Path, alike: bool = False) -> Path:
    """A folder with a database and its settings."""
    config = settings(folder, None)
    config["attribute_fusion"]["fusion_strategy"] = "hierarchical"
    run_items(make_gold(800, seed=3), folder, config, alike).close()
    (folder / "settings.json").write_text(json.dumps({"attribute_fusion": config["attribute_fusion"]}))
    return folder


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_place(tmp_path_factory.mktemp("masked"))


def train(place: Path, *more: str) -> Any:
    words = ["train", "policy", str(place), "--output", str(place / "policy.safetensors"), "--steps", "3"]
    return CliRunner().invoke(app, [*words, "--config", str(place / "settings.json"), "--masked", *more])


def test_a_policy_is_trained_without_labels(place: Path) -> None:
    done = train(place)
    assert done.exit_code == 0, done.output
    assert "texts, " in done.output
    notes = load_policy(place / "policy.safetensors").about.provenance
    assert (notes["truth"], notes["labels"]) == ("drawn", 0)
    assert notes["gate"]["margin"] == MARGIN


def test_one_character_is_not_enough_to_be_judged_by(tmp_path: Path) -> None:
    make_place(tmp_path, alike=True)
    done = train(tmp_path)
    assert "too few characters" in str(done.exception)


def test_labels_and_none_do_not_go_together(place: Path) -> None:
    done = train(place, "--truth", "truth.jsonl")
    assert isinstance(done.exception, ConfigError)
    assert "leave out --truth" in str(done.exception)


def test_of_many_items_every_so_many_are_read(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gold_module, "MOST_UNLABELLED", 150)
    store = Store(place / "character_attributes.db", writable=False)
    try:
        names = read_unlabelled(store).column("item_id")
        assert len(names) == len(set(names)) == 134
        with pytest.raises(ConfigError, match="a text and a picture that is sure"):
            read_masked(store)
        assert parse_filter(store, "people=single").sets
    finally:
        store.close()
