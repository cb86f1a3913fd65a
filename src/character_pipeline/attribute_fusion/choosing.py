"""What a strategy is asked about an attribute of one item, and what is decided by its answer."""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import dataclass
from typing import NamedTuple

from character_pipeline.attribute_fusion.consistency import (
    LIKELY,
    drop_hints,
    drop_refined,
    find_conflict,
    heed_states,
    heed_texts,
    is_denial,
    join_details,
)
from character_pipeline.attribute_fusion.precision import mean_of
from character_pipeline.attribute_fusion.strategies import Strategy, compete, contradict, rank, strongest
from character_pipeline.data import STATEMENT, AttributeValue, Evidence, State
from character_pipeline.vocabulary import Attribute

RIVAL = 0.2
"""A second value with this much of the probability makes a contradiction of a decision."""


class Open(NamedTuple):
    """Claims on an attribute that leave it to the strategy what is right."""

    stated: Sequence[Evidence]
    denied: Set[str]
    claims: tuple[Evidence, ...]


@dataclass(frozen=True)
class Chooser:
    """The rules around a strategy.

    Attributes:
        lookers: the extractors that look at pictures.
        threshold: the probability from which a value is said; in a list, and where nothing but a picture speaks, a
            value must also be more likely right than wrong.
    """

    strategy: Strategy
    lookers: Set[str]
    threshold: float

    @property
    def least_likely(self) -> float:
        return max(self.threshold, LIKELY)

    def answer(
        self, attribute: Attribute, left: Open, chances: Sequence[float], least: float | None = None
    ) -> AttributeValue:
        """What is decided by the probabilities of the values.

        Args:
            least: the probability from which a value is said, where it is not that of the settings.
        """
        support = {value: p for value, p in zip(attribute.values, chances, strict=True) if p > 0}
        choose = self._choose_many if attribute.many else self._choose_one
        return choose(attribute, drop_refined(support, attribute), left, least)

    def close(self, attribute: Attribute, claims: tuple[Evidence, ...]) -> AttributeValue | Open:
        """Where there is nothing to see or to describe, that; else the claims that count."""
        heed = heed_texts if self.strategy.texts_first else heed_states
        counted = heed(claims, attribute, self.lookers) if self.lookers else claims
        stated = [claim for claim in counted if claim.stance == "is"]
        hidden = [claim for claim in counted if claim.stance == "hidden"]
        absent = [claim for claim in counted if claim.stance == "absent" or is_denial(claim)]
        if hidden and (not stated or strongest(hidden) >= STATEMENT):
            return AttributeValue("not_visible", (), strongest(hidden), None, (), claims, attribute.listed)
        if absent and not stated:
            return AttributeValue("not_applicable", (), strongest(absent), None, (), claims, attribute.listed)
        if absent:
            return AttributeValue("conflicting", (), 0.0, None, (), claims, attribute.listed)
        denied = frozenset(claim.value for claim in counted if claim.stance == "not")
        return Open(stated, denied, claims)

    def heard(self, attribute: Attribute, stated: Sequence[Evidence]) -> Sequence[Evidence]:
        """The claims that the strategy weighs."""
        if attribute.many:
            return stated
        if not self.strategy.settles:
            return drop_hints(stated)
        texts = [claim for claim in stated if claim.extractor not in self.lookers]
        return [*drop_hints(texts), *(claim for claim in stated if claim.extractor in self.lookers)]

    def _choose_one(
        self, attribute: Attribute, support: dict[str, float], left: Open, least: float | None
    ) -> AttributeValue:
        stated, denied, claims = left
        if not support:
            return AttributeValue(evidence=claims)
        ranked = support if len(support) == 1 else rank(support) if self.strategy.settles else compete(support)
        (value, confidence), *others = ranked.items()
        rivals = any(p >= RIVAL for _, p in others) and not self.strategy.settles
        if value in denied or (rivals and support[value] >= STATEMENT):
            return AttributeValue("conflicting", (), 0.0, None, tuple(ranked.items()), claims)
        seen = all(claim.extractor in self.lookers for claim in stated)
        usual = self.least_likely if seen or self.strategy.settles else self.threshold
        needed = usual if least is None else max(least, self.threshold)
        if rivals or confidence < needed:
            state: State = "conflicting" if contradict(stated) and self.strategy.settles else "unknown"
            return AttributeValue(state, (), 0.0, None, tuple(ranked.items()), claims)
        detail = join_details(stated, value, attribute)
        return AttributeValue("known", (value,), confidence, detail, tuple(others), claims)

    def _choose_many(
        self, attribute: Attribute, support: dict[str, float], left: Open, least: float | None
    ) -> AttributeValue:
        stated, denied, claims = left
        likely = {value: p for value, p in support.items() if p >= LIKELY}
        conflict = find_conflict(likely, attribute) | (denied & support.keys())
        needed = self.least_likely if least is None else max(least, self.threshold)
        kept = {v: p for v, p in support.items() if p >= needed and v not in conflict}
        others = [pair for pair in support.items() if pair[0] not in kept] if len(kept) < len(support) else []
        offered = tuple(sorted(others, key=lambda pair: (-pair[1], pair[0])))
        if not kept:
            state: State = "conflicting" if conflict else "unknown"
            return AttributeValue(state, (), 0.0, None, offered, claims, attribute.listed)
        values = tuple(sorted(kept, key=attribute.order.__getitem__))
        confidence = mean_of(values, kept, attribute.listed)
        detail = join_details(stated, None, attribute)
        return AttributeValue("known", values, confidence, detail, offered, claims, attribute.listed)
