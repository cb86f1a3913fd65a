"""What to ask people next: the attributes of items of which a label would teach most.

A question is worth more where sources contradict each other, where some speak for another value, and where the decision
is unsure; more for attributes with few labels; and less after others like it. Bitmaps say which items may be asked
about. Only a bounded number of these, drawn by a seed, is looked at: millions of items are no slower than thousands.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic_core import from_json

from character_pipeline.data import STATEMENT, STATUSES, Evidence, State
from character_pipeline.database.bitmaps import ANSWERED, STATUS, Mask, as_flags, fitted, read_mask
from character_pipeline.database.codes import STATE_CODES, AttributeCodes
from character_pipeline.database.queries import DESCRIBED, Filter, find_mask
from character_pipeline.database.reader import read_claim
from character_pipeline.database.store import Store

CONTRADICTORY, ANSWERING, OTHERS = 200, 200, 40
"""Items that are looked at: with contradictions, with any answer, and of all that are described."""
FEW_LABELS = 10
"""With so many labels an attribute is worth 0.7 of one without any."""
LEFT = (0.8, 0.5, 0.6, 0.0)
"""What each question before it leaves of the worth of one that is like it: on the same attribute; of the same item or
a copy; with the same answers; both of the first two."""
REDRAWN = 100
"""After so many labels other items are looked at."""
MOST_ANSWERS = 9
"""As many as there are keys with a number."""
DIFFERENT, UNSURE = 0.2, 0.9


@dataclass(frozen=True, slots=True)
class Question:
    """One attribute of one item, for people to say what is true.

    Attributes:
        attribute: its label.
        many: whether several values may be true.
        state, values, confidence: what was decided.
        chances: the likeliest values with their probabilities, the likeliest first.
        reason: why it is asked, in words.
        worth: what it was ranked by, before others were set beside it.
    """

    item_id: str
    attribute: str
    many: bool
    state: State
    values: tuple[str, ...]
    confidence: float
    chances: tuple[tuple[str, float], ...]
    reason: str
    evidence: tuple[Evidence, ...]
    worth: float

    def to_json(self) -> dict[str, Any]:
        return {
            "item_id": self.item_id,
            "attribute": self.attribute,
            "many": self.many,
            "state": self.state,
            "values": list(self.values),
            "confidence": round(self.confidence, 4),
            "chances": [[value, round(p, 4)] for value, p in self.chances],
            "reason": self.reason,
            "evidence": [claim.to_json() for claim in self.evidence],
            "worth": round(self.worth, 4),
        }


@dataclass(frozen=True, slots=True)
class _Doubt:
    """A question that may be asked: `cluster` stands for the item and its copies."""

    item_id: str
    cluster: int
    codes: AttributeCodes
    stored: Sequence[Any]
    chances: tuple[tuple[str, float], ...]
    unsure: float
    against: float
    worth: float


def review_queue(store: Store, attribute: str | None = None, limit: int = 20, seed: int = 0) -> list[Question]:
    """The questions that are worth most, the first first. What has feedback is not among them.

    Args:
        attribute: the key or label of the only one to ask about.
        seed: another one looks at other items, where there are more than are looked at.

    Raises ConfigError for an unknown attribute.
    """
    key = None if attribute is None else store.vocabulary.attribute(attribute).key
    asked = [codes for codes in store.codes if key in {None, codes.key}]
    labels = dict(store.db.execute("SELECT attribute, count(*) FROM feedback GROUP BY attribute").fetchall())
    numbers = _candidates(store, asked, np.random.default_rng([seed, sum(labels.values()) // REDRAWN]))
    doubts = list(_doubts(store, asked, numbers, labels)) if numbers else []
    return [_question(doubt) for doubt in _choose(doubts, limit)]


def _candidates(store: Store, asked: Sequence[AttributeCodes], rng: np.random.Generator) -> list[int]:
    """The items that are looked at."""
    found = Filter()
    found.have(STATUS, *map(STATUSES.index, DESCRIBED))
    described = find_mask(store, found)
    answering, drawn = np.zeros_like(described), []
    for codes in asked:
        answering |= fitted(read_mask(store.db, codes.number, [ANSWERED]), described)
        contradictory = fitted(read_mask(store.db, codes.number, [STATE_CODES["conflicting"]]), described)
        drawn.append(_draw(described & contradictory, CONTRADICTORY // len(asked), rng))
    drawn += [_draw(described & answering, ANSWERING, rng), _draw(described, OTHERS, rng)]
    return [int(number) for number in np.unique(np.concatenate(drawn))]


def _draw(mask: Mask, count: int, rng: np.random.Generator) -> NDArray[np.int64]:
    members = np.flatnonzero(as_flags(mask))
    return members if len(members) <= count else rng.choice(members, count, replace=False, shuffle=False)


def _doubts(
    store: Store, asked: Sequence[AttributeCodes], numbers: Sequence[int], labels: dict[str, int]
) -> Iterator[_Doubt]:
    marks = ", ".join("?" * len(numbers))
    given = f"SELECT i.id, f.attribute FROM items i JOIN feedback f ON f.item_id = i.item_id WHERE i.id IN ({marks})"
    query = f"""SELECT i.id, i.item_id, coalesce(u.kept, i.id), d.decided FROM items i JOIN details d ON d.item = i.id
                LEFT JOIN duplicates u ON u.item = i.id WHERE i.id IN ({marks}) ORDER BY i.id"""
    known = set(store.db.execute(given, numbers))
    for number, item_id, cluster, decided in store.db.execute(query, numbers):
        said = from_json(decided)
        for codes in asked:
            if codes.label in said and (number, codes.key) not in known:
                scarce = 1 / math.sqrt(1 + labels.get(codes.key, 0) / FEW_LABELS)
                yield _doubt(item_id, cluster, codes, said[codes.label], scarce)


def _doubt(item_id: str, cluster: int, codes: AttributeCodes, stored: Sequence[Any], scarce: float) -> _Doubt:
    chances = _chances(stored)
    unsure, against = _unsure(chances, codes.many), _against(stored[5], codes.many)
    worth = scarce * (unsure + against + (stored[0] == "conflicting"))
    return _Doubt(item_id, cluster, codes, stored, chances, unsure, against, worth)


def _chances(stored: Sequence[Any]) -> tuple[tuple[str, float], ...]:
    """What was decided and its alternatives; values that a source named and nobody weighed have no probability."""
    _, values, confidence, _, others, evidence, *_ = stored
    found = {value: 0.0 for _, value, *_ in evidence if value}
    found |= dict(others) | dict.fromkeys(values, confidence)
    return tuple(sorted(found.items(), key=lambda pair: (-pair[1], pair[0])))


def _unsure(chances: Sequence[tuple[str, float]], many: bool) -> float:
    """How little is known of the likeliest value, in bits; in a list, of the value of which least is."""
    doubts = [_bits(p) for _, p in (chances if many else chances[:1]) if p > 0]
    return max(doubts, default=0.0)


def _bits(p: float) -> float:
    p = min(max(p, 1e-9), 1 - 1e-9)
    return -p * math.log2(p) - (1 - p) * math.log2(1 - p)


def _against(evidence: Sequence[Sequence[Any]], many: bool) -> float:
    """The score of the strongest claim that speaks against the strongest; in a list, against one of its values."""
    best: dict[tuple[str, str], float] = {}
    for _, value, score, _, *rest in evidence:
        side = (rest[0] if rest else "is", value)
        best[side] = max(best.get(side, 0.0), score)
    if many:
        denials = ((min(score, p), value) for (stance, value), p in best.items() if stance != "is"
                   for (other, own), score in best.items() if other == "is" and value in {own, ""})  # fmt: skip
        return max((score for score, _ in denials), default=0.0)
    return sorted(best.values())[-2] if len(best) > 1 else 0.0


def _choose(doubts: Sequence[_Doubt], limit: int) -> list[_Doubt]:
    """One after the other the one that is worth most beside those before it; of copies, each attribute once."""
    worth = np.array([doubt.worth for doubt in doubts])
    alike = [_numbered(names) for names in zip(*map(_likeness, doubts), strict=True)]
    chosen: list[_Doubt] = []
    while len(chosen) < limit and len(worth) and worth.max() > 0:
        best = int(worth.argmax())
        chosen.append(doubts[best])
        for groups, left in zip(alike, LEFT, strict=True):
            worth[groups == groups[best]] *= left
    return chosen


def _likeness(doubt: _Doubt) -> tuple[object, ...]:
    """What makes questions alike, in the order of LEFT."""
    key = doubt.codes.key
    said = (key, doubt.stored[0], tuple(value for value, _ in doubt.chances[:2]))
    return key, doubt.cluster, said, (key, doubt.cluster)


def _numbered(names: Sequence[object]) -> NDArray[np.int64]:
    numbers: dict[object, int] = {}
    return np.array([numbers.setdefault(name, len(numbers)) for name in names], dtype=np.int64)


def _question(doubt: _Doubt) -> Question:
    state, values, confidence, _, _, evidence, *_ = doubt.stored
    return Question(
        item_id=doubt.item_id,
        attribute=doubt.codes.label,
        many=doubt.codes.many,
        state=state,
        values=tuple(values),
        confidence=confidence,
        chances=doubt.chances[:MOST_ANSWERS],
        reason=_reason(doubt),
        evidence=tuple(read_claim(doubt.codes.key, claim) for claim in evidence),
        worth=doubt.worth,
    )


def _reason(doubt: _Doubt) -> str:
    """Why a question is worth asking; nothing in it is a text of an item."""
    reasons = []
    if doubt.stored[0] == "conflicting":
        reasons.append("the sources contradict each other")
    elif doubt.against >= DIFFERENT:
        strength = "states" if doubt.against >= STATEMENT else "hints at"
        reasons.append(f"a source {strength} something else")
    top = doubt.chances[0][1] if doubt.chances else 0.0
    if doubt.unsure >= UNSURE and top > 0:
        reasons.append(f"the likeliest value has a chance of {top:.0%}")
    return "; ".join(reasons) or (f"sure to {top:.0%}, the least of what is left" if top else "no value has a chance")
