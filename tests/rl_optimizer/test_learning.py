"""The policy learns where to look, keeps to a price, and is used only where it is better."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np
import pytest

from character_pipeline.attribute_fusion.fusion import Fuser
from character_pipeline.attribute_fusion.weights import Weights
from character_pipeline.config import load_config
from character_pipeline.errors import ConfigError
from character_pipeline.evaluation.contest.contenders import Ring, baselines, played, verdicts_of
from character_pipeline.evaluation.contest.field import Field, cut, lay_out
from character_pipeline.evaluation.contest.standings import meet
from character_pipeline.evaluation.contest.verdicts import difference, mark, utilities
from character_pipeline.processing.deciding import read_policies
from character_pipeline.rl_optimizer.actions import LEAST, NAMES, SUBSETS, voice
from character_pipeline.rl_optimizer.dqn import Learner
from character_pipeline.rl_optimizer.episodes import Game, answer, play
from character_pipeline.rl_optimizer.learned import _both_heard, make_learned
from character_pipeline.rl_optimizer.learning import (
    Course,
    greedy,
    learn,
    net,
    prices_of,
    returns,
    tell,
    with_price,
)
from character_pipeline.rl_optimizer.policy import Policy, load_policy
from character_pipeline.rl_optimizer.settings import Settings
from character_pipeline.rl_optimizer.thrift import Thrift, make_thrift, price_for
from character_pipeline.schema import find_fault
from character_pipeline.training.policy import Plan, best_policy, check_reward, judge, train_policy
from tests.rl_optimizer.simulated import VOCABULARY, make_gold

SETTINGS = Settings(hidden=(32,), learning_rate=3e-3, target_rate=0.05)
LOOKERS = frozenset({"clip_analyzer"})


@lru_cache(maxsize=1)
def fields() -> tuple[Field, Field]:
    learn_from, judged = cut(make_gold(900), 0.4, seed=0)
    return lay_out(learn_from, Weights()), lay_out(judged, Weights())


@lru_cache(maxsize=2)
def trained(mode: str = "six") -> Policy:
    plan = Plan(mode=mode, settings=SETTINGS, steps=250)  # type: ignore[arg-type]
    return best_policy(fields()[0], plan, Weights(), lambda line: None)[0]


def test_it_beats_every_fixed_action_where_items_differ() -> None:
    fit, test = fields()
    ring = Ring(fit, test)
    verdicts = played(ring, "learned", greedy(trained(), 0.0))
    gate = judge(test, verdicts, [one for one in baselines(ring) if one.name.startswith("action")])
    assert gate.adopted
    assert gate.interval[0] > 0.01


def test_verdicts_are_worth_what_the_episode_earned() -> None:
    _, test = fields()
    done = play(test.known, Game(), greedy(trained(), 0.0))
    np.testing.assert_allclose(utilities(test, verdicts_of(test, "learned", done)), done.utility, atol=1e-6)


def test_labels_that_mean_nothing_are_not_adopted() -> None:
    fit, test = fields()
    nonsense = lay_out(make_gold(500, shuffled=True), Weights(), list(fit.ballots))
    policy, _ = best_policy(nonsense, Plan(settings=SETTINGS, steps=120), Weights(), lambda line: None)
    ring = Ring(fit, test)
    verdicts = played(ring, "learned", greedy(policy, 0.0))
    assert not judge(test, verdicts, baselines(ring)).adopted


@pytest.mark.parametrize("dominated", ["random", "conservative_clip"])
def test_bad_policies_are_not_adopted(dominated: str) -> None:
    ring = Ring(*fields())
    rng = np.random.default_rng(0)

    def choose(states: object, masks: object, items: np.ndarray, place: int) -> np.ndarray:
        count = len(items)
        return rng.integers(0, 6, count) if dominated == "random" else np.full(count, NAMES.index(dominated))

    assert not judge(ring.test, played(ring, "learned", choose), baselines(ring)).adopted


def test_dearer_milliseconds_buy_less() -> None:
    _, test = fields()
    game = Game("acquire")
    costs = [play(test.known, game, greedy(trained("acquire"), price)).cost.mean() for price in (0.0, 0.05, 0.2)]
    assert costs[0] >= costs[1] >= costs[2]
    assert costs[2] < costs[0]


def test_a_budget_finds_its_price() -> None:
    budgets = prices_of(fields()[1].known, Game("acquire"), trained("acquire"))
    assert price_for(budgets, 1_000.0) == 0.0
    assert price_for(budgets, -1.0) == max(map(float, budgets))
    costs = list(budgets.values())
    middle = (costs[0] + min(costs)) / 2
    assert budgets[f"{price_for(budgets, middle):g}"] <= middle


def test_pictures_that_are_not_worth_it_are_not_wanted() -> None:
    learned = make_learned(trained("acquire"), Weights(), tuple(VOCABULARY.attributes))
    gold = make_gold(80, seed=3)
    texts = [
        {key: [claim for claim in some if claim.extractor == "tag_parser"] for key, some in one.items()}
        for one in gold.claims
    ]
    ballots = Fuser(VOCABULARY, lookers=LOOKERS, strategy=learned).ballots(texts)
    shares = [Thrift(learned, price).wants_picture(ballots).mean() for price in (0.0, 0.1, 0.4)]
    assert shares == sorted(shares, reverse=True)
    assert shares[0] > shares[-1]


def test_a_policy_that_does_not_know_its_costs_keeps_no_budget() -> None:
    learned = make_learned(trained(), Weights(), tuple(VOCABULARY.attributes))
    with pytest.raises(ConfigError, match="cost"):
        make_thrift(learned, 5.0)


def test_returns_go_on_to_the_next_attribute_that_is_asked() -> None:
    known = fields()[0].known.take(np.arange(3))
    learner = Learner(known.states.shape[-1] + 1, len(NAMES), SETTINGS)
    prices = np.array([0.0, 0.1, 0.2], dtype=np.float32)
    told, states = tell(known, Game()), with_price(known.states, prices[:, None, None])
    found = returns(learner, states, told, prices)
    item, subset = 1, 0
    asked = np.flatnonzero(known.asked[item])
    first, second, last = asked[0], asked[1], asked[-1]
    own = told.worth[item, last, subset] - prices[item] * told.paid[item, last, subset]
    np.testing.assert_allclose(found[item, last, subset], own, atol=1e-5)
    for action in range(len(NAMES)):
        after = told.after[item, first, subset, action]
        later = learner.values(states[item, second, after][None])[0].max()
        reward = told.worth[item, first, subset, action] - prices[item] * told.paid[item, first, subset, action]
        assert found[item, first, subset, action] == pytest.approx(reward + later, abs=1e-4)
    assert found.shape == (3, len(known.keys), SUBSETS, len(NAMES))


def test_the_same_seed_learns_the_same_policy() -> None:
    fit, test = fields()
    course = Course(SETTINGS, 20)
    first, second = (learn(fit.known, test.known, Game(), course)[0] for _ in range(2))
    for (weights, bias), (others, other) in zip(first.layers(), second.layers(), strict=True):
        np.testing.assert_array_equal(weights, others)
        np.testing.assert_array_equal(bias, other)


def test_training_writes_a_policy_that_says_how_good_it_is(tmp_path: Path) -> None:
    plan = Plan(settings=SETTINGS, steps=30)
    report = train_policy(make_gold(400), Weights(), plan, tmp_path / "policy.safetensors")
    policy = load_policy(tmp_path / "policy.safetensors")
    assert policy.about.provenance["gate"]["baseline"] == report["gate"]["baseline"]
    instead = policy.about.provenance["instead"]
    assert bool(instead) != report["gate"]["adopted"]
    assert report["utility"]["oracle of the six (unreachable)"] == max(report["utility"].values())


def test_records_say_what_the_policy_chose_whatever_else_is_in_the_batch() -> None:
    gold = make_gold(30, seed=5)
    strategy = make_learned(trained(), Weights(), tuple(VOCABULARY.attributes))
    fuser = Fuser(VOCABULARY, lookers=LOOKERS, strategy=strategy)
    together = fuser.decide_all(gold.claims)
    for claims, decided in zip(gold.claims, together, strict=True):
        alone = fuser.decide(claims)
        assert {label: one.to_json() for label, one in alone.items()} == {k: v.to_json() for k, v in decided.items()}
        for label, one in decided.items():
            assert find_fault(VOCABULARY.attribute(label), one) is None
    known = sum(one.state == "known" for decided in together for one in decided.values())
    assert known > 30


def test_states_in_which_all_actions_agree_are_rightly_left_out() -> None:
    strategy = make_learned(trained(), Weights(), tuple(VOCABULARY.attributes))
    ballots = Fuser(VOCABULARY, lookers=LOOKERS, strategy=strategy).ballots(make_gold(120, seed=7).claims)
    both = np.flatnonzero(_both_heard(ballots))
    found = strategy.weigh_all(ballots)
    answers = answer({key: ballots[key].take(both) for key in strategy.keys}, strategy.judges, [SUBSETS - 1])
    for place, (key, chances) in enumerate(answers.chances.items()):
        states = with_price(answers.states[:, place, 0], 0.0)
        chosen = strategy.policy.act(states, np.ones((len(both), len(NAMES)), dtype=np.bool_))
        own = chances[np.arange(len(both)), 0, chosen]
        wanted = voice(own, LEAST[chosen], answers.stack[key][:, 0], VOCABULARY.attributes[key].many)
        told = ballots[key].told[both]
        np.testing.assert_array_equal(found[key].support[both][told], wanted.support[told])
        np.testing.assert_array_equal(found[key].least[both][told], wanted.least[told])
        assert not found[key].support[both][~told].any()


def test_items_with_one_kind_of_source_are_left_to_the_stack() -> None:
    strategy = make_learned(trained(), Weights(), tuple(VOCABULARY.attributes))
    fuser = Fuser(VOCABULARY, lookers=LOOKERS, strategy=strategy)
    gold = make_gold(5)
    texts = [
        {key: [c for c in some if c.extractor == "tag_parser"] for key, some in one.items()} for one in gold.claims
    ]
    usual = Fuser(VOCABULARY, lookers=LOOKERS, strategy=strategy.judges.ensemble)
    found, wanted = fuser.decide_all(texts), usual.decide_all(texts)
    for one, other in zip(found, wanted, strict=True):
        assert {key: v.values for key, v in one.items()} == {key: v.values for key, v in other.items()}


def test_a_policy_of_other_weights_is_refused() -> None:
    other = Weights(learned_from={"other": True})
    with pytest.raises(ConfigError, match="other fusion weights"):
        make_learned(trained(), other, tuple(VOCABULARY.attributes))


def test_nothing_is_learned_without_labels() -> None:
    with pytest.raises(ConfigError, match="labelled"):
        train_policy(make_gold(10), Weights(), Plan(), None)


def test_the_net_utility_is_that_of_the_tables() -> None:
    known = fields()[1].known
    done = play(known, Game(), greedy(trained(), 0.0))
    assert net(done, known, 0.0) == pytest.approx(done.utility.sum() / known.judged.sum())


def test_batches_in_which_texts_and_pictures_always_speak() -> None:
    gold = make_gold(60)
    both = [n for n, one in enumerate(gold.claims) if len({c.extractor for some in one.values() for c in some}) == 2]
    strategy = make_learned(trained(), Weights(), tuple(VOCABULARY.attributes))
    fuser = Fuser(VOCABULARY, lookers=LOOKERS, strategy=strategy)
    assert len(fuser.decide_all(gold.take(np.array(both)).claims)) == len(both) > 0
    assert fuser.decide_all([]) == []


def test_who_is_rewarded_for_looking_good_is_worth_less_and_is_not_adopted() -> None:
    fit, test = fields()
    plan = Plan(settings=SETTINGS, steps=250, reward="heuristic")
    policy, _ = best_policy(fit, plan, Weights(), lambda line: None)
    ring = Ring(fit, test)
    looking, knowing = (played(ring, "learned", greedy(one, 0.0)) for one in (policy, trained()))
    loss = difference(test, looking, knowing)
    assert loss.interval[1] < -0.02
    assert mark(test, looking)["all"].coverage >= mark(test, knowing)["all"].coverage, "it says more"
    assert not judge(test, looking, baselines(ring)).adopted


def test_the_heuristic_reward_is_named_and_its_loss_is_shown(tmp_path: Path) -> None:
    path, said = tmp_path / "policy.safetensors", list[str]()
    plan = Plan(settings=SETTINGS, steps=60, reward="heuristic")
    report = train_policy(make_gold(400), Weights(), plan, path, said.append)
    assert report["reward"] == "heuristic"
    assert report["gate"]["difference"] < 0
    assert any("without the truth" in line for line in said)
    [(name, policy)] = read_policies(load_config({"rl_optimizer": {"policy": str(path)}}), tmp_path / "no.db")
    assert policy.about.provenance["instead"] == report["gate"]["baseline"]
    places = {place.name: place for place in meet(make_gold(200, seed=9), Weights(), [(name, policy)]).places}
    assert places["learned (heuristic reward)"].ahead < 0


def test_a_reward_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ConfigError, match="reward"):
        check_reward("applause")
