"""Rows back to records."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from character_pipeline.data import (
    PEOPLE,
    STATUSES,
    AttributeValue,
    CharacterAttributes,
    Evidence,
    ExtractionResult,
    Problem,
)
from character_pipeline.database.connection import Connection
from character_pipeline.rl_optimizer.choices import read_choice, read_dealing
from character_pipeline.vocabulary import Vocabulary

RESULT_COLUMNS = """i.item_id, r.item, r.status, r.people, r.confidence, r.fingerprint, r.retry, r.seconds,
  r.content_hash, d.decided, d.gates, d.dealing"""
RESULT_TABLES = "items i JOIN records r ON r.item = i.id JOIN details d ON d.item = i.id"


class ResultReader:
    """Reads results of one vocabulary; without their evidence where that is not wanted, which is much faster."""

    def __init__(self, db: Connection, vocabulary: Vocabulary, evidence: bool = True) -> None:
        self.db = db
        self.evidence = evidence
        self.places = {a.label: (a.key, a.listed) for a in vocabulary.attributes.values()}
        self.unknown = {a.label: AttributeValue(listed=a.listed) for a in vocabulary.attributes.values()}

    def read(self, rest: str, marks: Any) -> Iterator[ExtractionResult]:
        """The results of a query over `RESULT_TABLES`; `rest` is its WHERE, ORDER BY and LIMIT."""
        for row in self.db.execute(f"SELECT {RESULT_COLUMNS} FROM {RESULT_TABLES} {rest}", marks):
            yield self._result(row)

    def _result(self, row: tuple[Any, ...]) -> ExtractionResult:
        item_id, number, status, people, confidence, fingerprint, retry, seconds, digest, decided, gates, dealing = row
        record = CharacterAttributes(
            attributes=self._attributes(json.loads(decided)),
            people=PEOPLE[people],
            status=STATUSES[status],
            confidence=confidence,
            item_id=item_id,
            content_hash=digest.hex(),
            fingerprint=fingerprint,
            errors=read_problems(self.db, number) if retry else (),
            reasons=tuple([read_claim(*pair) for pair in json.loads(gates)]) if gates and self.evidence else (),
            dealing=None if dealing is None else read_dealing(dealing),
        )
        return ExtractionResult(item_id, record, seconds)

    def _attributes(self, stored: Mapping[str, Any]) -> dict[str, AttributeValue]:
        """Every attribute of the vocabulary; those that are not stored are unknown."""
        found = self.unknown.copy()
        for label, decided in stored.items():
            if label in found:
                found[label] = self._value(*self.places[label], decided)
        return found

    def _value(self, key: str, listed: bool, stored: Sequence[Any]) -> AttributeValue:
        state, values, confidence, detail, alternatives, evidence, *chosen = stored
        claims = tuple([read_claim(key, claim) for claim in evidence]) if self.evidence else ()
        others = tuple([(value, p) for value, p in alternatives]) if alternatives else ()
        return AttributeValue(
            state, tuple(values), confidence, detail, others, claims, listed, *map(read_choice, chosen)
        )


def read_problems(db: Connection, number: int) -> tuple[Problem, ...]:
    rows = db.execute("SELECT stage, kind, message FROM errors WHERE item = ? ORDER BY number", (number,))
    return tuple(Problem(*row) for row in rows)


def read_claim(attribute: str, stored: Sequence[Any]) -> Evidence:
    origin, value, score, source, *rest = stored
    return Evidence(attribute, value, score, source, origin, *rest)
