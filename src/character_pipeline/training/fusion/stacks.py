"""Logistic stacking: the weights of what sources say."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from character_pipeline.attribute_fusion.ballots import Ballot
from character_pipeline.attribute_fusion.ensemble import Stack, features

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

LEAST_CLAIMS = 200
LEAST_OF_A_KIND = 20
"""Right and wrong claims, below which an attribute is weighed as all are together."""


def rows_of(ballot: Ballot, truth: Ints) -> tuple[Floats, NDArray[np.bool_]]:
    """Features and truth of all stated values, (n, F) and (n,), from calibrated scores.

    Args:
        truth: 1 or 0 for each value, shape (items, V); anything else is left out.
    """
    told = truth[ballot.stated]
    return features(ballot, ballot.sources)[told >= 0], told[told >= 0] == 1


def fit_stack(sources: tuple[str, ...], inputs: Floats, right: NDArray[np.bool_]) -> Stack | None:
    """The weights; None for too few claims."""
    if len(right) < LEAST_CLAIMS or min(right.sum(), (~right).sum()) < LEAST_OF_A_KIND:
        return None
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=1.0, max_iter=2_000).fit(inputs, right)
    return Stack(sources, model.coef_[0].round(6), round(float(model.intercept_[0]), 6))
