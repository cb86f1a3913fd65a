"""The gates before any description: does the picture show anything, is it safe to handle, and is it one character?"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Set
from dataclasses import dataclass
from functools import lru_cache

from character_pipeline.data import EMPTY, STATEMENT, Evidence, People

COUNT = re.compile(r"(\w+)=(\d+)")
FOCUS = "focus"
OVERRULING = 0.97
"""A picture's count is heard beside one that a text states only if it is as likely right as this."""


@dataclass(frozen=True, slots=True)
class Gate:
    """What a gate found, and the evidence for it."""

    people: People
    evidence: tuple[Evidence, ...]


def heed_emptiness(claims: dict[str, list[Evidence]], lookers: Set[str]) -> dict[str, list[Evidence]]:
    """The claims that count: where one says that the picture shows nothing, none of what was seen in it does.

    Args:
        lookers: the extractors that look at pictures.
    """
    if EMPTY not in claims:
        return claims
    kept = {
        key: found if key == EMPTY else [claim for claim in found if claim.extractor not in lookers]
        for key, found in claims.items()
    }
    return {key: found for key, found in kept.items() if found}


def is_quarantined(claims: Iterable[Evidence]) -> bool:
    """Whether claims on safety pair minor-coded with sexual content, one of them stated and not only hinted at."""
    found = [claim for claim in claims if claim.stance == "is"]
    both = {"minor", "sexual"} <= {claim.value for claim in found}
    return both and any(claim.score >= STATEMENT for claim in found)


@lru_cache(maxsize=4096)
def count_people(claims: tuple[Evidence, ...], describe_focus: bool = False, lookers: Set[str] = frozenset()) -> Gate:
    """How many characters the claims on people make. Groups of one source add up ("1girl" and "1boy" are two);
    sources do not.

    Args:
        lookers: the extractors that look at pictures. What they only hint at does not count.
    """
    claims = _heard(tuple(claim for claim in claims if claim.stance == "is"), lookers)
    stated = tuple(claim for claim in claims if claim.score >= STATEMENT) or claims
    values = {claim.value for claim in stated}
    if FOCUS in values and describe_focus:
        return Gate("single", claims)
    if values & {"multiple", FOCUS} or _most_counted(stated) > 1:
        return Gate("multiple", claims)
    if "single" in values:
        return Gate("single", claims)
    return Gate("none" if "none" in values else "unknown", claims)


def _heard(claims: tuple[Evidence, ...], lookers: Set[str]) -> tuple[Evidence, ...]:
    """All claims of texts; those of pictures that state a number, or are very sure where a text states one."""
    told = any(claim.score >= STATEMENT and claim.extractor not in lookers for claim in claims)
    least = OVERRULING if told else STATEMENT
    return tuple(claim for claim in claims if claim.extractor not in lookers or claim.score >= least)


def _most_counted(claims: Iterable[Evidence]) -> int:
    """The largest count that any one source arrives at."""
    counts: dict[str, dict[str, int]] = defaultdict(dict)
    for claim in claims:
        stated = COUNT.match(claim.detail or "")
        if stated:
            groups = counts[claim.source]
            groups[stated[1]] = max(groups.get(stated[1], 0), int(stated[2]))
    return max((sum(groups.values()) for groups in counts.values()), default=0)
