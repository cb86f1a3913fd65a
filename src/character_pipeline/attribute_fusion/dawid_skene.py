"""How often each source takes one value for another, learned from items of which few or none are labelled.

Dawid and Skene (1979): every source has a table of what it says where a value is true; the tables and the truth are
found in turn, each from the other. What is labelled stays as it is labelled.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from character_pipeline.attribute_fusion.ballots import Ballot
from character_pipeline.attribute_fusion.bayesian import noisy_or

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

UNHEARD = UNLABELLED = -1
ROUNDS = 100
CLOSE = 1e-6
SMOOTHING = 1.0
"""Of the Dirichlet prior of a row of a table, spread over its symbols; as much again is put on saying what is true."""


@dataclass(frozen=True, slots=True, eq=False)
class Annotators:
    """What is known of S sources that tell K classes apart by M symbols.

    Attributes:
        prior: how frequent each class is, shape (K,).
        tables: how often a source gives a symbol where a class is true, shape (S, K, M); rows add up to 1.
    """

    prior: Floats
    tables: Floats

    def posterior(self, symbols: Ints) -> Floats:
        """How probable each class is, shape (N, K).

        Args:
            symbols: what each source gave, shape (N, S); UNHEARD where it was not asked.
        """
        import numpy as np

        total = np.broadcast_to(np.log(self.prior), (len(symbols), len(self.prior))).copy()
        for source, table in enumerate(np.log(self.tables)):
            given = symbols[:, source]
            total += np.where((given == UNHEARD)[:, None], 0.0, table[:, given].T)
        chances = np.exp(total - total.max(axis=1, keepdims=True))
        found: Floats = chances / chances.sum(axis=1, keepdims=True)
        return found


def learn_annotators(symbols: Ints, classes: int, kinds: int, known: Ints | None = None) -> Annotators:
    """Tables and priors by expectation and maximisation, from what sources gave for N items.

    The first guess of the truth is the share of the votes; symbol k speaks for class k.

    Args:
        symbols: shape (N, S), in 0 ... kinds - 1, or UNHEARD.
        known: the class of each labelled item, UNLABELLED for the others, shape (N,).
    """
    import numpy as np

    labels = np.full(len(symbols), UNLABELLED) if known is None else known
    labelled = labels != UNLABELLED
    clamped = np.eye(classes)[labels[labelled]]
    one_hot = (symbols[:, :, None] == np.arange(kinds)).astype(np.float64)
    guess = one_hot.sum(axis=1)[:, :classes] + 1 / classes
    guess /= guess.sum(axis=1, keepdims=True)
    guess[labelled] = clamped
    found = _maximise(guess, one_hot)
    for _ in range(ROUNDS):
        last, guess = guess, found.posterior(symbols)
        guess[labelled] = clamped
        found = _maximise(guess, one_hot)
        if np.abs(guess - last).max(initial=0.0) < CLOSE:
            break
    return found


def _maximise(guess: Floats, one_hot: Floats) -> Annotators:
    """The most probable tables and prior, given how probable each class of each item is."""
    import numpy as np

    classes, kinds = guess.shape[1], one_hot.shape[2]
    expected = np.full((classes, kinds), SMOOTHING / kinds)
    expected[np.arange(classes), np.arange(classes)] += SMOOTHING
    counts = np.einsum("nk,nsm->skm", guess, one_hot, optimize=True) + expected
    prior = guess.sum(axis=0) + 1.0
    return Annotators(prior / prior.sum(), counts / counts.sum(axis=2, keepdims=True))


def symbols_of(ballot: Ballot) -> Ints:
    """Of a choice the value that each source finds most probable, or the number of values for its silence, shape
    (N, S); of a list 0 where it states a value, else 1, shape (N, S, V). UNHEARD where it had nothing to say at all."""
    import numpy as np

    if ballot.attribute.many:
        stated = np.where(ballot.scores > 0, 0, 1)
        return np.where(ballot.heard[:, :, None], stated, UNHEARD)
    spoke = ballot.scores.max(axis=2, initial=0.0) > 0
    top = np.where(spoke, ballot.scores.argmax(axis=2), ballot.scores.shape[2])
    return np.where(ballot.heard | spoke, top, UNHEARD)


@dataclass(frozen=True, slots=True, eq=False)
class Tables:
    """What is known of the sources of one attribute: of a choice one set of tables, of a list one a value."""

    sources: tuple[str, ...]
    annotators: tuple[Annotators, ...]

    def posterior(self, ballot: Ballot) -> Floats:
        """The probability of each value, shape (N, V)."""
        import numpy as np

        symbols = symbols_of(ballot.of(self.sources))
        if not ballot.attribute.many:
            return self.annotators[0].posterior(symbols)[:, :-1]
        columns = [one.posterior(symbols[:, :, place])[:, 0] for place, one in enumerate(self.annotators)]
        return np.stack(columns, axis=1)


def learn_tables(ballot: Ballot, known: Ints | None = None) -> Tables:
    """The tables of one attribute.

    Args:
        known: of a choice the place of the true value, or the number of values for none, shape (N,); of a list 1 or 0
            for each value, shape (N, V). UNLABELLED where it is not known.
    """
    import numpy as np

    symbols, values = symbols_of(ballot), len(ballot.attribute.values)
    if not ballot.attribute.many:
        return Tables(ballot.sources, (learn_annotators(symbols, values + 1, values + 1, known),))
    # A value that is true is class 0, as a source that states it gives symbol 0.
    labels = np.full((len(ballot), values), UNLABELLED) if known is None else np.where(known >= 0, 1 - known, known)
    return Tables(
        ballot.sources,
        tuple(learn_annotators(symbols[:, :, place], 2, 2, labels[:, place]) for place in range(values)),
    )


@dataclass(frozen=True)
class DawidSkene:
    """A strategy of tables, by attribute. How sure a source is does not count, only what it says; an attribute without
    tables is decided by noisy-or."""

    tables: Mapping[str, Tables] = field(default_factory=dict)
    name: str = "dawid_skene"
    texts_first: bool = False
    settles: bool = True

    def support(self, ballot: Ballot) -> Floats:
        import numpy as np

        known = self.tables.get(ballot.attribute.key)
        return np.where(ballot.stated, noisy_or(ballot) if known is None else known.posterior(ballot), 0.0)
