"""What all contenders decide about: the claims on labelled items as ballots, and every outcome of the six actions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from character_pipeline.attribute_fusion.ballots import Ballot
from character_pipeline.attribute_fusion.bayesian import Bayesian
from character_pipeline.attribute_fusion.calibration import Calibration
from character_pipeline.attribute_fusion.fusion import Fuser
from character_pipeline.attribute_fusion.weights import Weights
from character_pipeline.errors import ConfigError
from character_pipeline.evaluation.gold import Gold
from character_pipeline.evaluation.metrics import Flags, Ints
from character_pipeline.rl_optimizer.actions import Judges
from character_pipeline.rl_optimizer.episodes import Answers, Known, answer, know
from character_pipeline.vocabulary import Attribute

LEAST_JUDGED = 50
"""Labelled items of an attribute, below which it does not take part."""


@dataclass(frozen=True, eq=False)
class Field:
    """N labelled items.

    Attributes:
        ballots: raw scores, by attribute.
        asked: whether there is anything to decide, (N,).
        truth: 1 or 0 for each value, -1 where it is not known, (N, V).
    """

    gold: Gold
    weights: Weights
    ballots: Mapping[str, Ballot]
    asked: Mapping[str, Flags]
    truth: Mapping[str, Ints]
    wrong: float = 1.0

    def __len__(self) -> int:
        return len(self.gold)

    @property
    def attributes(self) -> list[Attribute]:
        """Those that take part."""
        return [self.gold.vocabulary.attributes[key] for key in self.ballots]

    @cached_property
    def calibration(self) -> Calibration:
        return self.weights.calibration()

    @cached_property
    def answers(self) -> Answers:
        """What each of the six actions would say."""
        return answer(self.ballots, Judges.of(self.weights))

    @cached_property
    def known(self) -> Known:
        """What that would be worth."""
        return know(self.answers, self.ballots, self.asked, self.truth, self.wrong)


def lay_out(gold: Gold, weights: Weights, keys: list[str] | None = None, wrong: float = 1.0) -> Field:
    """The field of labelled items.

    Args:
        keys: the attributes, in their order; by default those that are labelled often enough.
        wrong: what a wrong answer costs; a right one is worth 1.

    Raises ConfigError where nothing is labelled often enough.
    """
    fuser = Fuser(gold.vocabulary, lookers=gold.lookers, strategy=Bayesian())
    ballots, asked, truth = {}, {}, {}
    for key, attribute in gold.vocabulary.attributes.items():
        each = gold.each(attribute)
        if (key in keys) if keys is not None else ((each[:, 0] >= 0).sum() >= LEAST_JUDGED):
            ballots[key], asked[key] = gold.ballot(attribute, fuser)
            truth[key] = each
    if not ballots:
        raise ConfigError(f"no attribute is labelled in {LEAST_JUDGED} items: label more of them")
    return Field(gold, weights, ballots, asked, truth, wrong)


def cut(gold: Gold, share: float, seed: int) -> tuple[Gold, Gold]:
    """Labelled items in two, by character; about a share of them are in the second part."""
    drawn = np.random.default_rng(seed).random(int(gold.groups.max(initial=0)) + 1)
    second: Flags = drawn[gold.groups] < share
    return gold.take(~second), gold.take(second)
