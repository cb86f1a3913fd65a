"""Decides the attributes of one item from all evidence on it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import replace
from functools import lru_cache, partial
from operator import attrgetter
from pathlib import Path

from character_pipeline.attribute_fusion.ballots import Ballot, cast_ballot
from character_pipeline.attribute_fusion.choosing import Chooser, Open
from character_pipeline.attribute_fusion.consistency import UNSEEN
from character_pipeline.attribute_fusion.precision import NEVER, find_thresholds, withhold
from character_pipeline.attribute_fusion.strategies import Strategy, Support, Weighed, WholeStrategy, find_strategy
from character_pipeline.attribute_fusion.weights import DEFAULT, Weights, fitting, load_weights
from character_pipeline.config import AttributeFusionConfig
from character_pipeline.data import AttributeValue, Claims, Evidence
from character_pipeline.errors import ConfigError
from character_pipeline.vocabulary import Attribute, Vocabulary

ORIGIN = attrgetter("origin")
DIGITS = 9
"""Probabilities are rounded, so that the last bits of a sum decide nothing."""
NOBODY: frozenset[str] = frozenset()
REMEMBERED = 16_384
"""Decisions. Claims of text are shared objects, so most items ask for decisions that were made before."""


Asked = tuple[str, tuple[Evidence, ...], frozenset[str]]
"""An attribute, the claims on it, and the sources that had anything to say of the item."""


def _heard_of(claims: Claims) -> frozenset[str]:
    return frozenset(claim.extractor for found in claims.values() for claim in found)


def read_weights(vocabulary: Vocabulary, config: AttributeFusionConfig) -> Weights:
    """What was learned, as far as it fits the vocabulary. Raises ConfigError where it cannot be read."""
    return fitting(load_weights(Path(config.weights) if config.weights else DEFAULT), vocabulary.attributes)


class Fuser:
    """Fuses evidence by one strategy. The same claims always give the same decision, whatever else is decided.

    Args:
        lookers: the extractors that look at pictures.
        strategy: instead of that of the settings.

    Raises ConfigError where the fusion weights are needed and cannot be used, also for a target precision that they
    have no thresholds for.
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
        weights = lru_cache(partial(read_weights, vocabulary, config))
        self.strategy = strategy or find_strategy(config.fusion_strategy, weights)
        self.thresholds = self._find_thresholds(weights, config.target_precision)
        self.chooser = Chooser(self.strategy, lookers, config.confidence_threshold)
        self.nothing = {a.label: AttributeValue(listed=a.listed) for a in vocabulary.attributes.values()}
        self._made: dict[Asked, AttributeValue] = {}
        self._lists: dict[Asked, Support] = {}

    def _find_thresholds(self, weights: Callable[[], Weights], target: float | None) -> Mapping[str, float] | None:
        if target is None:
            return None
        if isinstance(self.strategy, WholeStrategy):
            raise ConfigError(
                f"the strategy '{self.strategy.name}' cannot keep to attribute_fusion.target_precision: set another "
                "attribute_fusion.fusion_strategy, or leave out the target"
            )
        return find_thresholds(weights(), self.strategy.name, target)

    def decide(self, claims: Claims) -> dict[str, AttributeValue]:
        """What is decided on every attribute, by label, in the order of the vocabulary."""
        return self.decide_all([claims])[0]

    def decide_all(self, batch: Sequence[Claims]) -> list[dict[str, AttributeValue]]:
        """What is decided on every attribute of each item."""
        if isinstance(self.strategy, WholeStrategy):
            return [self._conclude(found) for found in self._by_item(batch)]
        asked = [self._ask(claims) for claims in batch]
        self._make(one for some in asked for one in some)
        decided = [self._conclude({self._label(one): self._made[one] for one in some}) for some in asked]
        if self.thresholds is not None:
            for found, some in zip(decided, asked, strict=True):
                self._withhold(found, some, self.thresholds)
        return decided

    def sure_of(self, batch: Sequence[Claims]) -> list[dict[str, Support]]:
        """By label, each value that is said of an item before thresholds for a target precision, and how probable it
        is. Raises TypeError for a strategy that looks at all attributes together."""
        if isinstance(self.strategy, WholeStrategy):
            raise TypeError(f"'{self.strategy.name}' looks at all attributes together: it has no such probabilities")
        asked = [self._ask(claims) for claims in batch]
        self._make(one for some in asked for one in some)
        return [self._said(some) for some in asked]

    def _said(self, asked: Sequence[Asked]) -> dict[str, Support]:
        found = self._conclude({self._label(one): self._made[one] for one in asked})
        return {self._label(one): self._sure(one, found[self._label(one)]) for one in asked}

    def _sure(self, one: Asked, decided: AttributeValue) -> Support:
        """How probable each value is that is said."""
        if decided is not self._made[one] or decided.state != "known":
            return {}
        return self._lists.get(one) or dict.fromkeys(decided.values, decided.confidence)

    def _label(self, one: Asked) -> str:
        return self.vocabulary.attributes[one[0]].label

    def _conclude(self, found: dict[str, AttributeValue]) -> dict[str, AttributeValue]:
        """All attributes of an item, as they go together."""
        decided = self.nothing | found
        if self.lookers:
            self._drop_unseen(decided)
        return decided

    def _withhold(
        self, decided: dict[str, AttributeValue], asked: Sequence[Asked], thresholds: Mapping[str, float]
    ) -> None:
        """Last, so that a value which is withheld still shows that others were taken for something else."""
        for one in asked:
            label = self._label(one)
            if sure := self._sure(one, decided[label]):
                decided[label] = withhold(decided[label], sure, thresholds.get(one[0], NEVER))

    def _by_item(self, batch: Sequence[Claims]) -> list[dict[str, AttributeValue]]:
        """All attributes of an item together; nothing is remembered, for hardly two items are alike."""
        assert isinstance(self.strategy, WholeStrategy)
        asked = [{key: claims for key, claims, _ in self._ask(claims)} for claims in batch]
        heard = [_heard_of(claims) for claims in batch]
        closed: dict[str, list[AttributeValue | Open]] = {}
        ballots: dict[str, Ballot] = {}
        for key, attribute in self.vocabulary.attributes.items():
            closed[key] = [self.chooser.close(attribute, one.get(key, ())) for one in asked]
            ballots[key] = self._cast(attribute, closed[key], heard)
        weighed = self.strategy.weigh_all(ballots) if batch else {}
        return [
            {
                self.vocabulary.attributes[key].label: self._finish(key, closed[key][row], weighed[key], row)
                for key in one
            }
            for row, one in enumerate(asked)
        ]

    def _finish(self, key: str, left: AttributeValue | Open, weighed: Weighed, row: int) -> AttributeValue:
        if not isinstance(left, Open):
            return left
        chances, least = weighed.support[row].round(DIGITS).tolist(), float(weighed.least[row])
        found = self.chooser.answer(self.vocabulary.attributes[key], left, chances, least)
        choice = weighed.choices[row] if weighed.choices is not None else None
        return replace(found, choice=choice) if choice is not None and left.stated else found

    def _cast(self, attribute: Attribute, closed: Sequence[AttributeValue | Open], heard: Sequence[Set[str]]) -> Ballot:
        counted = [self.chooser.heard(attribute, one.stated) if isinstance(one, Open) else () for one in closed]
        return cast_ballot(attribute, counted, heard, self.lookers)

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
            self._lists.clear()
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
                    rest = (None, (), old.evidence, old.listed, old.choice)
                    decided[label] = AttributeValue(state, (), cause.confidence, *rest)

    def _is_only_seen(self, decided: AttributeValue) -> bool:
        claims = [claim for claim in decided.evidence if claim.stance == "is" and claim.value in decided.values]
        return bool(claims) and all(claim.extractor in self.lookers for claim in claims)

    def ballot(self, attribute: Attribute, batch: Sequence[Claims]) -> tuple[Ballot, list[bool]]:
        """What the strategy weighs of each item, and whether it is asked: not where there is nothing to see or to
        describe."""
        closed = [self.chooser.close(attribute, tuple(claims.get(attribute.key, ()))) for claims in batch]
        ballot = self._cast(attribute, closed, [_heard_of(claims) for claims in batch])
        return ballot, [isinstance(one, Open) for one in closed]

    def ballots(self, batch: Sequence[Claims]) -> dict[str, Ballot]:
        """What the strategy weighs of each item, by attribute."""
        return {key: self.ballot(attribute, batch)[0] for key, attribute in self.vocabulary.attributes.items()}

    def _decide(self, attribute: Attribute, asked: Sequence[Asked]) -> list[AttributeValue]:
        """What is decided on one attribute from each of some sets of claims."""
        closed = [self.chooser.close(attribute, claims) for _, claims, _ in asked]
        left = [(one, heard) for one, (_, _, heard) in zip(closed, asked, strict=True) if isinstance(one, Open)]
        ballot = self._cast(attribute, [one for one, _ in left], [heard for _, heard in left])
        chances = iter(self.strategy.support(ballot).round(DIGITS).tolist() if left else ())
        found = []
        for one, own in zip(closed, asked, strict=True):
            found.append(self._answer(attribute, one, own, next(chances)) if isinstance(one, Open) else one)
        return found

    def _answer(self, attribute: Attribute, left: Open, asked: Asked, chances: Sequence[float]) -> AttributeValue:
        found = self.chooser.answer(attribute, left, chances)
        if len(found.values) > 1:
            self._lists[asked] = {value: chances[attribute.order[value]] for value in found.values}
        return found
