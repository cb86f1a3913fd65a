"""Dawid and Skene against the other contenders, on items whose tags are bad in every second one."""

from __future__ import annotations

import numpy as np

from character_pipeline.attribute_fusion.weights import Weights
from character_pipeline.evaluation.contest.contenders import Ring, dawid_skene, strategy
from character_pipeline.evaluation.contest.field import cut, lay_out
from character_pipeline.evaluation.contest.verdicts import difference, mark
from tests.rl_optimizer.simulated import make_gold


def test_tables_of_mistakes_beat_counting_votes() -> None:
    fit, test = (lay_out(part, Weights()) for part in cut(make_gold(900), 0.4, seed=0))
    ring = Ring(fit, test)
    found, votes = dawid_skene(ring), strategy(ring, "majority_voting")
    assert difference(test, found, votes).interval[0] > 0
    assert mark(test, found)["all"].calibration < mark(test, votes)["all"].calibration
    for key, chances in found.chances.items():
        assert chances.shape == (len(test), len(test.ballots[key].attribute.values))
        assert np.isfinite(chances).all()
