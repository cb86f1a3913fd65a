"""Runs over pictures: what is read once is not read again, and nothing shows whether it was."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from character_pipeline import CharacterPipeline, create_pipeline
from character_pipeline.extractors import clip_analyzer
from character_pipeline.models.base import DualEncoder
from character_pipeline.models.load import open_encoder
from character_pipeline.models.plan import Plan
from character_pipeline.testing import FakeExtractor, FakeLooker, FakeReader
from tests.conftest import WORDS
from tests.runs.test_run import ROOT, Stop

COLORS = ["red", "lime", "blue", (200, 120, 90), (10, 20, 30), "white"]
_watched: list[list[str]] = []


def _watch(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "open" and _watched:
        _watched[-1].append(str(arguments[0]))


sys.addaudithook(_watch)


@contextmanager
def opened_files() -> Iterator[list[str]]:
    """The files that are opened meanwhile, by this process."""
    _watched.append([])
    try:
        yield _watched[-1]
    finally:
        _watched.pop()


def open_pipeline(
    place: Path, looker: FakeLooker | None = None, name: str = "out.db", **settings: dict[str, Any]
) -> CharacterPipeline:
    words = WORDS | {"kid": ("safety", "minor"), "adult_content": ("safety", "sexual")}
    config: dict[str, Any] = {"run": {"shard_size": 4, "batch_size": 3}, "database": {"db_path": str(place / name)}}
    return create_pipeline(config | settings, extractors=[FakeExtractor(words), looker or FakeLooker()])


def export(pipeline: CharacterPipeline, folder: Path) -> tuple[bytes, ...]:
    """Everything that a run says, byte by byte."""
    results = pipeline.process_dataset(folder)
    results.to_jsonl(folder.parent / "out.jsonl")
    results.to_parquet(folder.parent / "out.parquet")
    details = repr([{**result.attributes.to_detail(), "fingerprint": ""} for result in results])
    rows = repr(pipeline.store.db.execute("SELECT item, width, height, format, retry FROM records").fetchall())
    files = [(folder.parent / name).read_bytes() for name in ("out.jsonl", "out.parquet")]
    return *files, details.encode(), rows.encode()


def fresh(folder: Path, looker: FakeLooker | None = None) -> tuple[bytes, ...]:
    with open_pipeline(folder.parent, looker, "fresh.db") as pipeline:
        found = export(pipeline, folder)
    (folder.parent / "fresh.db").unlink()
    return found


def test_the_picture_says_what_the_text_does_not(folder: Path) -> None:
    with open_pipeline(folder.parent) as pipeline:
        summary = pipeline.run(folder)
        results = {result.item_id: result for result in pipeline.process_dataset(folder)}
    assert results["00.png"].attributes.to_dict()["Hair Color"] == "Red"
    assert results["00.png"].status == "ok"
    assert results["broken.png"].status == "failed"
    assert (summary.counts["pictures_read"], summary.counts["pictures_cached"]) == (23, 1), "two are the same"
    assert summary.counts["pictures_decoded"] == 24
    assert summary.counts["picture_values"] > 8
    assert summary.counts["text_values"] > 14
    assert summary.to_json()["speakers"] == {"fake_reader/1": "fake reader on paper"}


def test_a_changed_setting_is_decided_again_without_opening_a_picture(folder: Path) -> None:
    wanted = fresh(folder, FakeLooker(least=0.9))
    with open_pipeline(folder.parent) as pipeline:
        pipeline.run(folder)
    with opened_files() as opened, open_pipeline(folder.parent, FakeLooker(least=0.9)) as pipeline:
        summary = pipeline.run(folder)
        assert export(pipeline, folder) == wanted
    assert summary.processed == 26
    assert summary.counts["pictures_cached"] == 24
    pictures = {Path(name).name for name in opened if name.endswith(".png")}
    assert pictures <= {"broken.png", "zz.png"}, "those were never read"
    assert summary.counts["pictures_decoded"] == 0


def test_unchanged_data_are_skipped(folder: Path) -> None:
    with open_pipeline(folder.parent) as pipeline:
        pipeline.run(folder)
        with opened_files() as opened:
            assert pipeline.run(folder).processed == 0
    assert not [name for name in opened if name.endswith(".png")]


def test_another_model_reads_again_and_the_old_vectors_stay(folder: Path) -> None:
    other = FakeReader("fake_reader/2")
    with open_pipeline(folder.parent) as pipeline:
        pipeline.run(folder)
    with open_pipeline(folder.parent, FakeLooker(other)) as pipeline:
        assert pipeline.run(folder).counts["pictures_read"] == 23
    with open_pipeline(folder.parent) as pipeline:
        summary = pipeline.run(folder)
    assert (summary.counts["pictures_read"], summary.counts["pictures_cached"]) == (0, 24)


def test_a_model_is_loaded_once_for_single_pictures_and_all_runs(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    loaded: list[Plan] = []

    def count(plan: Plan) -> DualEncoder:
        loaded.append(plan)
        return open_encoder(plan)

    monkeypatch.setattr(clip_analyzer, "open_encoder", count)
    given = {"clip_analyzer": {"model_name": "embedded"}, "database": {"db_path": str(folder.parent / "out.db")}}
    with create_pipeline(given) as pipeline:
        pipeline.extract_from_image(folder / "00.png")
        for limit in (3, 6):
            assert pipeline.run(folder, limit=limit).counts["pictures_read"]
    assert len(loaded) == 1


class Modest(FakeReader):
    """Content with small pictures."""

    least_side = 20


def test_pictures_that_are_decoded_otherwise_are_read_again(folder: Path) -> None:
    for draft, read in [(224, 23), (0, 23), (224, 0), (20, 23)]:
        loader = {"jpeg_draft": draft}
        with open_pipeline(folder.parent, FakeLooker(Modest()), input_loader=loader) as pipeline:
            assert pipeline.run(folder).counts["pictures_read"] == read, draft


def test_a_picture_that_moved_is_known_by_its_content(folder: Path) -> None:
    with open_pipeline(folder.parent) as pipeline:
        pipeline.run(folder)
        moved = folder.rename(folder.parent / "moved")
        summary = pipeline.run(moved)
    assert (summary.processed, summary.counts["pictures_read"], summary.counts["pictures_cached"]) == (26, 0, 24)


def test_without_caching_nothing_is_kept_and_nothing_believed(folder: Path) -> None:
    database = {"db_path": str(folder.parent / "out.db"), "enable_caching": False}
    with open_pipeline(folder.parent, database=database) as pipeline:
        for _ in range(2):
            assert pipeline.run(folder).counts["pictures_read"] == 24
        assert pipeline.store.db.execute("SELECT count(*) FROM vectors").fetchone() == (0,)


def test_broken_vectors_are_read_again(folder: Path) -> None:
    wanted = fresh(folder, FakeLooker(least=0.9))
    with open_pipeline(folder.parent) as pipeline:
        pipeline.run(folder)
        pipeline.store.db.execute("UPDATE vectors SET vector = x'00' WHERE rowid = 3")
        pipeline.store.db.execute("UPDATE vectors SET vector = x'007e007e007e' WHERE rowid = 5")
    with open_pipeline(folder.parent, FakeLooker(least=0.9)) as pipeline:
        assert pipeline.run(folder).counts["pictures_read"] == 2
        assert export(pipeline, folder) == wanted


@pytest.mark.parametrize("run", [{"shard_size": 100}, {"batch_size": 1, "shard_size": 1}, {"workers": 2}])
def test_results_do_not_depend_on_how_the_work_is_cut(folder: Path, run: dict[str, int]) -> None:
    wanted = fresh(folder)
    with open_pipeline(folder.parent, run=run) as pipeline:
        assert export(pipeline, folder) == wanted
    with open_pipeline(folder.parent, FakeLooker(least=0.5), run=run) as pipeline:
        again = export(pipeline, folder)
    assert again == fresh(folder, FakeLooker(least=0.5))


class Preparing(FakeReader):
    """Takes something away from each picture in the threads that decode."""

    def prepare(self, picture: Image.Image) -> Image.Image:
        return picture.copy()


@pytest.mark.parametrize("workers", [1, 2])
def test_ctrl_c_leaves_no_thread_and_the_next_run_goes_on(folder: Path, workers: int) -> None:
    wanted = fresh(folder)
    before = {thread for thread in threading.enumerate() if thread.name.startswith("decode")}
    run = {"shard_size": 4, "batch_size": 3, "workers": workers}
    with open_pipeline(folder.parent, FakeLooker(Preparing()), run=run) as pipeline:
        assert pipeline.run(folder, progress=Stop(8)).state == "interrupted"
        left = {thread for thread in threading.enumerate() if thread.name.startswith("decode")}
        assert left == before
        assert export(pipeline, folder) == wanted


RUN_AND_DIE = """
import os, sys
from pathlib import Path
from character_pipeline.runs.run import Silence
from tests.runs.test_pictures import open_pipeline

class Die(Silence):
    def advance(self, summary, items):
        if summary.processed >= 10:
            os._exit(9)

with open_pipeline(Path(sys.argv[1])) as pipeline:
    pipeline.run(Path(sys.argv[1]) / "set", progress=Die())
"""


def test_a_killed_run_is_finished_by_the_next(folder: Path) -> None:
    wanted = fresh(folder)
    command = [sys.executable, "-c", RUN_AND_DIE, str(folder.parent)]
    assert subprocess.run(command, check=False, cwd=ROOT).returncode == 9
    with open_pipeline(folder.parent) as pipeline:
        summary = pipeline.run(folder)
        assert (summary.skipped, summary.processed) == (12, 14)
        assert summary.counts["pictures_read"] == 11, "what was committed is not read again"
        assert export(pipeline, folder) == wanted
