"""Reads the tables of sentences, and compares what a sentence should say with what the parser claims."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from character_pipeline.data import Evidence
from character_pipeline.vocabulary.phrases import GATES

_SHORT = {
    "g": "gender",
    "eth": "ethnicity",
    "hair": "hair_color",
    "len": "hair_length",
    "style": "hair_style",
    "eye": "eye_color",
    "body": "body_type",
    "expr": "facial_expression",
    "acc": "accessories",
    "fh": "facial_hair",
    "skin": "skin_tone",
    "feat": "features",
}
_SIGNS = {"is": "", "not": "-", "hidden": "?", "absent": "~"}


@dataclass(frozen=True)
class Case:
    """A sentence, what it says, and the gates that it speaks of."""

    text: str
    expected: frozenset[str]
    gates: frozenset[str]

    def claimed(self, evidence: Iterable[Evidence]) -> frozenset[str]:
        """The claims in the same form, without the gates that the case leaves open."""
        kept = [claim for claim in evidence if claim.attribute not in GATES or claim.attribute in self.gates]
        return frozenset(f"{claim.attribute}={_SIGNS[claim.stance]}{claim.value}" for claim in kept)


def cases(name: str) -> Iterator[Case]:
    for line in (Path(__file__).parent / name).read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            text, _, said = line.rpartition("|")
            yield _case(text.strip(), said.split())


def _case(text: str, said: list[str]) -> Case:
    expected, gates = set(), set()
    for word in said:
        name, _, values = word.partition("=")
        attribute = _SHORT.get(name, name)
        if attribute in GATES:
            gates.add(attribute)
        if values or attribute not in GATES:
            expected |= {f"{attribute}={value.replace('_', ' ')}" for value in values.split(",")}
    return Case(text, frozenset(expected), frozenset(gates))


def score(table: Iterable[tuple[Case, Iterable[Evidence]]]) -> tuple[float, float]:
    """Precision and recall over all claims of a table."""
    right = claimed = expected = 0
    for case, evidence in table:
        found = case.claimed(evidence)
        right += len(found & case.expected)
        claimed += len(found)
        expected += len(case.expected)
    return right / claimed, right / expected
