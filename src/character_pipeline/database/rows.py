"""Results as rows: done by the workers, so that the one writer has little left to do."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from pydantic_core import to_json

from character_pipeline.data import PEOPLE, STATUSES, AttributeValue, Evidence, PictureFacts, Problem, Processed
from character_pipeline.database.codes import AttributeCodes

STATUS_CODES = {status: code for code, status in enumerate(STATUSES)}
PEOPLE_CODES = {people: code for code, people in enumerate(PEOPLE)}
NO_FACTS = PictureFacts(0, 0, "")
REMEMBERED = 16_384


@dataclass(slots=True)
class ItemRow:
    """All that is written for one item: columns of `records` after the item, of `details`, of `many`, of `errors`."""

    record: tuple[object, ...]
    details: tuple[str | None, str | None, str, str | None]
    many: list[tuple[int, int]]
    problems: tuple[Problem, ...]


class EncodedValue(NamedTuple):
    """One decision as a column, as JSON (empty where nobody spoke), and as rows of `many`."""

    cell: int | None
    json: str
    many: tuple[tuple[int, int], ...]


class RowEncoder:
    """Turns results into rows. Decisions are shared objects, so each is written once."""

    def __init__(self, codes: Sequence[AttributeCodes]) -> None:
        self.codes = codes
        self._encode_value = lru_cache(maxsize=REMEMBERED)(_encode_value)

    def encode(self, done: Processed) -> ItemRow:
        record = done.result.attributes
        values = [self._encode_value(codes, record.attributes[codes.label]) for codes in self.codes]
        facts = done.facts or NO_FACTS
        row = (
            STATUS_CODES[record.status],
            PEOPLE_CODES[record.people],
            round(record.confidence, 4),
            record.fingerprint,
            _retry(record.errors),
            round(done.result.seconds, 6),
            bytes.fromhex(record.content_hash),
            facts.width,
            facts.height,
            facts.format,
            *[value.cell for value in values],
        )
        decided = ",".join([value.json for value in values if value.json])
        notes = json.dumps(done.item.notes) if done.item.notes else None
        details = (done.item.text, notes, f"{{{decided}}}", _write_gates(done.gate_evidence))
        return ItemRow(row, details, [pair for value in values for pair in value.many], record.errors)


def _encode_value(codes: AttributeCodes, decided: AttributeValue) -> EncodedValue:
    many = tuple((codes.number, codes.codes[value]) for value in decided.values) if codes.many else ()
    written = f'"{codes.label}":{write_value(decided)}' if decided.evidence else ""
    return EncodedValue(codes.encode(decided), written, many)


def write_value(decided: AttributeValue) -> str:
    """A decision as a short JSON list; `read_value` reads it back."""
    values, others = to_json(decided.values).decode(), to_json(decided.alternatives).decode()
    detail = to_json(decided.detail).decode()
    evidence = ",".join([write_claim(claim) for claim in decided.evidence])
    return f'["{decided.state}",{values},{decided.confidence:.4g},{detail},{others},[{evidence}]]'


@lru_cache(maxsize=REMEMBERED)
def write_claim(claim: Evidence) -> str:
    """A piece of evidence as a short JSON list; `read_claim` reads it back."""
    parts: list[object] = [claim.origin, claim.value, round(claim.score, 4), claim.source]
    if claim.stance != "is" or claim.detail:
        parts += [claim.stance, claim.detail]
    return to_json(parts).decode()


@lru_cache(maxsize=REMEMBERED)
def _write_gates(evidence: tuple[Evidence, ...]) -> str | None:
    """The evidence of the gates, each with the name of its gate before it."""
    written = [f'["{claim.attribute}",{write_claim(claim)}]' for claim in evidence]
    return f"[{','.join(written)}]" if written else None


def _retry(problems: Sequence[Problem]) -> int:
    if not problems:
        return 0
    return 1 if any(problem.passing for problem in problems) else 2


def pack_ranges(numbers: Sequence[int]) -> str:
    """Rising numbers as text: "1-1000,1003"."""
    parts: list[list[int]] = []
    for number in numbers:
        if parts and number == parts[-1][1] + 1:
            parts[-1][1] = number
        else:
            parts.append([number, number])
    return ",".join(str(a) if a == b else f"{a}-{b}" for a, b in parts)


def unpack_ranges(text: str) -> list[tuple[int, int]]:
    """The first and last number of each range."""
    pairs = (part.partition("-") for part in text.split(",") if part)
    return [(int(first), int(last or first)) for first, _, last in pairs]
