"""Filters, counts, pages and statistics say what a look at every record says."""

from __future__ import annotations

import random
import sqlite3
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from character_pipeline.data import STATUSES, ExtractionResult
from character_pipeline.database.bitmaps import BLOCK, count_bits, mask_of, members
from character_pipeline.database.codes import AttributeCodes
from character_pipeline.database.migrations import MIGRATIONS
from character_pipeline.database.queries import (
    count_results,
    find_results,
    get_statistics,
    parse_filter,
    result_at,
    results_by_id,
)
from character_pipeline.database.review import review_queue
from character_pipeline.database.rows import Rows
from character_pipeline.database.store import Store
from character_pipeline.errors import StoreError
from character_pipeline.vocabulary import load_vocabulary
from tests.conftest import SINCE_SEVEN

VOCABULARY = load_vocabulary()
ITEMS = 3 * BLOCK // 2
WHERES = (
    "",
    "hair_color=Black",
    "hair_color=Black,gender=Female",
    "accessories=Glasses,accessories=Hat",
    "hair_color=not_visible",
    "hair_color=unknown",
    "status=failed",
    "people=multiple,gender=Male",
)


def cell(rng: random.Random, codes: AttributeCodes) -> int | None:
    """A value, a state below zero, or nothing."""
    kind = rng.random()
    if kind < 0.3:
        return None
    if kind < 0.4:
        return -rng.randint(1, 3)
    return rng.getrandbits(len(codes.codes)) | 1 if codes.many else rng.randint(1, min(len(codes.codes), 3))


def write(store: Store, numbers: list[int], rng: random.Random, shard: int = 1) -> None:
    rows = Rows(list(numbers))
    for number in numbers:
        status = rng.choice([0, 0, 0, 1, 2, 4, 5])
        described = STATUSES[status] in {"ok", "partial"}
        cells = [cell(rng, codes) if described else None for codes in store.codes]
        fixed = (number, status, rng.randrange(3), rng.random(), "f", 1, 1, 0, 0.001, b"", 0, 0, "")
        rows.records.append((*fixed, *cells))
        rows.details.append((number, None, None, "{}", None, None))
    store.commit_shard(shard, rows)


@pytest.fixture(scope="module", params=["file", "server"])
def store(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """Records of which some were written twice and some are gone."""
    place = tmp_path_factory.mktemp("db") / "x.db"
    address = str(place) if request.param == "file" else request.getfixturevalue("new_schema")()
    store, rng = Store(address, VOCABULARY), random.Random(5)
    rows = [(f"item {number:05}",) for number in range(ITEMS)]
    store.db.executemany("INSERT INTO items(item_id, source, seen) VALUES (?, 1, 1)", rows)
    for first in range(1, ITEMS, 1000):
        write(store, list(range(first, min(first + 1000, ITEMS))), rng)
    write(store, sorted(rng.sample(range(1, ITEMS), 300)), rng)
    store.db.execute("UPDATE items SET gone = 1 WHERE id % 97 = 0")
    yield store
    store.close()


def expected(store: Store, where: str) -> list[int]:
    """The numbers of the records that hold, found by looking at each."""
    columns = ", ".join(f'r."{codes.key}"' for codes in store.codes)
    query = f"SELECT i.id, r.status, r.people, {columns} FROM items i JOIN records r ON r.item = i.id WHERE i.gone = 0"
    return [row[0] for row in store.db.execute(f"{query} ORDER BY i.id") if holds(store, row, where)]


def holds(store: Store, row: tuple[Any, ...], where: str) -> bool:
    _, status, people, *cells = row
    answers: dict[str, set[str]] = {"status": {STATUSES[status]}, "people": {("single", "multiple", "none")[people]}}
    for codes, value in zip(store.codes, cells, strict=True):
        state, values = codes.decode(value)
        answers[codes.key] = set(values) or {state}
    asked = [part.split("=") for part in where.split(",") if part]
    return STATUSES[status] != "quarantined" and all(value in answers[key] for key, value in asked)


def numbers(results: Iterator[ExtractionResult]) -> list[int]:
    return [int(result.item_id.split()[1]) + 1 for result in results]


@pytest.mark.parametrize("where", WHERES)
def test_filters_find_what_a_look_at_every_record_finds(store: Store, where: str) -> None:
    wanted, found = expected(store, where), parse_filter(store, where)
    assert len(wanted) > 20
    assert count_results(store, found) == len(wanted)
    assert numbers(find_results(store, found)) == wanted == numbers(results_by_id(store, found))
    assert numbers(find_results(store, found, limit=7, offset=11)) == wanted[11:18]
    at = result_at(store, found, len(wanted) - 1)
    assert at is not None
    assert numbers(iter([at])) == wanted[-1:]
    assert result_at(store, found, len(wanted)) is None


def test_a_least_confidence_is_heard_beside_a_filter(store: Store) -> None:
    sure = parse_filter(store, "status=ok", 0.5)
    wanted = [row[0] for row in store.db.execute("SELECT item FROM records WHERE confidence >= 0.5")]
    assert numbers(find_results(store, sure)) == sorted({*wanted} & {*expected(store, "status=ok")})
    assert count_results(store, sure) == len(numbers(find_results(store, sure)))
    assert numbers(find_results(store, sure, limit=5, offset=3)) == numbers(find_results(store, sure))[3:8]


def test_statistics_are_those_of_every_record(store: Store) -> None:
    found = get_statistics(store)
    rows = "FROM items i JOIN records r ON r.item = i.id WHERE i.gone = 0"
    total = store.db.execute(f"SELECT count(*), sum(r.seconds) {rows}").fetchone()
    mean = store.db.execute(f"SELECT avg(r.confidence) {rows} AND r.status < 2").fetchone()[0]
    assert sum(found["by_status"].values()) == total[0]
    assert found["mean_confidence"] == pytest.approx(mean)
    assert found["seconds_per_item"] == pytest.approx(total[1] / total[0])
    assert found["items"] == ITEMS - len(range(97, ITEMS + 1, 97))
    for codes in store.codes:
        cells = store.db.execute(f'SELECT r."{codes.key}" {rows} AND r.status < 2').fetchall()
        answers = (codes.decode(value) for (value,) in cells)
        counted = Counter(name for state, values in answers for name in values or (state,))
        assert found["attributes"][codes.label] == dict(counted)


def test_a_database_of_an_older_version_is_brought_up_to_date_by_readers(store: Store, tmp_path: Path) -> None:
    if not isinstance(store.db, sqlite3.Connection):
        pytest.skip("no server has a database of an older version")
    place = tmp_path / "old.db"
    with sqlite3.connect(place) as old:
        store.db.backup(old)
        for name in ("bitmaps", "tallies", "sums"):
            old.execute(f"DROP TABLE {name}")
        old.execute("CREATE TABLE many(attribute INTEGER, code INTEGER, item INTEGER)")
        listed = [codes for codes in store.codes if codes.many]
        old.executemany("INSERT INTO many VALUES (?, 1, 1)", [(codes.number,) for codes in listed])
        old.execute("ALTER TABLE details DROP COLUMN dealing")
        for name in ("policies", *SINCE_SEVEN):
            old.execute(f"DROP TABLE {name}")
        for index in ("items_gone", "errors_kind"):
            old.execute(f"DROP INDEX {index}")
        old.execute("CREATE INDEX records_status ON records(status)")
        old.execute('CREATE INDEX "records_hair_color" ON records(hair_color)')
        old.execute("PRAGMA user_version = 3")
    old.close()
    again = Store(place, writable=False)
    assert again.db.execute("PRAGMA user_version").fetchone()[0] == len(MIGRATIONS)
    for where in WHERES:
        assert numbers(find_results(again, parse_filter(again, where))) == expected(store, where)
    new, before = get_statistics(again), get_statistics(store)
    assert {**new, "mean_confidence": 0, "seconds_per_item": 0} == {
        **before,
        "mean_confidence": 0,
        "seconds_per_item": 0,
    }
    assert new["mean_confidence"] == pytest.approx(before["mean_confidence"])
    again.close()


def test_another_database_is_not_touched(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "other.db") as db:
        db.execute("CREATE TABLE things(id)")
    db.close()
    before = (tmp_path / "other.db").read_bytes()
    with pytest.raises(StoreError, match="not a database of this program"):
        Store(tmp_path / "other.db", writable=False)
    assert (tmp_path / "other.db").read_bytes() == before


def test_items_that_come_meanwhile_disturb_nobody(tmp_path: Path) -> None:
    store = Store(tmp_path / "x.db", VOCABULARY)
    store.db.executemany("INSERT INTO items(item_id, source, seen) VALUES (?, 1, 1)", [("item 0",), ("item 1",)])
    write(store, [1, 2], random.Random(3))
    alone = numbers(find_results(store, parse_filter(store, None)))
    meanwhile = Store(tmp_path / "x.db", VOCABULARY)

    def come(_: str) -> None:
        (last,) = meanwhile.db.execute("SELECT max(id) FROM items").fetchone()
        new = range(last, last + BLOCK)
        with meanwhile.transaction() as db:
            db.executemany(
                "INSERT INTO items(item_id, source, seen, gone) VALUES (?, 1, 1, 1)", [(f"n{n}",) for n in new]
            )
            db.put(
                "bitmaps", ("attribute", "code", "block", "bits"), [(-1, 0, last // BLOCK + 1, bytes(BLOCK // 8))], 3
            )

    assert isinstance(store.db, sqlite3.Connection)
    store.db.set_trace_callback(come)
    where = parse_filter(store, "hair_color=unknown")
    assert count_results(store, where) <= 2
    for find in (find_results, results_by_id):
        assert numbers(find(store, parse_filter(store, None))) == alone
    review_queue(store)
    store.close()
    meanwhile.close()


@given(st.sets(st.integers(0, 3 * BLOCK - 1)), st.integers(0, 200))
def test_masks_hold_what_they_were_made_of(found: set[int], skip: int) -> None:
    mask = mask_of(found, mask_of([], members_like()))
    assert count_bits(mask) == len(found)
    assert [number for part in members(mask, skip) for number in part] == sorted(found)[skip:]


def members_like() -> Any:
    import numpy as np

    return np.zeros((3, BLOCK // 8), dtype=np.uint8)
