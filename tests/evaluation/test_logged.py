"""What a policy is worth by logged actions, against what it is worth; through real stores."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from character_pipeline.attribute_fusion.weights import Weights
from character_pipeline.cli.main import app
from character_pipeline.database.feedback import give_feedback
from character_pipeline.database.store import Store
from character_pipeline.errors import ConfigError
from character_pipeline.evaluation.contest.field import lay_out
from character_pipeline.evaluation.logged import UNLOGGED, Logged, compare_policies, expected, read_logged, value
from character_pipeline.rl_optimizer.actions import NAMES
from character_pipeline.rl_optimizer.choices import Choice
from character_pipeline.rl_optimizer.learned import EVERYTHING, make_learned
from character_pipeline.rl_optimizer.off_policy import Estimate
from character_pipeline.rl_optimizer.policy import Policy, load_policy
from character_pipeline.rl_optimizer.sampling import Sampler
from tests.rl_optimizer.simulated import TOLD, VOCABULARY, make_gold
from tests.rl_optimizer.simulated_run import run_items, settings, trained_policy

GOLD = make_gold(300, seed=5)
LABELLED = 250


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two policies, and a database of items of which four in five explored by one of them."""
    folder = tmp_path_factory.mktemp("logged")
    trained_policy(folder / "old.safetensors", count=120, steps=2)
    trained_policy(folder / "new.safetensors", count=300, steps=60, mode="six", seed=1)
    config = settings(folder, folder / "old.safetensors", explore_share=0.8, epsilon=0.6)
    store = run_items(GOLD, folder, config)
    for line in GOLD.truths[:LABELLED]:
        for key in TOLD:
            true = line["attributes"][VOCABULARY.attributes[key].label]
            give_feedback(store, line["item_id"], key, true if isinstance(true, list) else [true])
    store.close()
    (folder / "settings.json").write_text(json.dumps({"attribute_fusion": config["attribute_fusion"]}))
    return folder


@pytest.fixture
def store(place: Path) -> Iterator[Store]:
    opened = Store(place / "character_attributes.db", writable=False)
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def new(place: Path) -> Policy:
    return load_policy(place / "new.safetensors")


def worth(policy: Policy) -> float:
    """The true value: the mean reward over many more decisions where texts and pictures both speak of the item."""
    learned = make_learned(policy, Weights(), tuple(VOCABULARY.attributes))
    field = lay_out(make_gold(2_000, seed=77), Weights(), list(learned.keys))
    both = np.array([_both(claims) for claims in field.gold.claims])
    told = [ballot.told & (key in TOLD) for key, ballot in field.ballots.items()]
    rows = field.known.judged & both[:, None] & np.stack(told, axis=1)
    actions = learned.choose(field.answers.states[:, :, EVERYTHING])
    return float(np.take_along_axis(field.known.utility[:, :, EVERYTHING], actions[..., None], 2)[..., 0][rows].mean())


def _both(claims: object) -> bool:
    return len({claim.extractor for some in claims.values() for claim in some}) == 2  # type: ignore[attr-defined]


def reach(estimate: Estimate) -> float:
    """Half of the interval, about two standard errors."""
    return (estimate.interval[1] - estimate.interval[0]) / 2


def test_the_estimates_hold_the_true_value(store: Store, new: Policy, place: Path) -> None:
    found = compare_policies(store, None, new, Weights())
    for policy, valued in zip((new, load_policy(place / "old.safetensors")), found.values(), strict=True):
        true = worth(policy)
        for estimate in valued.estimates.values():
            assert abs(estimate.value - true) < 2 * reach(estimate), "four standard errors"
            assert estimate.effective <= estimate.n
        assert valued.outcome == pytest.approx(true, abs=0.08)
        assert reach(valued.estimates["doubly robust"]) < reach(valued.estimates["ips"]), "a model makes it surer"


def test_intervals_cover_what_the_logged_items_would_have_earned(store: Store, new: Policy) -> None:
    learned = make_learned(new, Weights(), tuple(VOCABULARY.attributes))
    logged = read_logged(store, None, Weights(), learned.keys)
    actions = learned.choose(logged.field.answers.states[:, :, EVERYTHING])
    covered: dict[str, list[bool]] = {}
    off: dict[str, list[float]] = {}
    for seed in range(60):
        valued = value(redrawn(logged, Sampler(0.0, 1.0, 0.6, seed)), actions)
        for name, one in valued.estimates.items():
            covered.setdefault(name, []).append(one.interval[0] <= valued.outcome <= one.interval[1])
            off.setdefault(name, []).append(one.value - valued.outcome)
    for name, errors in off.items():
        assert np.mean(covered[name]) >= 0.9
        assert abs(np.mean(errors)) < 4 * np.std(errors) / math.sqrt(len(errors)), name


def redrawn(logged: Logged, sampler: Sampler) -> Logged:
    """The same items as another seed would have logged them."""
    drawn, chances = logged.drawn.copy(), logged.propensities.copy()
    for row, place in zip(*np.nonzero(logged.drawn != UNLOGGED), strict=True):
        greedy = Choice(NAMES[logged.greedy[row, place]])
        choice = sampler.draw(f"item {row}", f"attribute {place}", greedy)
        drawn[row, place], chances[row, place] = NAMES.index(choice.drawn), choice.propensity
    return replace(logged, drawn=drawn, propensities=chances)


def test_the_model_of_rewards_knows_which_actions_are_good(store: Store, new: Policy) -> None:
    learned = make_learned(new, Weights(), tuple(VOCABULARY.attributes))
    field = read_logged(store, None, Weights(), learned.keys).field
    rows = field.known.judged
    modelled, true = expected(field)[rows].ravel(), field.known.utility[:, :, EVERYTHING][rows].ravel()
    assert np.corrcoef(modelled, true)[0, 1] > 0.3
    assert abs(modelled).max() <= 1


def run(place: Path, *words: str) -> str:
    config = ["--config", str(place / "settings.json")]
    done = CliRunner().invoke(
        app, ["policies", "estimate", str(place), str(place / "new.safetensors"), *config, *words]
    )
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done.output


def test_the_command_prints_estimates_and_warns_where_they_say_little(place: Path, tmp_path: Path) -> None:
    table = run(place)
    for said in ("ips", "snips", "doubly robust", "as it was decided", "effective"):
        assert said in table
    found = json.loads(run(place, "--json"))
    assert set(found) == {"this policy", "as it was decided"}
    for one in found.values():
        assert all(math.isfinite(estimate["value"]) for estimate in one["estimates"].values())
    assert "tell little" not in table
    (tmp_path / "few.jsonl").write_text("".join(f"{json.dumps(line)}\n" for line in GOLD.truths[:12]))
    assert "tell little" in run(place, "--truth", str(tmp_path / "few.jsonl"))


def test_without_labels_of_what_explored_there_is_nothing_to_tell(place: Path, tmp_path: Path) -> None:
    usual = [line for line in GOLD.truths if "explore" not in Sampler(0, 0.8, 0.6, 0).samples(line["item_id"])]
    (tmp_path / "usual.jsonl").write_text("".join(f"{json.dumps(line)}\n" for line in usual))
    with pytest.raises(ConfigError, match="no labelled item explored"):
        run(place, "--truth", str(tmp_path / "usual.jsonl"))
