from __future__ import annotations

import sqlite3
from pathlib import Path

import numpy as np
import pytest

from character_pipeline.database.migrations import MIGRATIONS, first_tables
from character_pipeline.database.sqlite import SqliteConnection
from character_pipeline.database.store import Store
from character_pipeline.database.vectors import VectorCache, write_vectors
from character_pipeline.vocabulary import load_vocabulary

VOCABULARY = load_vocabulary()
ONE, TWO = "11" * 32, "22" * 32


def vector(*numbers: float) -> bytes:
    return np.array(numbers, dtype="<f2").tobytes()


@pytest.fixture
def path(database: str) -> str:
    Store(database, VOCABULARY).close()
    return database


def write(path: str, *rows: tuple[str, str, bytes]) -> None:
    store = Store(path, VOCABULARY)
    with store.transaction() as db:
        write_vectors(db, [(bytes.fromhex(digest), key, blob) for digest, key, blob in rows])
    store.close()


def find(path: str, sizes: dict[str, int], *digests: str) -> dict[str, dict[str, list[float]]]:
    cache = VectorCache(path, sizes)
    found = cache.find(digests)
    cache.close()
    return {digest: {key: value.tolist() for key, value in vectors.items()} for digest, vectors in found.items()}


def test_vectors_come_back_by_content_and_reader(path: str) -> None:
    write(path, (ONE, "a", vector(1, 2)), (ONE, "b", vector(3)), (TWO, "a", vector(0.1, 65504)))
    assert find(path, {"a": 2, "b": 1}, ONE, TWO, "33" * 32) == {
        ONE: {"a": [1, 2], "b": [3]},
        TWO: {"a": [float(np.float16(0.1)), 65504]},
    }
    assert find(path, {"b": 1, "c": 1}, ONE, ONE) == {ONE: {"b": [3]}}
    assert find(path, {}, ONE) == {}


def test_a_suffix_keeps_vectors_apart(path: str) -> None:
    write(path, (ONE, "a", vector(1)), (ONE, "a@2", vector(2)))
    cache = VectorCache(path, {"a": 1}, "@2")
    assert {key: value.tolist() for key, value in cache.find([ONE])[ONE].items()} == {"a": [2]}
    cache.close()


def test_a_vector_that_is_written_again_replaces_the_old_one(path: str) -> None:
    write(path, (ONE, "a", vector(1)))
    write(path, (ONE, "a", vector(2)), (ONE, "a", vector(3)))
    assert find(path, {"a": 1}, ONE) == {ONE: {"a": [3]}}


@pytest.mark.parametrize("broken", [b"", b"\0", vector(1), vector(1, 2, 3), vector(1, np.nan), vector(np.inf, 1)])
def test_a_broken_vector_is_not_known(path: str, broken: bytes) -> None:
    write(path, (ONE, "a", broken), (TWO, "a", vector(1, 2)))
    assert find(path, {"a": 2}, ONE, TWO) == {TWO: {"a": [1, 2]}}


def test_many_contents_are_found_at_once(path: str) -> None:
    digests = [f"{number:064x}" for number in range(1_234)]
    write(path, *[(digest, "a", vector(number)) for number, digest in enumerate(digests)])
    found = find(path, {"a": 1}, *digests)
    assert [found[digest]["a"] for digest in digests] == [[number] for number in range(1_234)]


def test_a_database_of_version_1_is_brought_up_to_date(tmp_path: Path) -> None:
    path = tmp_path / "old.db"
    with sqlite3.connect(path, isolation_level=None, factory=SqliteConnection) as db:
        first_tables(db)
        db.execute("PRAGMA user_version = 1")
    db.close()
    write(str(path), (ONE, "a", vector(1)))
    assert find(str(path), {"a": 1}, ONE) == {ONE: {"a": [1]}}
    store = Store(path, VOCABULARY)
    tables = {row[0] for row in store.db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    assert store.db.execute("PRAGMA user_version").fetchone() == (len(MIGRATIONS),)
    store.close()
    assert not tables & {"raw_scores", "embeddings"}
