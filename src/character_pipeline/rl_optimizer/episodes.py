"""Labelled items as episodes: one item, one step an attribute. Everything was run once, so every outcome is known.

An episode goes through the attributes in the order of the vocabulary. What was bought for one attribute is free for the
rest. In mode "six" an action buys what it needs; in mode "acquire" buying is an action of its own, which stays at the
attribute, and the six answer with what is there (Janisch et al., 2019, "Classification with costly features").
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from character_pipeline.attribute_fusion.ballots import Ballot
from character_pipeline.attribute_fusion.bayesian import Bayesian
from character_pipeline.rl_optimizer.actions import ACTIONS, COLOR, LEAST, MODEL, NAMES, SUBSETS, supports
from character_pipeline.rl_optimizer.features import feature_names, states

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]
Mode = Literal["six", "acquire"]

BUY = {"buy_color": COLOR, "buy_model": MODEL}
"""The further actions of the mode "acquire"."""


@dataclass(frozen=True)
class Costs:
    """Milliseconds of each item.

    Attributes:
        decode: to open the picture, once, whatever is read in it.
        color: to read colors and quality.
        model: to run the model.
    """

    decode: float = 3.0
    color: float = 4.0
    model: float = 8.0

    def table(self) -> Floats:
        """What it costs to go from one subset to another that has more, shape (SUBSETS, SUBSETS)."""
        found = np.zeros((SUBSETS, SUBSETS), dtype=np.float32)
        for before in range(SUBSETS):
            for after in range(SUBSETS):
                new = after & ~before
                found[before, after] = self.decode * (not before and bool(new)) + self.color * bool(new & COLOR)
                found[before, after] += self.model * bool(new & MODEL)
        return found


@dataclass(frozen=True, eq=False)
class Known:
    """All that is known of N labelled items and A attributes.

    Attributes:
        states: see `features.states`, shape (N, A, SUBSETS, F).
        utility: of each answer, by what was bought, (N, A, SUBSETS, 6): +1 right, -wrong for a wrong one, 0 for none;
            of a list, right values less wrong ones in shares of the true ones. 0 where the truth is not known.
        needs: the bits that each action buys in mode "six", (N, A, 6).
        asked: whether there is anything to decide, (N, A).
        judged: whether the truth is known as well, (N, A).
    """

    keys: tuple[str, ...]
    states: Floats
    utility: Floats
    needs: Ints
    asked: Flags
    judged: Flags

    def __len__(self) -> int:
        return len(self.states)

    def take(self, rows: Ints | Flags) -> Known:
        return Known(
            self.keys, self.states[rows], self.utility[rows], self.needs[rows], self.asked[rows], self.judged[rows]
        )

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the features."""
        return feature_names(self.keys)


def know(
    ballots: Mapping[str, Ballot],
    asked: Mapping[str, Flags],
    truth: Mapping[str, Ints],
    bayesian: Bayesian,
    wrong: float = 1.0,
) -> Known:
    """Work out every outcome.

    Args:
        ballots: raw scores of all sources, by attribute.
        asked: whether there is anything to decide, by attribute, (N,).
        truth: by attribute, for each value 1, 0, or -1 where it is not known, (N, V).
        wrong: what a wrong answer costs; a right one is worth 1.
    """
    utility = [outcome(supports(ballot, bayesian), truth[key], ballot, wrong) for key, ballot in ballots.items()]
    needs = [np.stack([action.bits(ballot) for action in ACTIONS], axis=1) for ballot in ballots.values()]
    open_ = np.stack([asked[key] for key in ballots], axis=1)
    judged = np.stack([truth[key][:, 0] >= 0 for key in ballots], axis=1) & open_
    worth = np.stack(utility, axis=1) * judged[:, :, None, None]
    return Known(
        tuple(ballots), states(ballots, bayesian), worth.astype(np.float32), np.stack(needs, axis=1), open_, judged
    )


def outcome(chances: NDArray[np.float64], truth: Ints, ballot: Ballot, wrong: float) -> NDArray[np.float64]:
    """The utility of what is said by probabilities (N, SUBSETS, 6, V): (N, SUBSETS, 6)."""
    right = (truth == 1)[:, None, None, :]
    if ballot.attribute.many:
        said = chances >= LEAST[:, None]
        worth = (said & right).sum(axis=3) - wrong * (said & ~right).sum(axis=3)
        found: NDArray[np.float64] = worth / np.maximum(right.sum(axis=3), 1)
        return np.clip(found, -wrong, 1.0)
    best = chances.argmax(axis=3)[..., None]
    hit = np.take_along_axis(np.broadcast_to(right, chances.shape), best, axis=3)[..., 0]
    said_one = chances.max(axis=3) >= LEAST
    return np.where(said_one, np.where(hit, 1.0, -wrong), 0.0)


@dataclass(frozen=True)
class Game:
    """The rules: a mode, and what a millisecond costs in units of utility (`price`, the Lagrangian multiplier)."""

    mode: Mode
    price: float
    costs: Costs = Costs()

    @property
    def actions(self) -> tuple[str, ...]:
        return NAMES if self.mode == "six" else (*NAMES, *BUY)

    def after(self, subset: Ints, needs: Ints) -> Ints:
        """What is bought after each action, from subsets (n,) and needs (n, 6): (n, actions)."""
        if self.mode == "six":
            return subset[:, None] | needs
        buys = np.array(list(BUY.values()))
        return np.concatenate([np.repeat(subset[:, None], len(NAMES), axis=1), subset[:, None] | buys], axis=1)

    def allowed(self, subset: Ints) -> Flags:
        """Which actions are, (n, actions): nothing is bought twice."""
        fixed = np.ones((len(subset), len(NAMES)), dtype=np.bool_)
        if self.mode == "six":
            return fixed
        return np.concatenate([fixed, (subset[:, None] & np.array(list(BUY.values()))) == 0], axis=1)

    def rewards(self, known: Known, items: Ints, attribute: int, subset: Ints) -> tuple[Floats, Ints]:
        """What each action earns at an attribute of some items (n,), and what is bought after it: (n, actions)."""
        after = self.after(subset, known.needs[items, attribute])
        paid = self.price * self.costs.table()[subset[:, None], after]
        worth = np.zeros_like(paid)
        for action in range(len(NAMES)):
            worth[:, action] = known.utility[items, attribute, after[:, action], action]
        return worth - paid, after
