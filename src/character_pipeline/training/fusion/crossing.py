"""What is learned, tried on characters that it was not learned from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from character_pipeline.attribute_fusion.calibration import Calibration
from character_pipeline.attribute_fusion.fusion import Fuser
from character_pipeline.attribute_fusion.strategies import LEARNED, Strategy, find_strategy
from character_pipeline.attribute_fusion.weights import Weights
from character_pipeline.errors import ConfigError
from character_pipeline.evaluation.gold import Gold
from character_pipeline.evaluation.metrics import Flags, Floats, Ints
from character_pipeline.evaluation.reliability import Said, join
from character_pipeline.training.fusion.fit import Say, fit_unchecked

FOLDS = 5
JUDGED = ("hierarchical", *LEARNED)
"""The strategies whose answers are judged: those with probabilities that can be learned about."""


def cross_fit(gold: Gold, say: Say = lambda line: None) -> Iterator[tuple[Weights, Ints]]:
    """For each fold the weights learned from the characters of the others, and its items.

    Raises ConfigError for too few characters.
    """
    from sklearn.model_selection import GroupKFold

    if gold.groups.max(initial=-1) + 1 < FOLDS:
        raise ConfigError(f"the labelled items show fewer than {FOLDS} characters: label items of others")
    rows = np.arange(len(gold))
    for number, (train, test) in enumerate(GroupKFold(FOLDS).split(rows, groups=gold.groups), 1):
        say(f"fold {number} of {FOLDS}: learning from {len(train):,} items, judging on {len(test):,}")
        yield fit_unchecked(gold.take(train), {}), test.astype(np.int64)


def said_values(gold: Gold, strategy: Strategy, rows: Ints) -> dict[str, Said]:
    """What a strategy says of some items, by attribute: every said value with its probability. What is said where no
    value is true or visible is wrong; what the truth is silent on is left out."""
    fuser = Fuser(gold.vocabulary, lookers=gold.lookers, strategy=strategy)
    decided = fuser.sure_of([gold.claims[row] for row in rows])
    found = {}
    for key, attribute in gold.vocabulary.attributes.items():
        truth = gold.each(attribute)
        said = [
            (p, truth[row, attribute.order[value]], gold.groups[row])
            for row, one in zip(rows, decided, strict=True)
            for value, p in one.get(attribute.label, {}).items()
        ]
        found[key] = _judged(said)
    return found


def _judged(said: Sequence[tuple[float, int, int]]) -> Said:
    table = np.array(said, dtype=np.float64).reshape(-1, 3)
    table = table[table[:, 1] >= 0]
    return Said(table[:, 0], table[:, 1] == 1, table[:, 2].astype(np.int64))


def claimed_values(gold: Gold, calibration: Calibration, rows: Ints) -> dict[str, Said]:
    """What single sources claim of some items, by attribute: every claim with its calibrated score."""
    fuser = Fuser(gold.vocabulary, lookers=gold.lookers, strategy=find_strategy(LEARNED[0]))
    part = gold.take(rows)
    found = {}
    for key, attribute in gold.vocabulary.attributes.items():
        ballot, asked = part.ballot(attribute, fuser)
        scores: Floats = calibration.apply(ballot).scores
        truth = np.broadcast_to(part.each(attribute)[:, None, :], scores.shape)
        claims: Flags = (scores > 0) & (truth >= 0) & asked[:, None, None]
        groups = np.broadcast_to(gold.groups[rows][:, None, None], scores.shape)
        found[key] = Said(scores[claims], truth[claims] == 1, groups[claims])
    return found


def merge(parts: Sequence[Mapping[str, Said]]) -> dict[str, Said]:
    """What was said in all folds."""
    return {key: join(part[key] for part in parts) for key in parts[0]}
