"""A finished run decided again into another database: from texts and vectors alone, and compared with the old one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from character_pipeline import create_pipeline
from character_pipeline.cli.main import app
from character_pipeline.database.diff import AttributeDiff, compare_stores
from character_pipeline.database.store import Store
from character_pipeline.errors import ConfigError
from character_pipeline.testing import FakeLooker, FakeReader
from tests.conftest import picture_bytes
from tests.runs.test_pictures import open_pipeline, opened_files


def records(path: Path) -> list[str]:
    """Everything that a database says, item by item."""
    with open_pipeline(path.parent, name=path.name) as pipeline:
        rows = pipeline.store.db.execute("SELECT item_id FROM items ORDER BY item_id").fetchall()
        found = [json.dumps(pipeline_result(pipeline.store, row[0])) for row in rows]
    assert found
    return found


def pipeline_result(store: Store, item_id: str) -> dict[str, Any]:
    from character_pipeline.database.queries import get_result

    result = get_result(store, item_id)
    assert result is not None
    return {**result.attributes.to_detail(), "hash": result.attributes.content_hash, "fingerprint": ""}


@pytest.fixture
def old(folder: Path) -> Path:
    with open_pipeline(folder.parent, name="old.db") as pipeline:
        pipeline.run(folder)
    return folder.parent / "old.db"


@pytest.mark.parametrize("workers", [1, 2])
def test_the_same_settings_give_the_same_records_without_the_data_set(old: Path, workers: int) -> None:
    for file in (old.parent / "set").iterdir():
        file.unlink()
    with open_pipeline(old.parent, name="new.db", run={"workers": workers, "shard_size": 5}) as pipeline:
        summary = pipeline.redecide(old)
        assert pipeline.redecide(old).processed == 0, "what is done is skipped"
    assert (summary.processed, summary.counts["pictures_missed"]) == (26, 0)
    assert records(old.parent / "new.db") == records(old)


def test_other_settings_give_what_a_fresh_run_gives(old: Path) -> None:
    strict = FakeLooker(least=0.9)
    with open_pipeline(old.parent, strict, "fresh.db") as pipeline:
        pipeline.run(old.parent / "set")
    with opened_files() as opened, open_pipeline(old.parent, strict, "new.db") as pipeline:
        pipeline.redecide(old)
    assert not [name for name in opened if name.endswith((".png", ".txt"))]
    assert records(old.parent / "new.db") == records(old.parent / "fresh.db") != records(old)


def test_a_version_of_a_version_finds_the_vectors(old: Path) -> None:
    with open_pipeline(old.parent, FakeLooker(least=0.9), "new.db") as pipeline:
        pipeline.redecide(old)
    with open_pipeline(old.parent, name="newer.db") as pipeline:
        pipeline.redecide(old.parent / "new.db")
    assert records(old.parent / "newer.db") == records(old)


def test_a_reader_that_never_read_needs_the_pictures(old: Path) -> None:
    other = FakeLooker(FakeReader("fake_reader/2"))
    with open_pipeline(old.parent, other, "new.db") as pipeline, pytest.raises(ConfigError, match="charpipe extract"):
        pipeline.redecide(old)
    with open_pipeline(old.parent, name="old.db") as pipeline, pytest.raises(ConfigError, match="another output"):
        pipeline.redecide(old)


def test_pictures_that_only_some_readers_know_are_counted(old: Path) -> None:
    with Store(old).transaction() as db:
        db.execute("DELETE FROM vectors WHERE rowid IN (SELECT rowid FROM vectors LIMIT 2)")
    with open_pipeline(old.parent, name="new.db") as pipeline:
        assert pipeline.redecide(old).counts["pictures_missed"] >= 2


def find(diffs: list[AttributeDiff], label: str) -> AttributeDiff:
    return next(one for one in diffs if one.label == label)


def test_the_difference_counts_what_changed(old: Path) -> None:
    with open_pipeline(old.parent, FakeLooker(least=0.9), "new.db") as pipeline:
        pipeline.redecide(old)
    same = compare_stores(Store(old, writable=False), Store(old, writable=False))
    assert (same.compared, same.only_old, same.statuses) == (25, 0, [])
    assert not any(one.moves for one in same.attributes)
    found = compare_stores(Store(old, writable=False), Store(old.parent / "new.db", writable=False), examples=2)
    hair = find(found.attributes, "Hair Color")
    assert hair.lost == sum(move.count for move in hair.moves) > 0
    assert (hair.same + hair.lost, hair.gained, hair.changed) == (25, 0, 0)
    assert all(move.after == "unknown" and 1 <= len(move.examples) <= 2 for move in hair.moves)
    back = compare_stores(Store(old.parent / "new.db", writable=False), Store(old, writable=False))
    assert find(back.attributes, "Hair Color").gained == hair.lost


def test_values_with_other_codes_are_the_same_values(tmp_path: Path) -> None:
    rows = [{"id": name, "text": f"1girl, {name}_hair, glasses, hat"} for name in ("black", "red", "blue", "white")]
    (tmp_path / "texts.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    for name in ("a", "b"):
        with create_pipeline({"database": {"db_path": str(tmp_path / f"{name}.db")}}) as pipeline:
            pipeline.run(tmp_path / "texts.jsonl")
    with Store(tmp_path / "b.db").transaction() as db:
        swap_codes(db)
    found = compare_stores(Store(tmp_path / "a.db", writable=False), Store(tmp_path / "b.db", writable=False))
    assert found.compared == 4
    assert not any(one.moves for one in found.attributes)


def swap_codes(db: Any) -> None:
    """Give Black and Red, and two accessories, each other's codes, in the vocabulary and in the records."""
    for key, one, other in (("hair_color", "Black", "Red"), ("accessories", "Glasses", "Hat")):
        codes = dict(db.execute("SELECT value, code FROM vocabulary WHERE attribute = ?", (key,)))
        a, b = codes[one], codes[other]
        for value, code in ((one, b), (other, a)):
            db.execute("UPDATE vocabulary SET code = ? WHERE attribute = ? AND value = ?", (code, key, value))
        if key == "hair_color":
            db.execute("UPDATE records SET hair_color = ? - hair_color WHERE hair_color IN (?, ?)", (a + b, a, b))


def test_the_commands(tmp_path: Path) -> None:
    (tmp_path / "set").mkdir()
    for name, text in (("a", "1girl, black_hair"), ("b", "1boy, red_hair, from_behind"), ("c", "2girls")):
        (tmp_path / "set" / f"{name}.txt").write_text(text)
    (tmp_path / "set" / "d.png").write_bytes(picture_bytes(size=(30, 30)))
    out, run = tmp_path / "out", CliRunner().invoke
    assert run(app, ["extract", str(tmp_path / "set"), "--output", str(out), "--quiet"]).exit_code == 0
    strict = tmp_path / "strict.json"
    strict.write_text(json.dumps({"attribute_fusion": {"confidence_threshold": 0.999}}))
    for _ in range(2):
        done = run(app, ["redecide", str(out), "--config", str(strict), "--quiet"])
        assert done.exit_code == 0, done.output
    (version,) = (out / "versions").iterdir()
    shown = run(app, ["diff", str(out), str(version)])
    assert "Hair Color" in shown.output
    assert "Black → unknown 1 (a.txt)" in shown.output
    only = json.loads(run(app, ["diff", str(out), str(version), "--attribute", "hair color", "--json"]).output)
    assert [one["label"] for one in only["attributes"]] == ["Hair Color"]
    assert run(app, ["redecide", str(tmp_path / "none"), "--quiet"]).exit_code != 0
