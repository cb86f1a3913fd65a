"""Trains the policy from labelled items, and lets it be used only where it is better than what there was before."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, cast, get_args

import numpy as np

from character_pipeline.attribute_fusion.strategies import BUILT_IN, LEARNED
from character_pipeline.attribute_fusion.weights import Weights
from character_pipeline.errors import ConfigError, unknown_name
from character_pipeline.evaluation.contest.contenders import Ring, baselines, verdicts_of
from character_pipeline.evaluation.contest.field import Field, cut, lay_out
from character_pipeline.evaluation.contest.verdicts import Verdicts, difference, mark
from character_pipeline.evaluation.gold import Gold
from character_pipeline.evaluation.metrics import Interval
from character_pipeline.rl_optimizer.dqn import Learner
from character_pipeline.rl_optimizer.episodes import Costs, Game, Mode, Reward, impress, play
from character_pipeline.rl_optimizer.learning import PRICE, Course, greedy, learn, net, prices_of
from character_pipeline.rl_optimizer.policy import About, Policy, make_policy, save_policy
from character_pipeline.rl_optimizer.settings import Settings

Say = Callable[[str], None]
KEPT, JUDGED = 0.15, 0.3
"""Shares of the items, by character: to stop early by (of those that are not judged on), and to judge on."""
STEPS = 5_000
SETTINGS = Settings(hidden=(128, 128), target_rate=0.02)
NO_TRUTH = "it learned to look complete and sure, without the truth; now the truth judges it"
DRAWN = "no label judges it, but what all sources together make probable: it must be ahead by more"
STRATEGIES = (*(one.name for one in BUILT_IN), *LEARNED)
"""What can decide in place of a policy that is not adopted."""
BEFORE = "the policy before"
UNREACHABLE = ("oracle", "random")
"""What takes part in tables and not in the gate."""


@dataclass(frozen=True)
class Gate:
    """Whether a policy is adopted.

    Attributes:
        baseline: the best of what there was before, on the items that are judged on.
        difference: how much more utility an attribute the policy has, net of cost.
        interval: 95 %, paired, by character.
        adopted: whether its lower end is above the margin.
    """

    baseline: str
    difference: float
    interval: Interval
    adopted: bool
    margin: float = 0.0


@dataclass(frozen=True)
class Plan:
    """How to train.

    Attributes:
        seeds: so many trainings; the one that does best on the items kept apart is taken.
        price: units of utility a millisecond, at which the policy is judged.
        reward: "heuristic" rewards completeness and confidence, without the truth; it is judged by the truth all the
            same.
        feedback_until: when the newest feedback was given that is learned from.
        margin: what it must be ahead by at the gate.
        drawn: whether the truth was drawn from what the sources say, and nobody labelled the items.
    """

    mode: Mode = "six"
    settings: Settings = SETTINGS
    steps: int = STEPS
    seeds: Sequence[int] = (0,)
    price: float = 0.0
    costs: Costs = field(default_factory=Costs)
    reward: Reward = "truth"
    feedback_until: float = 0.0
    margin: float = 0.0
    drawn: bool = False

    @property
    def game(self) -> Game:
        return Game(self.mode, self.costs)


def check_mode(name: str) -> Mode:
    """Raises ConfigError that names the modes, where this is none."""
    return cast("Mode", _check("mode", name, get_args(Mode)))


def check_reward(name: str) -> Reward:
    """Raises ConfigError that names the rewards, where this is none."""
    return cast("Reward", _check("reward", name, get_args(Reward)))


def _check(what: str, name: str, allowed: Sequence[str]) -> str:
    if name not in allowed:
        raise ConfigError(unknown_name(what, name, allowed))
    return name


def train_policy(
    gold: Gold,
    weights: Weights,
    plan: Plan,
    output: Path | None,
    say: Say = lambda line: None,
    judged: Gold | None = None,
) -> dict[str, Any]:
    """Train on some of the characters, judge on others, and write the policy with its report.

    Args:
        judged: items to judge on, of other characters than `gold`; by default some of `gold` are kept for that.

    Raises ConfigError for too few items or where the file cannot be written, MissingExtraError without torch.
    """
    learned_from, judged_on = (gold, judged) if judged is not None else cut(gold, JUDGED, seed=0)
    if not learned_from or not judged_on:
        raise ConfigError(
            f"{len(gold):,} items show too few characters to learn from some and judge on others: label items of more"
        )
    fit = lay_out(learned_from, weights)
    test = lay_out(judged_on, weights, list(fit.ballots))
    policy, curves = best_policy(fit, plan, weights, say)
    return {**settle(policy, Ring(fit, test, plan.price, plan.costs), plan, output, say), "curves": curves}


def settle(
    policy: Policy,
    ring: Ring,
    plan: Plan,
    output: Path | None,
    say: Say,
    before: Policy | None = None,
) -> dict[str, Any]:
    """Judge a policy on the items of `ring.test`, and write it with its report.

    Args:
        before: the policy that it goes on from: another one that it must beat.
    """
    test = ring.test
    verdicts = _verdicts(test, "learned", policy, plan)
    others = [*baselines(ring), *([_verdicts(test, BEFORE, before, plan)] if before is not None else [])]
    gate = judge(test, verdicts, others, plan.price, plan.margin)
    if plan.reward == "heuristic":
        say(NO_TRUTH)
    if plan.margin:
        say(DRAWN)
    say(tell_gate(gate))
    utility = {one.name: round(mark(test, one)["all"].utility, 5) for one in [verdicts, *others]}
    report = {
        "reward": plan.reward,
        "gate": asdict(gate),
        "budgets": prices_of(ring.fit.known, plan.game, policy),
        "utility": utility,
        "feedback_until": plan.feedback_until,
    }
    if output is not None:
        instead = "" if gate.adopted else max(STRATEGIES, key=lambda name: utility[name])
        save_policy(noted(policy, {**report, "instead": instead}), output)
    return report


def noted(policy: Policy, notes: Mapping[str, Any]) -> Policy:
    """A policy that says more of where it comes from."""
    provenance = {**policy.about.provenance, **notes}
    return replace(policy, about=policy.about.model_copy(update={"provenance": provenance}))


def _verdicts(test: Field, name: str, policy: Policy, plan: Plan) -> Verdicts:
    return verdicts_of(test, name, play(test.known, plan.game, greedy(policy, plan.price)))


def best_policy(fit: Field, plan: Plan, weights: Weights, say: Say) -> tuple[Policy, list[Any]]:
    """The policy of the best seed, by items of characters that it did not learn from; and how its training went."""
    rows = _kept(fit.gold)
    whole = fit.known if plan.reward == "truth" else impress(fit.known, fit.answers)
    known, kept = whole.take(~rows), whole.take(rows)
    trained: list[tuple[float, Policy, list[Any]]] = []
    for seed in plan.seeds:
        course = Course(replace(plan.settings, seed=seed), plan.steps)
        learner, curve = learn(known, kept, plan.game, course, say)
        policy = export(learner, fit, plan, weights, seed)
        score = net(play(kept, plan.game, greedy(policy, plan.price)), kept, plan.price)
        trained.append((score, noted(policy, {"curves": curve}), curve))
    _, policy, curve = max(trained, key=lambda one: one[0])
    return policy, curve


def _kept(gold: Gold) -> Any:
    drawn = np.random.default_rng(1).random(int(gold.groups.max(initial=0)) + 1)
    return drawn[gold.groups] < KEPT


def export(learner: Learner, fit: Field, plan: Plan, weights: Weights, seed: int) -> Policy:
    """The learner's greedy policy, as a file holds it."""
    provenance = {
        "items": len(fit),
        "labels": 0 if plan.drawn else int(fit.known.judged.sum()),
        "truth": "drawn" if plan.drawn else "given",
        "mode": plan.mode,
        "reward": plan.reward,
        "seed": seed,
        "steps": plan.steps,
        "costs": asdict(plan.costs),
    }
    about = About(
        features=(*fit.known.names, PRICE),
        actions=plan.game.actions,
        versions={"weights": weights.digest},
        provenance=provenance,
    )
    return make_policy(learner.layers(), about)


def judge(test: Field, policy: Verdicts, others: Iterable[Verdicts], price: float = 0.0, margin: float = 0.0) -> Gate:
    """The adoption gate: a policy must beat the best of all others by a margin, and not by chance."""
    fair = [one for one in others if not one.name.startswith(UNREACHABLE)]
    best = max(fair, key=lambda one: difference(test, one, policy, price).mean)
    gap = difference(test, policy, best, price)
    return Gate(best.name, gap.mean, gap.interval, bool(gap.interval[0] > margin), margin)


def tell_gate(gate: Gate) -> str:
    """In one line."""
    low, high = gate.interval
    what = "the policy is adopted" if gate.adopted else f"'{gate.baseline}' stays"
    asked = f"; it takes more than {gate.margin:g}" if gate.margin else ""
    ahead = f"{gate.difference:+.4f} utility an attribute ({low:+.4f} to {high:+.4f}{asked})"
    return f"against '{gate.baseline}': {ahead}: {what}"
