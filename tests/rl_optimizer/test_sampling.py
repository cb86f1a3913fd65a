"""Audits and exploration: drawn by the ids of items alone, logged with their chances, and without any other answer."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from character_pipeline import create_pipeline
from character_pipeline.data import CharacterAttributes
from character_pipeline.database.queries import get_result
from character_pipeline.errors import ConfigError
from character_pipeline.rl_optimizer.choices import ACTIONS, Choice
from character_pipeline.rl_optimizer.sampling import Sampler
from tests.rl_optimizer.simulated import make_gold
from tests.rl_optimizer.simulated_run import run_items, settings, trained_policy

GOLD = make_gold(40, seed=5)


@pytest.fixture(scope="module")
def policy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return trained_policy(tmp_path_factory.mktemp("policy") / "policy.safetensors")


def records(folder: Path, policy: Path, **learner: Any) -> list[CharacterAttributes]:
    folder.mkdir()
    store = run_items(GOLD, folder, settings(folder, policy, **learner))
    found = [get_result(store, line["item_id"]) for line in GOLD.truths]
    store.close()
    return [result.attributes for result in found if result is not None]


def test_shares_are_kept_and_seeds_draw_other_items() -> None:
    names = [f"item {number}" for number in range(4_000)]
    first, second = Sampler(0.1, 0.3, 0.2, 0), Sampler(0.1, 0.3, 0.2, 1)
    drawn = [first.samples(name) for name in names]
    assert np.mean(["audit" in one for one in drawn]) == pytest.approx(0.1, abs=0.02)
    assert np.mean(["explore" in one for one in drawn]) == pytest.approx(0.3, abs=0.03)
    assert np.mean([len(one) == 2 for one in drawn]) == pytest.approx(0.03, abs=0.01)
    assert drawn != [second.samples(name) for name in names]
    assert Sampler(1.0, 1.0, 1.0, 0).samples("") == ()


def test_actions_are_drawn_as_often_as_their_propensity_says() -> None:
    sampler, greedy = Sampler(0.0, 1.0, 0.3, 0), Choice("tag_priority")
    drawn = [sampler.draw(f"item {number}", "Age", greedy) for number in range(6_000)]
    for action in ACTIONS:
        chances = {one.propensity for one in drawn if one.drawn == action}
        assert len(chances) == 1
        assert np.mean([one.drawn == action for one in drawn]) == pytest.approx(chances.pop(), abs=0.015)


@given(st.text(min_size=1), st.text(), st.sampled_from(ACTIONS), st.floats(0, 1), st.integers(0, 2**40))
def test_the_same_names_draw_the_same(item: str, label: str, action: str, epsilon: float, seed: int) -> None:
    sampler = Sampler(0.5, 0.5, epsilon, seed)
    one = sampler.draw(item, label, Choice(action))
    assert one == Sampler(0.1, 0.9, epsilon, seed).draw(item, label, Choice(action))
    assert one.action == action
    assert 0 < one.propensity <= 1
    assert sampler.samples(item) == sampler.samples(item)


@pytest.mark.parametrize("budget", [{}, {"budget_ms": 0.0}])
def test_samples_change_no_answer(policy: Path, tmp_path: Path, budget: dict[str, float]) -> None:
    usual = records(tmp_path / "usual", policy, **budget)
    sampled = records(tmp_path / "sampled", policy, audit_share=0.5, explore_share=0.5, epsilon=0.9, **budget)
    met = set()
    for before, after in zip(usual, sampled, strict=True):
        assert before.to_dict() == after.to_dict()
        assert (before.status, before.people, before.reasons) == (after.status, after.people, after.reasons) or (
            [claim.to_json() for claim in before.reasons] == [claim.to_json() for claim in after.reasons]
        )
        samples = after.dealing.samples if after.dealing else ()
        met.add(samples)
        for label, one in after.attributes.items():
            choice = before.attributes[label].choice
            assert (one.choice.action if one.choice else None) == (choice.action if choice else None)
            assert bool(one.choice and one.choice.drawn) == (bool(choice) and "explore" in samples)
    assert len(met) == 4


def test_an_audit_looks_where_the_budget_does_not_and_keeps_what_it_sees(policy: Path, tmp_path: Path) -> None:
    found = records(tmp_path / "audited", policy, audit_share=0.5, budget_ms=0.0)
    seen = {True: 0, False: 0}
    for record in found:
        assert record.dealing is not None
        heard = {claim.extractor for one in record.attributes.values() for claim in one.evidence}
        if record.dealing.bought == ():
            audited = "audit" in record.dealing.samples
            assert ("clip_analyzer" in heard) == audited
            seen[audited] += 1
            assert record.to_detail()["policy"] == {"bought": [], **({"samples": ["audit"]} if audited else {})}
    assert min(seen.values()) > 2


def test_what_is_drawn_does_not_depend_on_batches_or_order(policy: Path, tmp_path: Path) -> None:
    logged = []
    for name, size in (("one", 1), ("many", 64)):
        (tmp_path / name).mkdir()
        config = settings(tmp_path / name, policy, explore_share=0.6, audit_share=0.3, epsilon=0.5)
        config["run"]["batch_size"] = size
        gold = GOLD if size == 1 else GOLD.take(np.arange(len(GOLD))[::-1])
        store = run_items(gold, tmp_path / name, config)
        details = [get_result(store, str(number)) for number in range(len(GOLD))]
        made = [one.attributes.to_detail() for one in details if one is not None]
        logged.append([json.dumps([one["policy"], one["attributes"]]) for one in made if "policy" in one])
        store.close()
    assert logged[0] == logged[1]
    assert "propensity" in "".join(logged[0])


@pytest.mark.parametrize("share", ["audit_share", "explore_share"])
def test_samples_need_a_policy(share: str) -> None:
    with pytest.raises(ConfigError, match=f"rl_optimizer.{share} needs"):
        create_pipeline({"rl_optimizer": {share: 0.1}, "clip_analyzer": {"enabled": False}})
