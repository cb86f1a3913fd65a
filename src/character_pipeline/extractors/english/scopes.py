"""How far a word of denial, doubt or comparison reaches."""

from __future__ import annotations

from collections.abc import Sequence

from character_pipeline.extractors.english.units import Unit

_REACH = 30
_CUTS = frozenset({"stop", "but", "with", "wear", "have", "she", "he", "who", "hold", "carry", "negation", "colon"})
_NAMED = frozenset({"claim", "person", "skip", "creature"})


def denied_until(units: Sequence[Unit], index: int) -> int:
    """The index of the first unit that a denial at `index` no longer reaches."""
    last = min(len(units), index + _REACH)
    position = index + 1
    if position < last and units[position].kind in {"wear", "have", "hold", "carry", "be", "seem"}:
        position += 1
    while position < last:
        kind = units[position].kind
        if kind in _CUTS:
            return position
        if kind == "comma" and not _listed(units, position, last):
            return position
        if kind == "and" and not _same(units, position, last):
            return position
        position += 1
    return position


def _listed(units: Sequence[Unit], comma: int, last: int) -> bool:
    """Whether a comma stands in a list that an "or" will end: "no hat, gloves, or scarf"."""
    for position in range(comma + 1, last):
        kind = units[position].kind
        if kind == "or":
            return True
        if kind in _CUTS or kind in {"and", "be", "near", "in"}:
            return False
    return False


def _same(units: Sequence[Unit], position: int, last: int) -> bool:
    """Whether "and" joins two bare nouns under one denial: "no scars and tattoos"."""
    if position + 1 >= last:
        return False
    after = units[position + 1]
    if after.kind == "or":
        return True
    return after.kind == "claim" and any(claim.kind == "noun" for claim in after.entry.claims)


def doubted_until(units: Sequence[Unit], index: int) -> int:
    """The index of the first unit that a word of doubt at `index` no longer reaches."""
    last = min(len(units), index + _REACH)
    for position in range(index + 1, last):
        kind = units[position].kind
        if kind in {"stop", "but", "comma"} or (kind == "and" and _starts_clause(units, position + 1, last)):
            return position
    return last


def _starts_clause(units: Sequence[Unit], position: int, last: int) -> bool:
    return position < last and units[position].kind in {"she", "he", "wear", "have", "be", "but"}


def compared_until(units: Sequence[Unit], index: int) -> int:
    """The index of the first unit that a comparison at `index` no longer reaches."""
    last = min(len(units), index + _REACH)
    for position in range(index + 1, last):
        if units[position].kind in {
            "stop",
            "but",
            "comma",
            "and",
            "or",
            "with",
            "wear",
            "she",
            "he",
            "who",
            "be",
            "have",
        }:
            return position
    return last
