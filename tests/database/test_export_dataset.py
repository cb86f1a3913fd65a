"""The folder of Parquet files: whole or not there, by item id, with a manifest that is true."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from character_pipeline import create_pipeline
from character_pipeline.database.export import export_dataset
from character_pipeline.errors import StoreError


@pytest.mark.parametrize(("rows", "files"), [(4, 3), (5, 3), (100, 1)])
def test_parts_hold_all_records_once(tmp_path: Path, rows: int, files: int) -> None:
    lines = [{"id": f"{9 - number}", "text": "1girl, black hair, hat"} for number in range(10)]
    (tmp_path / "t.jsonl").write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    with create_pipeline({"database": {"db_path": str(tmp_path / "a.db")}}) as pipeline:
        pipeline.run(tmp_path / "t.jsonl")
        assert export_dataset(pipeline.store, tmp_path / "set", rows=rows) == 10
        with pytest.raises(StoreError, match="is there already"):
            export_dataset(pipeline.store, tmp_path / "set")
        fingerprint = pipeline.stages.fingerprint
    manifest = json.loads((tmp_path / "set" / "manifest.json").read_text())
    tables = [pq.read_table(tmp_path / "set" / name) for name in manifest["files"]]
    assert [len(table) for table in tables] == list(manifest["files"].values())
    assert len(tables) == files
    ids = [name for table in tables for name in table.column("item_id").to_pylist()]
    assert ids == sorted(ids)
    assert (manifest["rows"], manifest["fingerprints"]) == (10, {fingerprint: 10})
    assert manifest["columns"]["hair_color"] == "string"
    assert not list(tmp_path.glob(".set*"))
