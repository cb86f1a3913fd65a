"""Whether thresholds for a target precision keep their promise on items that they were not fitted on, and what they
cost: how many of the said values are withheld."""

from __future__ import annotations

import argparse
from functools import partial
from pathlib import Path

import numpy as np

from character_pipeline.attribute_fusion.precision import NEVER, find_thresholds
from character_pipeline.attribute_fusion.strategies import find_strategy
from character_pipeline.attribute_fusion.weights import DEFAULT, Weights, load_weights
from character_pipeline.database.store import Store
from character_pipeline.evaluation.gold import Gold, read_gold
from character_pipeline.evaluation.metrics import share_interval
from character_pipeline.evaluation.reliability import Said, join
from character_pipeline.training.fusion.crossing import JUDGED, said_values
from character_pipeline.vocabulary import load_vocabulary

LEAST = 50
"""Values that an attribute must have said to be judged by itself."""
ROW = "{:13} {:>6} {:>8} {:>10} {:>17} {:>11}  {}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("database", type=Path, help="character_attributes.db of labelled items")
    parser.add_argument("--truth", type=Path, required=True)
    parser.add_argument("--weights", type=Path, default=DEFAULT, help="fitted on other characters")
    asked = parser.parse_args()
    store = Store(asked.database, load_vocabulary())
    try:
        gold = read_gold(store, asked.truth)
    finally:
        store.close()
    weights = load_weights(asked.weights)
    print(f"{len(gold):,} items, {gold.groups.max() + 1:,} characters\n")
    print(ROW.format("strategy", "target", "said of", "precision", "95 % interval", "attributes", "below the target"))
    for name in JUDGED:
        report(name, gold, weights)


def report(name: str, gold: Gold, weights: Weights) -> None:
    """One row a target."""
    said = said_values(gold, find_strategy(name, partial(_same, weights)), np.arange(len(gold)))
    for target in sorted(weights.thresholds.get(name, {}), key=float):
        thresholds = find_thresholds(weights, name, float(target))
        through = {key: _above(own, thresholds.get(key, NEVER)) for key, own in said.items()}
        every = join(through.values())
        low, high = share_interval(every.right, every.groups)
        kept = f"{len(every.sure) / max(1, sum(len(own.sure) for own in said.values())):.1%}"
        judged = {key: own.right.mean() for key, own in through.items() if len(own.sure) >= LEAST}
        below = ", ".join(f"{key} {share:.4f}" for key, share in judged.items() if share < float(target))
        interval = f"{low:.2%} - {high:.2%}"
        print(ROW.format(name, target, kept, f"{every.right.mean():.2%}", interval, len(judged), below or "none"))


def _same(weights: Weights) -> Weights:
    return weights


def _above(said: Said, least: float) -> Said:
    rows = said.sure >= least
    return Said(said.sure[rows], said.right[rows], said.groups[rows])


if __name__ == "__main__":
    main()
