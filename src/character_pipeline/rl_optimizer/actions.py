"""The six actions of the policy: strategies, each with what it asks and the probability below which it says nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from character_pipeline.attribute_fusion.ballots import Ballot
from character_pipeline.attribute_fusion.bayesian import Bayesian, noisy_or

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

CLIP = "clip_analyzer"
COLOR, MODEL = 1, 2
"""What can be bought, as bits: the small picture readers (colors), and the model. Texts are free."""
SUBSETS = 4
NOTHING = -1


def bought(sources: Sequence[str], lookers: frozenset[str], subset: int) -> tuple[str, ...]:
    """Of some sources those that are heard when a subset of bits was bought."""

    def paid(name: str) -> bool:
        return name not in lookers or bool(subset & (MODEL if name == CLIP else COLOR))

    return tuple(name for name in sources if paid(name))


@dataclass(frozen=True, slots=True)
class Heard:
    """What the actions choose from: calibrated scores of one attribute, and naive Bayes over them, (N, V)."""

    ballot: Ballot
    bayes: Floats

    @classmethod
    def of(cls, ballot: Ballot, bayesian: Bayesian) -> Heard:
        """Args:
        ballot: raw scores.
        """
        return cls(bayesian.calibration.apply(ballot), bayesian.support(ballot))

    @property
    def texts(self) -> Ballot:
        return self.ballot.of([name for name in self.ballot.sources if name not in self.ballot.lookers])

    @property
    def pictures(self) -> Ballot:
        return self.ballot.of([name for name in self.ballot.sources if name in self.ballot.lookers])


def _clip(heard: Heard) -> Floats:
    return noisy_or(heard.ballot.of([CLIP]))


def _first(first: Ballot, second: Ballot) -> Floats:
    """What the first says, and where it states nothing, the second."""
    return np.where(first.told[:, None], noisy_or(first), noisy_or(second))


def _agreed(heard: Heard) -> Floats:
    """Naive Bayes, and nothing where texts and pictures each find another value likely."""
    if heard.ballot.attribute.many:
        return heard.bayes
    tops = [noisy_or(part) for part in (heard.texts, heard.pictures)]
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
    Action("conservative_clip", _clip, 0.8, MODEL),
    Action("aggressive_clip", _clip, 0.3, MODEL),
    Action("tag_priority", lambda heard: _first(heard.texts, heard.pictures), 0.5, COLOR | MODEL, unless_told=True),
    Action("visual_priority", lambda heard: _first(heard.pictures, heard.texts), 0.5, COLOR | MODEL),
    Action("confidence_weighted", lambda heard: noisy_or(heard.ballot), 0.5, COLOR | MODEL),
    Action("uncertainty_aware", _agreed, 0.6, COLOR | MODEL),
)


def restrict(ballot: Ballot, subset: int) -> Ballot:
    """A ballot as it is when only a subset was bought; the shape stays."""
    kept = np.array([name in bought(ballot.sources, frozenset(ballot.lookers), subset) for name in ballot.sources])
    return replace(ballot, scores=ballot.scores * kept[None, :, None], heard=ballot.heard & kept[None, :])


def supports(ballot: Ballot, bayesian: Bayesian) -> Floats:
    """What each action would say, by what was bought: probabilities, shape (N, SUBSETS, actions, V)."""
    rows = []
    for subset in range(SUBSETS):
        heard = Heard.of(restrict(ballot, subset), bayesian)
        rows.append(np.stack([action.support(heard) for action in ACTIONS], axis=1))
    return np.stack(rows, axis=1)


LEAST: Floats = np.array([action.least for action in ACTIONS])
NAMES: tuple[str, ...] = tuple(action.name for action in ACTIONS)
Ballots = Mapping[str, Ballot]
