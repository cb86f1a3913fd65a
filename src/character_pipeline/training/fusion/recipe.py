"""The whole of `charpipe train calibration`: what is learned, how good it is on other characters, and thresholds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

from character_pipeline.attribute_fusion.calibration import Calibration
from character_pipeline.attribute_fusion.strategies import find_strategy
from character_pipeline.attribute_fusion.weights import CurveRow, Weights
from character_pipeline.errors import MissingExtraError
from character_pipeline.evaluation.gold import Gold
from character_pipeline.evaluation.reliability import ALL, Reliability, Said, reliabilities
from character_pipeline.training.fusion.crossing import JUDGED, claimed_values, cross_fit, merge, said_values
from character_pipeline.training.fusion.fit import Say, check_labels, fit_weights
from character_pipeline.training.fusion.precision import DELTA, fit_thresholds


@dataclass(frozen=True)
class Learned:
    """What was learned, and how good it is on characters that it was not learned from.

    Attributes:
        before: by attribute and "all", how far the scores of single claims can be relied on as sources give them.
        after: the same of calibrated scores.
        answers: by strategy, the same of what it says.
    """

    weights: Weights
    before: Mapping[str, Reliability]
    after: Mapping[str, Reliability]
    answers: Mapping[str, Mapping[str, Reliability]]


def learn_weights(gold: Gold, say: Say = lambda line: None) -> Learned:
    """Learn from all items; judge, and fit thresholds for precision, by what was learned without their characters.

    Raises ConfigError for labels or evidence that nothing can be learned from, MissingExtraError without the packages.
    """
    _check_extra()
    check_labels(gold)
    before, after, said = _held_out(gold, say)
    judged = {name: reliabilities(by_key) for name, by_key in said.items()}
    raw, calibrated = reliabilities(before), reliabilities(after)
    about = {"claims_before": _numbers(raw[ALL]), "claims_after": _numbers(calibrated[ALL]), "delta": DELTA}
    weights = fit_weights(gold, {"held_out": about}, say)
    thresholds = fit_thresholds(said)
    return Learned(weights.model_copy(update={"thresholds": thresholds}), raw, calibrated, judged)


def _check_extra() -> None:
    try:
        import mapie  # noqa: F401
        import sklearn  # noqa: F401
    except ImportError as error:
        raise MissingExtraError("learning how to weigh sources", "train") from error


def _held_out(gold: Gold, say: Say) -> tuple[dict[str, Said], dict[str, Said], dict[str, dict[str, Said]]]:
    """Claims as they are and calibrated, and what each strategy says, all by weights learned without them."""
    before, after = [], []
    said: dict[str, list[dict[str, Said]]] = {name: [] for name in JUDGED}
    for weights, rows in cross_fit(gold, say):
        learned = partial(_same, weights)
        before.append(claimed_values(gold, Calibration(), rows))
        after.append(claimed_values(gold, weights.calibration(), rows))
        for name, parts in said.items():
            parts.append(said_values(gold, find_strategy(name, learned), rows))
    return merge(before), merge(after), {name: merge(parts) for name, parts in said.items()}


def _same(weights: Weights) -> Weights:
    return weights


def _numbers(found: Reliability) -> dict[str, float]:
    return {
        "log_loss": round(found.log_loss, 5),
        "brier": round(found.brier, 5),
        "calibration": round(found.calibration, 5),
    }


def kind_of(curve: CurveRow) -> str:
    """What a curve is called."""
    if curve.scores:
        return "isotonic"
    if curve.offset:
        return "platt"
    return "as it is" if curve.slope == 1.0 else "scaled"
