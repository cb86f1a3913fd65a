"""Logistic stacking: a value is as probable as values were that the same sources spoke of in the same way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from character_pipeline.attribute_fusion.ballots import Ballot
from character_pipeline.attribute_fusion.bayesian import join, noisy_or
from character_pipeline.attribute_fusion.calibration import ANY, Calibration, logistic, logit

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

PER_SOURCE = 5
"""Features of each source: how probable it says the value is, that it says so, how probable it says its best other
value is, that it says another, and that it is silent."""


def features(ballot: Ballot, sources: Sequence[str]) -> Floats:
    """What is known of each value of each item, from calibrated scores: shape (N, V, PER_SOURCE * S)."""
    import numpy as np

    said = ballot.of(sources)
    scores, heard = said.scores, said.heard[:, :, None]
    claims = scores > 0
    other = _best_other(scores) if not ballot.attribute.many else np.zeros_like(scores)
    rivals = other > 0
    silent = heard & ~claims & ~rivals
    parts = [np.where(claims, logit(scores), 0), claims, np.where(rivals, logit(other), 0), rivals, silent]
    stacked = np.stack([part.astype(np.float64) for part in parts], axis=-1)
    found: Floats = stacked.transpose(0, 2, 1, 3).reshape(len(scores), scores.shape[2], PER_SOURCE * len(sources))
    return found


def _best_other(scores: Floats) -> Floats:
    """For each value the highest score of another one, same shape."""
    import numpy as np

    if scores.shape[2] < 2:
        return np.zeros_like(scores)
    ranked = np.sort(scores, axis=2)
    first, second = ranked[:, :, -1:], ranked[:, :, -2:-1]
    found: Floats = np.where(scores == first, second, first)
    return found


@dataclass(frozen=True, slots=True, eq=False)
class Stack:
    """The weights of the features of some sources, shape (PER_SOURCE * S,)."""

    sources: tuple[str, ...]
    weights: Floats
    offset: float

    def __call__(self, ballot: Ballot) -> Floats:
        """The probability of each value from calibrated scores, shape (N, V)."""
        # A sum over the last axis does not depend on the other items, as a matrix product does.
        return logistic((features(ballot, self.sources) * self.weights).sum(axis=-1) + self.offset)


@dataclass(frozen=True)
class Ensemble:
    """Logistic stacking (Wolpert, 1992), by attribute, or by ANY where an attribute has no weights of its own."""

    calibration: Calibration = field(default_factory=Calibration)
    stacks: Mapping[str, Stack] = field(default_factory=dict)
    name: str = "ensemble"
    texts_first: bool = False
    settles: bool = True

    def support(self, ballot: Ballot) -> Floats:
        return self.weigh(self.calibration.apply(ballot))

    def weigh(self, ballot: Ballot) -> Floats:
        """The support of calibrated scores."""
        import numpy as np

        stack = self.stacks.get(ballot.attribute.key, self.stacks.get(ANY))
        if stack is None:
            return noisy_or(ballot)
        found = np.where(ballot.stated, stack(ballot), 0.0)
        if not ballot.attribute.many:
            found /= np.maximum(found.sum(axis=1, keepdims=True), 1.0)
        strange = ballot.of([name for name in ballot.sources if name not in stack.sources])
        return join(found, strange)
