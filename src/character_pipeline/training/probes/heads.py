"""From vectors and labels to heads whose probabilities come true.

Logistic regressions in which all values weigh alike; how strongly weights are held back is chosen by cross-validation,
and so are temperature and offsets (which say what is frequent): on pictures that a regression was not fitted on.
They begin with what the prompts know: how near a vector lies to each prompt is a feature that is hardly held back. As
that is linear in the vector, it is part of the weights in the end.
"""

from __future__ import annotations

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
STRENGTHS = (1e-4, 1e-3, 1e-2)
"""Of the regularisation, as scikit-learn counts it: the smaller, the more weights are held back. Rising, as each fit
begins where the one before ended."""
KNOWN = 40.0
"""The prompts count so much more than single numbers of a vector; their weights are held back by its square less."""
STEPS = 60
"""Near the best is good enough: it is judged by others."""
Narrow = NDArray[np.float32]


class Basis(NamedTuple):
    """Standardised vectors, and similarities to prompts, as linear functions of a vector of length `size`."""

    mean: Floats
    scale: Floats
    near: Floats

    @classmethod
    def of(cls, features: Floats, prompts: Floats) -> Self:
        mean = features.mean(axis=0)
        spread = ((features - mean) @ prompts.T).std(axis=0) + 1e-6
        return cls(mean, features.std(axis=0) + 1e-6, prompts.T / spread * KNOWN)

    def inputs(self, features: Floats) -> Narrow:
        """With a last column of ones, (N, size + P + 1)."""
        apart = features - self.mean
        ones = np.ones((len(apart), 1))
        return np.concatenate([apart / self.scale, apart @ self.near, ones], axis=1).astype(np.float32)

    def unfold(self, weights: Floats) -> tuple[Floats, Floats]:
        """Weights (K, size) and bias (K,) for plain vectors, from those of inputs."""
        size = len(self.mean)
        plain: Floats = weights[:, :size] / self.scale + weights[:, size:-1] @ self.near.T
        bias: Floats = weights[:, -1] - plain @ self.mean
        return plain, bias


@dataclass(frozen=True)
class Cases:
    """N pictures with K questions.

    Attributes:
        inputs: see `Basis`.
        truth: 1 where the answer is yes, (N, K).
        known: where it is known at all, (N, K).
        groups: (N,); those of one group are in one fold.
        choice: whether just one answer is yes.
    """

    inputs: Narrow
    truth: Flags
    known: Flags
    groups: Ints
    choice: bool

    def take(self, rows: Flags) -> Self:
        return replace(
            self,
            inputs=self.inputs[rows],
            truth=self.truth[rows],
            known=self.known[rows],
            groups=self.groups[rows],
        )

    @property
    def folds(self) -> Ints:
        """The fold of each picture: the groups of each rarest answer go round, so that every fold has some."""
        frequency = np.where(self.truth, self.truth.sum(axis=0), len(self.truth) + 1)
        kinds = np.where(self.truth.any(axis=1), frequency.argmin(axis=1), -1)
        names, first = np.unique(self.groups, return_index=True)
        order = np.lexsort((names, kinds[first]))
        fold = np.empty(len(names), dtype=np.int64)
        fold[order] = np.arange(len(names)) % FOLDS
        found: Ints = fold[np.searchsorted(names, self.groups)]
        return found

    @property
    def shares(self) -> Narrow:
        """How much each loss counts, (N, K) or of a choice (N, 1): all yes to a question as much as all no, or each
        answer of a choice as much as each other. They add up to the number of answers."""
        yes, no = self.truth / np.maximum(self.truth.sum(axis=0), 1), self.known & ~self.truth
        if self.choice:
            found = yes.sum(axis=1, keepdims=True) * len(yes) / max(1, int(yes.any(axis=0).sum()))
        else:
            found = (yes + no / np.maximum(no.sum(axis=0), 1)) * self.known.sum(axis=0) / 2
        narrow: Narrow = found.astype(np.float32)
        return narrow


def check_extra() -> None:
    """Raises MissingExtraError where scipy is not installed."""
    if not has_package("scipy"):
        raise MissingExtraError("charpipe train probes", "train")


def losses_of(logits: NDArray[Any], cases: Cases) -> tuple[NDArray[Any], NDArray[Any]]:
    """Log losses and their slopes, (N, K); of a choice, the loss is that of the true answer alone."""
    from scipy.special import expit, log_softmax

    if cases.choice:
        logs = log_softmax(logits, axis=1)
        return -logs * cases.truth, np.exp(logs) - cases.truth
    return np.logaddexp(0, logits) - logits * cases.truth, expit(logits) - cases.truth


def regress(cases: Cases, strength: float, start: Floats | None = None) -> Floats:
    """The weights of one regression, (K, inputs)."""
    from scipy.optimize import minimize

    shares, shape = cases.shares, (cases.truth.shape[1], cases.inputs.shape[1])
    held = np.ones(shape[1])
    held[-1] = 0.0

    def loss(flat: Floats) -> tuple[float, Floats]:
        weights = flat.reshape(shape)
        costs, slopes = losses_of(cases.inputs @ weights.T.astype(np.float32), cases)
        cost = strength * float((costs * shares).sum(dtype=np.float64)) + float((weights**2 * held).sum()) / 2
        slope = strength * ((slopes * shares).T.astype(np.float32) @ cases.inputs) + weights * held
        return cost, slope.ravel()

    begin = np.zeros(shape) if start is None else start
    found: Floats = minimize(loss, begin.ravel(), jac=True, method="L-BFGS-B", options={"maxiter": STEPS}).x
    return found.reshape(shape)


def unseen_logits(cases: Cases) -> list[Floats]:
    """For each strength the logits of each picture by a regression on the other folds, (N, K)."""
    found, folds = [np.zeros(cases.truth.shape) for _ in STRENGTHS], cases.folds
    for fold in range(FOLDS):
        rest, weights = folds != fold, None
        for place, strength in enumerate(STRENGTHS):
            weights = regress(cases.take(rest), strength, weights)
            found[place][~rest] = cases.inputs[~rest] @ weights.T
    return found


def choose_strength(cases: Cases) -> tuple[float, Floats]:
    """The strength whose answers to unseen pictures are best, all answers weighing alike; with these answers."""
    shares = cases.shares
    tried = unseen_logits(cases)
    losses = [float((losses_of(logits, cases)[0] * shares).sum()) for logits in tried]
    best = int(np.argmin(losses))
    return STRENGTHS[best], tried[best]


def _enough(rows: Flags, groups: Ints) -> bool:
    return int(rows.sum()) >= LEAST_CASES and len(np.unique(groups[rows])) >= FOLDS


@dataclass(frozen=True)
class Examples:
    """N pictures: vectors as `probes.features` gives them, (N, size); the labels of an attribute, see `Tagged`; groups;
    and what the prompts of the attribute compare vectors with, (P, size)."""

    features: Floats
    labels: Ints
    groups: Ints
    prompts: Floats


def fit_head(attribute: Attribute, examples: Examples) -> Head | None:
    """The head of an attribute; None where too few pictures show its values."""
    return (_fit_each if attribute.many else _fit_choice)(attribute, examples)


def _fit_choice(attribute: Attribute, given: Examples) -> Head | None:
    told = [place for place in range(len(attribute.values) + 1) if _enough(given.labels == place, given.groups)]
    values = tuple(attribute.values[place] for place in told if place < len(attribute.values))
    if len(values) < 2:
        return None
    rows = np.isin(given.labels, told)
    truth = given.labels[rows, None] == np.array(told)
    basis = Basis.of(given.features[rows], given.prompts)
    inputs = basis.inputs(given.features[rows])
    cases = Cases(inputs, truth, np.ones_like(truth), given.groups[rows], choice=True)
    strength, logits = choose_strength(cases)
    temperature, offsets = fit_choice(logits, truth.argmax(axis=1), len(values))
    unsure = len(told) > len(values)
    about = HeadAbout(attribute=attribute.key, ask="choice", values=values, unsure=unsure, tags=int(rows.sum()))
    return _head(about, basis, regress(cases, strength), temperature, np.pad(offsets, (0, int(unsure))))


def _fit_each(attribute: Attribute, given: Examples) -> Head | None:
    places = [
        place
        for place in range(len(attribute.values))
        if all(_enough(given.labels[:, place] == answer, given.groups) for answer in (0, 1))
    ]
    labels = given.labels[:, places]
    rows = (labels != UNLABELLED).any(axis=1)
    if not places:
        return None
    labels = labels[rows]
    basis = Basis.of(given.features[rows], given.prompts)
    inputs = basis.inputs(given.features[rows])
    cases = Cases(inputs, labels == 1, labels != UNLABELLED, given.groups[rows], choice=False)
    strength, margins = choose_strength(cases)
    temperature, offsets = fit_margins(margins, labels)
    values = tuple(attribute.values[place] for place in places)
    about = HeadAbout(attribute=attribute.key, ask="each", values=values, tags=int((labels == 1).sum()))
    return _head(about, basis, regress(cases, strength), temperature, np.array(offsets))


def _head(about: HeadAbout, basis: Basis, weights: Floats, temperature: float, offsets: Floats) -> Head:
    plain, bias = basis.unfold(weights / temperature)
    return Head(about, plain.astype(np.float32), (bias + offsets).astype(np.float32))
