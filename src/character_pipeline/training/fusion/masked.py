"""How far each source is to be trusted, learned without labels: what a text states is hidden, and pictures are asked.

Pictures that are sure of themselves are taken to be right (anchor points: Patrini et al., 2017): a text is as reliable
as they agree with it. What pictures say stays as it is. How frequent values are, and how often a source is silent about
each, comes from what all sources together make probable, also where no text speaks: tags that tell some values far more
often than others do not mislead. Lists have a way of their own (masked_lists.py). An attribute of which pictures are
never sure keeps the scores that the package has.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from character_pipeline.attribute_fusion.ballots import Ballot
from character_pipeline.attribute_fusion.bayesian import Bayesian, Habits, noisy_or
from character_pipeline.attribute_fusion.calibration import Calibration, Curve, logit
from character_pipeline.attribute_fusion.fusion import Fuser
from character_pipeline.attribute_fusion.weights import CurveRow, HabitsRow, Weights
from character_pipeline.data import STATEMENT
from character_pipeline.errors import ConfigError
from character_pipeline.evaluation.gold import Gold
from character_pipeline.training.fusion.masked_lists import list_habits
from character_pipeline.training.fusion.sides import (
    DIGITS,
    LEAST_SURE,
    PRIOR_CASES,
    SURE,
    echoes,
    rounded,
    sides,
)

Floats = NDArray[np.float64]
Say = Callable[[str], None]


class Learned(NamedTuple):
    """What was learned of one attribute: the offset of the logits of texts, and the habits of all sources."""

    offset: float
    habits: Habits


def learn_masked(gold: Gold, say: Say = lambda line: None) -> Weights:
    """Curves of texts and habits for the strategy "bayesian", from items whose truth nobody told.

    Raises ConfigError where no attribute has enough items of which a text and a sure picture both speak.
    """
    fuser = Fuser(gold.vocabulary, lookers=gold.lookers, strategy=Bayesian())
    found: dict[str, Learned] = {}
    for key, attribute in gold.vocabulary.attributes.items():
        ballot, asked = gold.ballot(attribute, fuser)
        learn = learn_list if attribute.many else learn_one
        one = learn(ballot.take(asked), partial(_say, say, attribute.label))
        if one is not None:
            found[key] = one
    if not found:
        raise ConfigError(
            f"no attribute has {LEAST_SURE} items of which a text and a picture that is sure (a score of {SURE}) both "
            "say something: extract more pictures with texts, or give labels with --truth"
        )
    return _as_weights(gold, found)


def _say(say: Say, label: str, line: str) -> None:
    say(f"{label}: {line}")


def learn_one(ballot: Ballot, say: Say = lambda line: None) -> Learned | None:
    """What texts and pictures say of a choice; None where too few pictures are sure."""
    reading, looking = sides(ballot)
    texts, seen = ballot.of(reading).scores.max(axis=1, initial=0.0), noisy_or(ballot.of(looking))
    stated = ((texts > 0).sum(axis=1) == 1) & (texts.max(axis=1) >= STATEMENT)
    sure = stated & (seen.max(axis=1) >= SURE)
    if sure.sum() < LEAST_SURE:
        return None
    agree = int((seen[sure].argmax(axis=1) == texts[sure].argmax(axis=1)).sum())
    share = (agree + 1) / (int(sure.sum()) + 2)
    say(f"of {int(sure.sum()):,} texts, {share:.1%} are confirmed by pictures that are sure")
    offset = float(logit(np.array(share)) - logit(texts[stated].max(axis=1)).mean())
    curves = {name: {ballot.attribute.key: Curve(offset=offset)} for name in reading}
    return Learned(round(offset, DIGITS), _habits(Calibration(curves).apply(ballot), seen))


def learn_list(ballot: Ballot, say: Say = lambda line: None) -> Learned | None:
    """What texts and pictures leave unsaid of a list; None where too few pictures are sure."""
    found = list_habits(ballot)
    if found is None:
        return None
    sure, habits = found
    told = [place for place, name in enumerate(habits.sources) if name not in ballot.lookers]
    quiet = min((float(habits.silent[place, :-1].mean()) for place in told), default=1.0)
    say(f"of {sure:,} values that pictures are sure of, texts state {1 - quiet:.0%}")
    return Learned(0.0, habits)


def _habits(ballot: Ballot, seen: Floats) -> Habits:
    """From calibrated scores, in one step of expectation and maximisation.

    Args:
        seen: what pictures say, (N, V): texts, which tell what is unusual, do not say how frequent values are.
    """
    told = seen[seen.any(axis=1)].sum(axis=0)
    prior = _shares(np.append(told, max(0.0, float(seen.any(axis=1).sum() - told.sum()))))
    even = np.full((len(ballot.sources), len(prior)), 0.5)
    first = Habits(ballot.sources, prior, even, np.zeros((0, 0)), echoes(ballot))
    heard = ballot.take(ballot.told)
    chances = first.posterior(heard)
    chances = np.concatenate([chances, np.maximum(1 - chances.sum(axis=1, keepdims=True), 0)], axis=1)
    silent = np.stack([_silent(heard, place, chances) for place in range(len(heard.sources))])
    return Habits(ballot.sources, _shares(chances.sum(axis=0)), silent, np.zeros((0, 0)), first.weight)


def _shares(counts: Floats) -> Floats:
    found: Floats = ((counts + 1) / (counts.sum() + len(counts))).round(DIGITS)
    return np.maximum(found, 10.0**-DIGITS)


def _silent(ballot: Ballot, place: int, chances: Floats) -> Floats:
    """How often a source says nothing where a value is true, by how probable it is that it is, (V + 1,)."""
    heard = ballot.heard[:, place]
    quiet = heard & ~ballot.scores[:, place].any(axis=1)
    usual = (quiet.sum() + 1) / (heard.sum() + 2)
    found: Floats = (chances[quiet].sum(axis=0) + PRIOR_CASES * usual) / (chances[heard].sum(axis=0) + PRIOR_CASES)
    return rounded(found)


def _as_weights(gold: Gold, found: dict[str, Learned]) -> Weights:
    texts = sorted({claim.extractor for claims in gold.claims for some in claims.values() for claim in some})
    rows = {key: CurveRow(offset=one.offset) for key, one in found.items() if one.offset}
    return Weights(
        values={key: gold.vocabulary.attributes[key].values for key in found},
        curves={name: rows for name in texts if name not in gold.lookers},
        habits={
            key: HabitsRow(
                sources=one.habits.sources,
                prior=tuple(one.habits.prior.tolist()),
                silent=tuple(map(tuple, one.habits.silent.tolist())),
                mute=tuple(map(tuple, one.habits.mute.tolist())),
                weight=tuple(one.habits.weight.tolist()),
            )
            for key, one in found.items()
        },
        learned_from={"items": len(gold), "labels": "none: texts that were hidden"},
    )
