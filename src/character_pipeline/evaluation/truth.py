"""Compares a database with the truth of its items.

A truth file has one line of JSON for each item; `charpipe sample` writes one, and any labelled set can have one:

    item_id      as the database has it
    attributes   what is true and visible, by label: a value, or a list where the vocabulary allows many
    labels       optional: the labels that this line knows about; without it, all. One that is known and not among
                 `attributes` has no value that could be seen
    people       optional: "single", "multiple" or "none"
    stated       optional: the part of `attributes` that the item's text says
    character    optional: who it is, where several items show the same; intervals are wider for it
    style        optional: what to compare apart
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from character_pipeline.data import CharacterAttributes
from character_pipeline.database.queries import get_result
from character_pipeline.database.store import Store
from character_pipeline.errors import ConfigError, unknown_name


@dataclass(slots=True)
class Tally:
    """Counts of one attribute. For one with many values, each value counts.

    Attributes:
        right: stated by the text, and in the record.
        wrong: in the record, and not true.
        missed: stated by the text, and not in the record.
        beyond: in the record and true, though the text does not state it.
    """

    right: int = 0
    wrong: int = 0
    missed: int = 0
    beyond: int = 0

    @property
    def stated(self) -> int:
        return self.right + self.missed

    @property
    def recall(self) -> float:
        """The share of what is stated that the record has."""
        return self.right / self.stated if self.stated else math.nan

    @property
    def precision(self) -> float:
        """The share of what the record says that is true."""
        said = self.right + self.beyond + self.wrong
        return (self.right + self.beyond) / said if said else math.nan


@dataclass(slots=True)
class Report:
    """Tallies by label, and examples of what is wrong."""

    tallies: dict[str, Tally] = field(default_factory=dict)
    items: int = 0
    absent: int = 0
    people_right: int = 0
    faults: list[str] = field(default_factory=list)

    @property
    def total(self) -> Tally:
        whole = Tally()
        for tally in self.tallies.values():
            whole.right += tally.right
            whole.wrong += tally.wrong
            whole.missed += tally.missed
            whole.beyond += tally.beyond
        return whole


def read_truth(path: Path, styles: Iterable[str] = ()) -> Iterator[dict[str, Any]]:
    """The lines of a truth.jsonl, of some styles or of all. Raises ConfigError naming what is wrong."""
    wanted, met = frozenset(styles), set[str]()
    for number, line in enumerate(_lines(path), 1):
        truth = _parse(line, f"{path}, line {number}")
        met.add(str(truth.get("style", "")))
        if not wanted or truth.get("style") in wanted:
            yield truth
    if stray := wanted - met:
        raise ConfigError(unknown_name("style", min(stray), sorted(met - {""})))


def _lines(path: Path) -> Iterator[str]:
    try:
        with path.open(encoding="utf-8") as file:
            yield from file
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"the truth cannot be read: {path}: {getattr(error, 'strerror', error)}") from error


def _parse(line: str, place: str) -> dict[str, Any]:
    try:
        truth = json.loads(line)
    except ValueError as error:
        raise ConfigError(f"{place}: no JSON: {error}") from error
    if not isinstance(truth, dict) or not isinstance(truth.get("item_id"), str):
        raise ConfigError(f"{place}: a line of truth is an object with an item_id; given: {line.strip()[:80]}")
    if not isinstance(truth.setdefault("attributes", {}), dict):
        raise ConfigError(f"{place}: attributes are an object of labels; given: {line.strip()[:80]}")
    return truth


def true_values(truth: Mapping[str, Any], label: str) -> set[str] | None:
    """What is true and visible of one attribute; None where the truth does not know about it."""
    if label not in truth.get("labels", (label,)):
        return None
    return _values(truth["attributes"].get(label))


def compare(store: Store, path: Path, styles: Iterable[str] = ()) -> Report:
    """Compare each item of a truth file with its record."""
    report = Report({label: Tally() for label in (a.label for a in store.vocabulary.attributes.values())})
    for truth in read_truth(path, styles):
        result = get_result(store, truth["item_id"])
        if result is None:
            report.absent += 1
            continue
        report.items += 1
        _add(report, truth, result.attributes)
    return report


def _add(report: Report, truth: Mapping[str, Any], record: CharacterAttributes) -> None:
    report.people_right += record.people in {truth.get("people", record.people), "unknown"}
    for label, decided in record.attributes.items():
        true, stated = true_values(truth, label), _values(truth.get("stated", {}).get(label))
        if true is None:
            continue
        said = set(decided.values)
        tally = report.tallies[label]
        tally.right += len(said & stated)
        tally.missed += len(stated - said)
        tally.beyond += len((said & true) - stated)
        tally.wrong += len(said - true - stated)
        for value in sorted(said - true - stated):
            report.faults.append(
                f"{truth['item_id']}: {label} {value} is not true ({', '.join(sorted(true)) or 'none'})"
            )
        for value in sorted(stated - said):
            report.faults.append(f"{truth['item_id']}: {label} {value} is stated; the record is {decided.state}")


def _values(given: Any) -> set[str]:
    if given is None:
        return set()
    return set(given) if isinstance(given, list) else {given}
