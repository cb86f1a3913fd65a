"""Two databases of the same items beside each other: where they agree, and by the truth which of them is right more
often, attribute by attribute."""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from character_pipeline.data import AttributeValue, ExtractionResult
from character_pipeline.database.queries import Filter, results_by_id
from character_pipeline.database.store import Store
from character_pipeline.evaluation.contest.standings import holm
from character_pipeline.evaluation.metrics import Interval, bootstrap, ratio, share_of_sums, wilson
from character_pipeline.evaluation.truth import true_values

ALL = "all"


@dataclass(frozen=True, slots=True)
class Judged:
    """Which side is right more often at an attribute, over the items whose truth is known. No answer is right where
    there is nothing to say; a list is right when it is all that is true and nothing else.

    Attributes:
        difference: the accuracy of the second less that of the first.
        interval: 95 % of that, paired, by resampling characters.
        only_first, only_second: items that one side alone has right.
        chance: two-sided, of these being as unequal where no side is better (McNemar, exact); None for all together,
            where items count several times.
        corrected: that for the number of attributes (Holm, 1979).
    """

    items: int
    first: float
    second: float
    difference: float
    interval: Interval
    only_first: int
    only_second: int
    chance: float | None
    corrected: float | None


@dataclass(frozen=True, slots=True)
class Beside:
    """Both sides at one attribute.

    Attributes:
        same: items of which both say the same, with its 95 % interval as a share.
        first_known, second_known: items that have a value.
        first_sure, second_sure: the mean confidence of these; NaN where there are none.
        judged: by the truth; None without.
    """

    attribute: str
    items: int
    same: int
    interval: Interval
    first_known: int
    second_known: int
    first_sure: float
    second_sure: float
    judged: Judged | None = None


@dataclass(frozen=True, slots=True)
class Apart:
    """An item of which the sides say different things: by attribute what each says."""

    item_id: str
    differences: dict[str, tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two sides beside each other.

    Attributes:
        items: those that both have and neither keeps in quarantine.
        labelled: of these, the ones whose truth is known.
        together: all attributes of the labelled items.
        apart: the items where they differ most, the most first.
    """

    first: str
    second: str
    items: int
    labelled: int
    attributes: list[Beside]
    together: Judged | None
    apart: list[Apart]


@dataclass(slots=True)
class _Count:
    items: int = 0
    same: int = 0
    known: list[int] = field(default_factory=lambda: [0, 0])
    sure: list[float] = field(default_factory=lambda: [0.0, 0.0])
    right: list[tuple[bool, bool]] = field(default_factory=list)
    groups: list[int] = field(default_factory=list)

    def add(self, pair: Sequence[AttributeValue]) -> None:
        self.items += 1
        self.same += said(pair[0]) == said(pair[1])
        for place, decided in enumerate(pair):
            self.known[place] += decided.state == "known"
            self.sure[place] += decided.confidence if decided.state == "known" else 0.0


Pair = tuple[ExtractionResult, ExtractionResult]


class _Tables:
    """What is counted of the pairs, one after the other."""

    def __init__(self, truths: Iterable[Mapping[str, Any]], most: int) -> None:
        self.lines = {str(line["item_id"]): line for line in truths if line.get("people", "single") == "single"}
        self.most = most
        self.items = self.labelled = 0
        self.counts: dict[str, _Count] = {}
        self.apart: list[tuple[int, float, int, Apart]] = []
        self._groups: dict[str, int] = {}

    def add(self, pair: Pair) -> None:
        self.items += 1
        line = self.lines.get(pair[0].item_id)
        self.labelled += line is not None
        for label in _labels(pair):
            count = self.counts.setdefault(label, _Count())
            values = [one.attributes.attributes[label] for one in pair]
            count.add(values)
            true = None if line is None else true_values(line, label)
            if line is not None and true is not None:
                count.right.append((_right(values[0], true), _right(values[1], true)))
                count.groups.append(self._group(line))
        self._note(pair)

    def _group(self, line: Mapping[str, Any]) -> int:
        """A number for each character; an item whose truth names none is a group of its own."""
        name = str(line.get("character") or f"\0{line['item_id']}")
        return self._groups.setdefault(name, len(self._groups))

    def _note(self, pair: Pair) -> None:
        """Keep an item where they differ at more attributes, or, of equally many, more surely."""
        first, second = (one.attributes.attributes for one in pair)
        labels = [label for label in _labels(pair) if said(first[label]) != said(second[label])]
        if labels and self.most:
            sure = sum(first[label].confidence + second[label].confidence for label in labels)
            found = Apart(pair[0].item_id, {label: (said(first[label]), said(second[label])) for label in labels})
            push = heapq.heappush if len(self.apart) < self.most else heapq.heappushpop
            push(self.apart, (len(labels), sure, -self.items, found))


def compare_sides(
    names: tuple[str, str], stores: tuple[Store, Store], truths: Iterable[Mapping[str, Any]] = (), most: int = 10
) -> Comparison:
    """Compare what two databases say of the items that both have. Memory grows with the labelled items alone.

    Args:
        truths: lines of truth, see truth.py; only those of one character count.
        most: items that are shown where the sides differ.
    """
    tables = _Tables(truths, most)
    for pair in _pairs(*stores):
        tables.add(pair)
    shown = [one for *_, one in sorted(tables.apart, key=lambda entry: entry[:3], reverse=True)]
    attributes = _corrected([_beside(label, count) for label, count in tables.counts.items()])
    return Comparison(*names, tables.items, tables.labelled, attributes, _together(tables.counts), shown)


def _pairs(first: Store, second: Store) -> Iterator[Pair]:
    """The items of both, in the order of their ids."""
    others = results_by_id(second, Filter())
    other = next(others, None)
    for result in results_by_id(first, Filter()):
        while other is not None and other.item_id < result.item_id:
            other = next(others, None)
        if other is not None and other.item_id == result.item_id:
            yield result, other


def _labels(pair: Pair) -> list[str]:
    return [label for label in pair[0].attributes.attributes if label in pair[1].attributes.attributes]


def said(decided: AttributeValue) -> str:
    """What a side says: values, or the state in their stead."""
    return ", ".join(sorted(decided.values)) if decided.state == "known" else decided.state


def _right(decided: AttributeValue, true: set[str]) -> bool:
    return (set(decided.values) if decided.state == "known" else set()) == true


def _beside(label: str, count: _Count) -> Beside:
    first, second = (ratio(total, known) for total, known in zip(count.sure, count.known, strict=True))
    judged = _judge(count.right, count.groups, exact=True) if count.right else None
    same = wilson(count.same, count.items)
    return Beside(label, count.items, count.same, same, count.known[0], count.known[1], first, second, judged)


def _together(counts: Mapping[str, _Count]) -> Judged | None:
    right = [pair for count in counts.values() for pair in count.right]
    groups = [group for count in counts.values() for group in count.groups]
    return _judge(right, groups, exact=False) if right else None


def _judge(right: Sequence[tuple[bool, bool]], groups: Sequence[int], exact: bool) -> Judged:
    table = np.array(right, dtype=np.int64)
    apart = table[:, 1] - table[:, 0]
    ones = np.ones_like(apart)
    interval = bootstrap(np.stack([apart, ones], axis=1), np.array(groups, dtype=np.int64), share_of_sums)
    only_first, only_second = int((apart < 0).sum()), int((apart > 0).sum())
    first, second = (float(share) for share in table.mean(axis=0))
    chance = mcnemar(only_first, only_second) if exact else None
    return Judged(len(table), first, second, float(apart.mean()), interval, only_first, only_second, chance, chance)


def mcnemar(only_first: int, only_second: int) -> float:
    """The two-sided chance of so unequal a split of the pairs that differ (McNemar, 1947; exact binomial)."""
    n = only_first + only_second
    logs = (
        math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1) - n * math.log(2)
        for k in range(min(only_first, only_second) + 1)
    )
    return min(1.0, 2 * math.fsum(math.exp(one) for one in logs))


def _corrected(found: Sequence[Beside]) -> list[Beside]:
    chances = {one.attribute: one.judged.chance for one in found if one.judged and one.judged.chance is not None}
    corrected = holm(chances)
    return [
        replace(one, judged=replace(one.judged, corrected=corrected[one.attribute])) if one.judged else one
        for one in found
    ]
