"""Naive Bayes over calibrated sources, which also weighs what a source does not say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from character_pipeline.attribute_fusion.ballots import Ballot
from character_pipeline.attribute_fusion.calibration import Calibration, logistic, logit

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Habits:
    """What is known of one attribute with V values and S sources.

    Attributes:
        sources: their names.
        prior: how frequent each value is, and last how frequently there is none, shape (V + 1,). In a list every
            value is frequent by itself, and the last number means nothing.
        silent: how often a source that is heard does not state a value although it is true, shape (S, V + 1).
        mute: in a list, how often it does not state it while it is not true, shape (S, V); else empty.
        weight: how much of a source counts, shape (S,): sources that err together count less than 1.
    """

    sources: tuple[str, ...]
    prior: Floats
    silent: Floats
    mute: Floats
    weight: Floats

    def posterior(self, ballot: Ballot, weight: Floats | None = None) -> Floats:
        """The probability of each value from calibrated scores, shape (N, V); of a choice, what is missing to 1 is
        that of no value."""
        heard = ballot.of(self.sources)
        own = self.weight if weight is None else weight
        return self._each(heard, own) if ballot.attribute.many else self._one(heard, own)

    def _one(self, ballot: Ballot, weight: Floats) -> Floats:
        """The sources' distributions over all values and none, multiplied."""
        import numpy as np

        log_prior = np.log(self.prior)
        total = np.broadcast_to(log_prior, (len(ballot), len(log_prior))).copy()
        for place in range(len(self.sources)):
            spoke = np.asarray((ballot.scores[:, place] > 0).any(axis=1))
            total += weight[place] * np.log(self.silent[place]) * (ballot.heard[:, place] & ~spoke)[:, None]
            said = ballot.scores[spoke, place]
            left = 1.0 - said.sum(axis=1)
            free = np.concatenate([said <= 0, np.ones((len(said), 1), dtype=np.bool_)], axis=1) * self.prior
            spread = free * (np.maximum(left, 1e-4) / free.sum(axis=1))[:, None]
            spread[:, :-1] += said
            total[spoke] += weight[place] * (np.log(np.maximum(spread, 1e-9)) - log_prior)
        chances = np.exp(total - total.max(axis=1, keepdims=True))
        found: Floats = (chances / chances.sum(axis=1, keepdims=True))[:, :-1]
        return found

    def _each(self, ballot: Ballot, weight: Floats) -> Floats:
        """Each value of a list by itself."""
        import numpy as np

        base = logit(self.prior[:-1])
        total = np.broadcast_to(base, (len(ballot), len(base))).copy()
        for place in range(len(self.sources)):
            said = ballot.scores[:, place]
            quiet = np.log(self.silent[place, :-1] / self.mute[place]) * ballot.heard[:, place, None]
            total += weight[place] * np.where(said > 0, logit(said) - base, quiet)
        return logistic(total)


@dataclass(frozen=True)
class Bayesian:
    """Calibrated naive Bayes. An attribute without habits is decided by noisy-or of the calibrated probabilities."""

    calibration: Calibration = field(default_factory=Calibration)
    habits: Mapping[str, Habits] = field(default_factory=dict)
    name: str = "bayesian"
    texts_first: bool = False
    settles: bool = True

    def support(self, ballot: Ballot) -> Floats:
        return self.weigh(self.calibration.apply(ballot))

    def weigh(self, ballot: Ballot) -> Floats:
        """The support of calibrated scores."""
        import numpy as np

        known = self.habits.get(ballot.attribute.key)
        if known is None:
            return noisy_or(ballot)
        strange = ballot.of([name for name in ballot.sources if name not in known.sources])
        return join(np.where(ballot.stated, known.posterior(ballot), 0.0), strange)


def noisy_or(ballot: Ballot) -> Floats:
    """One minus the chance that all who state a value are wrong; of a choice, normalised where they exceed 1."""
    import numpy as np

    found: Floats = 1.0 - np.prod(1.0 - ballot.scores, axis=1)
    return found if ballot.attribute.many else found / np.maximum(found.sum(axis=1, keepdims=True), 1.0)


def join(chances: Floats, strange: Ballot) -> Floats:
    """Probabilities joined by what sources say that nothing is known of, which is taken at its word."""
    if not strange.sources:
        return chances
    import numpy as np

    found: Floats = 1.0 - (1.0 - chances) * np.prod(1.0 - strange.scores, axis=1)
    return found if strange.attribute.many else found / np.maximum(found.sum(axis=1, keepdims=True), 1.0)
