"""Numbers of a database for those who watch it. All are dataclasses of plain types; what cannot be told is None.

What is counted in tallies is exact. What lies in the details of records is told from a sample of bounded size, drawn by
a seed, which says how large it is and of how many.
"""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
from pydantic_core import from_json

from character_pipeline.data import STATES, STATUSES
from character_pipeline.database.bitmaps import STATUS, as_flags
from character_pipeline.database.feedback import feedback_as_truth
from character_pipeline.database.pace import read_pace
from character_pipeline.database.queries import DESCRIBED, Filter, find_mask, get_result, get_statistics, list_errors
from character_pipeline.database.store import Store
from character_pipeline.evaluation.reliability import Said, diagram, reliability
from character_pipeline.evaluation.truth import true_values
from character_pipeline.models.machine import count_cores
from character_pipeline.rl_optimizer.choices import read_choice, read_dealing
from character_pipeline.runs.hardware import held_memory_bytes, peak_memory_mib

SAMPLE, LABELLED = 2_000, 2_000
AT_ONCE = 500
BINS = 20
"""Of equal width, of confidences."""


@dataclass(frozen=True, slots=True)
class Sample:
    """The stored decisions of some described items, by label, and how a policy dealt with them.

    Attributes:
        items: how many were drawn, of how many.
    """

    items: int
    of: int
    decided: Sequence[Mapping[str, Sequence[Any]]]
    dealings: Sequence[int | None]


@dataclass(frozen=True, slots=True)
class Coverage:
    """Of how many described items an attribute has a value, or which other state; and its values, the most frequent
    first."""

    attribute: str
    described: int
    states: dict[str, int]
    values: dict[str, int]


@dataclass(frozen=True, slots=True)
class Confidences:
    """How sure the known values of an attribute are: answers of the sample in bins of equal width from 0 to 1."""

    attribute: str
    counts: list[int]
    mean: float | None


@dataclass(frozen=True, slots=True)
class Agreement:
    """In how many items of the sample two sources both state a value of an attribute, and in how many the same."""

    attribute: str
    first: str
    second: str
    both: int
    same: int


@dataclass(frozen=True, slots=True)
class Reliable:
    """How right the answers to an attribute are, by the newest labelled items.

    Attributes:
        bins: from the least sure: low, high, mean confidence, right, answers, and the 95 % interval of the share.
    """

    attribute: str
    answers: int
    right: float | None
    calibration: float | None
    interval: tuple[float | None, float | None]
    brier: float | None
    bins: list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Mix:
    """What a policy did in the sample: by attribute the actions it chose; of the items what it bought, and which
    samples of the policy they belong to; nothing where none decided."""

    actions: dict[str, dict[str, int]]
    items: int
    asked: int
    bought: dict[str, int]
    samples: dict[str, int]


def draw_sample(store: Store, most: int = SAMPLE, seed: int = 0) -> Sample:
    """Described items, without those that are gone; the same ones for a seed."""
    found = Filter()
    found.have(STATUS, *map(STATUSES.index, DESCRIBED))
    members = np.flatnonzero(as_flags(find_mask(store, found)))
    rng = np.random.default_rng(seed)
    drawn = members if len(members) <= most else rng.choice(members, most, replace=False, shuffle=False)
    rows = list(_details(store, np.sort(drawn).tolist()))
    return Sample(len(rows), len(members), [from_json(row[0]) for row in rows], [row[1] for row in rows])


def _details(store: Store, numbers: Sequence[int]) -> Iterator[tuple[str, int | None]]:
    for start in range(0, len(numbers), AT_ONCE):
        some = numbers[start : start + AT_ONCE]
        marks = ", ".join("?" * len(some))
        yield from store.db.execute(f"SELECT decided, dealing FROM details WHERE item IN ({marks}) ORDER BY item", some)


def coverages(store: Store) -> list[Coverage]:
    """By attribute, exact."""
    counted = get_statistics(store)
    described = sum(counted["by_status"][status] for status in DESCRIBED)
    return [_coverage(label, counts, described) for label, counts in counted["attributes"].items()]


def _coverage(label: str, counts: Mapping[str, int], described: int) -> Coverage:
    values = {name: count for name, count in counts.items() if name not in STATES}
    states: dict[str, int] = {state: counts.get(state, 0) for state in STATES if state != "known"}
    return Coverage(label, described, {"known": described - sum(states.values()), **states}, values)


def confidences(store: Store, sample: Sample, bins: int = BINS) -> list[Confidences]:
    """By attribute, from a sample."""
    found: dict[str, list[float]] = {codes.label: [] for codes in store.codes}
    for decided in sample.decided:
        for label, (state, _, confidence, *_) in decided.items():
            if state == "known" and label in found:
                found[label].append(confidence)
    return [
        Confidences(label, np.histogram(sure, bins, (0, 1))[0].tolist(), float(np.mean(sure)) if sure else None)
        for label, sure in found.items()
    ]


def agreements(store: Store, sample: Sample) -> list[Agreement]:
    """By attribute and pair of sources, from a sample. A source says what its strongest claim says; in a list, all."""
    both: Counter[tuple[str, str, str]] = Counter()
    same: Counter[tuple[str, str, str]] = Counter()
    many = {codes.label: codes.many for codes in store.codes}
    for decided in sample.decided:
        for label in decided.keys() & many.keys():
            said = _said(decided[label][5], many[label])
            for first, second in combinations(sorted(said), 2):
                both[label, first, second] += 1
                same[label, first, second] += said[first] == said[second]
    order = list(many)
    keys = sorted(both, key=lambda key: (order.index(key[0]), *key[1:]))
    return [Agreement(*key, both[key], same[key]) for key in keys]


def _said(evidence: Sequence[Sequence[Any]], many: bool) -> dict[str, set[str]]:
    """What each source states."""
    claims: dict[str, list[tuple[float, str]]] = {}
    for _, value, score, source, *rest in evidence:
        if (rest[0] if rest else "is") == "is":
            claims.setdefault(source.partition("/")[0], []).append((score, value))
    return {source: {value for _, value in some} if many else {max(some)[1]} for source, some in claims.items()}


def mix(sample: Sample) -> Mix:
    """What a policy did, from a sample."""
    actions: dict[str, Counter[str]] = {}
    for decided in sample.decided:
        for label, (*_, last) in decided.items():
            if len(decided[label]) > 6:
                actions.setdefault(label, Counter())[read_choice(last).action] += 1
    dealings = [read_dealing(bits) for bits in sample.dealings if bits is not None]
    bought = [dealing.bought for dealing in dealings if dealing.bought is not None]
    samples = Counter(name for dealing in dealings for name in dealing.samples)
    counts = {label: dict(counted.most_common()) for label, counted in sorted(actions.items())}
    return Mix(
        counts, sample.items, len(bought), dict(Counter(name for some in bought for name in some)), dict(samples)
    )


def reliabilities(store: Store, most: int = LABELLED) -> list[Reliable]:
    """By attribute that has feedback on its answers, from the newest labelled items."""
    lines = feedback_as_truth(store)[-most:]
    answers: dict[str, list[tuple[float, bool, int]]] = {}
    for group, line in enumerate(lines):
        result = get_result(store, line["item_id"])
        if result is None or not result.success:
            continue
        for label, decided in result.attributes.attributes.items():
            true = true_values(line, label)
            for value in decided.values if true is not None else ():
                answers.setdefault(label, []).append((decided.confidence, value in (true or ()), group))
    return [_reliable(label, some) for label, some in answers.items()]


def _reliable(label: str, answers: Sequence[tuple[float, bool, int]]) -> Reliable:
    sure, right, groups = zip(*answers, strict=True)
    said = Said(np.array(sure), np.array(right), np.array(groups))
    found = reliability(said)
    interval = (_plain(found.interval[0]), _plain(found.interval[1]))
    bins = [{**one._asdict(), "interval": list(one.interval)} for one in diagram(said)]
    share, calibration = _plain(found.right), _plain(found.calibration)
    return Reliable(label, found.answers, share, calibration, interval, _plain(found.brier), bins)


def _plain(number: float) -> float | None:
    return None if math.isnan(number) else number


def throughput(store: Store, minutes: int = 1_440, runs: int = 50) -> dict[str, list[dict[str, Any]]]:
    """Items and seconds of work by minute, of the newest minutes; and the newest runs; the oldest first."""
    query = "SELECT id, started, finished, state, statistics FROM runs ORDER BY id DESC LIMIT ?"
    paces = [{"run": one.run, "minute": one.minute, "items": one.items, "seconds": dict(one.seconds)}
             for one in read_pace(store.db, minutes)]  # fmt: skip
    rows = reversed(store.db.execute(query, (runs,)).fetchall())
    return {"minutes": paces, "runs": [_run(*row) for row in rows]}


def _run(number: int, started: float, finished: float | None, state: str, statistics: str | None) -> dict[str, Any]:
    told = from_json(statistics) if statistics else {}
    names = ("processed", "items_per_second", "peak_memory_mib", "workers", "seconds")
    return {"run": number, "started": started, "finished": finished, "state": state} | {
        name: told.get(name) for name in names
    }


def resources(store: Store) -> dict[str, Any]:
    """What this process uses now, and the size of the database where it is a file."""
    path = store.place.path
    files = [] if path is None else [Path(f"{path}{ending}") for ending in ("", "-wal", ".words", ".likeness")]
    held = held_memory_bytes()
    return {
        "memory_mib": None if held is None else round(held / 2**20, 1),
        "peak_memory_mib": peak_memory_mib(),
        "processor_seconds": round(time.process_time(), 2),
        "cores": count_cores(),
        "database_bytes": sum(file.stat().st_size for file in files if file.is_file()),
    }


def all_figures(store: Store, most: int = SAMPLE, seed: int = 0) -> dict[str, Any]:
    """All of them, as JSON.

    Args:
        most: items of which the details are read.
    """
    sample = draw_sample(store, most, seed)
    return {
        "sample": {"items": sample.items, "of": sample.of},
        "coverage": [asdict(one) for one in coverages(store)],
        "confidence": [asdict(one) for one in confidences(store, sample)],
        "agreement": [asdict(one) for one in agreements(store, sample)],
        "reliability": [asdict(one) for one in reliabilities(store, most)],
        "policy": asdict(mix(sample)),
        "errors": [asdict(group) for group in list_errors(store)],
        "throughput": throughput(store),
        "resources": resources(store),
    }
