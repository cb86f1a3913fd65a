from __future__ import annotations

import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from character_pipeline.data import AttributeValue
from character_pipeline.database.codes import AttributeCodes
from character_pipeline.database.ledger import Ledger, Todo
from character_pipeline.database.rows import Rows, pack_ranges, unpack_ranges
from character_pipeline.database.store import Store
from character_pipeline.errors import ConfigError, StoreError
from character_pipeline.input_loader import Entry
from character_pipeline.vocabulary import Vocabulary, load_vocabulary

VOCABULARY = load_vocabulary()


def with_values(key: str, *values: str) -> Vocabulary:
    changed = replace(VOCABULARY.attributes[key], values=values)
    return replace(VOCABULARY, attributes={**VOCABULARY.attributes, key: changed})


def codes_of(store: Store, key: str) -> AttributeCodes:
    return next(codes for codes in store.codes if codes.key == key)


def test_codes_stay_when_the_vocabulary_grows(database: str) -> None:
    store = Store(database, VOCABULARY)
    before = codes_of(store, "hair_length").codes
    store.close()
    grown = Store(database, with_values("hair_length", "Very Long", *VOCABULARY.attributes["hair_length"].values))
    after = codes_of(grown, "hair_length").codes
    grown.close()
    assert {value: after[value] for value in before} == before
    assert after["Very Long"] == max(before.values()) + 1


def test_a_new_attribute_gets_a_column(database: str) -> None:
    shoes = replace(VOCABULARY.attributes["scars"], key="footwear", label="Footwear", values=("Boots",))
    store = Store(database, VOCABULARY)
    store.close()
    store = Store(database, replace(VOCABULARY, attributes={**VOCABULARY.attributes, "footwear": shoes}))
    assert store.db.execute("SELECT count(footwear) FROM records").fetchone() == (0,)
    numbers = [codes.number for codes in store.codes]
    store.close()
    assert len(set(numbers)) == len(numbers)


@pytest.mark.parametrize("key", ["status", "not a name", "item_id"])
def test_a_key_that_cannot_be_a_column_is_refused(database: str, key: str) -> None:
    bad = replace(VOCABULARY.attributes["scars"], key=key)
    with pytest.raises(ConfigError, match="plain name"):
        Store(database, replace(VOCABULARY, attributes={key: bad}))


@given(st.sampled_from(sorted(VOCABULARY.attributes)).flatmap(
    lambda key: st.tuples(st.just(key), st.sets(st.sampled_from(VOCABULARY.attributes[key].values), min_size=1))
))  # fmt: skip
def test_values_come_back_from_their_codes(drawn: tuple[str, set[str]]) -> None:
    attribute = VOCABULARY.attributes[drawn[0]]
    codes = AttributeCodes(
        0, attribute.key, attribute.label, attribute.many, {v: n for n, v in enumerate(attribute.values, 1)}
    )
    values = tuple(value for value in attribute.values if value in drawn[1])
    values = values if attribute.many else values[:1]
    assert codes.decode(codes.encode(AttributeValue("known", values))) == ("known", values)


@pytest.mark.parametrize("state", ["unknown", "not_visible", "conflicting", "not_applicable"])
def test_states_come_back_from_their_codes(state: str) -> None:
    codes = AttributeCodes(0, "hair_color", "Hair Color", False, {"Red": 1})
    assert codes.decode(codes.encode(AttributeValue(state))) == (state, ())  # type: ignore[arg-type]


def test_a_newer_database_is_refused(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "x.db") as db:
        db.execute("PRAGMA user_version = 99")
    db.close()
    with pytest.raises(StoreError, match="pip install -U"):
        Store(tmp_path / "x.db", VOCABULARY)


def test_what_is_no_database(tmp_path: Path) -> None:
    (tmp_path / "x.db").write_text("hello" * 1000)
    with pytest.raises(StoreError, match="not a database"):
        Store(tmp_path / "x.db", VOCABULARY)
    with pytest.raises(StoreError, match="charpipe extract"):
        Store(tmp_path / "none.db", VOCABULARY, writable=False)
    with pytest.raises(StoreError, match="cannot be opened"):
        Store(tmp_path, VOCABULARY)


def test_a_failed_transaction_leaves_nothing(database: str) -> None:
    store = Store(database, VOCABULARY)
    with pytest.raises(ZeroDivisionError), store.transaction() as db:  # noqa: PT012
        db.execute("INSERT INTO sources(uri) VALUES ('a')")
        raise ZeroDivisionError
    assert store.db.execute("SELECT count(*) FROM sources").fetchone() == (0,)
    store.close()


def test_an_attribute_that_goes_and_comes_back(database: str) -> None:
    """An attribute with many values leaves no rows behind that queries would find, or the next run would stumble on."""
    without = replace(VOCABULARY, attributes={k: a for k, a in VOCABULARY.attributes.items() if k != "accessories"})
    counts = []
    query = "SELECT count(*) FROM tallies WHERE attribute >= 0 AND code > 0 AND items > 0"
    for vocabulary in (VOCABULARY, without, VOCABULARY):
        store = Store(database, vocabulary)
        codes = codes_of(store, "accessories") if "accessories" in vocabulary.attributes else None
        place = store.codes.index(codes) if codes else 0
        cells = [3 if codes and number == place else None for number in range(len(store.codes))]
        rows = Rows([1], [(1, 0, 0, 0.5, "f", 1, 1, 0, 0.1, b"", 0, 0, "", *cells)])
        store.commit_shard(1, rows)
        counts.append(store.db.execute(query).fetchone()[0])
        store.close()
    assert counts == [2, 0, 2]


@given(st.sets(st.integers(1, 10_000)))
def test_ranges_hold_what_they_were_made_of(numbers: set[int]) -> None:
    rising = sorted(numbers)
    pairs = unpack_ranges(pack_ranges(rising))
    assert [number for first, last in pairs for number in range(first, last + 1)] == rising


@given(st.lists(st.sampled_from("abc"), max_size=20), st.integers(1, 7))
def test_every_entry_is_in_one_shard_once_also_after_a_second_plan(
    tmp_path_factory: pytest.TempPathFactory, keys: list[str], size: int
) -> None:
    store = Store(tmp_path_factory.mktemp("db") / "x.db", VOCABULARY)
    ledger = Ledger(store)
    for _ in range(2):
        run = store.begin_run("f", "{}", "{}")
        source = ledger.add_source("s", "folder")
        assert sum(ledger.add_entries(source, run, (Entry(key, "", "") for key in keys))) == len(keys)
        assert ledger.plan(Todo(run, "f"), size) == len(keys)
        shards = [ledger.shard_entries(shard) for shard in ledger.pending_shards()]
        found = [member.entry.key for shard in shards for member in shard]
        assert len(found) == len(set(found)) == len(keys)
        assert all(len(shard) <= size for shard in shards)
    store.close()
