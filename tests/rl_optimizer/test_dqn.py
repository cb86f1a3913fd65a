"""The learner, on worlds whose best actions are known."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from character_pipeline.config import RLOptimizerConfig
from character_pipeline.errors import ConfigError, MissingExtraError
from character_pipeline.models import machine
from character_pipeline.rl_optimizer.dqn import (
    Learner,
    Replay,
    Transitions,
    fit,
    make_network,
    q_values,
    td_targets,
    train,
)
from character_pipeline.rl_optimizer.settings import Settings
from tests.rl_optimizer.worlds import Carts, Chain, Symbols, greedy_steps


def transitions(n: int, features: int = 2, actions: int = 3, seed: int = 0) -> Transitions:
    rng = np.random.default_rng(seed)
    states, reached = rng.normal(size=(2, n, features))
    terminal, truncated = rng.random((2, n)) < 0.3
    masks = np.ones((n, actions), dtype=np.bool_)
    return Transitions(states, rng.integers(actions, size=n), rng.normal(size=n), terminal, truncated, reached, masks)


ONLINE = np.array([[1.0, 3.0, 2.0]] * 4)
TARGET = np.array([[10.0, 20.0, 30.0]] * 4)
SEEN = Transitions(
    states=np.zeros((4, 1)),
    actions=np.zeros(4, dtype=np.int64),
    rewards=np.array([1.0, 1.0, 1.0, -1.0]),
    terminal=np.array([False, True, False, False]),
    truncated=np.array([False, False, True, False]),
    next_states=np.zeros((4, 1)),
    next_masks=np.array([[True] * 3, [True] * 3, [True] * 3, [True, False, True]]),
)


def test_targets_agree_with_those_worked_by_hand() -> None:
    # The online values choose action 1 (action 2 where 1 is not allowed), the target values judge it.
    assert td_targets(SEEN, ONLINE, TARGET, 0.5).tolist() == [11, 1, 11, 14]
    assert td_targets(SEEN, TARGET, TARGET, 0.5).tolist() == [16, 1, 16, 14]
    assert td_targets(SEEN, ONLINE, TARGET, 1.0, (2, 20)).tolist() == [20, 2, 20, 20]


def test_a_terminal_state_needs_no_allowed_action() -> None:
    seen = SEEN._replace(next_masks=np.array([[True] * 3, [False] * 3, [True] * 3, [True] * 3]))
    assert td_targets(seen, ONLINE, np.where(seen.next_masks, TARGET, np.nan), 0.5).tolist() == [11, 1, 11, 9]
    learner = Learner(1, 3, Settings())
    learner.remember(seen)
    with pytest.raises(ValueError, match="no action is allowed"):
        learner.remember(seen._replace(terminal=~seen.terminal))


def test_the_value_and_the_mean_advantage_make_the_q_values() -> None:
    network = make_network(4, 3, (8,), 0)
    states = torch.randn(5, 4, generator=torch.Generator().manual_seed(0))
    mean = q_values(network, states).mean(dim=1)
    assert torch.allclose(mean, network["value"](network["body"](states))[:, 0], atol=1e-6)


@settings(deadline=None, max_examples=50)
@given(st.integers(0, 2**31), st.integers(1, 40), st.booleans())
def test_actions_that_are_not_allowed_are_never_taken(seed: int, n: int, explore: bool) -> None:
    rng = np.random.default_rng(seed)
    masks = rng.random((n, 5)) < 0.3
    masks[np.arange(n), rng.integers(5, size=n)] = True
    learner = Learner(3, 5, Settings(hidden=(4,), seed=seed))
    chosen = learner.act(rng.normal(size=(n, 3)) * 100, masks, explore)
    assert masks[np.arange(n), chosen].all()


def test_exploring_takes_all_allowed_actions_alike_and_ends_at_epsilon() -> None:
    settings_ = Settings(explore=1000, epsilon=0.1, hidden=(4,))
    assert [settings_.epsilon_after(n) for n in (0, 500, 1000, 9999)] == pytest.approx([1.0, 0.55, 0.1, 0.1])
    learner, masks = Learner(1, 3, settings_), np.array([[True, False, True]] * 6000)
    counts = np.bincount(learner.act(np.zeros((6000, 1)), masks, explore=True), minlength=3)
    assert counts.tolist() == pytest.approx([3000, 0, 3000], abs=200)
    assert len(set(learner.act(np.zeros((6000, 1)), masks).tolist())) == 1


@settings(deadline=None)
@given(st.integers(1, 9), st.lists(st.integers(1, 5), max_size=8))
def test_the_buffer_keeps_the_last_transitions(capacity: int, sizes: list[int]) -> None:
    replay, seen = Replay(capacity, 1, 2), 0
    for size in sizes:
        numbers = np.arange(seen, seen + size, dtype=np.float64)
        replay.add(transitions(size, 1, 2)._replace(rewards=numbers, truncated=numbers % 2 == 0))
        seen += size
    kept = replay.columns["rewards"][: len(replay)]
    assert sorted(kept) == list(range(max(0, seen - capacity), seen))
    assert (replay.columns["truncated"][: len(replay)] == (kept % 2 == 0)).all()


def test_shapes_that_do_not_fit_are_refused() -> None:
    learner = Learner(2, 3, Settings())
    for masks in (np.ones((4, 1), dtype=np.bool_), np.ones((3, 3), dtype=np.bool_), np.zeros((4, 3), dtype=np.bool_)):
        with pytest.raises(ValueError, match=r"masks are|no action is allowed"):
            learner.act(np.zeros((4, 2)), masks)


def test_numbers_without_sense_stop_the_learning() -> None:
    learner = Learner(2, 3, Settings())
    with pytest.raises(RuntimeError, match="non-finite"):
        learner.regress(np.zeros((1, 2)), np.full((1, 3), np.nan), np.ones((1, 3), dtype=np.bool_))


def test_the_defaults_are_those_of_the_configuration() -> None:
    config = RLOptimizerConfig()
    own = Settings()
    assert (own.learning_rate, own.epsilon, own.batch_size) == (config.learning_rate, config.epsilon, config.batch_size)


@pytest.mark.parametrize(
    ("name", "value"),
    [("epsilon", 1.5), ("gamma", -0.1), ("learning_rate", 0.0), ("hidden", ()), ("bounds", (1.0, 0.0)), ("seed", -1)],
)
def test_settings_out_of_range_are_named(name: str, value: object) -> None:
    with pytest.raises(ConfigError, match=f"'{name}'"):
        dataclasses.replace(Settings(), **{name: value})  # type: ignore[arg-type]


def test_without_torch_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "has_package", lambda name: name != "torch")
    with pytest.raises(MissingExtraError, match=r"character-pipeline\[train\]"):
        Learner(1, 2, Settings())


def test_a_seed_fixes_everything_and_leaves_other_random_numbers_alone() -> None:
    before = torch.random.get_rng_state()

    def weights(seed: int) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
        learner = Learner(4, 4, Settings(hidden=(8,), warmup=64, seed=seed))
        train(learner, Symbols(8, 4, seed=5), 400)
        assert learner.updates == (400 - 64) // 4
        return np.concatenate([w.detach().numpy().ravel() for w in learner.online.parameters()])

    assert weights(1).tobytes() == weights(1).tobytes() != weights(2).tobytes()
    assert torch.equal(before, torch.random.get_rng_state())


def test_symbols_are_learnt_to_the_last() -> None:
    learner = Learner(6, 6, Settings(bounds=(0, 1), explore=2000, warmup=200))
    train(learner, Symbols(16, 6, seed=0), 6000)
    assert learner.act(np.eye(6), np.ones((6, 6), dtype=np.bool_)).tolist() == list(range(6))


@pytest.mark.parametrize("seed", [0, 3])
def test_learnt_values_are_those_of_dynamic_programming(seed: int) -> None:
    chain = Chain(256, seed)
    how = Settings(
        learning_rate=5e-3, epsilon=0.5, batch_size=512, hidden=(32,), explore=0, capacity=600_000, learn_every=300,
        anneal=600_000, target_rate=0.03, largest_error=3.0, bounds=(0.0, 3.0), seed=seed,
    )  # fmt: skip
    learner = Learner(chain.states, 3, how)
    train(learner, chain, 600_000)
    states, best = np.eye(chain.states), chain.optimum().max(axis=1)
    values = np.where(chain.allowed, learner.values(states), -np.inf).max(axis=1)
    assert values.mean() == pytest.approx(best.mean(), rel=0.01)
    assert values == pytest.approx(best, abs=0.03 * best.mean())
    assert chain.worth(learner.act(states, chain.allowed)).mean() >= 0.99 * best.mean()


def test_full_information_teaches_the_known_values() -> None:
    rng = np.random.default_rng(0)
    states, masks = rng.uniform(size=(512, 4)), rng.random((512, 3)) < 0.7
    masks[:, 0] = True
    states.flags.writeable = masks.flags.writeable = False
    known = np.stack([states[:, 0], states[:, 1] - states[:, 2], 0.5 * states.sum(axis=1)], axis=1)
    learner = Learner(4, 3, Settings(learning_rate=0.003))
    loss = fit(learner, states, np.where(masks, known, np.nan), masks, 60)
    assert loss < 1e-3
    assert np.abs(learner.values(states) - known)[masks].mean() < 0.02
    assert learner.updates == len(learner.replay) == 0


def test_poles_are_balanced() -> None:
    how = Settings(batch_size=64, gamma=0.99, bounds=(0, 10), target_rate=0.05, explore=8000, anneal=60_000)
    learner, carts, rounds = Learner(4, 2, how), Carts(8, seed=0), 0
    while greedy_steps(learner, Carts(20, seed=5000)).mean() < 490 and rounds < 15:
        train(learner, carts, 4000)
        rounds += 1
    assert greedy_steps(learner, Carts(20, seed=9000)).mean() >= 475
