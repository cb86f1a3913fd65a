"""From similarities to probabilities that come true: a temperature for each attribute, an offset for each rare value.

Both are fitted on pictures that the model was not trained on (temperature scaling: Guo et al., 2017; offsets as in
Platt, 1999)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from character_pipeline.training.labels import Targets
from character_pipeline.training.losses import Asked

LEAST_CASES = 12
"""A value that fewer pictures show is not asked for: nothing could be said of how right the answers are."""
TRUST = 0.95
"""What is fitted on some pictures holds a little less on others."""
USEFUL = 0.7
"""A value that is asked for by itself is told when so much is told right, there and not there weighing alike."""
GAIN = 0.3

Scores = NDArray[np.float64]


@dataclass(frozen=True)
class Calibrated:
    """What the manifest says of an attribute, and how right it was: the balanced accuracy by value."""

    attribute: str
    temperature: float
    offsets: dict[str, float]
    recalls: dict[str, float]
    values: tuple[str, ...]

    def to_manifest(self) -> dict[str, Any]:
        table: dict[str, Any] = {"temperature": round(self.temperature, 3), "trust": TRUST, "values": list(self.values)}
        if self.offsets:
            table["offsets"] = {value: round(self.offsets[value], 3) for value in self.values}
        return table


def calibrate(similarity: Scores, asked: list[Asked], targets: Targets, least_useful: float = 1.0) -> list[Calibrated]:
    """Calibrate every question on N pictures; `similarity`, (N, sentences), is scaled cosines.

    What is of no use is left out; `least_useful` scales what counts as such.
    """
    fitted = [
        (_choice if part.question.ask == "choice" else _each)(similarity, part, targets, least_useful) for part in asked
    ]
    return [found for found in fitted if found is not None and found.values]


def calibrate_cautiously(
    similarity: Scores, asked: list[Asked], targets: Targets, groups: Sequence[str]
) -> list[Calibrated]:
    """As `calibrate`, but right for each group of pictures alone too: the most cautious of their numbers is taken.

    Easy pictures in great number would otherwise make the model look surer than it is about the others.
    """
    found = {one.attribute: one for one in calibrate(similarity, asked, targets)}
    names = np.asarray(groups)
    for name in sorted(set(groups)):
        rows = np.flatnonzero(names == name)
        for one in calibrate(similarity[rows], asked, targets.take(rows), least_useful=0.0):
            if one.attribute in found:
                found[one.attribute] = _more_cautious(found[one.attribute], one)
    return list(found.values())


def _more_cautious(whole: Calibrated, group: Calibrated) -> Calibrated:
    offsets = {value: min(offset, group.offsets.get(value, offset)) for value, offset in whole.offsets.items()}
    return replace(whole, temperature=max(whole.temperature, group.temperature), offsets=offsets)


def _choice(similarity: Scores, part: Asked, targets: Targets, least: float) -> Calibrated | None:
    key = part.question.attribute
    wanted = targets.choice[key]
    rows = wanted >= 0
    logits = np.concatenate([similarity[:, part.values], similarity[:, part.others]], axis=1)[rows]
    wanted = wanted[rows]
    if len(wanted) < 4 * LEAST_CASES:
        return None
    temperature = _fit_temperature(logits, wanted)
    names = list(part.question.values)
    guesses = logits.argmax(axis=1)
    recalls = {
        name: float((guesses[wanted == place] == place).mean())
        for place, name in enumerate(names)
        if (wanted == place).sum() >= LEAST_CASES
    }
    useful = bool(recalls) and float(np.mean(list(recalls.values()))) >= least * _least(len(names))
    return Calibrated(key, temperature, {}, recalls, tuple(names) if useful else ())


def _least(values: int) -> float:
    """The mean recall from which a choice is of use: GAIN of the way from guessing to always right."""
    return 1 / values + GAIN * (1 - 1 / values)


def _fit_temperature(logits: Scores, wanted: NDArray[np.int64]) -> float:
    from scipy.optimize import minimize_scalar

    def loss(log_temperature: float) -> float:
        scaled = logits / np.exp(log_temperature)
        scaled = scaled - scaled.max(axis=1, keepdims=True)
        chosen = scaled[np.arange(len(wanted)), wanted]
        return float((np.log(np.exp(scaled).sum(axis=1)) - chosen).mean())

    return float(np.exp(minimize_scalar(loss, bounds=(-2.5, 2.5), method="bounded").x))


def _each(similarity: Scores, part: Asked, targets: Targets, least: float) -> Calibrated | None:
    key = part.question.attribute
    margins = similarity[:, part.values] - similarity[:, part.others]
    wanted, names = targets.each[key], list(part.question.values)
    told = [
        place
        for place in range(len(names))
        if min((wanted[:, place] == 1).sum(), (wanted[:, place] == 0).sum()) >= LEAST_CASES
    ]
    if not told:
        return None
    temperature, offsets = _fit_margins(margins[:, told], wanted[:, told])
    recalls = {names[place]: _balanced(margins[:, place], wanted[:, place]) for place in told}
    values = tuple(name for name, recall in recalls.items() if recall >= least * USEFUL)
    return Calibrated(key, temperature, dict(zip([names[p] for p in told], offsets, strict=True)), recalls, values)


def _balanced(margins: Scores, wanted: NDArray[np.int64]) -> float:
    return float(((margins[wanted == 1] > 0).mean() + (margins[wanted == 0] <= 0).mean()) / 2)


def _fit_margins(margins: Scores, wanted: NDArray[np.int64]) -> tuple[float, list[float]]:
    """One temperature, and an offset for each value: chance = sigmoid(margin / temperature + offset)."""
    from scipy.optimize import minimize

    known = wanted >= 0

    def loss(parameters: Scores) -> float:
        logits = margins * np.exp(-parameters[0]) + parameters[1:]
        costs = np.logaddexp(0, logits) - wanted * logits
        return float(costs[known].mean() + 1e-4 * (parameters**2).sum())

    found = minimize(loss, np.zeros(1 + margins.shape[1]), method="L-BFGS-B").x
    return float(np.exp(found[0]).clip(0.1, 12)), [float(value) for value in found[1:]]
