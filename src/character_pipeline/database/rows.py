"""Results as rows: done by the workers, so that the one writer has little left to do."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from character_pipeline.data import PEOPLE, STATUSES, PictureFacts, Problem, Processed
from character_pipeline.database.codes import AttributeCodes
from character_pipeline.schema import RecordSchema

STATUS_CODES = {status: code for code, status in enumerate(STATUSES)}
PEOPLE_CODES = {people: code for code, people in enumerate(PEOPLE)}
NO_FACTS = PictureFacts(0, 0, "")


@dataclass(slots=True)
class ItemRow:
    """All that is written for one item: columns of `records` after the item, of `details`, of `many`, of `errors`."""

    record: tuple[object, ...]
    details: tuple[str | None, str | None, str, str | None]
    many: list[tuple[int, int]]
    problems: tuple[Problem, ...]


class RowEncoder:
    """Turns results into rows for one vocabulary."""

    def __init__(self, schema: RecordSchema, codes: Sequence[AttributeCodes]) -> None:
        self.write = schema.write
        self.codes = codes

    def encode(self, done: Processed) -> ItemRow:
        record = done.result.attributes
        cells: list[int | None] = []
        many: list[tuple[int, int]] = []
        parts: list[str] = []
        for attribute in self.codes:
            decided = record.attributes[attribute.label]
            cells.append(attribute.encode(decided))
            if decided.evidence:
                parts.append(f'"{attribute.label}":{self.write(attribute.label, decided)}')
            if attribute.many:
                many += [(attribute.number, attribute.codes[value]) for value in decided.values]
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
            *cells,
        )
        gates = [{"gate": claim.attribute, **claim.to_json()} for claim in done.gate_evidence]
        notes = json.dumps(done.item.notes) if done.item.notes else None
        details = (done.item.text, notes, f"{{{','.join(parts)}}}", json.dumps(gates) if gates else None)
        return ItemRow(row, details, many, record.errors)


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
