"""Saying only what is right often enough: thresholds fitted for a target precision, and what they withhold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from character_pipeline.attribute_fusion.weights import Weights
from character_pipeline.data import AttributeValue
from character_pipeline.errors import ConfigError

NEVER = 2.0
"""The threshold of an attribute of which nothing is said: none reaches the target, or nothing is known of it."""
REMEDY = (
    "Take one of these, leave out attribute_fusion.target_precision, or make thresholds from your labels with "
    "`charpipe train calibration` and name the file in attribute_fusion.weights"
)


def target_name(target: float) -> str:
    """What weights call a target: "0.98"."""
    return f"{target:g}"


def find_thresholds(weights: Weights, strategy: str, target: float) -> Mapping[str, float]:
    """By attribute, the least probability of a value that is said for a target precision.

    An attribute that is not among them is withheld, as by NEVER: `thresholds.get(key, NEVER)`.

    Raises ConfigError that says what there is.
    """
    found = weights.thresholds.get(strategy, {}).get(target_name(target))
    if found is not None:
        return found
    there = [f"{', '.join(sorted(own))} for '{name}'" for name, own in sorted(weights.thresholds.items()) if own]
    raise ConfigError(
        f"attribute_fusion.target_precision {target_name(target)}: the fusion weights have no thresholds for that with "
        f"the strategy '{strategy}'. They have: {'; '.join(there) or 'none'}. {REMEDY}"
    )


def withhold(decided: AttributeValue, sure: Mapping[str, float], least: float) -> AttributeValue:
    """Without the values that are less probable than a threshold; they stay among the alternatives.

    Args:
        sure: how probable each value is that is said.
    """
    kept = tuple(value for value in decided.values if sure[value] >= least)
    if len(kept) == len(decided.values):
        return decided
    gone = [(value, sure[value]) for value in decided.values if value not in kept]
    others = tuple(sorted([*gone, *decided.alternatives], key=lambda pair: (-pair[1], pair[0])))
    if not kept:
        return replace(decided, state="unknown", values=(), confidence=0.0, detail=None, alternatives=others)
    return replace(decided, values=kept, confidence=mean_of(kept, sure, decided.listed), alternatives=others)


def mean_of(values: tuple[str, ...], sure: Mapping[str, float], listed: bool) -> float:
    """The confidence of what is said: of a list the mean, else that of its first value."""
    return sum(sure[value] for value in values) / len(values) if listed else sure[values[0]]
