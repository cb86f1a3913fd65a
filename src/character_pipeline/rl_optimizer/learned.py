"""The policy as a fusion strategy: for each attribute of an item it chooses which of the six answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from character_pipeline.attribute_fusion.ballots import Ballot
from character_pipeline.attribute_fusion.strategies import Weighed
from character_pipeline.attribute_fusion.weights import Weights
from character_pipeline.errors import ConfigError
from character_pipeline.rl_optimizer.actions import CHOICES, LEAST, NAMES, SUBSETS, Judges, voice
from character_pipeline.rl_optimizer.choices import Choice
from character_pipeline.rl_optimizer.episodes import answer
from character_pipeline.rl_optimizer.features import feature_names
from character_pipeline.rl_optimizer.learning import PRICE, with_price
from character_pipeline.rl_optimizer.policy import Policy

EVERYTHING = SUBSETS - 1
HALF = 0.5
REMEDY = "Train it again: charpipe train policy"


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
        if not both.any():
            return found
        answers = answer({key: ballots[key].take(both) for key in self.keys}, self.judges, [EVERYTHING])
        actions = self.choose(answers.states[:, :, 0])
        count = len(actions)
        for place, (key, chances) in enumerate(answers.chances.items()):
            chosen = actions[:, place]
            told = chances[np.arange(count), 0, chosen]
            voiced = voice(told, LEAST[chosen], answers.stack[key][:, 0], ballots[key].attribute.many)
            found[key].support[both], found[key].least[both] = voiced.support, voiced.least
            found[key] = found[key]._replace(choices=_choices(both, chosen))
        return found

    def choose(self, states: NDArray[np.float32]) -> NDArray[np.int64]:
        """Which of the six answers, (N, A), in states (N, A, F) where everything was bought."""
        count, attributes = states.shape[:2]
        flat = with_price(states, 0.0).reshape(count * attributes, -1)
        masks = np.zeros((len(flat), len(self.policy.about.actions)), dtype=np.bool_)
        masks[:, : len(NAMES)] = True
        return self.policy.act(flat, masks).reshape(count, attributes)

    def _stacked(self, ballot: Ballot, rows: NDArray[np.bool_] | None) -> Weighed:
        """What the stack says of some items, or of all; nothing of the others."""
        if rows is None:
            return Weighed(self.support(ballot), np.full(len(ballot), HALF))
        support = np.zeros((len(ballot), len(ballot.attribute.values)))
        support[rows] = self.support(ballot.take(rows))
        return Weighed(support, np.full(len(ballot), HALF))


def _choices(rows: NDArray[np.bool_], actions: NDArray[np.int64]) -> list[Choice | None]:
    """What was chosen for each item, by the actions for some of them."""
    found: list[Choice | None] = [None] * len(rows)
    for row, action in zip(np.flatnonzero(rows).tolist(), actions.tolist(), strict=True):
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
