"""What a run must not do to those who trust it: lose, repeat, mix up or hide items."""

from __future__ import annotations

import errno
import io
import json
import os
import sqlite3
import tarfile
import zipfile
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from character_pipeline import Evidence, Item
from character_pipeline.errors import ConfigError
from character_pipeline.extractors.base import Need
from character_pipeline.input_loader.rows import RowReader
from character_pipeline.runs.run import RunSummary, Silence
from tests.conftest import picture_bytes
from tests.runs.test_run import TEXTS, Stop, open_pipeline

Make = Callable[[Iterable[str]], Path]


def test_a_data_set_has_one_name(tmp_path: Path, make_manifest: Make) -> None:
    path = make_manifest(TEXTS)
    (tmp_path / "deep").mkdir()
    with open_pipeline(tmp_path) as pipeline:
        assert len(pipeline.process_dataset([path, path, tmp_path / "deep" / ".." / path.name])) == len(TEXTS)
        assert pipeline.get_statistics()["items"] == len(TEXTS)


def test_ids_never_collide(tmp_path: Path) -> None:
    for folder in ("one/set", "two/set"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "a.txt").write_text("girl")
    twice = tmp_path / "twice.jsonl"
    twice.write_text("".join(json.dumps({"id": "same", "text": word}) + "\n" for word in ("girl", "hat", "glasses")))
    with open_pipeline(tmp_path) as pipeline:
        paths = [tmp_path / "one/set", tmp_path / "two/set", twice]
        results = pipeline.process_dataset(paths)
        wanted = ["a.txt", "set//a.txt", "twice.jsonl//same", "twice.jsonl//same#2", "twice.jsonl//same#3"]
        assert [result.item_id for result in results] == wanted
        assert pipeline.run(paths).processed == 0
        assert results[-1].attributes.to_dict()["Accessories"] == ["Glasses"]


def test_what_another_data_set_left_is_not_done(tmp_path: Path, make_manifest: Make) -> None:
    path = make_manifest(TEXTS)
    other = tmp_path / "other.jsonl"
    other.write_text('{"id": "z", "text": "hat"}\n')
    with open_pipeline(tmp_path) as pipeline:
        assert pipeline.run(path, progress=Stop(8)).state == "interrupted"
        path.rename(tmp_path / "away.jsonl")
        found = pipeline.run(other)
        assert (found.todo, found.processed, found.kinds) == (1, 1, {})
        (tmp_path / "away.jsonl").rename(path)
        went_on = pipeline.run(path)
        assert (went_on.processed, went_on.skipped) == (len(TEXTS) - 8, 8)


class Brightness:
    """An extractor that needs pictures."""

    name = "brightness"
    version = "1"
    needs: frozenset[Need] = frozenset({"image"})

    def process(self, batch: Sequence[Item]) -> list[tuple[Evidence, ...]]:
        return [(Evidence("hair_color", "Red", 0.9, "brightness/1", "picture"),) for _ in batch]


def test_an_extractor_of_pictures_gets_them_in_every_run(tmp_path: Path) -> None:
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / "a.png").write_bytes(picture_bytes())
    for threshold in (0.3, 0.4):
        settings = {"confidence_threshold": threshold}
        with open_pipeline(tmp_path, Brightness(), attribute_fusion=settings) as pipeline:
            assert pipeline.process_dataset(tmp_path / "set")[0].attributes.to_dict()["Hair Color"] == "Red"


def test_a_folder_that_cannot_be_listed_this_time_is_not_gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "set"
    (folder / "sub").mkdir(parents=True)
    (folder / "a.txt").write_text("girl")
    (folder / "sub" / "b.txt").write_text("hat")
    scandir = os.scandir

    def fail(path: str) -> Any:
        if path.endswith("sub"):
            raise OSError(errno.EIO, "Input/output error")
        return scandir(path)

    with open_pipeline(tmp_path) as pipeline:
        pipeline.run(folder)
        with monkeypatch.context() as patch:
            patch.setattr("os.scandir", fail)
            assert pipeline.run(folder).kinds == {"io_error": 1}
        assert pipeline.get_statistics()["by_status"] | {"failed": 1} == pipeline.get_statistics()["by_status"]
        assert pipeline.get_statistics()["items"] == 3
        assert pipeline.run(folder).gone == 1
        assert [result.item_id for result in pipeline.process_dataset(folder)] == ["a.txt", "sub/b.txt"]


def make_tar(path: Path, word: str) -> None:
    with tarfile.open(path, "w") as archive:
        for number in range(5):
            member = tarfile.TarInfo(f"{number}.txt")
            member.size = len(word)
            archive.addfile(member, io.BytesIO(word.encode()))


def test_an_archive_that_comes_while_others_are_read_changes_nothing(tmp_path: Path) -> None:
    class Grow(Silence):
        def begin(self, todo: int, done: int, workers: int) -> None:
            make_tar(tmp_path / "s-0.tar", "red_hair")

    make_tar(tmp_path / "s-1.tar", "blonde_hair")
    make_tar(tmp_path / "s-2.tar", "blue_eyes")
    with open_pipeline(tmp_path) as pipeline:
        results = pipeline.process_dataset(tmp_path / "s-*.tar", progress=Grow())
        found = [next(iter(result.attributes.to_dict())) for result in results]
        assert found == ["Hair Color"] * 5 + ["Eye Color"] * 5
        assert results[0].attributes.to_dict()["Hair Color"] == "Blonde"
        assert pipeline.run(tmp_path / "s-*.tar").processed == 5


def test_many_rows_with_one_id_take_no_longer_than_others(tmp_path: Path) -> None:
    path = tmp_path / "m.jsonl"
    path.write_text("".join(json.dumps({"id": "same", "text": f"girl, {n}"}) + "\n" for n in range(600)))
    said: list[str] = []
    with open_pipeline(tmp_path, run={"shard_size": 1000}) as pipeline:
        assert isinstance(pipeline.store.db, sqlite3.Connection)
        pipeline.store.db.set_trace_callback(said.append)
        assert len({result.item_id for result in pipeline.process_dataset(path)}) == 600
        assert len(said) < 600 * 40
        assert pipeline.run(path).processed == 0


def test_an_item_on_which_its_source_breaks_fails_alone(
    tmp_path: Path, make_manifest: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill = RowReader.fill

    def break_on_hat(self: RowReader, builder: Any, row: Any) -> None:
        if "hat" in row["text"]:
            raise RuntimeError("no such luck")
        fill(self, builder, row)

    monkeypatch.setattr(RowReader, "fill", break_on_hat)
    with open_pipeline(tmp_path) as pipeline:
        results = pipeline.process_dataset(make_manifest(["girl", "hat", "blue_eyes", "hat", "girl"]))
        assert [result.status for result in results] == ["ok", "failed", "ok", "failed", "ok"]
        assert results[1].error == "read: io_error: RuntimeError: no such luck"


def test_ctrl_c_is_not_swallowed(tmp_path: Path, make_manifest: Make) -> None:
    with open_pipeline(tmp_path) as pipeline:
        with pytest.raises(KeyboardInterrupt):
            pipeline.process_dataset(make_manifest(TEXTS), progress=Stop(8))
        assert len(pipeline.process_dataset(tmp_path / "texts.jsonl")) == len(TEXTS)


def test_a_run_that_fails_says_so(tmp_path: Path) -> None:
    (tmp_path / "m.csv").write_text("id,text\na,girl\n")
    with open_pipeline(tmp_path, input_loader={"text_field": "words"}) as pipeline:
        with pytest.raises(ConfigError, match="words"):
            pipeline.run(tmp_path / "m.csv")
        assert pipeline.store.db.execute("SELECT state FROM runs").fetchall() == [("failed",)]


def test_results_are_indexed_as_a_list_is(tmp_path: Path, make_manifest: Make) -> None:
    with open_pipeline(tmp_path) as pipeline:
        results = pipeline.process_dataset(make_manifest(TEXTS))
        ids = [result.item_id for result in results]
        for places in ("[:]", "[3:9]", "[::-1]", "[20:2:-4]", "[-3:]", "[5:5]", "[99:]", "[::7]", "[-99:4:3]"):
            chosen = eval(f"[r.item_id for r in results{places}]", {"results": results})
            assert chosen == eval(f"ids{places}", {"ids": ids}), places
        assert results[-1].item_id == ids[-1]
        for beyond in (len(ids), -len(ids) - 1):
            with pytest.raises(IndexError):
                results[beyond]
        said: list[str] = []
        assert isinstance(pipeline.store.db, sqlite3.Connection)
        pipeline.store.db.set_trace_callback(said.append)
        assert len(results[2:20]) == 18
        assert len(said) <= 15, "not one for each"


class Count(Silence):
    """Adds up what it is told."""

    def __init__(self) -> None:
        self.done = 0

    def advance(self, summary: RunSummary, items: int) -> None:
        self.done += items


def test_what_progress_is_told_adds_up_after_items_went(tmp_path: Path, make_manifest: Make) -> None:
    with open_pipeline(tmp_path) as pipeline:
        pipeline.run(make_manifest(TEXTS), progress=Stop(8))
        count = Count()
        summary = pipeline.run(make_manifest(TEXTS[:-3]), progress=count)
        assert summary.todo == summary.processed == count.done == len(TEXTS) - 11
        assert (summary.listed, summary.skipped, summary.gone) == (len(TEXTS) - 3, 8, 3)


@pytest.mark.parametrize("name", ["t.parquet", "t.arrow", "t.csv", "t.zip"])
def test_a_file_that_changed_is_read_anew_by_the_same_program(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    uri = f"zip://::{path}" if name.endswith("zip") else str(path)
    with open_pipeline(tmp_path) as pipeline:
        for word in ("red_hair", "blonde_hair"):
            write_table(path, word)
            found = pipeline.process_dataset(uri)[0].attributes.to_dict()
            assert found["Hair Color"] == word.partition("_")[0].capitalize()


def write_table(path: Path, word: str) -> None:
    """A file of the kind that its name says, with one item; the columns change places from one word to the next."""
    columns = {"id": ["a"], "text": [word], **({} if word == "red_hair" else {"tag": ["x"]})}
    if path.suffix == ".parquet":
        pq.write_table(pa.table(columns), path)
    elif path.suffix == ".arrow":
        path.unlink(missing_ok=True)
        with pa.ipc.new_file(str(path), pa.table(columns).schema) as writer:
            writer.write_table(pa.table(columns))
    elif path.suffix == ".csv":
        path.write_text(f"{','.join(columns)}\n{','.join(value for (value,) in columns.values())}\n")
    else:
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("a.txt", word)


def test_a_manifest_that_changes_while_it_is_read_gives_no_wrong_rows(tmp_path: Path, make_manifest: Make) -> None:
    class Rewrite(Silence):
        def begin(self, todo: int, done: int, workers: int) -> None:
            make_manifest(["hat", *TEXTS])

    with open_pipeline(tmp_path) as pipeline:
        torn = pipeline.run(make_manifest(TEXTS), progress=Rewrite())
        assert torn.kinds == {"io_error": len(TEXTS)}
        results = pipeline.process_dataset(tmp_path / "texts.jsonl")
        assert len(results) == len(TEXTS) + 1
        assert {result.error for result in results} == {None}
