"""Compares a database with the truth of its items."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from character_pipeline.data import CharacterAttributes
from character_pipeline.database.queries import get_result
from character_pipeline.database.store import Store
from character_pipeline.errors import ConfigError


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


def wilson(successes: int, trials: int, z: float = 1.96) -> tuple[float, float]:
    """The 95 % score interval of a proportion (Wilson, 1927)."""
    if not trials:
        return math.nan, math.nan
    share = successes / trials
    middle = (share + z * z / (2 * trials)) / (1 + z * z / trials)
    reach = z / (1 + z * z / trials) * math.sqrt(share * (1 - share) / trials + z * z / (4 * trials * trials))
    return max(middle - reach, 0.0), min(middle + reach, 1.0)


def read_truth(path: Path) -> Iterator[dict[str, Any]]:
    """The lines of a truth.jsonl. Raises ConfigError naming the line that cannot be read."""
    try:
        with path.open(encoding="utf-8") as file:
            for number, line in enumerate(file, 1):
                try:
                    yield json.loads(line)
                except ValueError as error:
                    raise ConfigError(f"{path}, line {number}: no JSON: {error}") from error
    except OSError as error:
        raise ConfigError(f"the truth cannot be read: {path}: {error.strerror}") from error


def compare(store: Store, path: Path) -> Report:
    """Compare each item of a truth file with its record."""
    report = Report({label: Tally() for label in (a.label for a in store.vocabulary.attributes.values())})
    for truth in read_truth(path):
        result = get_result(store, truth["item_id"])
        if result is None:
            report.absent += 1
            continue
        report.items += 1
        _add(report, truth, result.attributes)
    return report


def _add(report: Report, truth: Mapping[str, Any], record: CharacterAttributes) -> None:
    report.people_right += record.people in {truth["people"], "unknown"}
    for label, decided in record.attributes.items():
        true, stated = _values(truth["attributes"].get(label)), _values(truth["stated"].get(label))
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
