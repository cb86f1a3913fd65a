"""Trains the policy from full information: items on which everything was run and the truth is known.

The state knows the price of a millisecond, and items are met at many prices, so that one policy serves every budget.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from character_pipeline.rl_optimizer.actions import NAMES
from character_pipeline.rl_optimizer.dqn import Learner, best_allowed, q_values
from character_pipeline.rl_optimizer.episodes import Choose, Game, Known, Played, play
from character_pipeline.rl_optimizer.policy import Policy
from character_pipeline.rl_optimizer.settings import Settings

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]
Say = Callable[[str], None]

PRICES = (0.0, 0.0, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2)
"""Units of utility a millisecond; what an attribute is worth at most is 1."""
ASKED_PRICES = (0.0, 0.01, 0.02, 0.05, *(round(0.06 + 0.02 * step, 2) for step in range(18)))
"""Those among which a budget finds its own."""
PRICE = "price"
SCALE = 10.0
"""How the price stands in the state: times this."""
CHECKS = 12
"""So often in a training the policy is tried on the items kept apart for it, and the best one is kept in the end."""


class Told(NamedTuple):
    """All outcomes of n items: what each action is worth and costs, what is bought after it, and whether it is allowed,
    (n, A, SUBSETS, actions); and the next attribute to decide, (n, A)."""

    worth: Floats
    paid: Floats
    after: Ints
    allowed: Flags
    following: Ints

    def take(self, rows: Ints) -> Told:
        return Told(*(part[rows] for part in self))  # type: ignore[arg-type]


def tell(known: Known, game: Game) -> Told:
    """Work out all outcomes."""
    count, attributes, subsets = known.states.shape[:3]
    items = np.arange(count)
    parts = [
        [(*game.outcomes(known, items, place, np.full(count, subset)), game.allowed(np.full(count, subset)))
         for subset in range(subsets)]
        for place in range(attributes)
    ]  # fmt: skip
    worth, paid, after, allowed = (
        np.stack([np.stack([row[which] for row in rows], axis=1) for rows in parts], axis=1) for which in range(4)
    )
    return Told(worth, paid, after, allowed, _following(known.asked))


def _following(asked: Flags) -> Ints:
    """The next attribute that is asked after each, or their number."""
    count, attributes = asked.shape
    found = np.full((count, attributes), attributes)
    last = np.full(count, attributes)
    for place in range(attributes - 1, -1, -1):
        found[:, place] = last
        last = np.where(asked[:, place], place, last)
    return found


def with_price(states: Floats, price: float | Floats) -> Floats:
    """States (..., F) with the price behind them, (..., F + 1); `price` broadcasts over all but the last axis."""
    column = np.broadcast_to(np.asarray(price, dtype=np.float32) * SCALE, states.shape[:-1])
    return np.concatenate([states, column[..., None]], axis=-1)


def greedy(policy: Policy | Learner, price: float) -> Choose:
    """The best actions at a price."""

    def choose(states: Floats, masks: Flags, items: Ints, place: int) -> Ints:
        chosen: Ints = policy.act(with_price(states, price), masks)
        return chosen

    return choose


@dataclass(frozen=True)
class Course:
    """How a training goes: steps of `settings.batch_size` items each, all of their states at once."""

    settings: Settings
    steps: int = 2_000


@dataclass(frozen=True, eq=False)
class Start:
    """Where a training goes on from.

    Attributes:
        learner: what it begins with.
        odds: how often each item is met, (N,), with the sum 1.
    """

    learner: Learner
    odds: NDArray[np.float64]


def learn(
    known: Known,
    kept: Known,
    game: Game,
    course: Course,
    say: Say = lambda line: None,
    start: Start | None = None,
) -> tuple[Learner, list[dict[str, Any]]]:
    """Fitted Q iteration with double targets over all states of the items.

    Args:
        kept: items for early stopping, of other characters than those that are learned from.

    Returns the learner, and what was measured on the way: by step, the net utility on `kept` at some prices. A training
    that goes on counts its start as step 0: what only gets worse stays as it was.
    """
    told = tell(known, game)
    learner = start.learner if start else Learner(known.states.shape[-1] + 1, len(game.actions), course.settings)
    odds = start.odds if start else None
    curve: list[dict[str, Any]] = []
    best: tuple[float, Any] = (-np.inf, None)
    every = max(1, course.steps // CHECKS)
    for step in range(0 if start else 1, course.steps + 1):
        if step:
            _set_rate(learner, course.settings.learning_rate * (1 - (step - 1) / course.steps))
            _step(learner, known, told, odds)
        if step % every == 0 or step == course.steps:
            nets = {price: net(play(kept, game, greedy(learner, price)), kept, price) for price in sorted(set(PRICES))}
            curve.append({"step": step, "net": nets})
            mean = float(np.mean(list(nets.values())))
            best = max(best, (mean, copy.deepcopy(learner.online.state_dict())), key=lambda pair: pair[0])
            say(f"step {step:,} of {course.steps:,}: utility {nets[0.0]:.4f} an attribute at no price, {mean:.4f} net")
    learner.online.load_state_dict(best[1])
    return learner, curve


def _set_rate(learner: Learner, rate: float) -> None:
    for group in learner.adam.param_groups:
        group["lr"] = rate


def net(played: Played, known: Known, price: float) -> float:
    """Utility less cost, an attribute whose truth is known."""
    return float((played.utility.sum() - price * played.cost.sum()) / max(1, known.judged.sum()))


def _step(learner: Learner, known: Known, told: Told, odds: NDArray[np.float64] | None = None) -> None:
    size = learner.settings.batch_size
    rows = learner.rng.integers(0, len(known), size) if odds is None else learner.rng.choice(len(known), size, p=odds)
    prices = learner.rng.choice(np.array(PRICES, dtype=np.float32), len(rows))
    states = with_price(known.states[rows], prices[:, None, None])
    targets = returns(learner, states, told.take(rows), prices)
    asked = np.broadcast_to(known.asked[rows][:, :, None], states.shape[:3])
    learner.regress(states[asked], targets[asked], told.allowed[rows][asked])


def returns(learner: Learner, states: Floats, told: Told, prices: Floats) -> Floats:
    """What each action leads to in the end, by the target network, (n, A, SUBSETS, actions): its reward, and the value
    of the state after it. A decision goes on to the next attribute that is asked, a purchase stays at its own."""
    import torch

    count, attributes, subsets = states.shape[:3]
    with torch.no_grad():
        flat = torch.from_numpy(np.ascontiguousarray(states.reshape(count * attributes * subsets, -1)))
        online, target = (q_values(net, flat).numpy() for net in (learner.online, learner.target))
    best = best_allowed(online, told.allowed.reshape(len(online), -1))
    value = target[np.arange(len(best)), best].reshape(count, attributes, subsets)
    value = np.concatenate([value, np.zeros((count, 1, subsets), dtype=value.dtype)], axis=1)
    own = np.broadcast_to(np.arange(attributes), told.following.shape)
    buys = told.worth.shape[-1] - len(NAMES)
    places = np.stack([told.following] * len(NAMES) + [own] * buys, axis=-1)[:, :, None, :]
    later = value[np.arange(count)[:, None, None, None], places, told.after]
    found: Floats = told.worth - prices[:, None, None, None] * told.paid + later
    return found


def buys(policy: Policy, states: Floats, needs: Ints, price: float) -> Flags:
    """Whether the policy buys anything for N items of which only the texts are known, (N,).

    Args:
        states: of all attributes before anything is bought, (N, A, F), without the price.
        needs: what each action buys in mode "six", (N, A, 6).
    """
    count, attributes = states.shape[:2]
    shown = with_price(states, price).reshape(count * attributes, -1)
    actions = policy.act(shown, np.ones((len(shown), len(policy.about.actions)), dtype=np.bool_))
    actions = actions.reshape(count, attributes)
    if len(policy.about.actions) > len(NAMES):
        return np.asarray((actions >= len(NAMES)).any(axis=1))
    taken = np.take_along_axis(needs, actions[:, :, None], axis=2)
    return np.asarray((taken > 0).any(axis=(1, 2)))


def prices_of(known: Known, game: Game, policy: Policy) -> dict[str, float]:
    """At some prices the mean cost of an item in milliseconds, where everything is read of an item for which anything
    would be bought: how a budget finds its price."""
    full = float(game.costs.table()[0, -1])
    bought = {price: buys(policy, known.states[:, :, 0], known.needs, price) for price in ASKED_PRICES}
    return {f"{price:g}": round(full * float(which.mean()), 3) for price, which in bought.items()}
