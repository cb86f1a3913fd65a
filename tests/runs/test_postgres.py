"""A server in the place of the file: the same items and answers, and what only a server does."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pytest

from character_pipeline import CharacterPipeline, create_pipeline
from character_pipeline.database.connection import DatabaseError
from character_pipeline.database.feedback import give_feedback
from character_pipeline.database.ledger import Ledger
from character_pipeline.database.store import Store
from character_pipeline.errors import StoreError
from character_pipeline.runs.run import RunSummary, Silence
from character_pipeline.testing import FakeExtractor, FakeLooker, FakeReader
from character_pipeline.vocabulary import load_vocabulary
from tests.conftest import WORDS
from tests.runs.test_run import ROOT, TEXTS, Make, Stop
from tests.servers import find_programs, running_server

VOCABULARY = load_vocabulary()
New = Callable[[], str]
KINDS = ("jsonl", "parquet", "csv")


def open_pipeline(address: str, extractor: Any = None, **settings: dict[str, Any]) -> CharacterPipeline:
    config = {"database": {"db_path": address}, "run": {"shard_size": 4, "batch_size": 3}} | settings
    return create_pipeline(config, extractors=[extractor or FakeExtractor(WORDS, fail_on="boom")])


def exports(pipeline: CharacterPipeline, source: Path, place: Path) -> list[bytes]:
    results = pipeline.process_dataset(source)
    results.to_jsonl(place / "o.jsonl")
    results.to_parquet(place / "o.parquet")
    results.to_csv(place / "o.csv")
    return [(place / f"o.{kind}").read_bytes() for kind in KINDS]


def without_times(statistics: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in statistics.items() if name != "seconds_per_item"}


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    """Ids that sort differently by the rules of languages, some of them several times; texts of all sorts."""
    ids = ["b", "B", "a", "ä", "é", "_", "a b", "ab", "Z", "z", "日本", "🎀", "%s", "?", "same", "same", "same"] * 2
    texts = ["girl, blonde_hair", "hat\\, 100% \t\\N", "crowd", "boom", "", 'glasses "\\.', "long_hair, \x00 girl"]
    lines = [json.dumps({"id": one, "text": texts[n % len(texts)]}) for n, one in enumerate(ids)]
    (tmp_path / "m.jsonl").write_text("".join(f"{line}\n" for line in lines))
    return tmp_path / "m.jsonl"


def test_exports_are_the_same_as_those_of_a_file(tmp_path: Path, manifest: Path, new_schema: New) -> None:
    found, counted = [], []
    for address in (str(tmp_path / "x.db"), new_schema()):
        with open_pipeline(address) as pipeline:
            found.append(exports(pipeline, manifest, tmp_path))
            counted.append(without_times(pipeline.get_statistics()))
            ids = [row[0] for row in pipeline.store.db.execute("SELECT id FROM items ORDER BY id")]
            assert ids == list(range(1, len(ids) + 1))
    assert found[0] == found[1]
    assert counted[0] == counted[1]


def test_pictures_are_read_once_also_by_workers(tmp_path: Path, folder: Path, new_schema: New) -> None:
    found = []
    for address in (str(tmp_path / "x.db"), new_schema()):
        readers = [FakeLooker(FakeReader())]
        for settings in ({"confidence_threshold": 0.3}, {"confidence_threshold": 0.4}):
            run = {"shard_size": 4, "workers": 2}
            config = {"database": {"db_path": address}, "run": run, "attribute_fusion": settings}
            with create_pipeline(config, extractors=[FakeExtractor(WORDS), *readers]) as pipeline:
                summary = pipeline.run(folder)
                found.append(exports(pipeline, folder, tmp_path))
                assert pipeline.run(folder).processed == 0
        assert summary.processed > 20
        assert (summary.counts["pictures_read"], summary.counts["pictures_cached"] > 0) == (0, True)
    assert found[:2] == found[2:]


def test_a_run_that_was_stopped_goes_on_and_what_changed_is_done_again(
    make_manifest: Make, new_schema: New, tmp_path: Path
) -> None:
    path, address = make_manifest(TEXTS), new_schema()
    with open_pipeline(address) as pipeline:
        assert (pipeline.run(path, progress=Stop(8)).state, pipeline.run(path).processed) == (
            "interrupted",
            len(TEXTS) - 8,
        )
        assert pipeline.run(make_manifest([*TEXTS[:7], "girl, hat", *TEXTS[8:-2]])).processed == 1
        assert pipeline.get_statistics()["items"] == len(TEXTS) - 2
        assert len(pipeline.process_dataset(make_manifest(TEXTS))) == len(TEXTS)
        again = exports(pipeline, path, tmp_path)
    with open_pipeline(str(tmp_path / "x.db")) as pipeline:
        assert exports(pipeline, path, tmp_path) == again


KILLED = """
import os, signal, sys
from pathlib import Path
from character_pipeline.database import store
from tests.runs.test_postgres import open_pipeline
whole = store.write_vectors
done = []
def die(db, rows):
    done.append(whole(db, rows))
    if len(done) == 3:
        os.kill(os.getpid(), signal.SIGKILL)
store.write_vectors = die
with open_pipeline(sys.argv[1]) as pipeline:
    pipeline.run(Path(sys.argv[2]))
"""


def test_a_kill_in_the_middle_of_a_shard_leaves_whole_shards(
    make_manifest: Make, new_schema: New, tmp_path: Path
) -> None:
    path, address = make_manifest(TEXTS), new_schema()
    killed = subprocess.run([sys.executable, "-c", KILLED, address, str(path)], check=False, cwd=ROOT)
    assert killed.returncode == -signal.SIGKILL
    with open_pipeline(address) as pipeline:
        tables = ("records", "details")
        counts = [pipeline.store.db.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in tables]
        assert counts == [8, 8]
        assert len(Ledger(pipeline.store).pending_shards()) == 8 - 2
        assert pipeline.run(path).processed == len(TEXTS) - 8
        again = exports(pipeline, path, tmp_path)
    with open_pipeline(str(tmp_path / "x.db")) as pipeline:
        assert exports(pipeline, path, tmp_path) == again


def test_two_runs_at_once_are_refused_and_readers_are_not(make_manifest: Make, new_schema: New) -> None:
    path, address, seen = make_manifest(TEXTS[:8]), new_schema(), list[int]()

    class Intrude(Silence):
        def advance(self, summary: RunSummary, items: int) -> None:
            with closing(Store(address, writable=False)) as reader:
                seen.append(reader.db.execute("SELECT count(*) FROM records").fetchone()[0])
            with open_pipeline(address) as other, pytest.raises(StoreError, match="another run is writing"):
                other.run(path)

    with open_pipeline(address) as pipeline:
        assert pipeline.run(path, progress=Intrude()).processed == 8
    assert seen == [4, 8]


def test_two_who_open_and_write_at_once_wait_for_each_other(new_schema: New, make_manifest: Make) -> None:
    address = new_schema()
    with open_pipeline(address) as pipeline:
        pipeline.run(make_manifest(TEXTS[:3]))
    fresh, failed = new_schema(), list[BaseException]()

    def work() -> None:
        try:
            Store(fresh, VOCABULARY).close()
            with closing(Store(address)) as store:
                for _ in range(20):
                    give_feedback(store, "item-00001", "hair_color", ["Red"])
        except BaseException as error:  # noqa: BLE001 - shown by the test
            failed.append(error)

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    with closing(Store(address, writable=False)) as store:
        numbers = [row[0] for row in store.db.execute("SELECT id FROM feedback ORDER BY id")]
    assert numbers == list(range(1, 61))


def test_readers_cannot_write_and_find_only_what_is_there(new_schema: New) -> None:
    address = new_schema()
    with pytest.raises(StoreError, match="charpipe extract makes one"):
        Store(address, writable=False)
    Store(address, VOCABULARY).close()
    with closing(Store(address, writable=False)) as store, pytest.raises(DatabaseError, match="read-only"):
        store.db.execute("DELETE FROM items")


def test_tables_of_others_are_not_touched(new_schema: New) -> None:
    address = new_schema()
    with psycopg.connect(address) as db:
        db.execute("CREATE TABLE items(mine BIGINT)")
    with pytest.raises(StoreError, match='"items" already exists'):
        Store(address, VOCABULARY)
    with psycopg.connect(address) as db:
        assert db.execute("SELECT count(mine) FROM items").fetchone() == (0,)
        tables = db.execute("SELECT count(*) FROM information_schema.tables WHERE table_schema = current_schema()")
        assert tables.fetchone() == (2,), "their table, and the version, which is 0"


def test_a_server_that_goes_ends_the_run_with_a_reason(make_manifest: Make) -> None:
    programs = find_programs()
    if programs is None:
        pytest.skip("PostgreSQL is not installed: apt-get install postgresql")
    path = make_manifest(TEXTS)
    with running_server(programs) as own:

        class Pull(Silence):
            def advance(self, summary: RunSummary, items: int) -> None:
                if summary.processed == 8:
                    own.stop()

        with open_pipeline(own.address(password="secret")) as pipeline:
            with pytest.raises(StoreError, match=r"cannot be written.*no longer answers.*What is done is kept") as told:
                pipeline.run(path, progress=Pull())
            assert "secret" not in str(told.value)
        with pytest.raises(StoreError, match="cannot be opened") as told:
            Store(own.address(password="secret"), VOCABULARY)
        assert "secret" not in str(told.value)
        own.start()
        with open_pipeline(own.address()) as pipeline:
            assert pipeline.run(path).processed == len(TEXTS) - 8
