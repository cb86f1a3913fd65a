"""Sources that are odd but real: tables of other programs, quotes that are no quotes, archives behind URLs."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import fsspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from character_pipeline.config import InputLoaderConfig
from character_pipeline.errors import ConfigError
from character_pipeline.input_loader import open_source
from tests.input_loader.test_sources import PNG, items_of


def test_a_quote_inside_a_csv_field_opens_nothing(tmp_path: Path) -> None:
    path = tmp_path / "m.csv"
    path.write_bytes(b'id,text\r\na,5" tall\r\nb,girl\r\nc,"5"" x,\r\ny"\r\nd,"",\r\n')
    found = items_of(path)
    assert {key: item.text for key, item in found.items() if not item.problems} == {
        "a": '5" tall',
        "b": "girl",
        "c": '5" x,\r\ny',
    }
    assert found["m.csv#4"].problems[0].kind == "bad_row"


@pytest.mark.parametrize("sign", ["\u2028", "\x0b", "\x0c", "\x85", "\x1c"])
def test_only_line_ends_end_a_csv_row(tmp_path: Path, sign: str) -> None:
    path = tmp_path / "m.csv"
    path.write_text(f"id,text\na,1girl{sign}smile\n", encoding="utf-8")
    assert items_of(path)["a"].text == f"1girl{sign}smile"


def test_a_csv_file_with_the_line_ends_of_old_is_refused_with_a_reason(tmp_path: Path) -> None:
    (tmp_path / "m.csv").write_bytes(b"id,text\ra,1girl\rb,2\r")
    with pytest.raises(ConfigError, match="Lines have to end"):
        items_of(tmp_path / "m.csv")


def test_a_row_without_a_named_column_fails_alone(tmp_path: Path) -> None:
    rows = [{"name": "a", "said": "x"}, {"name": "b"}, {"said": "y"}, {"name": "d", "said": "z"}]
    path = tmp_path / "m.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    found = items_of(path, InputLoaderConfig(text_field="said", id_field="name"))
    assert {key: [problem.kind for problem in item.problems] for key, item in found.items()} == {
        "a": [],
        "b": ["bad_row"],
        "m.jsonl#3": ["bad_row"],
        "d": [],
    }


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_a_table_without_a_named_column_is_refused(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"m.{ending}"
    pq.write_table(pa.table({"id": ["a"], "text": ["x"]}), path)
    if ending == "csv":
        path.write_text("id,text\na,x\n")
    with pytest.raises(ConfigError, match="Did you mean 'text'"):
        items_of(path, InputLoaderConfig(text_field="texts"))


def test_a_table_row_changes_with_its_picture(tmp_path: Path) -> None:
    paths: Any = pa.array(["p.png"]).dictionary_encode()
    pq.write_table(pa.table({"id": ["a"], "path": paths}), tmp_path / "t.parquet")
    stamps = set()
    for raw in (None, PNG, PNG + b"x"):
        if raw is not None:
            (tmp_path / "p.png").write_bytes(raw)
        stamps.add(next(open_source(str(tmp_path / "t.parquet")).inventory()).stamp)
    assert len(stamps) == 3


def test_column_types_of_other_programs(tmp_path: Path) -> None:
    table = pa.table({
        "id": pa.array([1, None, 3]),
        "text": pa.array([["1girl", "solo"], None, []]),
        "picture": pa.array([PNG, None, PNG], pa.large_binary()),
    })  # fmt: skip
    pq.write_table(table, tmp_path / "t.parquet")
    found = items_of(tmp_path / "t.parquet")
    assert {key: (item.text, item.image) for key, item in found.items()} == {
        "1": ("1girl, solo", PNG),
        "t.parquet#0.1": (None, None),
        "3": ("", PNG),
    }


def test_a_table_with_two_columns_of_one_name_fails_row_by_row(tmp_path: Path) -> None:
    pq.write_table(pa.table([["a", "b"], ["x", "y"], ["z", "w"]], names=["id", "text", "text"]), tmp_path / "t.parquet")
    kinds = {key: [problem.kind for problem in item.problems] for key, item in items_of(tmp_path / "t.parquet").items()}
    assert kinds == {"a": ["corrupt_file"], "b": ["corrupt_file"]}


@pytest.mark.parametrize("inside", ["", "deep"])
def test_a_folder_in_a_zip(tmp_path: Path, inside: str) -> None:
    with zipfile.ZipFile(tmp_path / "set.zip", "w") as archive:
        archive.writestr("deep/a.png", PNG)
        archive.writestr("deep/a.txt", "1girl")
    (item,) = items_of(f"zip://{inside}::{tmp_path}/set.zip").values()
    assert (item.text, item.image, item.problems) == ("1girl", PNG, ())


def test_a_remote_table_of_the_same_size_has_another_stamp() -> None:
    memory = fsspec.filesystem("memory")
    stamps = set()
    for word in ("1girl", "1boys"):
        pq.write_table(pa.table({"text": [word]}), "x.parquet", filesystem=memory)
        stamps.add(next(open_source("memory://x.parquet").inventory()).stamp)
    assert len(stamps) == 2
