"""Small environments whose best actions are known."""

from __future__ import annotations

import json
from typing import Any

import gymnasium
import numpy as np
from numpy.typing import NDArray

from character_pipeline.rl_optimizer.dqn import Flags, Floats, Ints, Learner, Step


class Symbols:
    """Shows symbols; naming the one shown earns 1, which ends the episode."""

    def __init__(self, n: int, symbols: int, seed: int) -> None:
        self.rng, self.n, self.symbols = np.random.default_rng(seed), n, symbols
        self.shown = self.rng.integers(symbols, size=n)

    def observe(self) -> tuple[Floats, Flags]:
        return np.eye(self.symbols)[self.shown], np.ones((self.n, self.symbols), dtype=np.bool_)

    def step(self, actions: Ints) -> Step:
        rewards = (actions == self.shown).astype(np.float64)
        self.shown = self.rng.integers(self.symbols, size=self.n)
        over = np.ones(self.n, dtype=np.bool_)
        return Step(rewards, over, ~over, *self.observe())


class Chain:
    """A small random Markov decision process: what is allowed, earned and reached differs from state to state.

    Attributes:
        moves: (states, actions, states), chances of the next state; what is missing to 1 ends the episode.
    """

    def __init__(self, n: int, seed: int, states: int = 12, actions: int = 3, longest: int = 20) -> None:
        self.rng = rng = np.random.default_rng(seed)
        self.moves = rng.dirichlet(np.full(states, 0.3), (states, actions)) * rng.uniform(
            0.6, 0.9, (states, actions, 1)
        )
        self.rewards = rng.uniform(0, 0.3, (states, actions))
        self.allowed = rng.random((states, actions)) < 0.7
        self.allowed[np.arange(states), rng.integers(actions, size=states)] = True
        self.n, self.states, self.longest = n, states, longest
        self.places, self.steps = rng.integers(states, size=n), np.zeros(n, dtype=np.int64)

    def see(self, places: Ints) -> tuple[Floats, Flags]:
        return np.eye(self.states)[places], self.allowed[places]

    def observe(self) -> tuple[Floats, Flags]:
        return self.see(self.places)

    def step(self, actions: Ints) -> Step:
        assert self.allowed[self.places, actions].all()
        rewards = self.rewards[self.places, actions]
        reached = (self.moves[self.places, actions].cumsum(axis=1) < self.rng.random((self.n, 1))).sum(axis=1)
        terminal = reached == self.states
        reached = np.where(terminal, 0, reached)
        self.steps += 1
        truncated = (self.steps >= self.longest) & ~terminal
        self.steps[terminal | truncated] = 0
        self.places = np.where(terminal | truncated, self.rng.integers(self.states, size=self.n), reached)
        return Step(rewards, terminal, truncated, *self.see(reached))

    def optimum(self) -> NDArray[np.float64]:
        """The values (states, actions) of the best policy, by dynamic programming; -inf where it is not allowed."""
        values: NDArray[np.float64] = np.zeros((self.states, self.rewards.shape[1]))
        for _ in range(500):
            best = np.where(self.allowed, values, -np.inf).max(axis=1)
            values = self.rewards + self.moves @ best
        return np.where(self.allowed, values, -np.inf)

    def worth(self, chosen: Ints) -> NDArray[np.float64]:
        """The value (states,) of always acting as chosen."""
        every = np.arange(self.states)
        stays = np.eye(self.states) - self.moves[every, chosen]
        return np.asarray(np.linalg.solve(stays, self.rewards[every, chosen]), dtype=np.float64)

    def notes(self) -> dict[str, Any]:
        """Where it is, as JSON."""
        state = {"rng": self.rng.bit_generator.state, "places": self.places.tolist(), "steps": self.steps.tolist()}
        return dict(json.loads(json.dumps(state)))

    def restore(self, notes: dict[str, Any]) -> None:
        self.rng.bit_generator.state = notes["rng"]
        self.places, self.steps = np.array(notes["places"]), np.array(notes["steps"])


class Carts:
    """Gymnasium's CartPole, n times; states and rewards scaled to about 1."""

    SCALE = np.array([2.4, 2.0, 0.21, 2.0])
    REWARD = 0.1

    def __init__(self, n: int, seed: int) -> None:
        self.each = [gymnasium.make("CartPole-v1") for _ in range(n)]
        self.places = np.array([cart.reset(seed=seed + number)[0] for number, cart in enumerate(self.each)])
        self.masks = np.ones((n, 2), dtype=np.bool_)

    def observe(self) -> tuple[Floats, Flags]:
        return self.places / self.SCALE, self.masks

    def step(self, actions: Ints) -> Step:
        told = [cart.step(int(action)) for cart, action in zip(self.each, actions, strict=True)]
        reached, rewards, terminal, truncated, _ = map(np.array, zip(*told, strict=True))
        over = terminal | truncated
        self.places = np.array(
            [cart.reset()[0] if done else place for cart, place, done in zip(self.each, reached, over, strict=True)]
        )
        return Step(rewards * self.REWARD, terminal, truncated, reached / self.SCALE, self.masks)


def greedy_steps(learner: Learner, carts: Carts) -> NDArray[np.float64]:
    """For how many steps a learner that no longer explores keeps each pole up, of 500."""
    steps, going = np.zeros(len(carts.each)), np.ones(len(carts.each), dtype=np.bool_)
    while going.any():
        seen = carts.step(learner.act(*carts.observe()))
        steps += going
        going &= ~(seen.terminal | seen.truncated)
    return steps
