"""From similarities to probabilities that come true: a temperature for each attribute, an offset for each value.

Both are fitted on pictures that the model was not trained on (temperature scaling: Guo et al., 2017; offsets as in
Platt, 1999). Training makes all values of a choice equally likely; the offsets say which are frequent."""

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
RIDGE = 2e-3
"""Holds back the offsets of a choice: what is frequent here need not be elsewhere."""

Scores = NDArray[np.float64]


@dataclass(frozen=True)
class Calibrated:
    """What the manifest says of an attribute, and how right it was: the balanced accuracy by value."""

    attribute: str
    temperature: float
    offsets: dict[str, float]
    recalls: dict[str, float]
    values: tuple[str, ...]
    choice: bool = False
    look: tuple[str, ...] = ("whole",)

    def to_manifest(self) -> dict[str, Any]:
        table: dict[str, Any] = {"temperature": round(self.temperature, 3), "trust": TRUST, "values": list(self.values)}
        table["look"] = list(self.look)
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
    offsets = whole.offsets if whole.choice else offsets
    return replace(whole, temperature=max(whole.temperature, group.temperature), offsets=offsets)


def _choice(similarity: Scores, part: Asked, targets: Targets, least: float) -> Calibrated | None:
    key = part.question.attribute
    wanted = targets.choice[key]
    rows = wanted >= 0
    logits = np.concatenate([similarity[:, part.values], similarity[:, part.others]], axis=1)[rows]
    wanted = wanted[rows]
    if len(wanted) < 4 * LEAST_CASES:
        return None
    names = list(part.question.values)
    temperature, offsets = fit_choice(logits, wanted, len(names))
    guesses = (logits / temperature + np.pad(offsets, (0, logits.shape[1] - len(names)))).argmax(axis=1)
    recalls = {
        name: float((guesses[wanted == place] == place).mean())
        for place, name in enumerate(names)
        if (wanted == place).sum() >= LEAST_CASES
    }
    useful = bool(recalls) and float(np.mean(list(recalls.values()))) >= least * _least(len(names))
    told = tuple(names) if useful else ()
    return Calibrated(key, temperature, dict(zip(names, map(float, offsets), strict=True)), recalls, told, choice=True)


def _least(values: int) -> float:
    """The mean recall from which a choice is of use: GAIN of the way from guessing to always right."""
    return 1 / values + GAIN * (1 - 1 / values)


def fit_choice(logits: Scores, wanted: NDArray[np.int64], values: int) -> tuple[float, Scores]:
    """One temperature, and an offset for each value; "cannot be told" has none."""
    from scipy.optimize import minimize
    from scipy.special import log_softmax, softmax

    rows, columns = np.arange(len(wanted)), logits.shape[1]
    truth = np.eye(columns)[wanted]

    def loss(parameters: Scores) -> tuple[float, Scores]:
        offsets = np.pad(parameters[1:], (0, columns - values))
        scaled = logits * np.exp(-parameters[0])
        cost = -log_softmax(scaled + offsets, axis=1)[rows, wanted].mean() + RIDGE * (offsets**2).sum()
        error = (softmax(scaled + offsets, axis=1) - truth) / len(wanted)
        slope = np.concatenate([[-(error * scaled).sum()], error.sum(axis=0)[:values] + 2 * RIDGE * parameters[1:]])
        return float(cost), slope

    bounds = [(-2.5, 2.5), *[(-4.0, 4.0)] * values]
    found = minimize(loss, np.zeros(1 + values), jac=True, method="L-BFGS-B", bounds=bounds).x
    return float(np.exp(found[0])), found[1:]


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
    temperature, offsets = fit_margins(margins[:, told], wanted[:, told])
    recalls = {names[place]: _balanced(margins[:, place], wanted[:, place]) for place in told}
    values = tuple(name for name, recall in recalls.items() if recall >= least * USEFUL)
    return Calibrated(key, temperature, dict(zip([names[p] for p in told], offsets, strict=True)), recalls, values)


def _balanced(margins: Scores, wanted: NDArray[np.int64]) -> float:
    return float(((margins[wanted == 1] > 0).mean() + (margins[wanted == 0] <= 0).mean()) / 2)


def fit_margins(margins: Scores, wanted: NDArray[np.int64]) -> tuple[float, list[float]]:
    """One temperature, and an offset for each value: chance = sigmoid(margin / temperature + offset)."""
    from scipy.optimize import minimize
    from scipy.special import expit

    known = wanted >= 0
    share = known / max(1, int(known.sum()))

    def loss(parameters: Scores) -> tuple[float, Scores]:
        scaled = margins * np.exp(-parameters[0])
        logits = scaled + parameters[1:]
        cost = ((np.logaddexp(0, logits) - wanted * logits) * share).sum() + 1e-4 * (parameters**2).sum()
        error = (expit(logits) - wanted) * share
        slope = np.concatenate([[-(error * scaled).sum()], error.sum(axis=0)]) + 2e-4 * parameters
        return float(cost), slope

    found = minimize(loss, np.zeros(1 + margins.shape[1]), jac=True, method="L-BFGS-B").x
    return float(np.exp(found[0]).clip(0.1, 12)), [float(value) for value in found[1:]]
