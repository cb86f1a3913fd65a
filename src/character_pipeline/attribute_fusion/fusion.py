"""Decides the attributes of one item from all evidence on it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence, Set
from functools import partial
from operator import attrgetter
from pathlib import Path
from typing import NamedTuple

from character_pipeline.attribute_fusion.ballots import Ballot, cast_ballot
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
from character_pipeline.attribute_fusion.strategies import (
    Strategy,
    compete,
    contradict,
    find_strategy,
    rank,
    strongest,
)
from character_pipeline.attribute_fusion.weights import DEFAULT, Weights, fitting, load_weights
from character_pipeline.config import AttributeFusionConfig
from character_pipeline.data import STATEMENT, AttributeValue, Claims, Evidence, State
from character_pipeline.vocabulary import Attribute, Vocabulary

ORIGIN = attrgetter("origin")
RIVAL = 0.2
"""A second value with this much of the probability makes a contradiction of a decision."""
DIGITS = 9
"""Probabilities are rounded, so that the last bits of a sum decide nothing."""
NOBODY: frozenset[str] = frozenset()
REMEMBERED = 16_384
"""Decisions. Claims of text are shared objects, so most items ask for decisions that were made before."""


class _Open(NamedTuple):
    """Claims on an attribute that leave it to the strategy what is right."""

    stated: Sequence[Evidence]
    denied: Set[str]
    claims: tuple[Evidence, ...]


Asked = tuple[str, tuple[Evidence, ...], frozenset[str]]
"""An attribute, the claims on it, and the sources that had anything to say of the item."""


def _heard_of(claims: Claims) -> frozenset[str]:
    return frozenset(claim.extractor for found in claims.values() for claim in found)


def _weights(vocabulary: Vocabulary, config: AttributeFusionConfig) -> Weights:
    values = {key: attribute.values for key, attribute in vocabulary.attributes.items()}
    return fitting(load_weights(Path(config.weights) if config.weights else DEFAULT), values)


class Fuser:
    """Fuses evidence by one strategy. The same claims always give the same decision, whatever else is decided.

    Args:
        lookers: the extractors that look at pictures.
        strategy: instead of that of the settings.
    """

    def __init__(
        self,
        vocabulary: Vocabulary,
        config: AttributeFusionConfig | None = None,
        lookers: Set[str] = frozenset(),
        strategy: Strategy | None = None,
    ) -> None:
        config = config or AttributeFusionConfig()
        self.vocabulary = vocabulary
        self.lookers = lookers
        self.strategy = strategy or find_strategy(config.fusion_strategy, partial(_weights, vocabulary, config))
        # In a list, and where nothing but a picture speaks, a value must be more likely right than wrong.
        self.least_likely = max(config.confidence_threshold, LIKELY)
        self.threshold = self.least_likely if self.strategy.settles else config.confidence_threshold
        self.nothing = {a.label: AttributeValue(listed=a.listed) for a in vocabulary.attributes.values()}
        self._made: dict[Asked, AttributeValue] = {}

    def decide(self, claims: Claims) -> dict[str, AttributeValue]:
        """What is decided on every attribute, by label, in the order of the vocabulary."""
        return self.decide_all([claims])[0]

    def decide_all(self, batch: Sequence[Claims]) -> list[dict[str, AttributeValue]]:
        """What is decided on every attribute of each item."""
        asked = [self._ask(claims) for claims in batch]
        self._make(one for some in asked for one in some)
        decided = []
        for some in asked:
            found = {self.vocabulary.attributes[one[0]].label: self._made[one] for one in some}
            decided.append(self.nothing | found)
            if self.lookers:
                self._drop_unseen(decided[-1])
        return decided

    def _ask(self, claims: Claims) -> list[Asked]:
        """The claims in one order, so that the order of the tags in a text decides nothing, and the memory serves
        more."""
        heard = _heard_of(claims) if self.strategy.settles else NOBODY
        return [
            (key, tuple(found) if len(found) == 1 else tuple(sorted(found, key=ORIGIN)), heard)
            for key, found in claims.items()
            if key in self.vocabulary.attributes
        ]

    def _make(self, asked: Iterable[Asked]) -> None:
        """Make the decisions that are not remembered."""
        wanted = dict.fromkeys(asked)
        if len(self._made) + len(wanted) > REMEMBERED:
            self._made.clear()
        by_key: dict[str, list[Asked]] = {}
        for one in wanted:
            if one not in self._made:
                by_key.setdefault(one[0], []).append(one)
        for key, some in by_key.items():
            self._made.update(zip(some, self._decide(self.vocabulary.attributes[key], some), strict=True))

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

    def ballot(self, attribute: Attribute, batch: Sequence[Claims]) -> tuple[Ballot, list[bool]]:
        """What the strategy weighs of each item, and whether it is asked: not where there is nothing to see or to
        describe."""
        closed = [self._close(attribute, tuple(claims.get(attribute.key, ()))) for claims in batch]
        left = [self._heard(attribute, one.stated) if isinstance(one, _Open) else () for one in closed]
        return cast_ballot(attribute, left, [_heard_of(claims) for claims in batch], self.lookers), [
            isinstance(one, _Open) for one in closed
        ]

    def _decide(self, attribute: Attribute, asked: Sequence[Asked]) -> list[AttributeValue]:
        """What is decided on one attribute from each of some sets of claims."""
        closed = [self._close(attribute, claims) for _, claims, _ in asked]
        left = [(one, heard) for one, (_, _, heard) in zip(closed, asked, strict=True) if isinstance(one, _Open)]
        counted = [self._heard(attribute, one.stated) for one, _ in left]
        ballot = cast_ballot(attribute, counted, [heard for _, heard in left], self.lookers)
        chances = iter(self.strategy.support(ballot).round(DIGITS).tolist() if left else ())
        choose = self._choose_many if attribute.many else self._choose_one
        decided = []
        for one in closed:
            if isinstance(one, _Open):
                support = {value: p for value, p in zip(attribute.values, next(chances), strict=True) if p > 0}
                decided.append(choose(attribute, drop_refined(support, attribute), one))
            else:
                decided.append(one)
        return decided

    def _close(self, attribute: Attribute, claims: tuple[Evidence, ...]) -> AttributeValue | _Open:
        """Where there is nothing to see or to describe, that; else the claims that count."""
        texts_first = self.lookers and self.strategy.texts_first
        counted = heed_texts(claims, attribute, self.lookers) if texts_first else claims
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
        return _Open(stated, denied, claims)

    def _heard(self, attribute: Attribute, stated: Sequence[Evidence]) -> Sequence[Evidence]:
        """The claims that the strategy weighs."""
        if attribute.many:
            return stated
        if not self.strategy.settles:
            return drop_hints(stated)
        texts = [claim for claim in stated if claim.extractor not in self.lookers]
        return [*drop_hints(texts), *(claim for claim in stated if claim.extractor in self.lookers)]

    def _choose_one(self, attribute: Attribute, support: dict[str, float], left: _Open) -> AttributeValue:
        stated, denied, claims = left
        if not support:
            return AttributeValue(evidence=claims)
        ranked = support if len(support) == 1 else rank(support) if self.strategy.settles else compete(support)
        (value, confidence), *others = ranked.items()
        rivals = any(p >= RIVAL for _, p in others) and not self.strategy.settles
        if value in denied or (rivals and support[value] >= STATEMENT):
            return AttributeValue("conflicting", (), 0.0, None, tuple(ranked.items()), claims)
        seen = all(claim.extractor in self.lookers for claim in stated)
        if rivals or confidence < (self.least_likely if seen else self.threshold):
            state: State = "conflicting" if contradict(stated) and self.strategy.settles else "unknown"
            return AttributeValue(state, (), 0.0, None, tuple(ranked.items()), claims)
        detail = join_details(stated, value, attribute)
        return AttributeValue("known", (value,), confidence, detail, tuple(others), claims)

    def _choose_many(self, attribute: Attribute, support: dict[str, float], left: _Open) -> AttributeValue:
        stated, denied, claims = left
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
