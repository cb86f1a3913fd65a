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
    Rows = NDArray[np.int64]

PER_SOURCE = 5
"""Features of each source: how probable it says the value is, that it says so, how probable it says its best other
value is, that it says another, and that it is silent."""


def features(ballot: Ballot, sources: Sequence[str]) -> Floats:
    """What is known of each value that anybody states, from calibrated scores, in the order of `ballot.stated`: shape
    (n, PER_SOURCE * S)."""
    import numpy as np

    said = ballot.of(sources)
    rows, values = np.nonzero(ballot.stated)
    scores, heard = said.scores[rows, :, values], said.heard[rows]
    claims = scores > 0
    other = np.zeros_like(scores) if ballot.attribute.many else _best_other(scores, said.scores, rows)
    rivals = other > 0
    found = np.zeros((*scores.shape, PER_SOURCE))
    found[claims, 0], found[..., 1] = logit(scores[claims]), claims
    found[rivals, 2], found[..., 3] = logit(other[rivals]), rivals
    found[..., 4] = heard & ~claims & ~rivals
    return found.reshape(len(rows), PER_SOURCE * len(sources))


def _best_other(scores: Floats, every: Floats, rows: Rows) -> Floats:
    """Of scores (n, S) of one value each in some rows of all, (N, S, V), the highest of another value, (n, S)."""
    import numpy as np

    if every.shape[2] < 2:
        return np.zeros_like(scores)
    ranked = np.partition(every, -2, axis=2)
    first, second = ranked[rows, :, -1], ranked[rows, :, -2]
    found: Floats = np.where(scores == first, second, first)
    return found


@dataclass(frozen=True, slots=True, eq=False)
class Stack:
    """The weights of the features of some sources, shape (PER_SOURCE * S,)."""

    sources: tuple[str, ...]
    weights: Floats
    offset: float

    def __call__(self, ballot: Ballot) -> Floats:
        """The probability of each value that is stated from calibrated scores, shape (N, V); 0 of the others."""
        import numpy as np

        stated = ballot.stated
        found = np.zeros(stated.shape)
        # A sum over the last axis does not depend on the other items, as a matrix product does.
        found[stated] = logistic((features(ballot, self.sources) * self.weights).sum(axis=-1) + self.offset)
        return found


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
        found = stack(ballot)
        if not ballot.attribute.many:
            found /= np.maximum(found.sum(axis=1, keepdims=True), 1.0)
        strange = ballot.of([name for name in ballot.sources if name not in stack.sources])
        return join(found, strange)
