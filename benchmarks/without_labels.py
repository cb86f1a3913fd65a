"""What can be learned without a label, on drawn items whose truth is known and was not used: how far sources are to be
trusted, and a policy whose truth is drawn from what all sources make probable.

The sets are those of deciding.py, with the same --work; then drawings with clean tags and with light noise, in two
halves each. Prints Markdown: weights, then policies, as their gate believes them to be and as they are.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from deciding import SEEDS, draw, learn_weights, spread

from character_pipeline.attribute_fusion.fusion import read_weights
from character_pipeline.attribute_fusion.weights import Weights
from character_pipeline.config import AttributeFusionConfig
from character_pipeline.evaluation.contest.contenders import Ring, baselines, dawid_skene, raw_vote, strategy
from character_pipeline.evaluation.contest.field import Field, lay_out
from character_pipeline.evaluation.contest.standings import policy_verdicts
from character_pipeline.evaluation.contest.verdicts import Verdicts, difference, mark
from character_pipeline.evaluation.gold import Gold
from character_pipeline.rl_optimizer.episodes import Mode
from character_pipeline.rl_optimizer.policy import Policy
from character_pipeline.training.fusion.masked import learn_masked
from character_pipeline.training.fusion.masked_truth import MARGIN, draw_truth
from character_pipeline.training.policy import Plan, best_policy, judge

OTHERS = {"none": 9_300, "light": 9_350}
"""Further kinds of noise, and the seeds of their drawings; the second half has the next one."""
HIDDEN, PACKAGE = "hidden texts", "package"
TASKS: tuple[tuple[str, Mode, float], ...] = (
    (HIDDEN, "six", 0.0),
    (HIDDEN, "acquire", 0.02),
    (HIDDEN, "acquire", 0.1),
    (PACKAGE, "six", 0.0),
    (PACKAGE, "acquire", 0.02),
)
"""The weights below a policy, its mode, and what a millisecond costs."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    for name, count in (("fit", 5_000), ("judge", 3_500), ("test", 4_000), ("others", 2_000)):
        parser.add_argument(f"--{name}", type=int, default=count)
    parser.add_argument("--steps", type=int, default=3_000)
    parser.add_argument("--work", type=Path, default=Path("deciding"))
    asked = parser.parse_args()
    gold = {name: draw(asked.work, name, getattr(asked, name), seed) for name, seed in SEEDS.items()}
    print_weights(gold["fit"], gold["test"], learn_weights(asked.work))
    print("\n| items | weights | mode | price of a ms | best other | gate, without labels | adopted | in truth | ms |")
    print("|---|---|---|---|---|---|---|---|---|")
    print_policies("mixed", gold["fit"], gold["judge"], asked.steps)
    for noise, seed in OTHERS.items():
        halves = [draw(asked.work, f"{noise}-{half}", asked.others, seed + half, noise) for half in (0, 1)]
        print_policies(noise, halves[0], halves[1], asked.steps)


def print_weights(fit: Gold, test: Gold, labelled: Weights) -> None:
    """Strategies by what they learned from, on the set "test"."""
    ensemble = strategy(_ring(fit, test, labelled), "ensemble")
    where = lay_out(test, labelled, list(lay_out(fit, labelled).ballots))
    rows = list(_rows(fit, test, labelled))
    worth = [mark(where, said)["all"] for _, said in rows]
    least, most = worth[0].utility, mark(where, ensemble)["all"].utility
    print("| learned from | strategy | utility | of the gain of labels | ECE | behind the labelled ensemble |")
    print("|---|---|---|---|---|---|")
    for (source, said), found in zip(rows, worth, strict=True):
        share, gap = (found.utility - least) / (most - least), spread(difference(where, ensemble, said))
        print(f"| {source} | {said.name} | {found.utility:.4f} | {share:.0%} | {found.calibration:.3f} | {gap} |")


def _rows(fit: Gold, test: Gold, labelled: Weights) -> Iterator[tuple[str, Verdicts]]:
    ring = _ring(fit, test, labelled)
    yield "nothing", raw_vote(ring)
    yield "nothing", strategy(ring, "confidence_weighted")
    yield "what sources agree on", dawid_skene(ring, labelled=False)
    yield "texts that were hidden", strategy(_ring(fit, test, learn_masked(fit), ring.fit), "bayesian")
    yield "labels", dawid_skene(ring)
    yield "labels", strategy(ring, "bayesian")
    yield "labels", strategy(ring, "ensemble")


def _ring(fit: Gold, test: Gold, weights: Weights, like: Field | None = None, price: float = 0.0) -> Ring:
    """Args: like: where the attributes are, and their order."""
    learned_from = lay_out(fit, weights, list(like.ballots) if like is not None else None)
    return Ring(learned_from, lay_out(test, weights, list(learned_from.ballots)), price)


def print_policies(items: str, fit: Gold, test: Gold, steps: int) -> None:
    """Policies at a gate that knows no label, and by the labels of the same items."""
    learned = learn_masked(fit)
    below = {HIDDEN: learned, PACKAGE: read_weights(fit.vocabulary, AttributeFusionConfig())}
    drawn = draw_truth(fit, learned), draw_truth(test, learned, seed=1)
    for name, mode, price in TASKS:
        believed = _ring(*drawn, below[name], price=price)
        true = replace(believed, test=lay_out(test, below[name], list(believed.fit.ballots)))
        plan = Plan(mode=mode, price=price, steps=steps, drawn=True, margin=MARGIN)
        policy, _ = best_policy(believed.fit, plan, below[name], _say)
        print(f"| {items} | {name} | {mode} | {price:g} | {_judged(believed, true, policy)} |", flush=True)


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _judged(believed: Ring, true: Ring, policy: Policy) -> str:
    """The end of a line: the best other, the gate, whether it adopts, the same in truth, and what an item costs."""
    gate = judge(
        believed.test, policy_verdicts(believed, "policy", policy), baselines(believed), believed.price, MARGIN
    )
    other = next(one for one in baselines(true) if one.name == gate.baseline)
    own, (low, high) = policy_verdicts(true, "policy", policy), gate.interval
    told = f"{gate.difference:+.4f} ({low:+.4f} to {high:+.4f}) | {'yes' if gate.adopted else 'no'}"
    return f"{gate.baseline} | {told} | {spread(difference(true.test, own, other, true.price))} | {own.cost.mean():.1f}"


if __name__ == "__main__":
    main()
