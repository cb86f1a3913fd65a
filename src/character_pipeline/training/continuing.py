"""Goes on with a policy where new labels came since: cheaper than anew, gated on items that it never learned from."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from character_pipeline.attribute_fusion.weights import Weights
from character_pipeline.errors import ConfigError
from character_pipeline.evaluation.contest.contenders import Ring
from character_pipeline.evaluation.contest.field import LEAST_JUDGED, Field, lay_out
from character_pipeline.evaluation.gold import Gold, Lessons
from character_pipeline.evaluation.metrics import Flags, Floats
from character_pipeline.rl_optimizer.actions import NAMES
from character_pipeline.rl_optimizer.learned import make_learned
from character_pipeline.rl_optimizer.learning import Course, Start, learn
from character_pipeline.rl_optimizer.policy import Policy
from character_pipeline.rl_optimizer.resume import learner_of
from character_pipeline.training.policy import JUDGED, KEPT, Plan, Say, export, noted, settle

FRESH = 0.5
"""Of the items that a step learns from, the share of those with new labels."""


@dataclass(frozen=True)
class Parts:
    """Which items are learned from, which are kept to stop early by, and which are judged on."""

    learned: Flags
    kept: Flags
    judged: Flags


def since(policy: Policy) -> float:
    """When the newest feedback was given that a policy has learned from; 0 where it has learned from none."""
    told = policy.about.provenance.get("feedback_until", 0.0)
    return float(told) if isinstance(told, int | float) else 0.0


def continue_policy(  # noqa: PLR0913, PLR0917
    before: Policy,
    lessons: Lessons,
    weights: Weights,
    plan: Plan,
    output: Path | None,
    say: Say = lambda line: None,
    judged: Gold | None = None,
) -> dict[str, Any]:
    """Train on with new labels and old ones mixed, and judge on characters that no training has met.

    The policy of the file is another one that must be beaten. Args as of `train_policy`.

    Raises ConfigError where too few labels are new, or the policy was trained with another vocabulary or weights.
    """
    keys = make_learned(before, weights, tuple(lessons.gold.vocabulary.attributes)).keys
    if int(lessons.fresh.sum()) < LEAST_JUDGED:
        count = int(lessons.fresh.sum())
        raise ConfigError(f"{count} items were labelled since; to go on takes {LEAST_JUDGED}. Label more of them")
    plan = replace(plan, mode="six" if len(before.about.actions) == len(NAMES) else "acquire")
    parts = part(lessons, judge=judged is None)
    fit = lay_out(lessons.gold.take(~parts.judged), weights, list(keys))
    test = lay_out(lessons.gold.take(parts.judged) if judged is None else judged, weights, list(keys))
    kept, fresh = parts.kept[~parts.judged], lessons.fresh[~parts.judged]
    policy, curve = _go_on(before, fit, kept, odds_of(fresh[~kept]), plan, say)
    report = settle(policy, Ring(fit, test, plan.price, plan.costs), plan, output, say, before)
    return {**report, "curves": curve}


def part(lessons: Lessons, judge: bool) -> Parts:
    """Cut by character. What is kept or judged on shows nobody whom the policy may have learned from before."""
    groups = lessons.gold.groups
    unseen = ~np.isin(groups, groups[lessons.met])
    drawn = np.random.default_rng(0).random(int(groups.max(initial=0)) + 1)[groups]
    judged = unseen & (drawn < JUDGED) & judge
    kept = unseen & ~judged & (drawn > 1 - KEPT)
    if not kept.any() or (judge and not judged.any()):
        raise ConfigError("all that was labelled since shows characters that the policy has met: label others")
    return Parts(~judged & ~kept, kept, judged)


def odds_of(fresh: Flags) -> Floats:
    """How often each item is met, (N,): a share of the time one with new labels, else one with old ones."""
    if fresh.all() or not fresh.any():
        return np.full(len(fresh), 1 / len(fresh))
    odds: Floats = np.where(fresh, FRESH / fresh.sum(), (1 - FRESH) / (~fresh).sum())
    return odds


def _go_on(
    before: Policy, fit: Field, kept: Flags, odds: Floats, plan: Plan, say: Say
) -> tuple[Policy, list[dict[str, Any]]]:
    """The policy after a training; the one before, to the last bit, where that was better on the items kept apart."""
    settings = replace(plan.settings, seed=plan.seeds[0])
    start = Start(learner_of(before, settings), odds)
    known, apart = fit.known.take(~kept), fit.known.take(kept)
    learner, curve = learn(known, apart, plan.game, Course(settings, plan.steps), say, start)
    means = [float(np.mean(list(one["net"].values()))) for one in curve]
    made = export(learner, fit, plan, fit.weights, plan.seeds[0])
    policy = replace(before, about=made.about) if max(means) == means[0] else made
    return noted(policy, {"from": before.digest, "curves": curve}), curve
