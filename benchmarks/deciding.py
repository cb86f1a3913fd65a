"""Which way of deciding is worth most, on drawn items whose tags and pictures fail in five different ways: learns on
some characters, gates policies on others, and compares all on a third set, two of whose styles no part ever saw.

Prints Markdown: all contenders, and what they are worth by attribute; the policies of both modes by seed; and utility
against cost by price. What is drawn and trained stays in --work, where a stopped run goes on.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from character_pipeline.attribute_fusion.weights import Weights, load_weights
from character_pipeline.database.store import Store
from character_pipeline.evaluation.contest.contenders import Ring, baselines, best_action, strategy
from character_pipeline.evaluation.contest.field import Field, lay_out
from character_pipeline.evaluation.contest.standings import policy_verdicts, rank
from character_pipeline.evaluation.contest.trained import trained
from character_pipeline.evaluation.contest.verdicts import Gap, Verdicts, difference, mark
from character_pipeline.evaluation.gold import Gold, read_gold
from character_pipeline.rl_optimizer.policy import Policy, load_policy, save_policy
from character_pipeline.training.drawn import TRAINING_STYLES
from character_pipeline.training.policy import Plan, best_policy, judge
from character_pipeline.vocabulary import load_vocabulary

CHARPIPE = [sys.executable, "-m", "character_pipeline"]
SEEDS = {"fit": 9_100, "judge": 9_150, "test": 9_200}
"""Of the drawings; far apart, so that no character is in two sets."""
MIXED = "mixed"
PRICES = (0.0, 0.02, 0.1)
"""Units of utility a millisecond."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    for name, count in (("fit", 5_000), ("judge", 3_500), ("test", 4_000)):
        parser.add_argument(f"--{name}", type=int, default=count)
    parser.add_argument("--seeds", type=int, default=5, help="trainings of each mode")
    parser.add_argument("--steps", type=int, default=5_000)
    parser.add_argument("--work", type=Path, default=Path("deciding"))
    asked = parser.parse_args()
    gold = {name: draw(asked.work, name, getattr(asked, name), seed) for name, seed in SEEDS.items()}
    weights = learn_weights(asked.work)
    fit = lay_out(gold["fit"], weights)
    fields = {name: lay_out(gold[name], weights, list(fit.ballots)) for name in ("judge", "test")}
    policies = {
        mode: [train(asked.work, fit, weights, mode, seed, asked.steps) for seed in range(asked.seeds)]
        for mode in ("six", "acquire")
    }
    print_contest(fit, fields["test"], policies["six"][0])
    print_attributes(fit, fields["test"], policies["six"][0])
    print_seeds(fit, fields["judge"], fields["test"], policies)
    print_prices(fit, fields["test"], policies)


def draw(work: Path, name: str, count: int, seed: int, noise: str = MIXED) -> Gold:
    """A set of items, drawn and extracted with the embedded model."""
    data, out, config = work / name, work / f"{name}-out", work / "config.toml"
    work.mkdir(parents=True, exist_ok=True)
    config.write_text('[clip_analyzer]\nmodel_name = "embedded"\n', encoding="utf-8")
    styles = [part for style in TRAINING_STYLES for part in ("--style", style)] if name == "fit" else []
    if not (data / "truth.jsonl").exists() or sum(1 for _ in (data / "truth.jsonl").open()) != count:
        sizes = ["--count", str(count), "--noise", noise, "--seed", str(seed), "--size", "384"]
        subprocess.run([*CHARPIPE, "sample", str(data), *sizes, *styles], check=True, capture_output=True)
    options = ["--output", str(out), "--format", "none", "--quiet", "--config", str(config)]
    subprocess.run([*CHARPIPE, "extract", str(data), *options], check=True, capture_output=True)
    store = Store(out / "character_attributes.db", load_vocabulary())
    try:
        return read_gold(store, data / "truth.jsonl")
    finally:
        store.close()


def learn_weights(work: Path) -> Weights:
    """Curves, habits and stacks from the set "fit"."""
    path = work / "weights.json"
    if not path.exists():
        truth = ["--truth", str(work / "fit" / "truth.jsonl"), "--output", str(path)]
        subprocess.run([*CHARPIPE, "train", "calibration", str(work / "fit-out"), *truth], check=True)
    return load_weights(path)


def train(work: Path, fit: Field, weights: Weights, mode: str, seed: int, steps: int) -> Policy:
    """One policy; early stopping is on characters of the set "fit" that it does not learn from."""
    path = work / f"{mode}-{seed}-{steps}.safetensors"
    if not path.exists():
        plan = replace(Plan(mode=mode, steps=steps), seeds=(seed,))  # type: ignore[arg-type]
        policy, _ = best_policy(fit, plan, weights, lambda line: print(line, file=sys.stderr, flush=True))
        save_policy(policy, path)
    return load_policy(path)


def print_contest(fit: Field, test: Field, policy: Policy) -> None:
    """All contenders without a price."""
    ring = Ring(fit, test)
    every = [*baselines(ring), *trained(ring), policy_verdicts(ring, "policy (six)", policy)]
    print(f"\n{len(test):,} items of {len(np.unique(test.gold.groups)):,} characters\n")
    print(
        "| contender | utility | right | answered | macro F1 | ECE | ms | ahead of the best fixed action | p (Holm) |"
    )
    print("|---|---|---|---|---|---|---|---|---|")
    for place in rank(ring, every, "best fixed action"):
        found, (low, high) = place.marks["all"], place.interval
        shares = " | ".join(f"{share:.1%}" for share in (found.accuracy, found.coverage, found.macro_f1))
        ahead = f"{place.ahead:+.4f} ({low:+.4f} to {high:+.4f})"
        print(
            f"| {place.name} | {found.utility:.4f} | {shares} | {found.calibration:.3f} | {place.cost:.1f} | {ahead} "
            f"| {place.chance:.2g} |"
        )


def print_attributes(fit: Field, test: Field, policy: Policy) -> None:
    """Utility and calibration by attribute, and how often something is true and something is said."""
    ring = Ring(fit, test)
    alone = [one for one in baselines(ring) if one.name in {"tags only", "pictures only"}]
    together = [strategy(ring, "ensemble"), policy_verdicts(ring, "policy (six)", policy)]
    found = [mark(test, one) for one in (*alone, *together)]
    names = [one.name for one in together]
    columns = ["attribute", "true", "said", *(one.name for one in alone), *names, *(f"ECE of {name}" for name in names)]
    print(f"\n| {' | '.join(columns)} |\n|{'---|' * len(columns)}")
    for attribute in test.attributes:
        true = int((test.truth[attribute.key] == 1).any(axis=1).sum())
        said = int(together[0].said(attribute.key, attribute.many).any(axis=1).sum())
        cells = [f"{one[attribute.label].utility:.3f}" for one in found]
        cells += [f"{one[attribute.label].calibration:.3f}" if said else "" for one in found[2:]]
        print(f"| {attribute.label} | {true:,} | {said:,} | {' | '.join(cells)} |")


def print_seeds(fit: Field, gate: Field, test: Field, policies: dict[str, list[Policy]]) -> None:
    """Each policy at the gate, and on the test set."""
    print(
        "\n| mode | seed | gate: against | gate: ahead | adopted | test: ahead of the ensemble | of the best action |"
    )
    print("|---|---|---|---|---|---|---|")
    at_gate, at_test = Ring(fit, gate), Ring(fit, test)
    others, ensemble, best = list(baselines(at_gate)), strategy(at_test, "ensemble"), best_action(at_test)
    for mode, seeds in policies.items():
        for seed, policy in enumerate(seeds):
            verdict = judge(gate, policy_verdicts(at_gate, "policy", policy), others)
            own = policy_verdicts(at_test, "policy", policy)
            ahead = [spread(difference(test, own, other)) for other in (ensemble, best)]
            low, high = verdict.interval
            found = f"{verdict.difference:+.4f} ({low:+.4f} to {high:+.4f})"
            what = "yes" if verdict.adopted else "no"
            print(f"| {mode} | {seed} | {verdict.baseline} | {found} | {what} | {ahead[0]} | {ahead[1]} |")


def spread(gap: Gap) -> str:
    return f"{gap.mean:+.4f} ({gap.interval[0]:+.4f} to {gap.interval[1]:+.4f})"


def print_prices(fit: Field, test: Field, policies: dict[str, list[Policy]]) -> None:
    """Utility and cost of the policies, of a tuned cascade, and of running everything, by price."""
    print("\n| price of a ms | who | utility | ms an item | net, ahead of the best fixed action |")
    print("|---|---|---|---|---|")
    for price in PRICES:
        ring = Ring(fit, test, price)
        rows = [one for one in baselines(ring) if one.name.startswith(("best fixed", "tuned", "ensemble", "tags only"))]
        best = next(one for one in rows if one.name == "best fixed action")
        rows += trained(ring)
        rows += [mean_policy(ring, f"policy ({mode})", some) for mode, some in policies.items()]
        for one in rows:
            gap = spread(difference(test, one, best, price))
            print(f"| {price:g} | {one.name} | {mark(test, one)['all'].utility:.4f} | {one.cost.mean():.1f} | {gap} |")


def mean_policy(ring: Ring, name: str, policies: Sequence[Policy]) -> Verdicts:
    """The policy whose utility is the middle one of the seeds."""
    ranked = sorted(
        (policy_verdicts(ring, name, policy) for policy in policies),
        key=lambda one: mark(ring.test, one)["all"].utility - ring.price * one.cost.mean(),
    )
    return ranked[len(ranked) // 2]


if __name__ == "__main__":
    main()
