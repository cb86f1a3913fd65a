"""From vectors and labels to heads whose probabilities come true.

Logistic regressions in which all values weigh alike; how strongly weights are held back is chosen by cross-validation,
and so are temperature and offsets (which say what is frequent): on pictures that a regression was not fitted on.
They begin with what the prompts know: how near a vector lies to each prompt is a feature that is hardly held back. As
that is linear in the vector, it is part of the weights in the end.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from character_pipeline.errors import MissingExtraError
from character_pipeline.evaluation.metrics import Flags, Floats, Ints
from character_pipeline.extractors.probes import Head, HeadAbout
from character_pipeline.models.machine import has_package
from character_pipeline.training.calibration import fit_choice, fit_margins
from character_pipeline.training.probes.tagged import UNLABELLED
from character_pipeline.vocabulary import Attribute

FOLDS = 4
LEAST_CASES = 5
"""Fewer pictures, or fewer than FOLDS characters, teach nothing of a value; then the probe never says it."""
STRENGTHS = (1e-4, 1e-3, 1e-2, 1e-1)
"""Of the regularisation, as scikit-learn counts it: the smaller, the more weights are held back."""
KNOWN = 40.0
"""The prompts count so much more than single numbers of a vector; their weights are held back by its square less."""
STEPS = 300
NEVER = -30.0
"""The logit of a class that a regression has not met."""


class Linear(NamedTuple):
    """Weights (rows, size) and bias (rows,)."""

    weights: Floats
    bias: Floats

    def __call__(self, features: Floats) -> Floats:
        found: Floats = features @ self.weights.T + self.bias
        return found


@dataclass(frozen=True)
class Cases:
    """Pictures with a class each.

    Attributes:
        features: shape (N, size).
        classes: from 0, shape (N,).
        groups: shape (N,); those of one group are in one fold.
        count: how many classes there are. Of two, there is one logit: that of the second against the first.
        prompts: what the prompts compare vectors with, (P, size).
    """

    features: Floats
    classes: Ints
    groups: Ints
    count: int
    prompts: Floats

    def take(self, rows: Flags) -> Self:
        return replace(self, features=self.features[rows], classes=self.classes[rows], groups=self.groups[rows])

    @property
    def folds(self) -> Ints:
        """The fold of each picture: the groups of each class go round, so that every fold has some."""
        names, first = np.unique(self.groups, return_index=True)
        order = np.lexsort((names, self.classes[first]))
        fold = np.empty(len(names), dtype=np.int64)
        fold[order] = np.arange(len(names)) % FOLDS
        found: Ints = fold[np.searchsorted(names, self.groups)]
        return found

    @property
    def logits(self) -> int:
        return self.count if self.count > 2 else 1


def check_extra() -> None:
    """Raises MissingExtraError where scikit-learn is not installed."""
    if not has_package("sklearn"):
        raise MissingExtraError("charpipe train probes", "train")


def regress(cases: Cases, strength: float) -> Linear:
    """One regression on standardised features and similarities, as it works on plain features."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression

    basis = np.concatenate([np.eye(cases.features.shape[1]), cases.prompts])
    mean = cases.features.mean(axis=0)
    inputs = (cases.features - mean) @ basis.T
    scale = inputs.std(axis=0) + 1e-6
    scale[len(mean) :] /= KNOWN
    # Newton's steps are few; with many values at once each of them is large.
    solver = "newton-cholesky" if cases.logits == 1 else "lbfgs"
    regression = LogisticRegression(C=strength, class_weight="balanced", max_iter=STEPS, solver=solver)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # near the best is good enough: it is judged by others
        regression.fit(inputs / scale, cases.classes)
    weights, bias = _all_rows(regression, cases)
    weights = weights / scale @ basis
    return Linear(weights, bias - weights @ mean)


def _all_rows(regression: Any, cases: Cases) -> Linear:
    """The rows of all classes, also of those that the regression has not met."""
    met = regression.classes_
    found, bias = regression.coef_, regression.intercept_
    if cases.logits == 1:
        return Linear(found, bias)
    if len(met) == 2:
        found, bias = np.concatenate([-found, found]) / 2, np.concatenate([-bias, bias]) / 2
    weights, offsets = np.zeros((cases.count, found.shape[1])), np.full(cases.count, NEVER)
    weights[met], offsets[met] = found, bias
    return Linear(weights, offsets)


def unseen_logits(cases: Cases, strength: float) -> Floats:
    """The logits of each picture by a regression on the other folds, shape (N, logits)."""
    found, folds = np.zeros((len(cases.classes), cases.logits)), cases.folds
    for fold in range(FOLDS):
        rest = folds != fold
        found[~rest] = regress(cases.take(rest), strength)(cases.features[~rest])
    return found


def choose_strength(cases: Cases) -> tuple[float, Floats]:
    """The strength whose answers to unseen pictures are best, all classes weighing alike; with these answers."""
    tried = {strength: unseen_logits(cases, strength) for strength in STRENGTHS}
    best = min(tried, key=lambda strength: _balanced_loss(tried[strength], cases))
    return best, tried[best]


def _balanced_loss(logits: Floats, cases: Cases) -> float:
    from scipy.special import log_softmax

    both = np.concatenate([np.zeros_like(logits), logits], axis=1) if cases.logits == 1 else logits
    losses = -log_softmax(both, axis=1)[np.arange(len(both)), cases.classes]
    return float(np.mean([losses[cases.classes == one].mean() for one in np.unique(cases.classes)]))


def _enough(classes: Ints, groups: Ints, one: int) -> bool:
    rows = classes == one
    return int(rows.sum()) >= LEAST_CASES and len(np.unique(groups[rows])) >= FOLDS


def _spread(cases: Cases) -> bool:
    """Whether each regression of the cross-validation meets two classes at least."""
    folds = cases.folds
    return all(len(np.unique(cases.classes[folds != fold])) > 1 for fold in range(FOLDS))


@dataclass(frozen=True)
class Examples:
    """N pictures: vectors as `probes.features` gives them, (N, size); the labels of an attribute, see `Tagged`; groups;
    and what the prompts of the attribute compare vectors with, (P, size)."""

    features: Floats
    labels: Ints
    groups: Ints
    prompts: Floats

    def cases(self, rows: Flags, classes: Ints, count: int) -> Cases:
        """Some of the pictures, each with its class."""
        return Cases(self.features[rows], classes.astype(np.int64), self.groups[rows], count, self.prompts)


def fit_head(attribute: Attribute, examples: Examples) -> Head | None:
    """The head of an attribute; None where too few pictures show its values."""
    return (_fit_each if attribute.many else _fit_choice)(attribute, examples)


def _fit_choice(attribute: Attribute, given: Examples) -> Head | None:
    told = [place for place in range(len(attribute.values) + 1) if _enough(given.labels, given.groups, place)]
    values = tuple(attribute.values[place] for place in told if place < len(attribute.values))
    rows = np.isin(given.labels, told)
    cases = given.cases(rows, np.searchsorted(told, given.labels[rows]), len(told))
    if len(values) < 2 or not _spread(cases):
        return None
    strength, logits = choose_strength(cases)
    temperature, offsets = fit_choice(_both(logits), cases.classes, len(values))
    found = _as_rows(regress(cases, strength))
    bias = found.bias / temperature + np.pad(offsets, (0, len(told) - len(values)))
    unsure = len(told) > len(values)
    about = HeadAbout(attribute=attribute.key, ask="choice", values=values, unsure=unsure, tags=int(rows.sum()))
    return _head(about, found.weights / temperature, bias)


def _both(logits: Floats) -> Floats:
    return np.concatenate([-logits, logits], axis=1) / 2 if logits.shape[1] == 1 else logits


def _as_rows(found: Linear) -> Linear:
    """A row for each of two classes, instead of one for their difference."""
    if len(found.bias) > 1:
        return found
    return Linear(np.concatenate([-found.weights, found.weights]) / 2, np.concatenate([-found.bias, found.bias]) / 2)


def _fit_each(attribute: Attribute, given: Examples) -> Head | None:
    places, rows, margins = [], [], []
    for place in range(len(attribute.values)):
        known = given.labels[:, place] != UNLABELLED
        cases = given.cases(known, given.labels[known, place], 2)
        if not all(_enough(cases.classes, cases.groups, one) for one in (0, 1)) or not _spread(cases):
            continue
        strength, logits = choose_strength(cases)
        places.append(place)
        rows.append(regress(cases, strength))
        margins.append(np.zeros(len(known)))
        margins[-1][known] = logits[:, 0]
    return _join_each(attribute, given.labels[:, places], rows, np.stack(margins, axis=1), places) if places else None


def _join_each(
    attribute: Attribute, labels: Ints, rows: Sequence[Linear], margins: Floats, places: Sequence[int]
) -> Head:
    temperature, offsets = fit_margins(margins, labels)
    weights = np.concatenate([row.weights for row in rows]) / temperature
    bias = np.concatenate([row.bias for row in rows]) / temperature + offsets
    values = tuple(attribute.values[place] for place in places)
    tags = int((labels == 1).sum())
    return _head(HeadAbout(attribute=attribute.key, ask="each", values=values, tags=tags), weights, bias)


def _head(about: HeadAbout, weights: Floats, bias: Floats) -> Head:
    narrow: list[NDArray[np.float32]] = [weights.astype(np.float32), bias.astype(np.float32)]
    return Head(about, *narrow)
