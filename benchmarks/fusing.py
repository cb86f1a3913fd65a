"""How many items a second each strategy fuses from the evidence of a finished run, by processor time of one thread.

Once as arrays alone (from what sources say of all attributes, as ballots, to the probabilities of values), and once as
whole records (from stored claims to decided attributes, in batches of 64); and what the network of the policy
adds to that. Prints a Markdown table.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from unittest.mock import patch

os.environ |= dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")

import numpy as np
from numpy.typing import NDArray

from character_pipeline.attribute_fusion.fusion import Fuser
from character_pipeline.attribute_fusion.strategies import BUILT_IN, LEARNED, WholeStrategy
from character_pipeline.config import PipelineConfig
from character_pipeline.database.store import Store
from character_pipeline.evaluation.gold import Gold, read_unlabelled
from character_pipeline.processing.deciding import POLICY, make_fuser
from character_pipeline.rl_optimizer.policy import Policy
from character_pipeline.runs.hardware import describe_machine

STRATEGIES = (*(one.name for one in BUILT_IN), *LEARNED, POLICY)
BATCH = 64


def make(gold: Gold, name: str) -> Fuser:
    fusion = {"fusion_strategy": name}
    config = PipelineConfig.model_validate({"attribute_fusion": fusion, "database": {"db_path": "none"}})
    return make_fuser(config, gold.vocabulary, gold.lookers)


def rate(work: Callable[[], object], items: int, rounds: int) -> float:
    """Items a second of the best round."""
    taken = []
    for _ in range(rounds):
        start = time.process_time()
        work()
        taken.append(time.process_time() - start)
    return items / min(taken)


def fuse(fuser: Fuser, gold: Gold) -> Callable[[], object]:
    strategy, ballots = fuser.strategy, fuser.ballots(gold.claims)
    if isinstance(strategy, WholeStrategy):
        return lambda: strategy.weigh_all(ballots)
    return lambda: [strategy.support(ballot) for ballot in ballots.values()]


def decide(gold: Gold, name: str) -> None:
    fuser = make(gold, name)
    for start in range(0, len(gold), BATCH):
        fuser.decide_all(gold.claims[start : start + BATCH])


def inference(gold: Gold) -> tuple[float, float]:
    """Seconds that the policy's network takes of fusing whole records, and what all else takes."""
    spent, start, act = 0.0, time.process_time(), Policy.act

    def timed(self: Policy, states: NDArray[np.floating], masks: NDArray[np.bool_]) -> NDArray[np.int64]:
        nonlocal spent
        begun = time.process_time()
        actions = act(self, states, masks)
        spent += time.process_time() - begun
        return actions

    with patch.object(Policy, "act", timed):
        decide(gold, POLICY)
    return spent, time.process_time() - start - spent


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("database", type=Path, help="of a finished run over pictures with tags")
    parser.add_argument("--rounds", type=int, default=5)
    asked = parser.parse_args()
    with closing(Store(asked.database, writable=False)) as store:
        gold = read_unlabelled(store)
    print("| strategy | items a second, arrays | items a second, whole records |\n|---|---|---|")
    for name in STRATEGIES:
        arrays = rate(fuse(make(gold, name), gold), len(gold), asked.rounds)
        whole = rate(lambda name=name: decide(gold, name), len(gold), 1)  # type: ignore[misc]
        print(f"| {name} | {arrays:,.0f} | {whole:,.0f} |", flush=True)
    network, rest = inference(gold)
    print(f"\nthe network of the policy adds {network / rest:.1%} to fusing whole records")
    print(f"\n{len(gold):,} items, {asked.rounds} rounds; {describe_machine()}")


if __name__ == "__main__":
    main()
