"""What two databases say differently of the same items: attribute by attribute, with examples."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from character_pipeline.data import STATUSES
from character_pipeline.database.codes import AttributeCodes
from character_pipeline.database.store import Store

QUARANTINED = STATUSES.index("quarantined")
PAIRS = """main.items i CROSS JOIN main.records r ON r.item = i.id
  CROSS JOIN newer.items j ON j.item_id = i.item_id CROSS JOIN newer.records s ON s.item = j.id
  WHERE i.gone = 0 AND j.gone = 0"""
SHOWN = f"r.status <> {QUARANTINED} AND s.status <> {QUARANTINED}"
ALONE = """SELECT count(*) FROM {mine}.items i JOIN {mine}.records r ON r.item = i.id WHERE i.gone = 0 AND NOT EXISTS
  (SELECT 1 FROM {other}.items j JOIN {other}.records s ON s.item = j.id WHERE j.item_id = i.item_id AND j.gone = 0)"""
NAMES = (("main", "newer"), ("newer", "main"))


@dataclass(slots=True)
class Move:
    """How many items went from one answer to another, and the first of them."""

    before: str
    after: str
    count: int = 0
    examples: list[str] = field(default_factory=list)


@dataclass(slots=True)
class AttributeDiff:
    """What became of one attribute, in numbers of items.

    Attributes:
        gained, lost: those that have a value only in the newer, only in the older database.
        changed: those that have another value.
        other: those without a value in both, for another reason.
        moves: the most frequent first.
    """

    label: str
    same: int = 0
    gained: int = 0
    lost: int = 0
    changed: int = 0
    other: int = 0
    moves: list[Move] = field(default_factory=list)


@dataclass(slots=True)
class Difference:
    """The difference of two databases.

    Attributes:
        compared: items with a record in both that neither keeps in quarantine.
        only_old, only_new: items with a record in one only.
        statuses: the items whose status differs, as moves without examples.
        attributes: one each of those that both know.
    """

    compared: int
    only_old: int
    only_new: int
    statuses: list[Move]
    attributes: list[AttributeDiff]


def compare_stores(old: Store, new: Store, examples: int = 3) -> Difference:
    """What the newer database says differently. Memory grows with the kinds of differences, not with the items."""
    db, newer = old.db, (old.path, new.path)[1]
    db.execute("ATTACH ? AS newer", (f"{newer.absolute().as_uri()}?mode=ro",))
    try:
        compared = int(db.execute(f"SELECT count(*) FROM {PAIRS} AND {SHOWN}").fetchone()[0])
        only_old, only_new = (int(db.execute(ALONE.format(mine=a, other=b)).fetchone()[0]) for a, b in NAMES)
        return Difference(compared, only_old, only_new, _statuses(old), _attributes(old, new, compared, examples))
    finally:
        db.execute("DETACH newer")


def _statuses(old: Store) -> list[Move]:
    query = f"SELECT r.status, s.status, count(*) FROM {PAIRS} AND r.status <> s.status GROUP BY 1, 2 ORDER BY 3 DESC"
    return [Move(STATUSES[before], STATUSES[after], count) for before, after, count in old.db.execute(query)]


def _attributes(old: Store, new: Store, compared: int, examples: int) -> list[AttributeDiff]:
    newer = {codes.key: codes for codes in new.codes}
    pairs = [(codes, newer[codes.key]) for codes in old.codes if codes.key in newer]
    if not pairs:
        return []
    moves: list[dict[tuple[int | None, int | None], Move]] = [{} for _ in pairs]
    columns = ", ".join(f'r."{codes.key}", s."{codes.key}"' for codes, _ in pairs)
    differ = " OR ".join(f'{_translated(before, after)} IS NOT s."{after.key}"' for before, after in pairs)
    for item_id, *cells in old.db.execute(f"SELECT i.item_id, {columns} FROM {PAIRS} AND {SHOWN} AND ({differ})"):
        for place, (before, after) in enumerate(pairs):
            _note(moves[place], (before, after), (cells[2 * place], cells[2 * place + 1]), item_id, examples)
    return [_summed(codes.label, found, compared) for (codes, _), found in zip(pairs, moves, strict=True)]


def _translated(before: AttributeCodes, after: AttributeCodes) -> str:
    """The old cell in the codes of the newer database, as SQL; a value that it does not know is like no other."""
    column = f'r."{before.key}"'
    if all(after.codes.get(value) == code for value, code in before.codes.items()) and before.many == after.many:
        return column
    if before.many:
        bits = [f"(({column} >> {code - 1}) & 1) << {_bit(after, value)}" for value, code in before.codes.items()]
        return f"CASE WHEN {column} > 0 THEN {' | '.join(bits) or 0} ELSE {column} END"
    cases = " ".join(f"WHEN {code} THEN {after.codes.get(value, -100)}" for value, code in before.codes.items())
    return f"CASE {column} {cases} ELSE {column} END"


def _bit(after: AttributeCodes, value: str) -> int:
    return after.codes.get(value, 63) - 1


def _note(
    moves: dict[tuple[int | None, int | None], Move],
    codes: tuple[AttributeCodes, AttributeCodes],
    cells: tuple[int | None, int | None],
    item_id: str,
    examples: int,
) -> None:
    move = moves.get(cells)
    if move is None:
        before, after = (_answer(one, cell) for one, cell in zip(codes, cells, strict=True))
        move = moves[cells] = Move(before, after)
    move.count += 1
    if len(move.examples) < examples:
        move.examples.append(item_id)


def _answer(codes: AttributeCodes, cell: int | None) -> str:
    state, values = codes.decode(cell)
    return ", ".join(sorted(values)) if values else state


def _summed(label: str, found: dict[tuple[int | None, int | None], Move], compared: int) -> AttributeDiff:
    kinds: Counter[str] = Counter()
    differing = []
    for (before, after), move in found.items():
        if move.before != move.after:
            kinds[_kind(before, after)] += move.count
            differing.append(move)
    differing.sort(key=lambda move: (-move.count, move.before, move.after))
    return AttributeDiff(label, compared - kinds.total(), **kinds, moves=differing)


def _kind(before: int | None, after: int | None) -> str:
    had, has = (cell is not None and cell > 0 for cell in (before, after))
    return "changed" if had and has else "lost" if had else "gained" if has else "other"
