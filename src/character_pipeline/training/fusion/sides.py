"""Texts and pictures as two sides that are asked about each other, where there are no labels."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from character_pipeline.attribute_fusion.ballots import Ballot

Floats = NDArray[np.float64]

SURE = 0.9
"""The score from which on a picture is taken to be right."""
LEAST_SURE = 50
"""Sure pictures beside texts, below which nothing is learned of an attribute."""
ECHO = 0.5
"""What a second source that looks at the same picture counts: both err together."""
PRIOR_CASES = 4.0
"""As many cases of the usual are added to those of a value: rare ones are taken to be left unsaid as often as any."""
DIGITS = 6


def sides(ballot: Ballot) -> tuple[list[str], list[str]]:
    """The sources that read, and those that look."""
    looking = [name for name in ballot.sources if name in ballot.lookers]
    return [name for name in ballot.sources if name not in ballot.lookers], looking


def echoes(ballot: Ballot) -> Floats:
    """What each source counts, (S,): texts whole, and so the picture source that speaks most often; the others are its
    echo."""
    _, looking = sides(ballot)
    spoken = {name: int(ballot.of([name]).told.sum()) for name in looking}
    first = max(looking, key=lambda name: spoken[name])
    return np.array([ECHO if name in spoken and name != first else 1.0 for name in ballot.sources])


def rounded(shares: Floats) -> Floats:
    """As files keep them, never 0 or 1."""
    found: Floats = np.clip(shares, 10.0**-DIGITS, 1 - 10.0**-DIGITS).round(DIGITS)
    return found
