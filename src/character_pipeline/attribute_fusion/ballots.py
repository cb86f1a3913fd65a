"""What all sources say of one attribute of many items, as arrays: what strategies work on."""

from __future__ import annotations

from collections.abc import Collection, Sequence, Set
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

from character_pipeline.data import Evidence
from character_pipeline.vocabulary import Attribute

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Flags = NDArray[np.bool_]
    Rows = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Ballot:
    """What S sources say of the V values of one attribute, for N items.

    Attributes:
        sources: the names of the extractors, in alphabetical order.
        scores: the strongest score with which a source says that a value is right, shape (N, S, V); 0 where it does
            not say so.
        heard: whether a source had anything to say of the item at all, shape (N, S); then its silence means something.
        lookers: those of all extractors that look at pictures.
    """

    attribute: Attribute
    sources: tuple[str, ...]
    scores: Floats
    heard: Flags
    lookers: Set[str] = frozenset()

    def __len__(self) -> int:
        return len(self.scores)

    @property
    def stated(self) -> Flags:
        """Whether any source says that a value is right, shape (N, V)."""
        import numpy as np

        found = np.zeros((self.scores.shape[0], self.scores.shape[2]), dtype=np.bool_)
        for place in range(len(self.sources)):
            found |= self.scores[:, place] > 0
        return found

    @property
    def told(self) -> Flags:
        """Whether any source states any value, shape (N,)."""
        import numpy as np

        return np.asarray(self.stated.any(axis=1))

    def take(self, rows: Rows | Flags) -> Self:
        """Some of the items."""
        return replace(self, scores=self.scores[rows], heard=self.heard[rows])

    def of(self, sources: Sequence[str]) -> Self:
        """As said by these sources, in this order; one that is not among those of the ballot said nothing."""
        import numpy as np

        scores = np.zeros((len(self.scores), len(sources), self.scores.shape[2]))
        heard = np.zeros((len(self.scores), len(sources)), dtype=np.bool_)
        for place, name in enumerate(sources):
            if name in self.sources:
                scores[:, place] = self.scores[:, self.sources.index(name)]
                heard[:, place] = self.heard[:, self.sources.index(name)]
        return replace(self, sources=tuple(sources), scores=scores, heard=heard)


def cast_ballot(
    attribute: Attribute,
    claims: Sequence[Sequence[Evidence]],
    heard: Sequence[Collection[str]] | None = None,
    lookers: Set[str] = frozenset(),
) -> Ballot:
    """The ballot of the claims on an attribute, some for each item. Only what says that a value is right counts.

    Args:
        heard: for each item the sources that had anything to say of it; by default those that claim something here.
    """
    import numpy as np

    stated = [[claim for claim in some if claim.stance == "is" and claim.value in attribute.order] for some in claims]
    heard = [{claim.extractor for claim in some} for some in claims] if heard is None else heard
    sources = tuple(sorted({name for some in heard for name in some} | {c.extractor for some in stated for c in some}))
    place = {name: number for number, name in enumerate(sources)}
    scores = np.zeros((len(claims), len(sources), len(attribute.values)))
    spoke = np.zeros((len(claims), len(sources)), dtype=np.bool_)
    for row, (some, names) in enumerate(zip(stated, heard, strict=True)):
        spoke[row, [place[name] for name in names]] = True
        for claim in some:
            at = row, place[claim.extractor], attribute.order[claim.value]
            scores[at] = max(scores[at], claim.score)
    return Ballot(attribute, sources, scores, spoke, lookers)
