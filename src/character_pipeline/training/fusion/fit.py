"""All that fusion learns from labelled items."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from character_pipeline.attribute_fusion.ballots import Ballot
from character_pipeline.attribute_fusion.bayesian import Bayesian, Habits
from character_pipeline.attribute_fusion.calibration import ANY, Calibration, Curve
from character_pipeline.attribute_fusion.ensemble import Stack
from character_pipeline.attribute_fusion.fusion import Fuser
from character_pipeline.attribute_fusion.weights import CurveRow, HabitsRow, StackRow, Weights
from character_pipeline.errors import ConfigError, MissingExtraError
from character_pipeline.evaluation.gold import UNJUDGED, Gold
from character_pipeline.training.fusion.curves import fit_curve
from character_pipeline.training.fusion.habits import fit_habits
from character_pipeline.training.fusion.stacks import fit_stack, rows_of
from character_pipeline.vocabulary import Attribute

LEAST_ITEMS = 100
"""Labelled items of an attribute, below which nothing is learned of it."""
Say = Callable[[str], None]


@dataclass
class _Found:
    curves: dict[str, dict[str, Curve]] = field(default_factory=dict)
    habits: dict[str, Habits] = field(default_factory=dict)
    stacks: dict[str, Stack] = field(default_factory=dict)


def fit_weights(gold: Gold, learned_from: dict[str, Any], say: Say = lambda line: None) -> Weights:
    """Fit curves, habits and stacks on labelled items.

    Raises ConfigError for too few items, MissingExtraError without scikit-learn.
    """
    check_labels(gold)
    return fit_unchecked(gold, learned_from, say)


def fit_unchecked(gold: Gold, learned_from: dict[str, Any], say: Say = lambda line: None) -> Weights:
    """The same of any number of items; of what is labelled too rarely nothing is learned."""
    import sklearn.linear_model  # noqa: F401 - libraries that are not loaded yet are not limited
    from threadpoolctl import threadpool_limits

    # The matrices are small: more threads would spend their time waiting for each other.
    with threadpool_limits(limits=1, user_api="blas"):
        return _fit(gold, learned_from, say)


def _fit(gold: Gold, learned_from: dict[str, Any], say: Say) -> Weights:
    found = _Found()
    rows = []
    # As a strategy that weighs everything is asked.
    fuser = Fuser(gold.vocabulary, lookers=gold.lookers, strategy=Bayesian())
    sources = tuple(sorted({c.extractor for claims in gold.claims for some in claims.values() for c in some}))
    for attribute in gold.vocabulary.attributes.values():
        ballot, asked = gold.ballot(attribute, fuser)
        judged = asked & (gold.each(attribute)[:, 0] >= 0)
        if judged.sum() >= LEAST_ITEMS:
            rows.append(_fit_one(attribute, ballot.of(sources).take(judged), gold.take(judged), found, say))
    if rows:
        whole = fit_stack(sources, np.concatenate([x for x, _ in rows]), np.concatenate([y for _, y in rows]))
        found.stacks |= {ANY: whole} if whole is not None else {}
    return _as_weights(gold, found, learned_from)


def check_labels(gold: Gold) -> None:
    """Raises ConfigError where nothing can be learned from them, MissingExtraError without scikit-learn."""
    try:
        import sklearn  # noqa: F401
    except ImportError as error:
        raise MissingExtraError("learning how to weigh sources", "train") from error
    most = max((gold.each(one)[:, 0] >= 0).sum() for one in gold.vocabulary.attributes.values())
    if most < LEAST_ITEMS:
        raise ConfigError(
            f"{most} labelled items are too few to learn from: at least {LEAST_ITEMS} with the same attribute are "
            "needed. Label more of them in the truth file, or with charpipe feedback"
        )
    if not any(claim.extractor for claims in gold.claims for some in claims.values() for claim in some):
        raise ConfigError(
            "the database holds no evidence on the labelled items. Run charpipe extract on their pictures and texts"
        )


def _fit_one(
    attribute: Attribute, ballot: Ballot, gold: Gold, found: _Found, say: Say
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Fit what belongs to one attribute; returns what the common stack is fitted on."""
    each = gold.each(attribute)
    decided = leave_out_refined(ballot, each)
    kinds = _fit_curves(ballot, decided, gold, found)
    ballot = Calibration(found.curves).apply(ballot)
    truth = each if attribute.many else gold.one(attribute)
    heard = replace(ballot, lookers=frozenset())
    known = truth >= 0 if not attribute.many else np.ones(len(truth), dtype=np.bool_)
    found.habits[attribute.key] = fit_habits(heard.take(known), truth[known])
    rows = rows_of(ballot, decided)
    stack = fit_stack(ballot.sources, *rows)
    if stack is not None:
        found.stacks[attribute.key] = stack
    say(f"{attribute.label}: {len(gold):,} items; {', '.join(kinds) or 'scores as they are'}")
    return rows


def leave_out_refined(ballot: Ballot, each: NDArray[np.int64]) -> NDArray[np.int64]:
    """The truth (N, V) without that of values of a list that another stated one says more precisely: what no decision
    holds is no wrong claim. Else a source that always says "scar" beside "scar on cheek" counts as wrong half the time.
    """
    attribute = ballot.attribute
    found, stated = each.copy(), ballot.stated
    for value, general in attribute.refines.items() if attribute.many else ():
        places = [attribute.order[other] for other in sorted(general)]
        found[:, places] = np.where(stated[:, [attribute.order[value]]], UNJUDGED, found[:, places])
    return found


def _fit_curves(ballot: Ballot, each: NDArray[np.int64], gold: Gold, found: _Found) -> list[str]:
    kinds = []
    for place, source in enumerate(ballot.sources):
        scores = ballot.scores[:, place]
        claims = (scores > 0) & (each >= 0)
        groups = np.broadcast_to(gold.groups[:, None], claims.shape)
        fitted = fit_curve(scores[claims], each[claims] == 1, groups[claims])
        if fitted is not None:
            kind, curve = fitted
            kinds.append(f"{source} {kind}")
            found.curves.setdefault(source, {})[ballot.attribute.key] = curve
    return kinds


def _as_weights(gold: Gold, found: _Found, learned_from: dict[str, Any]) -> Weights:
    def curve(one: Curve) -> CurveRow:
        return CurveRow(slope=one.slope, offset=one.offset, scores=one.scores, chances=one.chances)

    def habits(one: Habits) -> HabitsRow:
        return HabitsRow(
            sources=one.sources,
            prior=tuple(one.prior.tolist()),
            silent=tuple(map(tuple, one.silent.tolist())),
            mute=tuple(map(tuple, one.mute.tolist())),
            weight=tuple(one.weight.tolist()),
        )

    def stack(one: Stack) -> StackRow:
        return StackRow(sources=one.sources, weights=tuple(one.weights.tolist()), offset=one.offset)

    learned = {*found.habits, *found.stacks} - {ANY}
    return Weights(
        values={key: gold.vocabulary.attributes[key].values for key in sorted(learned)},
        curves={source: {key: curve(one) for key, one in own.items()} for source, own in found.curves.items()},
        habits={key: habits(one) for key, one in found.habits.items()},
        stacks={key: stack(one) for key, one in found.stacks.items()},
        learned_from={"items": len(gold), "characters": len(np.unique(gold.groups)), **learned_from},
    )
