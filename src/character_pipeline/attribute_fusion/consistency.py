"""How the values of an attribute relate: hints yield to statements, the general to the precise, and some exclude each
other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from character_pipeline.data import STATEMENT, Evidence
from character_pipeline.vocabulary import Attribute

MANY_COLOURS = 8
"""A value that refines more values than this is a collective one, and its parts belong in the detail."""


def drop_hints(stated: Sequence[Evidence]) -> list[Evidence]:
    """The claims that count for a one-valued attribute: where values are stated, hints at other values do not."""
    top = {claim.value for claim in stated if claim.score >= STATEMENT}
    return [claim for claim in stated if claim.value in top] if top else list(stated)


def drop_refined(support: dict[str, float], attribute: Attribute) -> dict[str, float]:
    """Without the values that another one says more precisely; what they had, the precise one has at least."""
    if len(support) < 2:
        return support
    gone: set[str] = set()
    for value in support:
        if value in attribute.refines:
            gone |= attribute.refines[value]
    return support if gone.isdisjoint(support) else {value: p for value, p in support.items() if value not in gone}


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
