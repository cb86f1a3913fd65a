"""The six actions of the policy: strategies, each with what it asks and the probability below which it says nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from character_pipeline.attribute_fusion.ballots import Ballot
from character_pipeline.attribute_fusion.bayesian import Bayesian, noisy_or
from character_pipeline.attribute_fusion.consistency import settle_lists
from character_pipeline.attribute_fusion.ensemble import Ensemble
from character_pipeline.attribute_fusion.strategies import MOST_CERTAIN, Weighed
from character_pipeline.attribute_fusion.weights import Weights
from character_pipeline.rl_optimizer.choices import Choice

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]

CLIP = "clip_analyzer"
COLOR, MODEL = 1, 2
"""What can be bought, as bits: the small picture readers (colors), and the model. Texts are free."""
SUBSETS = 4
LEAST_SAID = 0.02
"""A value that is said has at least this confidence."""
NEVER = 2.0
"""The least probability of what is not said at all."""


def bought(sources: Sequence[str], lookers: frozenset[str], subset: int) -> tuple[str, ...]:
    """Of some sources those that are heard when a subset of bits was bought."""

    def paid(name: str) -> bool:
        return name not in lookers or bool(subset & (MODEL if name == CLIP else COLOR))

    return tuple(name for name in sources if paid(name))


@dataclass(frozen=True)
class Judges:
    """What turns the scores of all sources into probabilities."""

    bayesian: Bayesian
    ensemble: Ensemble

    @classmethod
    def of(cls, weights: Weights) -> Judges:
        """Those that were fitted."""
        calibration = weights.calibration()
        return cls(Bayesian(calibration, weights.all_habits()), Ensemble(calibration, weights.all_stacks()))

    def hear(self, ballot: Ballot) -> Heard:
        """All that is made of raw scores."""
        calibrated = self.bayesian.calibration.apply(ballot)
        # Who states nothing here changes no product: leaving them out changes no bit.
        states = ballot.scores.max(axis=0, initial=0.0).any(axis=1)
        stating = [name for name, any_ in zip(ballot.sources, states, strict=True) if any_]
        return Heard(calibrated.of(stating), self.bayesian.weigh(calibrated), self.ensemble.weigh(calibrated))


@dataclass(frozen=True, eq=False)
class Heard:
    """What the actions choose from: calibrated scores of one attribute; naive Bayes and the stack over them, (N, V)."""

    ballot: Ballot
    bayes: Floats
    stack: Floats

    def take(self, rows: Ints) -> Heard:
        """Some of the items."""
        return Heard(self.ballot.take(rows), self.bayes[rows], self.stack[rows])

    @cached_property
    def texts(self) -> Ballot:
        return self.ballot.of([name for name in self.ballot.sources if name not in self.ballot.lookers])

    @cached_property
    def pictures(self) -> Ballot:
        return self.ballot.of([name for name in self.ballot.sources if name in self.ballot.lookers])

    @cached_property
    def clip(self) -> Ballot:
        return self.ballot.of([CLIP])

    @cached_property
    def colors(self) -> Ballot:
        """What pictures say without the model."""
        return self.pictures.of([name for name in self.pictures.sources if name != CLIP])

    @cached_property
    def together(self) -> Floats:
        """The noisy-or of all sources, (N, V), as the following are of some."""
        return noisy_or(self.ballot)

    @cached_property
    def by_texts(self) -> Floats:
        return noisy_or(self.texts)

    @cached_property
    def by_pictures(self) -> Floats:
        return noisy_or(self.pictures)

    @cached_property
    def by_clip(self) -> Floats:
        return noisy_or(self.clip)


def _agreed(heard: Heard) -> Floats:
    """Naive Bayes, and nothing where texts and pictures each find another value likely."""
    if heard.ballot.attribute.many:
        return heard.bayes
    tops = [heard.by_texts, heard.by_pictures]
    apart = (tops[0].argmax(1) != tops[1].argmax(1)) & (np.minimum(tops[0].max(1), tops[1].max(1)) >= 0.5)
    return np.where(apart[:, None], np.minimum(heard.bayes, 0.5), heard.bayes)


@dataclass(frozen=True)
class Action:
    """One strategy.

    Attributes:
        support: the probability of each value, (N, V).
        least: below it, nothing is said.
        needs: the bits that it buys; with `unless_told`, only where no text states anything of the attribute.
    """

    name: str
    support: Callable[[Heard], Floats]
    least: float
    needs: int
    unless_told: bool = False

    def bits(self, ballot: Ballot) -> Ints:
        """What it buys for each item, (N,)."""
        told = ballot.of([name for name in ballot.sources if name not in ballot.lookers]).told
        return np.where(told, 0, self.needs) if self.unless_told else np.full(len(ballot), self.needs)


ACTIONS: tuple[Action, ...] = (
    Action("conservative_clip", lambda heard: heard.by_clip, 0.8, MODEL),
    Action("aggressive_clip", lambda heard: heard.by_clip, 0.3, MODEL),
    Action(
        "tag_priority",
        lambda heard: np.where(heard.texts.told[:, None], heard.by_texts, heard.by_pictures),
        0.5,
        COLOR | MODEL,
        unless_told=True,
    ),
    Action(
        "visual_priority",
        lambda heard: np.where(heard.pictures.told[:, None], heard.by_pictures, heard.by_texts),
        0.5,
        COLOR | MODEL,
    ),
    Action("confidence_weighted", lambda heard: heard.together, 0.5, COLOR | MODEL),
    Action("uncertainty_aware", _agreed, 0.6, COLOR | MODEL),
)


def restrict(ballot: Ballot, subset: int) -> Ballot:
    """A ballot as it is when only a subset was bought; the shape stays."""
    kept = np.array([name in bought(ballot.sources, frozenset(ballot.lookers), subset) for name in ballot.sources])
    return replace(ballot, scores=ballot.scores * kept[None, :, None], heard=ballot.heard & kept[None, :])


def supports(heard: Heard) -> Floats:
    """What each action would say: probabilities, shape (N, actions, V)."""
    found = np.stack([action.support(heard) for action in ACTIONS], axis=1)
    return settle_lists(found, heard.ballot.attribute)


def agree(chances: Floats, many: bool) -> Flags:
    """Where all actions say the same, so that it does not matter which is chosen, (N,), from (N, actions, V)."""
    if many:
        values = (chances >= LEAST[:, None]) & (chances > 0)
        return np.asarray((values == values[:, :1]).reshape(len(values), -1 if values.size else 0).all(axis=1))
    best, top = best_of(chances)
    said = (top >= LEAST) & (top > 0)
    return np.asarray(((said == said[:, :1]) & (best == best[:, :1])).all(axis=1))


def best_of(chances: Floats) -> tuple[Ints, Floats]:
    """The first of the most probable values, and how probable it is, (...), from (..., V)."""
    best = chances.argmax(axis=-1)
    # Much faster than a maximum over a short axis.
    return best, np.take_along_axis(chances, best[..., None], axis=-1)[..., 0]


def voice(chances: Floats, least: Floats, stack: Floats, many: bool) -> Weighed:
    """What an action says, with the confidence that the stack has in it: actions tell values apart, but none of their
    own probabilities is calibrated.

    Args:
        chances: of the chosen action, (N, V).
        least: of that action, (N,).
        stack: the stack's probabilities, (N, V).
    """
    sure = np.clip(stack, LEAST_SAID, MOST_CERTAIN)
    if many:
        return Weighed(np.where((chances >= least[:, None]) & (chances > 0), sure, 0.0), np.zeros(len(chances)))
    best, top = best_of(chances)
    own = np.take_along_axis(sure, best[:, None], axis=1)
    support = np.where(np.arange(chances.shape[1]) == best[:, None], own, np.minimum(stack, own * 0.999))
    return Weighed(support, np.where((top >= least) & (top > 0), 0.0, NEVER))


LEAST: Floats = np.array([action.least for action in ACTIONS])
NAMES: tuple[str, ...] = tuple(action.name for action in ACTIONS)
CHOICES = tuple(Choice(name) for name in NAMES)
Ballots = Mapping[str, Ballot]
