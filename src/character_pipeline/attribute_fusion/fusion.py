"""Decides the attributes of one item from all evidence on it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from functools import lru_cache
from operator import attrgetter

from character_pipeline.attribute_fusion.consistency import (
    LIKELY,
    UNSEEN,
    drop_hints,
    drop_refined,
    find_conflict,
    heed_texts,
    is_denial,
    join_details,
)
from character_pipeline.attribute_fusion.strategies import Strategy, compete, find_strategy, strongest
from character_pipeline.config import AttributeFusionConfig
from character_pipeline.data import STATEMENT, AttributeValue, Claims, Evidence, State
from character_pipeline.vocabulary import Attribute, Vocabulary

ORIGIN = attrgetter("origin")
RIVAL = 0.2
"""A second value with this much of the probability makes a contradiction of a decision."""
CACHED_DECISIONS = 16_384


class Fuser:
    """Fuses evidence by one strategy. The same claims always give the same decision.

    Args:
        lookers: the extractors that look at pictures; texts go before them.
    """

    def __init__(
        self,
        vocabulary: Vocabulary,
        config: AttributeFusionConfig | None = None,
        strategies: Mapping[str, Strategy] | None = None,
        lookers: Set[str] = frozenset(),
    ) -> None:
        config = config or AttributeFusionConfig()
        self.vocabulary = vocabulary
        self.lookers = lookers
        self.threshold = config.confidence_threshold
        # In a list, and where nothing but a picture speaks, a value must be more likely right than wrong.
        self.least_likely = max(config.confidence_threshold, LIKELY)
        name = config.fusion_strategy
        self.strategy = find_strategy(name) if strategies is None else find_strategy(name, strategies)
        self.nothing = {a.label: AttributeValue(listed=a.listed) for a in vocabulary.attributes.values()}
        # Claims of text are shared objects, so most items ask for decisions that were made before.
        self._decide_cached = lru_cache(maxsize=CACHED_DECISIONS)(self._decide)

    def decide(self, claims: Claims) -> dict[str, AttributeValue]:
        """What is decided on every attribute, by label, in the order of the vocabulary."""
        decided = dict(self.nothing)
        attributes = self.vocabulary.attributes
        for key, found in claims.items():
            if key in attributes:
                # In one order, so that the order of the tags in a text decides nothing, and the memory serves more.
                ordered = tuple(found) if len(found) == 1 else tuple(sorted(found, key=ORIGIN))
                decided[attributes[key].label] = self._decide_cached(key, ordered)
        if self.lookers:
            self._drop_unseen(decided)
        return decided

    def _drop_unseen(self, decided: dict[str, AttributeValue]) -> None:
        """Take back what only pictures say of things that are not there or not to be seen."""
        attributes = self.vocabulary.attributes
        for (key, value), (state, others) in UNSEEN.items():
            cause = decided[attributes[key].label] if key in attributes else AttributeValue()
            for other in others if value in cause.values else ():
                label = attributes[other].label if other in attributes else ""
                if label and self._is_only_seen(decided[label]):
                    old = decided[label]
                    decided[label] = AttributeValue(state, (), cause.confidence, None, (), old.evidence, old.listed)

    def _is_only_seen(self, decided: AttributeValue) -> bool:
        claims = [claim for claim in decided.evidence if claim.stance == "is" and claim.value in decided.values]
        return bool(claims) and all(claim.extractor in self.lookers for claim in claims)

    def _decide(self, key: str, claims: tuple[Evidence, ...]) -> AttributeValue:
        attribute = self.vocabulary.attributes[key]
        counted = heed_texts(claims, attribute, self.lookers) if self.lookers else claims
        stated = [claim for claim in counted if claim.stance == "is"]
        choose = self._choose_many if attribute.many else self._choose_one
        if len(stated) == len(counted):
            return choose(attribute, stated, frozenset(), claims)
        hidden = [claim for claim in counted if claim.stance == "hidden"]
        absent = [claim for claim in counted if claim.stance == "absent" or is_denial(claim)]
        if hidden and (not stated or strongest(hidden) >= STATEMENT):
            return AttributeValue("not_visible", (), strongest(hidden), None, (), claims, attribute.listed)
        if absent and not stated:
            return AttributeValue("not_applicable", (), strongest(absent), None, (), claims, attribute.listed)
        if absent:
            return AttributeValue("conflicting", (), 0.0, None, (), claims, attribute.listed)
        denied = frozenset(claim.value for claim in counted if claim.stance == "not")
        return choose(attribute, stated, denied, claims)

    def _choose_one(
        self, attribute: Attribute, stated: Sequence[Evidence], denied: Set[str], claims: tuple[Evidence, ...]
    ) -> AttributeValue:
        support = drop_refined(self.strategy(drop_hints(stated)), attribute)
        if not support:
            return AttributeValue(evidence=claims)
        ranked = compete(support) if len(support) > 1 else support
        (value, confidence), *others = ranked.items()
        rivals = any(p >= RIVAL for _, p in others)
        if value in denied or (rivals and support[value] >= STATEMENT):
            return AttributeValue("conflicting", (), 0.0, None, tuple(ranked.items()), claims)
        seen = all(claim.extractor in self.lookers for claim in stated)
        if rivals or confidence < (self.least_likely if seen else self.threshold):
            return AttributeValue("unknown", (), 0.0, None, tuple(ranked.items()), claims)
        detail = join_details(stated, value, attribute)
        return AttributeValue("known", (value,), confidence, detail, tuple(others), claims)

    def _choose_many(
        self, attribute: Attribute, stated: Sequence[Evidence], denied: Set[str], claims: tuple[Evidence, ...]
    ) -> AttributeValue:
        support = drop_refined(self.strategy(stated), attribute)
        likely = {value: p for value, p in support.items() if p >= LIKELY}
        conflict = find_conflict(likely, attribute) | (denied & support.keys())
        kept = {v: p for v, p in support.items() if p >= self.least_likely and v not in conflict}
        others = [pair for pair in support.items() if pair[0] not in kept] if len(kept) < len(support) else []
        offered = tuple(sorted(others, key=lambda pair: (-pair[1], pair[0])))
        if not kept:
            state: State = "conflicting" if conflict else "unknown"
            return AttributeValue(state, (), 0.0, None, offered, claims, attribute.listed)
        values = tuple(sorted(kept, key=attribute.order.__getitem__))
        confidence = sum(kept.values()) / len(kept) if attribute.listed else kept[values[0]]
        detail = join_details(stated, None, attribute)
        return AttributeValue("known", values, confidence, detail, offered, claims, attribute.listed)
