"""From the claims on one attribute to a probability for each value: the fusion strategies."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib.metadata import entry_points

from character_pipeline.data import Evidence
from character_pipeline.errors import ConfigError

Support = dict[str, float]
"""For each value, how probable it is that it is right, taken by itself."""

Strategy = Callable[[Sequence[Evidence]], Support]

MOST_CERTAIN = 0.999
ENTRY_POINTS = "character_pipeline.strategies"
"""Other packages offer strategies under this entry-point group."""


def confidence_weighted(claims: Sequence[Evidence]) -> Support:
    """Each value's probability is one minus the chance that all who state it are wrong.

    Sources err independently of each other; the claims of one source do not, so its strongest counts alone.
    """
    best: dict[str, Support] = {}
    for claim in claims:
        said = best.setdefault(claim.source, {})
        if claim.score > said.get(claim.value, 0.0):
            said[claim.value] = claim.score
    support: Support = {}
    for said in best.values():
        for value, score in said.items():
            joint = 1.0 - (1.0 - support[value]) * (1.0 - score) if value in support else score
            support[value] = joint if joint < MOST_CERTAIN else MOST_CERTAIN
    return support


STRATEGIES: Mapping[str, Strategy] = {"confidence_weighted": confidence_weighted}


def find_strategy(name: str, strategies: Mapping[str, Strategy] = STRATEGIES) -> Strategy:
    """The strategy of this name, of the package or of a plugin. Raises ConfigError that lists what there is."""
    if name not in strategies:
        plugins = entry_points(group=ENTRY_POINTS)
        strategies = {**strategies, **{point.name: point.load() for point in plugins}}
    if name not in strategies:
        allowed = ", ".join(strategies)
        raise ConfigError(f"attribute_fusion.fusion_strategy '{name}' is not in this version. Allowed: {allowed}")
    return strategies[name]


def compete(support: Mapping[str, float]) -> Support:
    """The probabilities of values of which only one can be right, in falling order: their odds, normalised.

    What is left to no value at all takes part as well, so a lone value keeps the probability it had.
    """
    odds = {value: p / (1.0 - p) for value, p in support.items()}
    total = 1.0 + sum(odds.values())
    ranked = sorted(odds, key=lambda value: (-odds[value], value))
    return {value: odds[value] / total for value in ranked}


def strongest(claims: Iterable[Evidence]) -> float:
    return max((claim.score for claim in claims), default=0.0)
