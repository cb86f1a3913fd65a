"""Rows back to records."""

from __future__ import annotations

import json
import sqlite3
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
from character_pipeline.vocabulary import Vocabulary

RESULT_COLUMNS = """i.item_id, r.item, r.status, r.people, r.confidence, r.fingerprint, r.retry, r.seconds,
  r.content_hash, d.decided, d.gates"""
RESULT_TABLES = "items i JOIN records r ON r.item = i.id JOIN details d ON d.item = i.id"


def read_results(db: sqlite3.Connection, vocabulary: Vocabulary, rest: str, marks: Any) -> Iterator[ExtractionResult]:
    """The results of a query over `RESULT_TABLES`; `rest` is its WHERE, ORDER BY and LIMIT."""
    for row in db.execute(f"SELECT {RESULT_COLUMNS} FROM {RESULT_TABLES} {rest}", marks):
        yield _result(db, vocabulary, row)


def _result(db: sqlite3.Connection, vocabulary: Vocabulary, row: tuple[Any, ...]) -> ExtractionResult:
    item_id, number, status, people, confidence, fingerprint, retry, seconds, digest, decided, gates = row
    record = CharacterAttributes(
        attributes=read_attributes(vocabulary, json.loads(decided)),
        people=PEOPLE[people],
        status=STATUSES[status],
        confidence=confidence,
        item_id=item_id,
        content_hash=digest.hex(),
        fingerprint=fingerprint,
        errors=read_problems(db, number) if retry else (),
        reasons=tuple(read_claim(gate, claim) for gate, claim in json.loads(gates or "[]")),
    )
    return ExtractionResult(item_id, record, seconds)


def read_problems(db: sqlite3.Connection, number: int) -> tuple[Problem, ...]:
    rows = db.execute("SELECT stage, kind, message FROM errors WHERE item = ? ORDER BY number", (number,))
    return tuple(Problem(*row) for row in rows)


def read_attributes(vocabulary: Vocabulary, decided: Mapping[str, Any]) -> dict[str, AttributeValue]:
    """Every attribute of the vocabulary; those that are not stored are unknown."""
    return {
        attribute.label: _value(attribute.key, attribute.listed, decided.get(attribute.label))
        for attribute in vocabulary.attributes.values()
    }


def _value(key: str, listed: bool, stored: Sequence[Any] | None) -> AttributeValue:
    if stored is None:
        return AttributeValue(listed=listed)
    state, values, confidence, detail, alternatives, evidence = stored
    claims = tuple([read_claim(key, claim) for claim in evidence])
    others = tuple([(value, p) for value, p in alternatives])
    return AttributeValue(state, tuple(values), confidence, detail, others, claims, listed)


def read_claim(attribute: str, stored: Sequence[Any]) -> Evidence:
    origin, value, score, source, *rest = stored
    return Evidence(attribute, value, score, source, origin, *rest)
