"""What a policy would have earned on the items that explored, by what was logged of them and what is true of them.

Every logged decision was made with everything at hand, so one decision changes nothing for the next: the mean reward of
decisions is what a policy is worth. A reward is +1 for a right value, -1 for a wrong one, 0 for none.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from character_pipeline.attribute_fusion.weights import Weights
from character_pipeline.data import CharacterAttributes
from character_pipeline.database.feedback import feedback_as_truth
from character_pipeline.database.queries import get_result
from character_pipeline.database.store import Store
from character_pipeline.errors import ConfigError
from character_pipeline.evaluation.contest.field import Field, lay_out
from character_pipeline.evaluation.gold import Gold, claims_on
from character_pipeline.evaluation.metrics import Floats, Ints
from character_pipeline.evaluation.truth import read_truth
from character_pipeline.rl_optimizer.actions import LEAST, NAMES
from character_pipeline.rl_optimizer.learned import EVERYTHING, make_learned
from character_pipeline.rl_optimizer.off_policy import (
    Estimate,
    Logs,
    doubly_robust,
    inverse_propensity,
    self_normalised,
)
from character_pipeline.rl_optimizer.policy import Policy

FEW = 100
"""Fewer effective decisions than that tell little."""
UNLOGGED = -1


@dataclass(frozen=True)
class Valued:
    """What a policy is worth on the decisions that were logged and whose truth is known.

    Attributes:
        agrees: the share of decisions for which it would do what was drawn.
        estimates: by estimator.
        outcome: the mean reward itself: with the truth and all evidence at hand, every outcome is known.
    """

    agrees: float
    estimates: Mapping[str, Estimate]
    outcome: float

    @property
    def effective(self) -> float:
        """Of the estimator that has the fewest effective decisions."""
        return min(one.effective for one in self.estimates.values())


@dataclass(frozen=True, eq=False)
class Logged:
    """N labelled items that explored, and A attributes.

    Attributes:
        drawn: the places of the logged actions, UNLOGGED where there is none, (N, A).
        greedy: those of the actions that answered, (N, A).
        propensities: (N, A).
    """

    field: Field
    drawn: Ints
    greedy: Ints
    propensities: Floats


def read_logged(store: Store, path: Path | None, weights: Weights, keys: Sequence[str]) -> Logged:
    """The labelled items of a database that explored.

    Args:
        path: a truth file; None for the feedback in the database.

    Raises ConfigError where there are none.
    """
    pairs = []
    for truth in feedback_as_truth(store) if path is None else read_truth(path):
        result = get_result(store, truth["item_id"]) if truth.get("people", "single") == "single" else None
        dealing = result.attributes.dealing if result is not None else None
        if result is not None and dealing is not None and "explore" in dealing.samples:
            pairs.append((truth, result.attributes))
    if not pairs:
        raise ConfigError(
            "no labelled item explored: set rl_optimizer.explore_share, run charpipe extract again, and say what is "
            "true of items that explored with charpipe feedback"
        )
    records = [record for _, record in pairs]
    claims = [claims_on(record, store.vocabulary) for record in records]
    field = lay_out(Gold(store.vocabulary, [truth for truth, _ in pairs], claims), weights, list(keys))
    return _logged(field, records)


def _logged(field: Field, records: Sequence[CharacterAttributes]) -> Logged:
    shape = (len(records), len(field.ballots))
    drawn, greedy, chances = np.full(shape, UNLOGGED), np.full(shape, UNLOGGED), np.ones(shape)
    for row, record in enumerate(records):
        for place, attribute in enumerate(field.attributes):
            choice = record.attributes[attribute.label].choice
            if choice is not None and choice.drawn:
                drawn[row, place], greedy[row, place] = NAMES.index(choice.drawn), NAMES.index(choice.action)
                chances[row, place] = choice.propensity
    return Logged(field, drawn, greedy, chances)


def value(logged: Logged, actions: Ints) -> Valued:
    """What it would have been worth to take other actions, (N, A). Raises ConfigError where nothing is labelled."""
    known = logged.field.known
    rows = known.judged & (logged.drawn != UNLOGGED)
    if not rows.any():
        raise ConfigError("nothing is labelled of what was logged: say what is true with charpipe feedback")
    worth = known.utility[:, :, EVERYTHING][rows].astype(np.float64)
    each, taken, new = np.arange(len(worth)), logged.drawn[rows], actions[rows]
    policy = np.eye(len(NAMES))[new]
    groups = np.broadcast_to(logged.field.gold.groups[:, None], rows.shape)[rows]
    logs = Logs(worth[each, taken], taken, logged.propensities[rows], policy, groups)
    estimates = {
        "ips": inverse_propensity(logs),
        "snips": self_normalised(logs),
        "doubly robust": doubly_robust(logs, expected(logged.field)[rows]),
    }
    return Valued(float((new == taken).mean()), estimates, float(worth[each, new].mean()))


def expected(field: Field) -> Floats:
    """The reward of each action as the stack expects it, (N, A, 6): a model that saw none of these labels."""
    columns = []
    for attribute in field.attributes:
        chances, stack = (part[attribute.key][:, EVERYTHING] for part in (field.answers.chances, field.answers.stack))
        worth = stack - field.wrong * (1 - stack)
        if attribute.many:
            said = ((chances >= LEAST[:, None]) * worth[:, None]).sum(axis=2) / np.maximum(stack.sum(axis=1), 1)[
                :, None
            ]
            columns.append(np.clip(said, -field.wrong, 1.0))
        else:
            best = np.take_along_axis(worth, chances.argmax(axis=2), axis=1)
            columns.append(np.where(chances.max(axis=2) >= LEAST, best, 0.0))
    return np.stack(columns, axis=1)


def compare_policies(store: Store, path: Path | None, policy: Policy, weights: Weights) -> dict[str, Valued]:
    """What a policy is worth, and what the one is worth that decided when the actions were logged."""
    learned = make_learned(policy, weights, tuple(store.vocabulary.attributes))
    logged = read_logged(store, path, weights, learned.keys)
    actions = learned.choose(logged.field.answers.states[:, :, EVERYTHING])
    return {"this policy": value(logged, actions), "as it was decided": value(logged, logged.greedy)}
