"""How the values of an attribute relate: hints yield to statements, the general to the precise, and some exclude each
other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from typing import TYPE_CHECKING

from character_pipeline.data import STATEMENT, Evidence, State
from character_pipeline.vocabulary import Attribute

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

LIKELY = 0.5
"""A list holds only values that are more likely right than wrong, whatever lower threshold is set."""
MANY_COLOURS = 8
"""A value that refines more values than this is a collective one, and its parts belong in the detail."""

UNSEEN: Mapping[tuple[str, str], tuple[State, tuple[str, ...]]] = {
    ("hair_style", "Bald"): ("not_applicable", ("hair_color", "hair_length")),
    ("accessories", "Hijab"): ("not_visible", ("hair_color", "hair_length", "hair_style")),
}
"""Where this value is known, pictures are not believed on those attributes: they took something else for hair."""


def heed_texts(claims: Sequence[Evidence], attribute: Attribute, lookers: Set[str]) -> Sequence[Evidence]:
    """The claims that count: those of texts, and those of pictures that do not contradict them.

    Whoever wrote the text knew the character; a picture adds what the text leaves out, and agrees with what it says.

    Args:
        lookers: the extractors that look at pictures.
    """
    texts = [claim for claim in claims if claim.extractor not in lookers]
    if not texts or len(texts) == len(claims):
        return claims
    stated = {claim.value for claim in texts if claim.stance == "is" and claim.score >= STATEMENT}
    nothing_there = [claim for claim in texts if claim.stance in {"hidden", "absent"} or is_denial(claim)]
    if nothing_there and (not stated or any(claim.score >= STATEMENT for claim in nothing_there)):
        return texts
    denied = {claim.value for claim in texts if claim.stance == "not"}
    said = stated or {claim.value for claim in texts if claim.stance == "is"}
    return [c for c in claims if c.extractor not in lookers or _agrees(c, attribute, said, denied, bool(stated))]


def heed_states(claims: Sequence[Evidence], attribute: Attribute, lookers: Set[str]) -> Sequence[Evidence]:
    """The claims that count where all sources are weighed: not those of pictures that there is nothing to see or to
    describe, of what a text describes."""
    if any(claim.stance == "is" and claim.extractor not in lookers for claim in claims):
        return [claim for claim in claims if claim.stance == "is" or claim.extractor not in lookers]
    return claims


def is_denial(claim: Evidence) -> bool:
    """Whether it says that there is nothing at all."""
    return claim.stance == "not" and not claim.value


def _agrees(seen: Evidence, attribute: Attribute, said: Set[str], denied: Set[str], stated: bool) -> bool:
    """Whether what a picture claims goes with what texts say and deny."""
    if seen.stance != "is":
        return not said or (seen.stance == "hidden" and not stated)
    if seen.value in said or not said:
        return seen.value not in denied
    if attribute.many:
        excluded = any(seen.value in group and group & said for group in attribute.exclusive)
        # What is more precise takes the place of what the text says, so a hint at it is not enough.
        replaces = bool(attribute.refines.get(seen.value, frozenset()) & said) and seen.score < STATEMENT
        return seen.value not in denied and not excluded and not replaces
    return not stated and seen.score >= STATEMENT and seen.value not in denied


def drop_hints(stated: Sequence[Evidence]) -> list[Evidence]:
    """The claims that count for a one-valued attribute: where values are stated, hints at other values do not."""
    top = {claim.value for claim in stated if claim.score >= STATEMENT}
    return [claim for claim in stated if claim.value in top] if top else list(stated)


def drop_refined(support: dict[str, float], attribute: Attribute) -> dict[str, float]:
    """Without the values that another one says more precisely; what they had, the precise one has at least."""
    if len(support) < 2:
        return support
    gone: set[str] = set()
    for value, p in support.items():
        if value in attribute.refines:
            general = attribute.refines[value] & support.keys()
            gone |= general if p >= LIKELY else {other for other in general if support[other] <= p}
    return {value: p for value, p in support.items() if value not in gone} if gone else support


def settle_lists(chances: Floats, attribute: Attribute) -> Floats:
    """Probabilities (..., V) of a list without values that a likely one says more precisely, and without likely ones
    that exclude each other; of a choice, as they are."""
    if not attribute.many:
        return chances
    import numpy as np

    found = chances.copy()
    for value, general in attribute.refines.items():
        precise = found[..., attribute.order[value]] >= LIKELY
        for other in sorted(general):
            place = attribute.order[other]
            found[..., place] = np.where(precise, 0.0, found[..., place])
    for group in attribute.exclusive:
        places = [attribute.order[value] for value in group]
        together = (found[..., places] >= LIKELY).sum(axis=-1) > 1
        found[..., places] = np.where(together[..., None], 0.0, found[..., places])
    return found


def find_conflict(support: Mapping[str, float], attribute: Attribute) -> set[str]:
    """The values that exclude each other and are all stated."""
    found: set[str] = set()
    for group in attribute.exclusive:
        together = group & support.keys()
        if len(together) > 1:
            found |= together
    return found


def join_details(stated: Sequence[Evidence], value: str | None, attribute: Attribute) -> str | None:
    """What the claims say beyond their values: of a list all of it, of one value that of the claims that agree with
    it and of the hints. Where a value stands for several (multicolored hair), those too."""
    if len(stated) == 1:
        return stated[0].detail
    parts: dict[str, None] = {}
    refined = attribute.refines.get(value or "", frozenset())
    for claim in stated:
        agrees = value is None or claim.value == value or claim.value in refined or claim.score < STATEMENT
        if agrees and claim.detail:
            parts.setdefault(claim.detail)
        elif claim.value in refined and len(refined) > MANY_COLOURS:
            parts.setdefault(claim.value.lower())
    return ", ".join(parts) or None
