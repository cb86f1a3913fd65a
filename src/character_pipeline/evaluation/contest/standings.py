"""All contenders on one set of labelled items: marks, and differences to a reference with their intervals."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from character_pipeline.attribute_fusion.weights import Weights
from character_pipeline.errors import ConfigError, unknown_name
from character_pipeline.evaluation.contest.contenders import Ring, baselines, dawid_skene, played
from character_pipeline.evaluation.contest.field import Field, cut, lay_out
from character_pipeline.evaluation.contest.trained import trained
from character_pipeline.evaluation.contest.verdicts import Mark, Verdicts, confidences, difference, mark
from character_pipeline.evaluation.gold import Gold
from character_pipeline.evaluation.metrics import Interval
from character_pipeline.evaluation.reliability import Said, join
from character_pipeline.rl_optimizer.episodes import Game
from character_pipeline.rl_optimizer.learning import greedy
from character_pipeline.rl_optimizer.policy import Policy

REFERENCE = "best fixed action"
PLOTTED = ("raw confidence vote", "hierarchical", "ensemble", "bayesian")
JUDGED = 0.5
"""Of the items, by character; on the others is chosen and tuned."""


@dataclass(frozen=True)
class Place:
    """One contender.

    Attributes:
        marks: by attribute, and "all".
        cost: milliseconds an item.
        ahead: how much more utility an attribute it has than the reference, net of cost.
        interval: 95 % of that, paired, by character.
        chance: the two-sided chance of a difference as large where there is none, corrected for the number of
            contenders (Holm, 1979).
    """

    name: str
    marks: dict[str, Mark]
    cost: float
    ahead: float
    interval: Interval
    chance: float


class Meeting(NamedTuple):
    """The places of all contenders; and of those that are worth plotting, how sure they were of what they said."""

    places: list[Place]
    said: dict[str, Said]


def meet(
    gold: Gold,
    weights: Weights,
    policies: Sequence[tuple[str, Policy]] = (),
    price: float = 0.0,
    reference: str = REFERENCE,
    judged: Gold | None = None,
) -> Meeting:
    """Let all contenders decide on half of the characters, or on all of `judged`.

    Args:
        gold: labelled items; what is chosen or tuned is on these, or on half of them.
        price: what a millisecond costs in units of utility.
        reference: the contender that the others are compared with.

    Raises ConfigError where there is no such contender.
    """
    learn, test = (gold, judged) if judged is not None else cut(gold, JUDGED, seed=0)
    fit = lay_out(learn, weights)
    ring = Ring(fit, lay_out(test, weights, list(fit.ballots)), price)
    learned = (policy_verdicts(ring, name, policy) for name, policy in policies)
    every = [*baselines(ring), dawid_skene(ring), *trained(ring), *learned]
    plotted = {one.name: said_by(ring.test, one) for one in every if one.name in {*PLOTTED, *dict(policies)}}
    return Meeting(rank(ring, every, reference), plotted)


def said_by(where: Field, verdicts: Verdicts) -> Said:
    """How sure a contender was of all that it said, and whether it was right."""
    return join(Said(*confidences(where, verdicts, one.key, one.many)) for one in where.attributes)


def policy_verdicts(ring: Ring, name: str, policy: Policy) -> Verdicts:
    """What a policy decides at the price."""
    six = len(policy.about.actions) == len(ring.six.actions)
    return played(ring, name, greedy(policy, ring.price), Game("six" if six else "acquire", ring.costs))


def rank(ring: Ring, every: Iterable[Verdicts], reference: str) -> list[Place]:
    """The places, in the order in which they are given."""
    found = {one.name: one for one in every}
    if reference not in found:
        raise ConfigError(unknown_name("contender", reference, found))
    apart = {name: difference(ring.test, one, found[reference], ring.price) for name, one in found.items()}
    chances = holm({name: gap.chance for name, gap in apart.items() if name != reference})
    return [
        Place(name, mark(ring.test, one), float(one.cost.mean()), apart[name].mean, apart[name].interval,
              chances.get(name, 1.0))
        for name, one in found.items()
    ]  # fmt: skip


def holm(chances: dict[str, float]) -> dict[str, float]:
    """Chances corrected for their number: the least times that, the next times one less, and so on, never falling."""
    ordered = sorted(chances, key=lambda name: chances[name])
    found, least = {}, 0.0
    for place, name in enumerate(ordered):
        least = max(least, min(1.0, chances[name] * (len(ordered) - place)))
        found[name] = least
    return found
