"""Thresholds for a target precision, by risk control: learn then test (Angelopoulos et al., 2021), with MAPIE."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from character_pipeline.attribute_fusion.precision import NEVER, target_name
from character_pipeline.errors import MissingExtraError
from character_pipeline.evaluation.metrics import Floats, Ints
from character_pipeline.evaluation.reliability import Said

TARGETS = (0.9, 0.95, 0.98, 0.99)
DELTA = 0.1
"""How probable it may be that a threshold misses its target."""
STARTS = 3
"""So many thresholds are where the tests begin: one wrong answer among the surest is not the end."""
GROWTH = 1.05
"""Each threshold lets so many times as many answers through as the one before."""
DIGITS = 6


def fit_threshold(said: Said, target: float, delta: float = DELTA) -> float:
    """The lowest threshold that is shown to reach a target precision; NEVER where none is.

    With a probability of at least 1 - delta over the labelled items, precision at the threshold is at least the target:
    P(precision >= target) >= 1 - delta. It holds for the characters to come if they are exchangeable with those of the
    labelled items, whatever the probabilities are like and however many characters there are; it says nothing of other
    pictures, texts or models. Precision is the chance that a value is right which is drawn at random from all that is
    said of a character drawn at random. The probabilities must come from weights that were learned without the
    characters they are of.

    The thresholds that are tried depend on the probabilities alone. Each is tested against "precision is below the
    target" on one value a character, since those of one character err together, by the Hoeffding-Bentkus p-value; they
    are tested from the surest down (fixed sequence, STARTS starts), so that the chance of any false pass is delta.
    """
    try:
        from mapie.risk_control import control_fwer
        from mapie.risk_control.fwer_control import FWERFixedSequenceTesting
    except ImportError as error:
        raise MissingExtraError("fitting thresholds for a target precision", "train") from error
    tried = thresholds_to_try(said, target, delta)
    if not len(tried):
        return NEVER
    chances = _chances_of_less(said, tried, target)
    passed = control_fwer(chances, delta, FWERFixedSequenceTesting(n_starts=min(STARTS, len(tried))))
    return float(tried[passed.max()]) if len(passed) else NEVER


def thresholds_to_try(said: Said, target: float, delta: float = DELTA) -> Floats:
    """From the highest: the first lets as many characters through as could pass without a mistake."""
    least = math.ceil(math.log(STARTS / delta) / -math.log(target))
    # The surest value of each character, for so many are drawn.
    order = np.lexsort((-said.sure, said.groups))
    _, first = np.unique(said.groups[order], return_index=True)
    surest = np.sort(said.sure[order][first])[::-1]
    if len(surest) < least:
        return np.zeros(0)
    steps = math.ceil(math.log(len(surest) / least, GROWTH)) + 1
    counts = np.unique(np.minimum(np.ceil(least * GROWTH ** np.arange(steps)).astype(np.int64), len(surest)))
    rounded = np.floor(surest[counts - 1] * 10**DIGITS) / 10**DIGITS
    found: Floats = np.unique([*rounded, np.floor(said.sure.min() * 10**DIGITS) / 10**DIGITS])[::-1]
    return found


def _chances_of_less(said: Said, thresholds: Floats, target: float) -> Floats:
    """For each threshold the p-value of a precision below the target."""
    from mapie.risk_control.methods import compute_hoeffding_bentkus_p_value

    wrong, count = draw_one_each(said, thresholds)
    chances = compute_hoeffding_bentkus_p_value(wrong / count, count, 1 - target, binary=True)[:, 0]
    return np.asarray(chances, dtype=np.float64)


def draw_one_each(said: Said, thresholds: Floats, seed: int = 0) -> tuple[Ints, Ints]:
    """Of every character one of the values that a threshold lets through, at random: how many are wrong, of how many;
    (thresholds,) each."""
    order = np.random.default_rng(seed).permutation(len(said.sure))
    wrong, count = [], []
    for least in thresholds:
        through = order[said.sure[order] >= least]
        _, first = np.unique(said.groups[through], return_index=True)
        wrong.append(int((~said.right[through[first]]).sum()))
        count.append(len(first))
    return np.array(wrong, dtype=np.int64), np.array(count, dtype=np.int64)


def fit_thresholds(said: Mapping[str, Mapping[str, Said]]) -> dict[str, dict[str, dict[str, float]]]:
    """By strategy, target and attribute, from what the strategies said of labelled items."""
    return {
        strategy: {target_name(target): {key: fit_threshold(own, target) for key, own in by_key.items()}
                   for target in TARGETS}
        for strategy, by_key in said.items()
    }  # fmt: skip
