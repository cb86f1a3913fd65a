"""Simpler learners than the policy, fitted on the items of `fit`: they show what its network is worth, its look ahead,
and that it is one for all attributes.

Shapes: N items, A attributes, S subsets of purchases, F features, K actions.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from character_pipeline.evaluation.contest.contenders import Ring, played
from character_pipeline.evaluation.contest.verdicts import Verdicts
from character_pipeline.evaluation.metrics import Flags, Floats, Ints
from character_pipeline.models import machine
from character_pipeline.rl_optimizer.actions import COLOR, MODEL, NAMES, SUBSETS
from character_pipeline.rl_optimizer.episodes import BUY, Game, Known
from character_pipeline.rl_optimizer.learning import Told, tell
from character_pipeline.rl_optimizer.settings import Settings

States = NDArray[np.float32]
RIDGE = 1.0
"""How much weights are held back: as if so many items more had been met whose features and utility are 0."""
AGENT = Settings(hidden=(32,), learning_rate=3e-3, batch_size=256, target_rate=1.0, capacity=1)
PASSES = 12


def trained(ring: Ring) -> Iterator[Verdicts]:
    """All of them; without torch, those that need none."""
    yield one_step(ring)
    yield per_cost(ring)
    if machine.has_package("torch"):
        yield agents(ring)


def one_step(ring: Ring) -> Verdicts:
    """Chooses the action whose own reward is the greatest by a linear regression: a contextual bandit, which does not
    know that what is bought serves later attributes too."""
    told = tell(ring.fit.known, ring.six)
    weights = regress(ring.fit.known, told.worth - ring.price * told.paid)

    def choose(states: States, masks: Flags, items: Ints, place: int) -> Ints:
        return np.asarray(predict(weights[place], states).argmax(axis=1))

    return played(ring, "one-step regression", choose)


def per_cost(ring: Ring) -> Verdicts:
    """Buys what has the greatest expected gain per millisecond, over all attributes that are left, as long as that is
    worth its price; then answers by the one-step regression."""
    known = ring.fit.known
    answers = regress(known, known.utility)
    gains = regress(known, _gains(known, answers))
    prices = ring.costs.table()
    bits = np.array(list(BUY.values()))

    def choose(states: States, masks: Flags, items: Ints, place: int) -> Ints:
        subset = _subset(states)
        ms = np.maximum(prices[subset[:, None], subset[:, None] | bits], 1e-9)
        gain = predict(gains[place], states)
        rate = np.where(masks[:, len(NAMES) :] & (gain > ring.price * ms), gain / ms, -np.inf)
        best = predict(answers[place], states).argmax(axis=1)
        return np.asarray(np.where(np.isfinite(rate).any(axis=1), len(NAMES) + rate.argmax(axis=1), best))

    return played(ring, "utility per cost", choose, Game("acquire", ring.costs))


def _gains(known: Known, answers: Floats) -> Floats:
    """How much more utility this and all later attributes come to after each purchase, (N, A, S, purchases)."""
    chosen = np.stack([
        np.stack([predict(own, known.states[:, place, subset]).argmax(axis=1) for subset in range(SUBSETS)], axis=1)
        for place, own in enumerate(answers)
    ], axis=1)  # fmt: skip
    earned = np.take_along_axis(known.utility, chosen[..., None], axis=3)[..., 0]
    left = np.cumsum(earned[:, ::-1], axis=1)[:, ::-1]
    return np.stack([left[:, :, np.arange(SUBSETS) | bit] - left for bit in BUY.values()], axis=3)


def regress(known: Known, targets: Floats | States) -> Floats:
    """Linear weights (A, S, F + 1, K) of targets (N, A, S, K), for each attribute and subset by itself."""
    wide = known.states.shape[-1] + 1
    found = np.zeros((len(known.keys), SUBSETS, wide, targets.shape[-1]))
    for place, subset in np.ndindex(found.shape[:2]):
        rows = known.judged[:, place]
        inputs = _inputs(known.states[rows, place, subset])
        square = inputs.T @ inputs + RIDGE * np.eye(wide)
        found[place, subset] = np.linalg.solve(square, inputs.T @ targets[rows, place, subset])
    return found


def predict(weights: Floats, states: States) -> Floats:
    """By weights (S, F + 1, K) the targets of states (n, F), by what was bought in each: (n, K)."""
    subset, inputs = _subset(states), _inputs(states)
    found = np.zeros((len(states), weights.shape[-1]))
    for each in range(SUBSETS):
        found[subset == each] = inputs[subset == each] @ weights[each]
    return found


def _inputs(states: States) -> Floats:
    return np.concatenate([states, np.ones((len(states), 1))], axis=1)


def _subset(states: States) -> Ints:
    """What was bought in each state, which its last two features say."""
    found: Ints = COLOR * (states[:, -2] > 0).astype(np.int64) + MODEL * (states[:, -1] > 0).astype(np.int64)
    return found


def agents(ring: Ring) -> Verdicts:
    """A small network for each attribute instead of one that is told the attribute. They are fitted from the last
    attribute to the first, so that each knows what its purchases are worth to those after it."""
    from character_pipeline.rl_optimizer.dqn import Learner, fit

    known, told = ring.fit.known, tell(ring.fit.known, ring.six)
    count, attributes, subsets, wide = known.states.shape
    learners: dict[int, Learner] = {}
    later = np.zeros((count, subsets), dtype=np.float32)
    for place in range(attributes - 1, -1, -1):
        asked = known.asked[:, place]
        learner = learners[place] = Learner(wide, len(NAMES), AGENT)
        targets = _returns(told, place, later, ring.price)[asked].reshape(-1, len(NAMES))
        states = known.states[asked, place].reshape(-1, wide)
        if len(states):
            fit(learner, states, targets, np.ones(targets.shape, dtype=np.bool_), PASSES)
            later[asked] = learner.values(states).max(axis=1).reshape(-1, subsets)
    return played(
        ring, "an agent per attribute", lambda states, masks, items, place: learners[place].act(states, masks)
    )


def _returns(told: Told, place: int, later: States, price: float) -> States:
    """What each action at an attribute leads to, (N, S, K), by the value of what is bought after it, (N, S)."""
    after = told.after[:, place]
    own: States = told.worth[:, place] - np.float32(price) * told.paid[:, place]
    return own + later[np.arange(len(later))[:, None, None], after]
