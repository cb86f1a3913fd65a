"""Labelled items as episodes: one item, one step an attribute. Everything was run once, so every outcome is known.

An episode goes through the attributes in the order of the vocabulary. What was bought for one attribute is free for the
rest. In mode "six" an action buys what it needs; in mode "acquire" buying is an action of its own, which stays at the
attribute, and the six answer with what is there (Janisch et al., 2019, "Classification with costly features").
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from character_pipeline.attribute_fusion.ballots import Ballot
from character_pipeline.rl_optimizer.actions import (
    ACTIONS,
    COLOR,
    LEAST,
    MODEL,
    NAMES,
    SUBSETS,
    Judges,
    restrict,
    supports,
)
from character_pipeline.rl_optimizer.features import feature_names, states

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]
Mode = Literal["six", "acquire"]
Reward = Literal["truth", "heuristic"]

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


@dataclass(frozen=True, eq=False)
class Answers:
    """All that could be said of N items, before anybody knows the truth.

    Attributes:
        states: see `features.states`, shape (N, A, SUBSETS, F).
        chances: by attribute what each action would say, by what was bought: (N, SUBSETS, actions, V).
        stack: by attribute the probabilities of the stack, (N, SUBSETS, V).
        needs: the bits that each action buys in mode "six", (N, A, 6).
    """

    states: Floats
    chances: Mapping[str, NDArray[np.float64]]
    stack: Mapping[str, NDArray[np.float64]]
    needs: Ints


def answer(ballots: Mapping[str, Ballot], judges: Judges, subsets: Sequence[int] = range(SUBSETS)) -> Answers:
    """Work out what could be said, for the subsets of purchases that may be met.

    Args:
        ballots: raw scores of all sources, by attribute.
    """
    shown, said, stacks = [], [], []
    for subset in subsets:
        heard = [judges.hear(restrict(ballot, subset)) for ballot in ballots.values()]
        said.append([supports(one) for one in heard])
        stacks.append([one.stack for one in heard])
        shown.append(states(heard, said[-1], subset))
    chances = {key: np.stack([one[place] for one in said], axis=1) for place, key in enumerate(ballots)}
    stack = {key: np.stack([one[place] for one in stacks], axis=1) for place, key in enumerate(ballots)}
    needs = [np.stack([action.bits(ballot) for action in ACTIONS], axis=1) for ballot in ballots.values()]
    return Answers(np.stack(shown, axis=2), chances, stack, np.stack(needs, axis=1))


def know(
    answers: Answers,
    ballots: Mapping[str, Ballot],
    asked: Mapping[str, Flags],
    truth: Mapping[str, Ints],
    wrong: float = 1.0,
) -> Known:
    """Work out every outcome.

    Args:
        asked: whether there is anything to decide, by attribute, (N,).
        truth: by attribute, for each value 1, 0, or -1 where it is not known, (N, V).
        wrong: what a wrong answer costs; a right one is worth 1.
    """
    utility = [outcome(answers.chances[key], truth[key], ballot, wrong) for key, ballot in ballots.items()]
    open_ = np.stack([asked[key] for key in ballots], axis=1)
    judged = np.stack([truth[key][:, 0] >= 0 for key in ballots], axis=1) & open_
    worth = np.stack(utility, axis=1) * judged[:, :, None, None]
    return Known(tuple(ballots), answers.states, worth.astype(np.float32), answers.needs, open_, judged)


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


def impress(known: Known, answers: Answers) -> Known:
    """The same items with a reward that knows no truth: half for saying anything, half for how sure of it an action is.
    It rewards what looks good: an action that is wrong and sure earns as much as one that is right and sure."""
    said = [_impression(chances) for chances in answers.chances.values()]
    worth = np.stack(said, axis=1) * known.asked[:, :, None, None]
    return replace(known, utility=worth.astype(np.float32), judged=known.asked)


def _impression(chances: NDArray[np.float64]) -> NDArray[np.float64]:
    """Of probabilities (N, SUBSETS, 6, V): (N, SUBSETS, 6)."""
    sure = chances.max(axis=3)
    return np.where((sure >= LEAST) & (sure > 0), 0.5 + 0.5 * sure, 0.0)


@dataclass(frozen=True)
class Game:
    """The rules. A price is what a millisecond costs in units of utility: the multiplier of the Lagrangian form, by
    which a budget is kept; each item may have its own."""

    mode: Mode = "six"
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

    def outcomes(self, known: Known, items: Ints, attribute: int, subset: Ints) -> tuple[Floats, Floats, Ints]:
        """What each action is worth and costs (ms) at an attribute of some items (n,), and what is bought after it:
        (n, actions) each."""
        after = self.after(subset, known.needs[items, attribute])
        paid = self.costs.table()[subset[:, None], after]
        worth = np.zeros_like(paid)
        for action in range(len(NAMES)):
            worth[:, action] = known.utility[items, attribute, after[:, action], action]
        return worth, paid, after


Choose = Callable[[Floats, Flags, Ints, int], Ints]
"""From states (n, F), masks (n, actions), items (n,) and the attribute's place to actions (n,)."""


@dataclass(frozen=True, eq=False)
class Played:
    """What became of N items.

    Attributes:
        utility: by item and attribute, (N, A).
        cost: milliseconds of each item, (N,).
        actions: which of the six decided, (N, A); -1 where there was nothing to decide.
        subsets: what had been bought by then, (N, A).
    """

    utility: Floats
    cost: Floats
    actions: Ints
    subsets: Ints


def play(known: Known, game: Game, choose: Choose) -> Played:
    """Go through all items side by side, attribute by attribute."""
    count, attributes = known.asked.shape
    subset, cost = np.zeros(count, dtype=np.int64), np.zeros(count, dtype=np.float32)
    utility = np.zeros((count, attributes), dtype=np.float32)
    taken, bought = np.full((count, attributes), -1), np.zeros((count, attributes), dtype=np.int64)
    for place in range(attributes):
        items = np.flatnonzero(known.asked[:, place])
        while len(items):
            mask = game.allowed(subset[items])
            actions = choose(known.states[items, place, subset[items]], mask, items, place)
            worth, paid, after = game.outcomes(known, items, place, subset[items])
            rows = np.arange(len(items))
            utility[items, place] += worth[rows, actions]
            cost[items] += paid[rows, actions]
            subset[items] = after[rows, actions]
            ended = actions < len(NAMES)
            taken[items[ended], place] = actions[ended]
            items = items[~ended]
        bought[:, place] = subset
    return Played(utility, cost, taken, bought)
