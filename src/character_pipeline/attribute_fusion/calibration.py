"""From the scores of sources to probabilities: one curve for each source and attribute, fitted on labelled items."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from character_pipeline.attribute_fusion.ballots import Ballot

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

ANY = "*"
"""Stands for every attribute that has no curve of its own."""
EDGE = 1e-4
"""No probability is nearer to 0 or 1: the logits stay finite."""


def logit(chances: Floats) -> Floats:
    """The logarithm of the odds; of probabilities near 0 and 1, that at EDGE."""
    import numpy as np

    inner = np.clip(chances, EDGE, 1 - EDGE)
    found: Floats = np.log(inner / (1 - inner))
    return found


def logistic(logits: Floats) -> Floats:
    """From logits to probabilities."""
    import numpy as np

    found: Floats = 1 / (1 + np.exp(-np.clip(logits, -50, 50)))
    return found


@dataclass(frozen=True, slots=True)
class Curve:
    """A rising function from scores to probabilities.

    With `slope` and `offset`, of logits (Platt, 1999; temperature scaling where the offset is 0: Guo et al., 2017);
    with `scores` and `chances`, the line through these points (isotonic regression: Zadrozny and Elkan, 2002).
    """

    slope: float = 1.0
    offset: float = 0.0
    scores: tuple[float, ...] = ()
    chances: tuple[float, ...] = ()

    def __call__(self, scores: Floats) -> Floats:
        """Of any shape. A score of 0 is no claim and stays 0."""
        import numpy as np

        if self.scores:
            found = np.interp(scores, self.scores, self.chances)
        else:
            found = logistic(self.slope * logit(scores) + self.offset)
        kept: Floats = np.where(scores > 0, np.clip(found, EDGE, 1 - EDGE), 0.0)
        return kept


@dataclass(frozen=True)
class Calibration:
    """The curves, by source and by attribute or ANY. Scores of a source that has none are probabilities already."""

    curves: Mapping[str, Mapping[str, Curve]] = field(default_factory=dict)

    def curve(self, source: str, attribute: str) -> Curve | None:
        """What holds for a source and an attribute."""
        own = self.curves.get(source, {})
        return own.get(attribute, own.get(ANY))

    def apply(self, ballot: Ballot) -> Ballot:
        """The ballot with probabilities for scores. Of values that exclude each other, one source's add up to at most
        1."""
        import numpy as np

        scores = ballot.scores.copy()
        for place, source in enumerate(ballot.sources):
            curve = self.curve(source, ballot.attribute.key)
            if curve is not None:
                claims = scores[:, place] > 0
                scores[:, place][claims] = curve(scores[:, place][claims])
        if not ballot.attribute.many:
            scores /= np.maximum(scores.sum(axis=2, keepdims=True), 1.0)
        return replace(ballot, scores=scores)
