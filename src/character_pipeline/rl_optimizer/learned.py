"""The policy as a fusion strategy: for each attribute of an item it chooses which of the six answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from character_pipeline.attribute_fusion.ballots import Ballot
from character_pipeline.attribute_fusion.strategies import Weighed
from character_pipeline.attribute_fusion.weights import Weights
from character_pipeline.errors import ConfigError
from character_pipeline.rl_optimizer.actions import (
    CHOICES,
    LEAST,
    NAMES,
    SUBSETS,
    Heard,
    Judges,
    agree,
    supports,
    voice,
)
from character_pipeline.rl_optimizer.choices import Choice
from character_pipeline.rl_optimizer.features import OUTLINE, View, feature_names, own, shared, state
from character_pipeline.rl_optimizer.learning import PRICE, with_price
from character_pipeline.rl_optimizer.policy import Policy

EVERYTHING = SUBSETS - 1
HALF = 0.5
REMEDY = "Train it again: charpipe train policy"


@dataclass(frozen=True, eq=False)
class _Side:
    """One attribute of the items of which anything is stated about it.

    Attributes:
        rows: which items, (n,).
        chances: what each action would say, (n, actions, V).
        open: of these items those where it matters which action is chosen, (m,).
    """

    rows: NDArray[np.int64]
    heard: Heard
    view: View
    chances: NDArray[np.float64]
    open: NDArray[np.int64]

    @classmethod
    def of(cls, ballot: Ballot, among: NDArray[np.bool_], judges: Judges) -> _Side:
        rows = np.flatnonzero(ballot.told & among)
        heard = judges.hear(ballot.take(rows))
        chances = supports(heard)
        return cls(rows, heard, View.of(heard), chances, np.flatnonzero(~agree(chances, ballot.attribute.many)))

    @property
    def own(self) -> NDArray[np.float64]:
        """What is known of the attribute where it matters, see `features.own`."""
        return own(self.heard.take(self.open), self.view.take(self.open), self.chances[self.open])

    def voice(self, actions: NDArray[np.int64]) -> Weighed:
        """What is said by actions (m,) where it matters, and by any elsewhere."""
        chosen = np.zeros(len(self.rows), dtype=np.int64)
        chosen[self.open] = actions
        told = self.chances[np.arange(len(chosen)), chosen]
        return voice(told, LEAST[chosen], self.heard.stack, self.heard.ballot.attribute.many)


@dataclass(frozen=True, eq=False)
class Learned:
    """Decides where texts and pictures both were heard; where only one kind was, there is nothing to choose, and the
    stack decides.

    Everything that was run is used: what was to be saved was saved before.
    """

    policy: Policy
    judges: Judges
    keys: tuple[str, ...]
    name: str = "learned"
    texts_first: bool = False
    settles: bool = True

    def support(self, ballot: Ballot) -> NDArray[np.float64]:
        """By the stack: of one attribute alone the policy says nothing."""
        return self.judges.ensemble.support(ballot)

    def weigh_all(self, ballots: Mapping[str, Ballot]) -> Mapping[str, Weighed]:
        """What is said of all attributes of N items, each row by itself."""
        both = _both_heard(ballots)
        found = {key: self._stacked(ballot, ~both if key in self.keys else None) for key, ballot in ballots.items()}
        sides = [_Side.of(ballots[key], both, self.judges) for key in self.keys]
        for key, side, actions in zip(self.keys, sides, self._act(_states(sides, len(both))), strict=True):
            voiced = side.voice(actions)
            found[key].support[side.rows], found[key].least[side.rows] = voiced.support, voiced.least
            found[key] = found[key]._replace(choices=_choices(len(both), side.rows[side.open], actions))
        return found

    def _act(self, states: Sequence[NDArray[np.float32]]) -> Sequence[NDArray[np.int64]]:
        """The actions in the states of each attribute, all decided together."""
        every = with_price(np.concatenate(states), 0.0)
        masks = np.zeros((len(every), len(self.policy.about.actions)), dtype=np.bool_)
        masks[:, : len(NAMES)] = True
        ends = np.cumsum([len(some) for some in states])
        return np.split(self.policy.act(every, masks), ends[:-1])

    def choose(self, states: NDArray[np.float32]) -> NDArray[np.int64]:
        """Which of the six answers, (N, A), in states (N, A, F) where everything was bought."""
        count, attributes = states.shape[:2]
        return np.concatenate(self._act([states.reshape(count * attributes, -1)])).reshape(count, attributes)

    def _stacked(self, ballot: Ballot, rows: NDArray[np.bool_] | None) -> Weighed:
        """What the stack says of some items, or of all; nothing of the others."""
        if rows is None:
            return Weighed(self.support(ballot), np.full(len(ballot), HALF))
        support = np.zeros((len(ballot), len(ballot.attribute.values)))
        if rows.any():
            support[rows] = self.support(ballot.take(rows))
        return Weighed(support, np.full(len(ballot), HALF))


def _states(sides: Sequence[_Side], items: int) -> list[NDArray[np.float32]]:
    """Of each attribute the states in which it matters which action is chosen, (m, features)."""
    outlines = np.zeros((len(OUTLINE), items, len(sides)))
    for place, side in enumerate(sides):
        outlines[:, side.rows, place] = side.view.outline(side.heard.ballot.attribute.many)
    of_item = shared(outlines, EVERYTHING)
    return [state(place, len(sides), side.own, of_item[side.rows[side.open]]) for place, side in enumerate(sides)]


def _choices(items: int, rows: NDArray[np.int64], actions: NDArray[np.int64]) -> list[Choice | None]:
    """What was chosen for each item; None where all actions say the same."""
    found: list[Choice | None] = [None] * items
    for row, action in zip(rows.tolist(), actions.tolist(), strict=True):
        found[row] = CHOICES[action]
    return found


def _both_heard(ballots: Mapping[str, Ballot]) -> NDArray[np.bool_]:
    """Which items texts and pictures both have something to say of, (N,)."""
    ballot = next(iter(ballots.values()))
    looks = np.array([source in ballot.lookers for source in ballot.sources], dtype=np.bool_)
    return np.asarray(ballot.heard[:, looks].any(axis=1) & ballot.heard[:, ~looks].any(axis=1))


def make_learned(policy: Policy, weights: Weights, vocabulary_keys: tuple[str, ...]) -> Learned:
    """The strategy of a policy and the weights that it was trained with.

    Raises ConfigError where the policy was trained for other attributes, features, actions or weights.
    """
    names = policy.about.features
    keys = tuple(name.removeprefix("is ") for name in names if name.startswith("is "))
    if set(keys) - set(vocabulary_keys) or names != (*feature_names(keys), PRICE):
        raise ConfigError(f"the policy was trained with another vocabulary or version. {REMEDY}")
    if policy.about.actions[: len(NAMES)] != NAMES:
        raise ConfigError(f"the policy has other actions than this version. {REMEDY}")
    if policy.about.versions.get("weights") != weights.digest:
        raise ConfigError(
            f"the policy was trained with other fusion weights. {REMEDY}, or set attribute_fusion.weights"
        )
    return Learned(policy, Judges.of(weights), keys)
