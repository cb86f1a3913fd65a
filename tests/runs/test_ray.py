"""Runs on a real Ray cluster, and on machines that only share a disk: the same bytes as one process, whatever dies."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from character_pipeline import CharacterPipeline
from character_pipeline.database.ledger import Ledger
from character_pipeline.database.rows import Rows
from character_pipeline.database.shard_files import ShardFiles
from character_pipeline.errors import ConfigError, StoreError
from character_pipeline.runs.jobs import index_delivered
from character_pipeline.runs.ray_engine import RayEngine
from character_pipeline.testing import FakeLooker
from tests.conftest import WORDS
from tests.runs.test_pictures import open_pipeline as open_pictures
from tests.runs.test_run import ROOT, Deadly, Make, Stop, open_pipeline

ray = pytest.importorskip("ray")
TEXTS = [f"girl, {word}" for word in WORDS] * 8


@pytest.fixture(scope="module")
def cluster() -> Iterator[None]:
    """A cluster of this machine that the engines find."""
    os.environ["RAY_worker_niceness"] = "0"  # noqa: SIM112 - its own name
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False, object_store_memory=2**27)
    yield
    ray.shutdown()


def exported(pipeline: CharacterPipeline, path: Path) -> bytes:
    from character_pipeline.database.export import export

    export(pipeline.store, "jsonl", path)
    details = pipeline.store.db.execute("SELECT * FROM details ORDER BY item").fetchall()
    vectors = pipeline.store.db.execute("SELECT content_hash, vector FROM vectors ORDER BY 1, 2").fetchall()
    tallies = pipeline.store.db.execute("SELECT * FROM tallies WHERE items > 0 ORDER BY 1, 2").fetchall()
    return path.read_bytes() + repr((details, vectors, tallies)).encode()


def test_a_cluster_gives_the_same_bytes(folder: Path, cluster: None) -> None:
    with open_pictures(folder.parent, name="a.db") as pipeline:
        pipeline.run(folder)
        wanted = exported(pipeline, folder.parent / "a.jsonl")
    with open_pictures(folder.parent, FakeLooker(), "b.db", run={"workers": 2, "shard_size": 3}) as pipeline:
        summary = pipeline.run(folder, engine=RayEngine())
        assert exported(pipeline, folder.parent / "b.jsonl") == wanted
        assert pipeline.run(folder, engine=RayEngine()).processed == 0
    assert (summary.processed, summary.workers, summary.state) == (26, 2, "finished")
    assert summary.counts["pictures_read"] >= 22
    assert not list((folder.parent / "shards").iterdir())


def kill_an_actor() -> None:
    """Kill one process that does shards, as the system does where memory is short."""
    for status in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if status.read_bytes().startswith(b"ray::DeliveringWorker"):
                os.kill(int(status.parent.name), signal.SIGKILL)
                return
        except (FileNotFoundError, ProcessLookupError):
            continue


def test_a_killed_worker_costs_nothing(tmp_path: Path, make_manifest: Make, cluster: None) -> None:
    path = make_manifest(TEXTS * 4)
    with open_pipeline(tmp_path, run={"shard_size": 2, "workers": 2}) as pipeline:
        killer = threading.Timer(1.5, kill_an_actor)
        killer.start()
        assert pipeline.run(path, engine=RayEngine()).processed == len(TEXTS) * 4
        killer.join()
        again = exported(pipeline, tmp_path / "a.jsonl")
        assert not pipeline.get_statistics()["errors_by_kind"]
    (tmp_path / "out.db").unlink()
    with open_pipeline(tmp_path) as pipeline:
        pipeline.run(path)
        assert exported(pipeline, tmp_path / "a.jsonl") == again


def test_an_item_that_kills_costs_one_item(tmp_path: Path, make_manifest: Make, cluster: None) -> None:
    path = make_manifest([*TEXTS[:10], "girl, deadly", *TEXTS[:5]])
    with open_pipeline(tmp_path, Deadly(WORDS), run={"shard_size": 4, "workers": 2}) as pipeline:
        summary = pipeline.run(path, engine=RayEngine())
        assert (summary.processed, summary.statuses["failed"]) == (16, 1)
        assert pipeline.get_statistics()["errors_by_kind"] == {"worker_died": 1}


def test_a_stopped_run_takes_what_was_delivered(tmp_path: Path, make_manifest: Make, cluster: None) -> None:
    path = make_manifest(TEXTS)
    with open_pipeline(tmp_path, run={"shard_size": 2, "workers": 2}) as pipeline:
        assert pipeline.run(path, engine=RayEngine(), progress=Stop(4)).state == "interrupted"
        rest = pipeline.run(path, engine=RayEngine())
        assert rest.processed == rest.todo < len(TEXTS)
        assert pipeline.get_statistics()["waiting"] == 0


def test_no_cluster_is_said(tmp_path: Path, make_manifest: Make) -> None:
    code = (
        "import sys; from pathlib import Path; from tests.runs.test_run import open_pipeline\n"
        "from character_pipeline.runs.ray_engine import RayEngine\n"
        "with open_pipeline(Path(sys.argv[1])) as p: p.run(sys.argv[2], engine=RayEngine('127.0.0.1:1'))"
    )
    command = [sys.executable, "-c", code, str(tmp_path), str(make_manifest(TEXTS))]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120)
    assert "ConfigError: no Ray cluster at 127.0.0.1:1" in done.stderr, done.stderr


def test_parts_that_share_a_disk_deliver_and_are_indexed(folder: Path) -> None:
    with open_pictures(folder.parent, name="a.db") as pipeline:
        pipeline.run(folder)
        wanted = exported(pipeline, folder.parent / "a.jsonl")
    with open_pictures(folder.parent, name="b.db") as pipeline:
        planned = pipeline.run(folder, inventory_only=True)
        assert (planned.state, planned.processed, planned.todo) == ("planned", 0, 26)
    for part in (2, 0):
        with open_pictures(folder.parent, name="b.db") as pipeline:
            assert sum(pipeline.work(part, 3)) > 0
            assert sum(pipeline.work(part, 3)) > 0, "what is delivered is not done again"
    with open_pictures(folder.parent, name="b.db") as pipeline:
        written = sum(index_delivered(pipeline.store))
        assert 0 < written < 26
        assert len(Ledger(pipeline.store).pending_shards()) > 0
        assert pipeline.run(folder).processed == 26 - written
        assert exported(pipeline, folder.parent / "b.jsonl") == wanted
    with open_pictures(folder.parent, FakeLooker(least=0.9), "b.db") as pipeline, pytest.raises(ConfigError):
        next(pipeline.work(0, 1))


def test_shards_of_another_inventory_are_not_taken(tmp_path: Path, make_manifest: Make) -> None:
    with open_pipeline(tmp_path) as pipeline:
        pipeline.run(make_manifest(TEXTS), inventory_only=True)
        delivered = sum(pipeline.work(0, 1))
        pipeline.run(make_manifest([*TEXTS[:-1], "girl, hat"]), inventory_only=True)
        assert sum(index_delivered(pipeline.store)) < delivered
        pipeline.run(tmp_path / "texts.jsonl")
        assert pipeline.get_statistics()["waiting"] == 0
        last = pipeline.store.db.execute("SELECT d.text FROM details d ORDER BY item DESC").fetchone()[0]
        assert last == "girl, hat"


@pytest.mark.parametrize("damage", [b"", b"PAR1 but no more", None])
def test_a_broken_delivery_is_done_again(tmp_path: Path, make_manifest: Make, damage: bytes | None) -> None:
    path = make_manifest(TEXTS)
    with open_pipeline(tmp_path) as pipeline:
        pipeline.run(path, inventory_only=True)
        sum(pipeline.work(0, 1))
        file = sorted((tmp_path / "shards").glob("*.parquet"))[0]
        file.write_bytes(file.read_bytes()[:-100] if damage is None else damage)
        assert sum(index_delivered(pipeline.store)) < len(TEXTS)
        pipeline.run(path)
        assert pipeline.get_statistics()["waiting"] == 0


def test_files_hold_the_rows_they_were_made_of(tmp_path: Path) -> None:
    rng = random.Random(3)
    rows = Rows([4, 9])
    for number in rows.items:
        fixed: tuple[Any, ...] = (number, 0, 1, rng.random(), "f", 1, -(2**63), 2, 0.125, b"\x00\xff", 0, 7, "PNG")
        rows.records.append((*fixed, None, -3, 2**61))
        rows.details.append((number, None, '["a"]', "{}", None, 5))
    rows.errors = [(4, 0, "read", "io_error", "what, \u2028 'quoted'", 1)]
    rows.vectors = [(b"\x01" * 32, "reader/1", b"\x00\x3c"), (b"\x02" * 32, "reader/1", b"")]
    files = ShardFiles(f"file://{tmp_path}/deep/er")
    files.write(7, rows, ["a", "b", "c"], {"fingerprint": "x"})
    found = files.read(7, {"fingerprint": "x"})
    assert found is not None
    assert found[0] == rows
    assert files.read(7, {"fingerprint": "y"}) is None
    assert files.finished() == [7]
    files.remove(7)
    assert (files.finished(), files.read(7, {})) == ([], None)
    theirs = tmp_path / "deep" / "er" / "00000007.parquet"
    theirs.write_bytes(b"somebody's data set")
    files.remove(7)
    assert files.finished() == []
    assert theirs.exists()


def test_a_folder_that_cannot_be_used_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="finished shards"):
        ShardFiles(str(tmp_path / "file" / "x")).write(1, Rows(), [], {})


def test_the_commands(tmp_path: Path) -> None:
    rows = [{"id": f"{number}", "text": "1girl, black hair, smile"} for number in range(40)]
    (tmp_path / "t.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    out = tmp_path / "out"

    def charpipe(*words: object) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "character_pipeline", *map(str, words)]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    planned = charpipe("extract", tmp_path / "t.jsonl", "--output", out, "--inventory-only", "--quiet")
    assert "40 items wait" in planned.stdout
    assert "write" not in charpipe("work", out, "--part", "3/3").stderr
    assert charpipe("work", out, "--part", "3/3").returncode == 2
    assert "is done: " in charpipe("work", out, "--part", "1/2").stdout
    before = (out / "character_attributes.db").read_bytes()
    for reading in ("stats", "query", "export"):
        assert "delivered shards are not in the database yet" in charpipe(reading, out).stderr
    assert (out / "character_attributes.db").read_bytes() == before, "others may be reading it"
    assert "not done yet" in charpipe("index", out).stdout
    assert charpipe("work", out, "--part", "0/1").returncode == 0
    assert "nothing is left" in charpipe("index", out).stdout
    told = charpipe("stats", out)
    assert "40 items: 40 ok" in told.stdout
    assert "delivered" not in told.stderr
    assert charpipe("extract", tmp_path / "t.jsonl", "--engine", "spark").returncode == 2
    assert "--engine ray" in charpipe("extract", tmp_path / "t.jsonl", "--gpus", "1").stderr
    start = time.monotonic()
    done = charpipe("extract", tmp_path / "t.jsonl", "--output", tmp_path / "r", "--engine", "ray", "--workers", "1")
    assert "40 items in" in done.stdout, (done.stderr, time.monotonic() - start)


def test_the_cluster_file_is_what_ray_reads() -> None:
    import ray

    schema = json.loads((Path(ray.__file__).parent / "autoscaler" / "ray-schema.json").read_text())
    cluster = yaml.safe_load((Path(__file__).parents[2] / "docs" / "ray-cluster.yaml").read_text())
    jsonschema.validate(cluster, schema)
    assert cluster["head_node_type"] in cluster["available_node_types"]
