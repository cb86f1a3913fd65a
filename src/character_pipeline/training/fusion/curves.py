"""Calibration curves: of some kinds, the one that does best on characters that it was not fitted on."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from character_pipeline.attribute_fusion.calibration import EDGE, Curve, logit

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Ints = NDArray[np.int64]
Fit = Callable[[Floats, Flags], Curve]

LEAST_CLAIMS = 100
LEAST_OF_A_KIND = 15
"""Right claims, and wrong ones; with fewer, a source keeps its own scores."""
FOLDS = 5


def scaled(scores: Floats, right: Flags) -> Curve:
    """Temperature scaling."""
    return _logistic(scores, right, offset=False)


def platt(scores: Floats, right: Flags) -> Curve:
    """A slope and an offset of the logit."""
    return _logistic(scores, right, offset=True)


def _logistic(scores: Floats, right: Flags, offset: bool) -> Curve:
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=10.0, fit_intercept=offset).fit(logit(scores)[:, None], right)
    slope, shift = float(model.coef_[0, 0]), float(model.intercept_[0]) if offset else 0.0
    if slope < 0:
        # A source whose surer claims are the worse ones: all its claims are worth the same.
        share = float(np.clip(right.mean(), EDGE, 1 - EDGE))
        return Curve(0.0, float(logit(np.array(share))))
    return Curve(round(slope, 6), round(shift, 6))


def isotonic(scores: Floats, right: Flags) -> Curve:
    """The rising steps that fit best, joined by lines."""
    from sklearn.isotonic import IsotonicRegression

    # As if one right and one wrong claim more had been met at either end: no step says 0 or 1.
    ends = np.array([scores.min(), scores.max()])
    padded, truth = np.concatenate([scores, ends, ends]), np.concatenate([right, [True, True, False, False]])
    model = IsotonicRegression(y_min=EDGE, y_max=1 - EDGE, out_of_bounds="clip").fit(padded, truth)
    return Curve(
        scores=tuple(round(float(score), 6) for score in model.X_thresholds_),
        chances=tuple(round(float(chance), 6) for chance in model.y_thresholds_),
    )


KINDS: Mapping[str, Fit] = {"as it is": lambda scores, right: Curve(), "scaled": scaled, "platt": platt,
                            "isotonic": isotonic}  # fmt: skip


def fit_curve(scores: Floats, right: Flags, groups: Ints) -> tuple[str, Curve] | None:
    """The kind of curve with the least log loss in cross-validation by groups, and the curve; None for too few claims.

    Args:
        scores: of claims, shape (n,), in (0, 1].
        right: whether each claim is right.
        groups: the character that it is of.
    """
    enough = len(scores) >= LEAST_CLAIMS and min(right.sum(), (~right).sum()) >= LEAST_OF_A_KIND
    if not enough or len(np.unique(groups)) < FOLDS:
        return None
    losses = {kind: _cross_validated(fit, scores, right, groups) for kind, fit in KINDS.items()}
    best = min(losses, key=lambda kind: losses[kind])
    return best, KINDS[best](scores, right)


def _cross_validated(fit: Fit, scores: Floats, right: Flags, groups: Ints) -> float:
    from sklearn.model_selection import GroupKFold

    losses = np.zeros(len(scores))
    for train, test in GroupKFold(FOLDS).split(scores, groups=groups):
        one_sided = right[train].all() or not right[train].any()
        chances = (Curve() if one_sided else fit(scores[train], right[train]))(scores[test])
        losses[test] = -np.log(np.where(right[test], chances, 1 - chances))
    return float(losses.mean())
