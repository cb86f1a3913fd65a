"""A truth for items that nobody labelled, to train a policy by: drawn from what all sources together make probable.

How far each source is to be trusted is learned from the same items, by texts that are hidden (masked.py). A draw is
worth on average what its probability is, so whoever is judged by many draws is judged by the probabilities. Sources
that err together are taken to be right: MARGIN is how much of a gap that may explain.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from character_pipeline.attribute_fusion.bayesian import Bayesian
from character_pipeline.attribute_fusion.fusion import Fuser
from character_pipeline.attribute_fusion.weights import Weights
from character_pipeline.database.store import Store
from character_pipeline.evaluation.gold import Gold, read_unlabelled
from character_pipeline.training.fusion.masked import learn_masked
from character_pipeline.vocabulary import Attribute

Floats = NDArray[np.float64]

MARGIN = 0.005
"""Utility an attribute by which a policy must be ahead where such a truth judges it. On drawings, whose truth is known,
it was off by up to .009, and no policy that passed was worse than what it replaced (benchmarks/without_labels.py)."""


def read_masked(store: Store, say: Callable[[str], None] = lambda line: None) -> Gold:
    """Items of a database that show one character, with a truth that was drawn for them.

    Raises ConfigError where there are too few with a text and a picture that is sure.
    """
    gold = read_unlabelled(store)
    return draw_truth(gold, learn_masked(gold, say))


def draw_truth(gold: Gold, weights: Weights, seed: int = 0) -> Gold:
    """The same N items, with a truth drawn for every attribute that the weights have habits of.

    Args:
        weights: learned by `masked.learn_masked`.
        seed: the same seed draws the same.
    """
    rng = np.random.default_rng(seed)
    fuser = Fuser(gold.vocabulary, lookers=gold.lookers, strategy=Bayesian())
    judge = Bayesian(weights.calibration(), weights.all_habits())
    attributes = [gold.vocabulary.attributes[key] for key in judge.habits]
    drawn: list[dict[str, Any]] = [{} for _ in range(len(gold))]
    for attribute in attributes:
        ballot, _ = gold.ballot(attribute, fuser)
        for line, values in zip(drawn, _draw(judge.support(ballot), attribute, rng), strict=True):
            if values:
                line[attribute.label] = values if attribute.many else values[0]
    labels = [attribute.label for attribute in attributes]
    truths = [{**line, "attributes": of, "labels": labels} for line, of in zip(gold.truths, drawn, strict=True)]
    return Gold(gold.vocabulary, truths, gold.claims)


def _draw(chances: Floats, attribute: Attribute, rng: np.random.Generator) -> list[list[str]]:
    """Values drawn by their probabilities, (N, V): of a choice at most one."""
    if attribute.many:
        true = rng.random(chances.shape) < chances
    else:
        ends = chances.cumsum(axis=1)
        point = rng.random((len(chances), 1))
        true = (point < ends) & (point >= ends - chances)
    return [[attribute.values[place] for place in np.flatnonzero(row)] for row in true]
