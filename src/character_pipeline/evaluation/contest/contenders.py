"""The contenders: simple rules, the fusion strategies, the six actions, and what is learned or tuned on top of them.

What has to be chosen or tuned is, on the items of `fit`; the verdicts are on those of `test`, of other characters.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from character_pipeline.attribute_fusion.bayesian import noisy_or
from character_pipeline.attribute_fusion.dawid_skene import UNLABELLED, DawidSkene, learn_tables
from character_pipeline.attribute_fusion.fusion import Fuser
from character_pipeline.attribute_fusion.strategies import BUILT_IN, LEARNED, find_strategy
from character_pipeline.config import AttributeFusionConfig
from character_pipeline.data import AttributeValue
from character_pipeline.evaluation.contest.field import Field
from character_pipeline.evaluation.contest.verdicts import Verdicts
from character_pipeline.evaluation.metrics import Flags, Floats, Ints
from character_pipeline.rl_optimizer.actions import COLOR, LEAST, MODEL, NAMES, voice
from character_pipeline.rl_optimizer.episodes import Choose, Costs, Game, Played, play
from character_pipeline.rl_optimizer.features import OWN
from character_pipeline.vocabulary import Attribute

Choices = NDArray[np.float32]
EVERYTHING = COLOR | MODEL
HALF = 0.5
CASCADES = (0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.93, 0.96, 0.98, 0.99)
"""How sure the text must be for a cascade to stop at it."""


@dataclass(frozen=True)
class Ring:
    """Where they meet: items to choose and tune by, items to be judged by, and what a millisecond costs."""

    fit: Field
    test: Field
    price: float = 0.0
    costs: Costs = field(default_factory=Costs)

    @property
    def six(self) -> Game:
        return Game("six", self.costs)

    def full_cost(self, where: Field) -> Floats:
        """Of items on which everything is run, (N,)."""
        return np.full(len(where), float(self.costs.table()[0, EVERYTHING]))


def baselines(ring: Ring) -> Iterator[Verdicts]:
    """All that is not learned by a policy."""
    yield majority(ring)
    yield alone(ring, "tags only", pictures=False)
    yield alone(ring, "pictures only", pictures=True)
    yield raw_vote(ring)
    for name in (*(one.name for one in BUILT_IN), *LEARNED):
        yield strategy(ring, name)
    for name in NAMES:
        yield played(ring, f"action {name}", _always(NAMES.index(name)))
    yield best_action(ring)
    yield best_by_attribute(ring)
    yield cascade(ring)
    yield at_random(ring)
    yield oracle(ring)


def dawid_skene(ring: Ring, labelled: bool = True) -> Verdicts:
    """Tables of what each source says for what, from claims on both sets, and the labels of `fit` or none."""
    chances = {}
    for key, ballot in ring.test.ballots.items():
        learned_from = ring.fit.ballots[key].of(ballot.sources)
        both = replace(
            ballot,
            scores=np.concatenate([learned_from.scores, ballot.scores]),
            heard=np.concatenate([learned_from.heard, ballot.heard]),
        )
        labels = ring.fit.gold.each(ballot.attribute) if ballot.attribute.many else ring.fit.gold.one(ballot.attribute)
        labels = labels if labelled else np.full_like(labels, UNLABELLED)
        unlabelled = np.full((len(ballot), *labels.shape[1:]), UNLABELLED)
        tables = learn_tables(both, np.concatenate([labels, unlabelled]))
        chances[key] = DawidSkene({key: tables}).support(ballot)
    return Verdicts("dawid_skene", chances, _least(ring.test, HALF), ring.full_cost(ring.test))


def majority(ring: Ring) -> Verdicts:
    """Always the most frequent value; of lists nothing."""
    chances = {}
    for attribute in ring.test.attributes:
        truth = ring.fit.truth[attribute.key]
        share = (truth == 1).sum(axis=0) / max(1, int((truth[:, 0] >= 0).sum()))
        best = np.where(np.arange(len(share)) == share.argmax(), share, 0.0) if not attribute.many else share * 0
        chances[attribute.key] = np.broadcast_to(best, (len(ring.test), len(share)))
    return Verdicts("majority", chances, _least(ring.test, 0.0), np.zeros(len(ring.test)))


def _least(where: Field, least: float) -> dict[str, Floats]:
    return {key: np.full(len(where), least) for key in where.ballots}


def alone(ring: Ring, name: str, pictures: bool) -> Verdicts:
    """Calibrated texts without pictures, or the other way round."""
    chances = {}
    for key, ballot in ring.test.ballots.items():
        kept = [source for source in ballot.sources if (source in ballot.lookers) == pictures]
        chances[key] = noisy_or(ring.test.calibration.apply(ballot.of(kept)))
    cost = ring.full_cost(ring.test) * pictures
    return Verdicts(name, chances, _least(ring.test, HALF), cost)


def raw_vote(ring: Ring) -> Verdicts:
    """The scores as sources give them, the surest value, and no abstaining above 0.3."""
    chances = {
        key: np.minimum(1 - np.prod(1 - ballot.scores, axis=1), 0.999) for key, ballot in ring.test.ballots.items()
    }
    return Verdicts("raw confidence vote", chances, _least(ring.test, 0.3), ring.full_cost(ring.test))


def strategy(ring: Ring, name: str) -> Verdicts:
    """A fusion strategy as records are made by it, with all rules of consistency."""
    test = ring.test
    found = find_strategy(name, lambda: test.weights)
    fuser = Fuser(
        test.gold.vocabulary, AttributeFusionConfig(confidence_threshold=HALF), test.gold.lookers, strategy=found
    )
    decided = fuser.decide_all(test.gold.claims)
    chances = {
        attribute.key: np.stack([_as_chances(one[attribute.label], attribute) for one in decided])
        for attribute in test.attributes
    }
    return Verdicts(name, chances, _least(test, 0.0), ring.full_cost(test))


def _as_chances(decided: AttributeValue, attribute: Attribute) -> Floats:
    found = np.zeros(len(attribute.values))
    if decided.state == "known":
        found[[attribute.order[value] for value in decided.values]] = decided.confidence
    return found


def _always(action: int) -> Choose:
    return lambda states, masks, items, place: np.full(len(items), action)


def verdicts_of(where: Field, name: str, done: Played) -> Verdicts:
    """What was said in an episode."""
    rows = np.arange(len(where))
    chances, least = {}, {}
    for place, key in enumerate(where.ballots):
        action = np.maximum(done.actions[:, place], 0)
        subset = done.subsets[:, place]
        told = where.answers.chances[key][rows, subset, action] * (done.actions[:, place] >= 0)[:, None]
        many = where.ballots[key].attribute.many
        voiced = voice(told, LEAST[action], where.answers.stack[key][rows, subset], many)
        chances[key], least[key] = voiced.support, voiced.least
    return Verdicts(name, chances, least, done.cost.astype(np.float64))


def played(ring: Ring, name: str, choose: Choose, game: Game | None = None) -> Verdicts:
    """An episode with each item, by a rule for choosing actions."""
    return verdicts_of(ring.test, name, play(ring.test.known, game or ring.six, choose))


def _net(ring: Ring, choose: Choose) -> float:
    done = play(ring.fit.known, ring.six, choose)
    return float(done.utility.sum() - ring.price * done.cost.sum())


def best_action(ring: Ring) -> Verdicts:
    """The one action that did best on the items to choose by."""
    best = max(range(len(NAMES)), key=lambda action: _net(ring, _always(action)))
    return played(ring, "best fixed action", _always(best))


def best_by_attribute(ring: Ring) -> Verdicts:
    """For each attribute the action that did best on the items to choose by, everything bought."""
    best = ring.fit.known.utility[:, :, EVERYTHING].sum(axis=0).argmax(axis=1)

    def choose(states: Choices, masks: Flags, items: Ints, place: int) -> Ints:
        return np.full(len(items), best[place])

    return played(ring, "best action by attribute", choose)


def cascade(ring: Ring) -> Verdicts:
    """The text where it is sure enough, else everything; how sure was tuned."""
    at = len(ring.fit.ballots) + OWN.index("text: top")

    def stop(least: float) -> Choose:
        sure, else_ = NAMES.index("tag_priority"), NAMES.index("confidence_weighted")

        def choose(states: Choices, masks: Flags, items: Ints, place: int) -> Ints:
            return np.where(states[:, at] >= least, sure, else_)

        return choose

    best = max(CASCADES, key=lambda least: _net(ring, stop(least)))
    return played(ring, f"tuned cascade (text from {best:g})", stop(best))


def at_random(ring: Ring, seed: int = 0) -> Verdicts:
    """Any action."""
    rng = np.random.default_rng(seed)
    return played(ring, "random action", lambda states, masks, items, place: rng.integers(0, len(NAMES), len(items)))


def oracle(ring: Ring) -> Verdicts:
    """The best action in hindsight, everything bought: nobody can reach it."""
    best = ring.test.known.utility[:, :, EVERYTHING].argmax(axis=2)
    return played(ring, "oracle of the six (unreachable)", lambda states, masks, items, place: best[items, place])
