"""Questions to the store: filters, counts, distributions, errors."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from character_pipeline.data import ERROR_KINDS, PEOPLE, STATES, STATUSES, ExtractionResult
from character_pipeline.database.codes import STATE_CODES, AttributeCodes
from character_pipeline.database.reader import ResultReader
from character_pipeline.database.store import Store
from character_pipeline.errors import ConfigError, unknown_name

QUARANTINED = STATUSES.index("quarantined")


@dataclass(slots=True)
class Filter:
    """Conditions on records, all of which must hold, as SQL with marks for the values."""

    conditions: list[str] = field(default_factory=lambda: ["i.gone = 0", f"r.status <> {QUARANTINED}"])
    marks: list[Any] = field(default_factory=list)

    @property
    def where(self) -> str:
        return "WHERE " + " AND ".join(self.conditions)

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
    attribute = store.vocabulary.attribute(name)
    codes = next(codes for codes in store.codes if codes.key == attribute.key)
    state = value.lower().replace(" ", "_")
    if state in STATES and state != "known":
        _add_state(found, attribute.key, STATE_CODES.get(state))
        return False
    _add_value(found, codes, codes.codes[store.vocabulary.value(attribute, value)])
    if min_confidence:
        found.add("json_extract(d.decided, ?) >= ?", f'$."{attribute.label}"[2]', min_confidence)
    return True


def _add_state(found: Filter, key: str, code: int | None) -> None:
    if code is None:
        found.add(f'r."{key}" IS NULL')
    else:
        found.add(f'r."{key}" = ?', code)  # "IS ?" would not use the index, which has no NULLs


def _add_value(found: Filter, codes: AttributeCodes, code: int) -> None:
    if codes.many:
        found.add("r.item IN (SELECT item FROM many WHERE attribute = ? AND code = ?)", codes.number, code)
    else:
        found.add(f'r."{codes.key}" = ?', code)


def _add_fixed(found: Filter, name: str, value: str) -> None:
    allowed: Sequence[str] = STATUSES if name == "status" else PEOPLE
    if value.lower() not in allowed:
        raise ConfigError(unknown_name(name, value, allowed))
    found.add(f"r.{name} = ?", allowed.index(value.lower()))


def of_run(run: int, sources: Sequence[int]) -> Filter:
    """The items of these sources that the inventory of a run met, or one that came after it."""
    found = Filter()
    found.add("i.seen >= ?", run)
    found.add(f"i.source IN ({', '.join('?' * len(sources))})", *sources)
    return found


def find_results(
    store: Store, found: Filter, limit: int | None = None, evidence: bool = True, offset: int = 0
) -> Iterator[ExtractionResult]:
    """The results that a filter lets through, by item id. Quarantined items never are among them."""
    rest = f"{found.where} ORDER BY i.item_id LIMIT ? OFFSET ?"
    marks = [*found.marks, -1 if limit is None else limit, offset]
    return ResultReader(store.db, store.vocabulary, evidence).read(rest, marks)


def count_results(store: Store, found: Filter) -> int:
    tables = "items i JOIN records r ON r.item = i.id"
    if any("d.decided" in condition for condition in found.conditions):
        tables += " JOIN details d ON d.item = i.id"
    return int(store.db.execute(f"SELECT count(*) FROM {tables} {found.where}", found.marks).fetchone()[0])


def result_at(store: Store, found: Filter, number: int) -> ExtractionResult | None:
    """The result with this place among those that a filter lets through, by item id, from 0."""
    tables = "items i JOIN records r ON r.item = i.id"
    place = f"SELECT i.id FROM {tables} {found.where} ORDER BY i.item_id LIMIT 1 OFFSET ?"
    return next(ResultReader(store.db, store.vocabulary).read(f"WHERE i.id = ({place})", [*found.marks, number]), None)


def get_result(store: Store, item_id: str) -> ExtractionResult | None:
    """One item's result, whatever its status; a quarantined one has no attributes to show."""
    return next(ResultReader(store.db, store.vocabulary).read("WHERE i.item_id = ?", (item_id,)), None)


def get_statistics(store: Store) -> dict[str, Any]:
    """Counts by status, confidence, timing, the distribution of each attribute, errors by kind, the last run."""
    rows = store.db.execute("""SELECT r.status, count(*), sum(r.confidence), sum(r.seconds) FROM records r
                               JOIN items i ON i.id = r.item WHERE i.gone = 0 GROUP BY r.status""").fetchall()
    by_status = {STATUSES[status]: count for status, count, _, _ in rows}
    total = sum(by_status.values())
    described = sum(count for status, count, _, _ in rows if STATUSES[status] in {"ok", "partial"})
    confidence = sum(confidence for status, _, confidence, _ in rows if STATUSES[status] in {"ok", "partial"})
    inventory = store.db.execute("SELECT count(*) FROM items WHERE gone = 0").fetchone()[0]
    return {
        "items": inventory,
        "waiting": inventory - total,
        "by_status": {status: by_status.get(status, 0) for status in STATUSES},
        "success_rate": described / total if total else 0.0,
        "mean_confidence": confidence / described if described else 0.0,
        "seconds_per_item": sum(row[3] or 0.0 for row in rows) / total if total else 0.0,
        "attributes": {codes.label: _distribution(store, codes) for codes in store.codes},
        "errors_by_kind": count_errors(store),
    }


def _distribution(store: Store, codes: AttributeCodes) -> dict[str, int]:
    """How many described items have each value or state, most frequent first."""
    described = f"i.gone = 0 AND r.status IN ({STATUSES.index('ok')}, {STATUSES.index('partial')})"
    query = f"""SELECT r."{codes.key}", count(*) FROM records r JOIN items i ON i.id = r.item
                WHERE {described} GROUP BY 1"""
    counts: dict[str, int] = {}
    for cell, count in store.db.execute(query):
        state, values = codes.decode(cell)
        for name in values or (state,):
            counts[name] = counts.get(name, 0) + count
    return dict(sorted(counts.items(), key=lambda pair: (-pair[1], pair[0])))


def count_errors(store: Store) -> dict[str, int]:
    query = """SELECT e.kind, count(*) FROM errors e JOIN items i ON i.id = e.item WHERE i.gone = 0
               GROUP BY 1 ORDER BY 2 DESC, 1"""
    return dict(store.db.execute(query).fetchall())


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
    query = """SELECT i.item_id, e.message FROM errors e JOIN items i ON i.id = e.item
               WHERE i.gone = 0 AND e.kind = ? ORDER BY i.item_id LIMIT ?"""
    groups: list[ErrorGroup] = []
    for kind, count in count_errors(store).items():
        passing, advice = ERROR_KINDS.get(kind, (False, ""))
        shown = tuple((row[0], row[1]) for row in store.db.execute(query, (kind, examples)))
        groups.append(ErrorGroup(kind, count, passing, advice, shown))
    return groups
