"""Results as rows: done by the workers, so that the one writer has little left to do."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

from pydantic_core import to_json

from character_pipeline.data import PEOPLE, STATUSES, AttributeValue, Evidence, PictureFacts, Problem, Processed
from character_pipeline.database.codes import AttributeCodes
from character_pipeline.database.vectors import VectorRow
from character_pipeline.rl_optimizer.choices import write_choice, write_dealing

STATUS_CODES = {status: code for code, status in enumerate(STATUSES)}
PEOPLE_CODES = {people: code for code, people in enumerate(PEOPLE)}
NO_FACTS = PictureFacts(0, 0, "")
REMEMBERED = 16_384


@dataclass(slots=True)
class Rows:
    """What is written for some items, by table, in the order of its columns. `items` has each item's number once."""

    items: list[int] = field(default_factory=list)
    records: list[tuple[object, ...]] = field(default_factory=list)
    details: list[tuple[int, str | None, str | None, str, str | None, int | None]] = field(default_factory=list)
    errors: list[tuple[int, int, str, str, str, int]] = field(default_factory=list)
    vectors: list[VectorRow] = field(default_factory=list)

    def extend(self, other: Rows) -> None:
        self.items += other.items
        self.records += other.records
        self.details += other.details
        self.errors += other.errors
        self.vectors += other.vectors


class EncodedValue(NamedTuple):
    """One decision as a column, and as JSON."""

    place: int
    cell: int | None
    json: str


class RowEncoder:
    """Turns results into rows. Decisions are shared objects, so each is written once.

    Args:
        suffix: what follows the keys of readers beside their vectors.
    """

    def __init__(self, codes: Sequence[AttributeCodes], suffix: str = "") -> None:
        self.suffix = suffix
        self._places = {attribute.label: (place, attribute) for place, attribute in enumerate(codes)}
        self._unknown: list[int | None] = [None] * len(codes)
        self._encode_value = lru_cache(maxsize=REMEMBERED)(self._encode_value_once)

    def encode(self, done: Processed, item: int, stamp: int, run: int, rows: Rows) -> None:
        """Add the rows of one result.

        Args:
            item, stamp: the item's number and stamp in the store.
            run: the run that this is done in.
        """
        record = done.result.attributes
        values = [
            self._encode_value(label, decided) for label, decided in record.attributes.items() if decided.evidence
        ]
        cells = self._unknown.copy()
        for value in values:
            cells[value.place] = value.cell
        facts = done.facts or NO_FACTS
        digest = bytes.fromhex(record.content_hash)
        row = (
            item,
            STATUS_CODES[record.status],
            PEOPLE_CODES[record.people],
            round(record.confidence, 4),
            record.fingerprint,
            run,
            stamp,
            _retry(record.errors),
            round(done.result.seconds, 6),
            digest,
            facts.width,
            facts.height,
            facts.format,
            *cells,
        )
        decided = ",".join([value.json for value in values])
        notes = json.dumps(done.item.notes) if done.item.notes else None
        rows.items.append(item)
        rows.records.append(row)
        dealing = None if record.dealing is None else write_dealing(record.dealing)
        gates = _write_reasons(record.reasons)
        rows.details.append((item, done.item.text, notes, f"{{{decided}}}", gates, dealing))
        rows.vectors += [(digest, key + self.suffix, vector) for key, vector in done.fresh.items()]
        for number, problem in enumerate(record.errors):
            rows.errors.append((item, number, problem.stage, problem.kind, problem.message, run))

    def _encode_value_once(self, label: str, decided: AttributeValue) -> EncodedValue:
        place, codes = self._places[label]
        return EncodedValue(place, codes.encode(decided), f'"{label}":{write_value(decided)}')


def write_value(decided: AttributeValue) -> str:
    """A decision as a short JSON list; `read_value` reads it back."""
    values, others = to_json(decided.values).decode(), to_json(decided.alternatives).decode()
    detail = to_json(decided.detail).decode()
    evidence = ",".join([write_claim(claim) for claim in decided.evidence])
    choice = "" if decided.choice is None else f",{write_choice(decided.choice)}"
    return f'["{decided.state}",{values},{decided.confidence:.4g},{detail},{others},[{evidence}]{choice}]'


@lru_cache(maxsize=REMEMBERED)
def write_claim(claim: Evidence) -> str:
    """A piece of evidence as a short JSON list; `read_claim` reads it back."""
    parts: list[object] = [claim.origin, claim.value, round(claim.score, 4), claim.source]
    if claim.stance != "is" or claim.detail:
        parts += [claim.stance, claim.detail]
    return to_json(parts).decode()


@lru_cache(maxsize=REMEMBERED)
def _write_reasons(evidence: tuple[Evidence, ...]) -> str | None:
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
