"""The schema of a record: what the pipeline checks before it stores, and what it writes beside its exports."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from character_pipeline.data import PEOPLE, STATES, STATUSES, AttributeValue, CharacterAttributes
from character_pipeline.errors import ItemError
from character_pipeline.vocabulary import Attribute, Vocabulary

CHECKED = 16_384


class RecordSchema:
    """Checks records against a vocabulary. Decisions are shared objects, so each is checked once."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self.vocabulary = vocabulary
        self.labels = {attribute.label: attribute for attribute in vocabulary.attributes.values()}
        self._check_value = lru_cache(maxsize=CHECKED)(self._check_value_once)

    def check(self, record: CharacterAttributes) -> None:
        """Raises ItemError of kind invalid_record when the record says what no record may say."""
        if record.status not in STATUSES or record.people not in PEOPLE or not 0.0 <= record.confidence <= 1.0:
            raise ItemError("invalid_record", f"{record.status=} {record.people=} {record.confidence=}")
        for label, decided in record.attributes.items():
            if decided.evidence or decided.values:
                self._check_value(label, decided)
        describable = record.status in {"ok", "partial"} and record.people in {"single", "unknown"}
        if not describable and any(decided.values for decided in record.attributes.values()):
            raise ItemError("invalid_record", f"values for an item that is {record.status}, people {record.people}")

    def _check_value_once(self, label: str, decided: AttributeValue) -> None:
        if wrong := find_fault(self.labels[label], decided):
            raise ItemError("invalid_record", f"{label}: {wrong}")


def find_fault(attribute: Attribute, decided: AttributeValue) -> str | None:
    """What breaks the schema in a decision, in words, or None."""
    if decided.state not in STATES:
        return f"no such state: {decided.state}"
    if stray := set(decided.values) - set(attribute.values):
        return f"not in the vocabulary: {sorted(stray)}"
    if bool(decided.values) != (decided.state == "known"):
        return f"{len(decided.values)} values in state {decided.state}"
    if len(decided.values) > 1 and not attribute.many:
        return f"several values: {decided.values}"
    if not 0.0 <= decided.confidence <= 1.0:
        return f"confidence {decided.confidence}"
    return None


def flat_schema(vocabulary: Vocabulary) -> dict[str, Any]:
    """The JSON Schema of a line of the JSONL export."""
    properties: dict[str, Any] = {
        "item_id": {"type": "string"},
        "status": {"enum": [status for status in STATUSES if status != "quarantined"]},
        "people": {"enum": list(PEOPLE)},
    }
    for attribute in vocabulary.attributes.values():
        one = {"enum": list(attribute.values)}
        many = {"type": "array", "items": one, "minItems": 1, "uniqueItems": True}
        properties[attribute.label] = many if attribute.listed else one
    properties["Confidence Score"] = {"type": "number", "minimum": 0, "maximum": 1}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A character record",
        "description": f"Vocabulary version {vocabulary.version}, data {vocabulary.digest}",
        "type": "object",
        "properties": properties,
        "required": ["item_id", "status", "people", "Confidence Score"],
        "additionalProperties": False,
    }
