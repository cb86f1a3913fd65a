"""Questions to the store: filters, counts, distributions, errors."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from character_pipeline.data import ERROR_KINDS, PEOPLE, STATUSES, ExtractionResult, Status
from character_pipeline.database.bitmaps import (
    ANSWERED,
    STATUS,
    Mask,
    as_flags,
    count_bits,
    fitted,
    index_rows,
    mask_of,
    members,
    read_mask,
    read_tallies,
)
from character_pipeline.database.bitmaps import (
    PEOPLE as PEOPLE_BITS,
)
from character_pipeline.database.codes import CODE_STATES, STATE_CODES, AttributeCodes
from character_pipeline.database.identity import duplicate_condition
from character_pipeline.database.reader import RESULT_TABLES, ResultReader
from character_pipeline.database.store import Store
from character_pipeline.errors import ConfigError, unknown_name

QUARANTINED = STATUSES.index("quarantined")
DESCRIBED: tuple[Status, ...] = ("ok", "partial")
AT_ONCE = 500


@dataclass(slots=True)
class Filter:
    """Conditions on records, all of which must hold.

    Attributes:
        sets: the attribute, its codes of which one must hold, and whether none may hold instead (see bitmaps.py).
        within: bitmaps of which all must hold, from elsewhere (see search.py).
        conditions, marks: the same as SQL, for what has no bitmap.
    """

    sets: list[tuple[int, tuple[int, ...], bool]] = field(default_factory=lambda: [(STATUS, (QUARANTINED,), True)])
    within: list[Mask] = field(default_factory=list)
    conditions: list[str] = field(default_factory=list)
    marks: list[Any] = field(default_factory=list)

    def have(self, attribute: int, *codes: int) -> None:
        """Ask for one of these codes."""
        self.sets.append((attribute, codes, False))

    def lack(self, attribute: int, *codes: int) -> None:
        """Ask for none of these codes."""
        self.sets.append((attribute, codes, True))

    def add(self, condition: str, *marks: Any) -> None:
        self.conditions.append(condition)
        self.marks += marks


def parse_filter(store: Store, where: str | None, min_confidence: float = 0.0) -> Filter:
    """A filter from text such as "hair_color=Black,gender=Female,status=ok".

    A value may also be a state ("eye_color=not_visible"). `min_confidence` asks it of each attribute that is named,
    or of the record where none is. Raises ConfigError that names what is wrong and what is allowed.
    """
    found = Filter()
    named = False
    for part in (where or "").split(","):
        if not part.strip():
            continue
        name, equals, value = part.partition("=")
        if not equals:
            raise ConfigError(f"a filter is written attribute=value, with commas between; given: '{part.strip()}'")
        named |= _add_condition(store, found, name.strip(), value.strip(), min_confidence)
    if min_confidence and not named:
        found.add("r.confidence >= ?", min_confidence)
    return found


def _add_condition(store: Store, found: Filter, name: str, value: str, min_confidence: float) -> bool:
    """Add one condition; whether it is one on an attribute."""
    if name.lower() in {"status", "people"}:
        _add_fixed(found, name.lower(), value)
        return False
    if name.lower() == "duplicate":
        found.add(*duplicate_condition(store, value))
        return False
    attribute = store.vocabulary.attribute(name)
    codes = next(codes for codes in store.codes if codes.key == attribute.key)
    state = value.lower().replace(" ", "_")
    if state == "unknown":
        found.lack(codes.number, ANSWERED)
        return False
    if state in STATE_CODES:
        found.have(codes.number, STATE_CODES[state])
        return False
    found.have(codes.number, codes.codes[store.vocabulary.value(attribute, value)])
    if min_confidence:
        found.add("json_extract(d.decided, ?) >= ?", f'$."{attribute.label}"[2]', min_confidence)
    return True


def _add_fixed(found: Filter, name: str, value: str) -> None:
    allowed: Sequence[str] = STATUSES if name == "status" else PEOPLE
    if value.lower() not in allowed:
        raise ConfigError(unknown_name(name, value, allowed))
    found.have(STATUS if name == "status" else PEOPLE_BITS, allowed.index(value.lower()))


def of_run(run: int, sources: Sequence[int]) -> Filter:
    """The items of these sources that the inventory of a run met, or one that came after it."""
    found = Filter()
    found.add("i.seen >= ?", run)
    found.add(f"i.source IN ({', '.join('?' * len(sources))})", *sources)
    return found


def find_results(
    store: Store, found: Filter, limit: int | None = None, evidence: bool = True, offset: int = 0
) -> Iterator[ExtractionResult]:
    """The results that a filter lets through, in the order of the inventory. Quarantined items never are among them.

    What is listed is what there was in the beginning: records that come meanwhile are not among them.
    """
    reader = ResultReader(store.db, store.vocabulary, evidence)
    numbers = islice(find_numbers(store, found, offset), limit)
    while chunk := list(islice(numbers, AT_ONCE)):
        yield from reader.read(f"WHERE i.id IN ({_marks(chunk)}) ORDER BY i.id", chunk)


def results_by_id(store: Store, found: Filter) -> Iterator[ExtractionResult]:
    """The same by item id, without their evidence: two databases of the same items give them in the same order."""
    reader = ResultReader(store.db, store.vocabulary, evidence=False)
    wanted = as_flags(mask_of(find_numbers(store, found), read_mask(store.db, STATUS, ())))
    listed = store.db.execute("SELECT id FROM items ORDER BY item_id")
    numbers = (number for (number,) in listed if number < len(wanted) and wanted[number])
    while chunk := list(islice(numbers, AT_ONCE)):
        yield from reader.read(f"WHERE i.id IN ({_marks(chunk)}) ORDER BY i.item_id", chunk)


def count_results(store: Store, found: Filter) -> int:
    mask = find_mask(store, found)
    if not found.conditions:
        return count_bits(mask)
    return sum(len(holding(store, found, numbers)) for numbers in members(mask))


def result_at(store: Store, found: Filter, number: int) -> ExtractionResult | None:
    """The result with this place among those that a filter lets through, in the order of the inventory, from 0."""
    return next(find_results(store, found, 1, offset=number), None)


def find_numbers(store: Store, found: Filter, offset: int = 0) -> Iterator[int]:
    """The numbers of the items that a filter lets through, rising, without the first so many."""
    mask = find_mask(store, found)
    if not found.conditions:
        yield from (number for numbers in members(mask, offset) for number in numbers)
    else:
        some = (number for numbers in members(mask) for number in holding(store, found, numbers))
        yield from islice(some, offset, None)


def find_mask(store: Store, found: Filter) -> Mask:
    """The items for which all of a filter holds but its conditions in SQL, without those that are gone."""
    mask = read_mask(store.db, STATUS, range(len(STATUSES)))
    for attribute, codes, negated in found.sets:
        other = fitted(read_mask(store.db, attribute, codes), mask)
        mask &= ~other if negated else other
    for other in found.within:
        mask &= fitted(other, mask)
    mask &= ~mask_of((row[0] for row in store.db.execute("SELECT id FROM items WHERE gone = 1")), mask)
    return mask


def holding(store: Store, found: Filter, numbers: Sequence[int]) -> list[int]:
    """Those of some items, rising, for which the conditions in SQL hold; all where there are none."""
    if not found.conditions or not numbers:
        return sorted(numbers)
    query = f"SELECT i.id FROM {RESULT_TABLES} WHERE i.id IN ({_marks(numbers)}) AND {' AND '.join(found.conditions)}"
    return [row[0] for row in store.db.execute(f"{query} ORDER BY i.id", [*numbers, *found.marks])]


def _marks(values: Sequence[object]) -> str:
    return ", ".join("?" * len(values))


def get_result(store: Store, item_id: str) -> ExtractionResult | None:
    """One item's result, whatever its status; a quarantined one has no attributes to show."""
    return next(ResultReader(store.db, store.vocabulary).read("WHERE i.item_id = ?", (item_id,)), None)


def get_statistics(store: Store) -> dict[str, Any]:
    """Counts by status, confidence, timing, the distribution of each attribute, errors by kind, the last run."""
    tallies, sums = _tallies(store), _sums(store)
    by_status: dict[str, int] = {name: tallies.get(STATUS, {}).get(code, 0) for code, name in enumerate(STATUSES)}
    total = sum(by_status.values())
    described = sum(by_status[status] for status in DESCRIBED)
    confidence = sum(sums.get(STATUSES.index(status), (0.0, 0.0))[0] for status in DESCRIBED)
    inventory = _count_items(store)
    return {
        "items": inventory,
        "waiting": inventory - total,
        "by_status": by_status,
        "success_rate": described / total if total else 0.0,
        "mean_confidence": confidence / described if described else 0.0,
        "seconds_per_item": sum(pair[1] for pair in sums.values()) / total if total else 0.0,
        "attributes": {
            codes.label: _distribution(codes, tallies.get(codes.number, {}), described) for codes in store.codes
        },
        "errors_by_kind": count_errors(store),
    }


def _count_items(store: Store) -> int:
    """How many items there are. None is ever deleted, so the last number is their count."""
    query = "SELECT (SELECT max(id) FROM items), (SELECT count(*) FROM items WHERE gone = 1)"
    last, gone = store.db.execute(query).fetchone()
    return int(last or 0) - int(gone)


def _tallies(store: Store) -> dict[int, dict[int, int]]:
    """How many items have each code, by attribute; those that are gone do not count."""
    tallies = read_tallies(store.db)
    columns = ", ".join(["r.item", "r.status", "r.people", *(f'r."{codes.key}"' for codes in store.codes)])
    gone = store.db.execute(f"SELECT {columns} FROM items i JOIN records r ON r.item = i.id WHERE i.gone = 1")
    while rows := gone.fetchmany(AT_ONCE):
        for (attribute, code, _), bits in index_rows(store.codes, rows).items():
            tallies[attribute][code] -= bits.bit_count()
    return tallies


def _sums(store: Store) -> dict[int, tuple[float, float]]:
    """Confidence and seconds of all records by status, without the items that are gone."""
    sums = {status: (confidence, seconds) for status, confidence, seconds in store.db.execute("SELECT * FROM sums")}
    query = """SELECT r.status, sum(r.confidence), sum(r.seconds) FROM items i JOIN records r ON r.item = i.id
               WHERE i.gone = 1 GROUP BY r.status"""
    for status, confidence, seconds in store.db.execute(query):
        sums[status] = (sums[status][0] - confidence, sums[status][1] - seconds)
    return sums


def _distribution(codes: AttributeCodes, tallies: Mapping[int, int], described: int) -> dict[str, int]:
    """How many described items have each value or state, most frequent first."""
    names = {code: value for value, code in codes.codes.items()} | CODE_STATES
    counts = {names[code]: count for code, count in tallies.items() if code in names and count}
    if unknown := described - tallies.get(ANSWERED, 0):
        counts["unknown"] = unknown
    return dict(sorted(counts.items(), key=lambda pair: (-pair[1], pair[0])))


def count_errors(store: Store) -> dict[str, int]:
    """How many errors of each kind the present items have, the most frequent first."""
    counts = Counter(dict(store.db.execute("SELECT kind, count(*) FROM errors GROUP BY kind").fetchall()))
    gone = "SELECT e.kind, count(*) FROM items i JOIN errors e ON e.item = i.id WHERE i.gone = 1 GROUP BY e.kind"
    counts.subtract(dict(store.db.execute(gone).fetchall()))
    return dict(
        sorted(((kind, count) for kind, count in counts.items() if count), key=lambda pair: (-pair[1], pair[0]))
    )


@dataclass(frozen=True, slots=True)
class ErrorGroup:
    """One kind of error: how often, whether it may pass by itself, what to do, some items with it."""

    kind: str
    count: int
    passing: bool
    advice: str
    examples: tuple[tuple[str, str], ...]


def list_errors(store: Store, examples: int = 3) -> list[ErrorGroup]:
    """The errors of the present items by kind, most frequent first."""
    query = f"""SELECT i.item_id, e.message FROM errors e JOIN items i ON i.id = e.item JOIN records r ON r.item = i.id
                WHERE i.gone = 0 AND r.status <> {QUARANTINED} AND e.kind = ? ORDER BY e.item LIMIT ?"""
    groups: list[ErrorGroup] = []
    for kind, count in count_errors(store).items():
        passing, advice = ERROR_KINDS.get(kind, (False, ""))
        shown = tuple((row[0], row[1]) for row in store.db.execute(query, (kind, examples)))
        groups.append(ErrorGroup(kind, count, passing, advice, shown))
    return groups
