"""Pairs into clusters, and which member stands for each."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Candidate:
    """What speaks for an item among its copies.

    Attributes:
        status: its place in STATUSES, the best first.
        sharpness: 0 where it was not measured.
    """

    item: int
    item_id: str
    status: int
    pixels: int
    sharpness: float


def best(members: Iterable[Candidate]) -> Candidate:
    """The one that is described best, then the largest, then the sharpest; of equals the first by its id."""
    return min(members, key=lambda one: (one.status, -one.pixels, -one.sharpness, one.item_id))


def unite(count: int, pairs: Iterable[tuple[int, int]]) -> list[list[int]]:
    """The groups of two or more that pairs make of so many places, each rising, by their first."""
    parent = list(range(count))
    for pair in pairs:
        first, second = sorted(_root(parent, place) for place in pair)
        parent[second] = first
    groups: dict[int, list[int]] = {}
    for place in range(count):
        groups.setdefault(_root(parent, place), []).append(place)
    return [group for group in groups.values() if len(group) > 1]


def _root(parent: list[int], place: int) -> int:
    while parent[place] != place:
        parent[place] = parent[parent[place]]
        place = parent[place]
    return place
