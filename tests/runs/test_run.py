from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import pytest

from character_pipeline import CharacterPipeline, Evidence, Item, create_pipeline
from character_pipeline.database.queries import get_result
from character_pipeline.errors import StoreError
from character_pipeline.runs.run import RunSummary, Silence
from character_pipeline.testing import FakeExtractor
from tests.conftest import WORDS, picture_bytes

ROOT = Path(__file__).parents[2]
Make = Callable[[Iterable[str]], Path]
TEXTS = ["girl, blonde_hair", "blue_eyes", "crowd, red_hair", "hat, glasses", "", "long_hair, girl"] * 5


def open_pipeline(folder: Path, extractor: Any = None, **settings: dict[str, Any]) -> CharacterPipeline:
    config = {"database": {"db_path": str(folder / "out.db")}, "run": {"shard_size": 4, "batch_size": 3}} | settings
    return create_pipeline(config, extractors=[extractor or FakeExtractor(WORDS)])


def export(pipeline: CharacterPipeline, folder: Path) -> tuple[bytes, bytes]:
    results = pipeline.process_dataset(folder / "texts.jsonl")
    results.to_jsonl(folder / "out.jsonl")
    results.to_parquet(folder / "out.parquet")
    return (folder / "out.jsonl").read_bytes(), (folder / "out.parquet").read_bytes()


def test_every_item_has_one_row(tmp_path: Path, make_manifest: Make) -> None:
    with open_pipeline(tmp_path) as pipeline:
        results = pipeline.process_dataset(make_manifest(TEXTS))
        assert len(results) == len(list(results)) == len(TEXTS)
        assert [result.item_id for result in results] == [f"item-{n:05}" for n in range(len(TEXTS))]
        assert results[0].attributes.to_dict() == {"Gender": "Female", "Hair Color": "Blonde", "Confidence Score": 0.9}
        assert results[2].status == "ambiguous"
        assert results[2].attributes.to_dict() == {"Confidence Score": 0.0}
        assert results[-1].attributes.to_dict()["Hair Length"] == "Long"
        assert [r.item_id for r in results[1:3]] == ["item-00001", "item-00002"]
        with pytest.raises(IndexError):
            results[len(TEXTS)]


def test_what_comes_back_is_what_was_decided(tmp_path: Path, make_manifest: Make) -> None:
    with open_pipeline(tmp_path) as pipeline:
        stored = pipeline.process_dataset(make_manifest(TEXTS))[3].attributes.to_detail()
        fresh = pipeline.extract_from_text(TEXTS[3]).to_detail()
    assert stored["item_id"] == "item-00003"
    assert {**stored, "item_id": ""} == fresh


def test_a_second_run_does_nothing_and_a_changed_item_is_done_again(tmp_path: Path, make_manifest: Make) -> None:
    with open_pipeline(tmp_path) as pipeline:
        assert pipeline.run(make_manifest(TEXTS)).processed == len(TEXTS)
        assert pipeline.run(make_manifest(TEXTS)).processed == 0
        changed = [*TEXTS[:7], "girl, glasses, hat", *TEXTS[8:]]
        assert pipeline.run(make_manifest(changed)).processed == 1
        changed_one = get_result(pipeline.store, "item-00007")
        assert changed_one is not None
        assert changed_one.attributes.to_dict()["Accessories"] == ["Glasses", "Hat"]
        shorter = pipeline.run(make_manifest(changed[:-2]))
        assert shorter.gone == 2
        assert pipeline.get_statistics()["items"] == len(TEXTS) - 2
        assert pipeline.run(make_manifest(changed)).processed == 0
        assert pipeline.get_statistics()["items"] == len(TEXTS)


def test_other_settings_are_done_again_and_caching_can_be_off(tmp_path: Path, make_manifest: Make) -> None:
    path = make_manifest(TEXTS)
    with open_pipeline(tmp_path) as pipeline:
        pipeline.run(path)
    with open_pipeline(tmp_path, attribute_fusion={"confidence_threshold": 0.95}) as pipeline:
        assert pipeline.run(path).processed == len(TEXTS)
        assert all(result.attributes.confidence == 0.0 for result in pipeline.process_dataset(path))
        assert (
            pipeline.store.db.execute("SELECT sum(items) FROM tallies WHERE attribute >= 0 AND code > 0").fetchone()[0]
            == 0
        )
    uncached = {"db_path": str(tmp_path / "out.db"), "enable_caching": False}
    with open_pipeline(tmp_path, database=uncached) as pipeline:
        assert pipeline.run(path).processed == len(TEXTS)
        assert pipeline.run(path).processed == len(TEXTS)


def test_limit_takes_the_first_items_and_the_rest_comes_later(tmp_path: Path, make_manifest: Make) -> None:
    path = make_manifest(TEXTS)
    with open_pipeline(tmp_path) as pipeline:
        assert pipeline.run(path, limit=5).processed == 5
        assert pipeline.run(path, limit=5).processed == 0
        assert len(pipeline.process_dataset(path, limit=6)) == 6
        assert pipeline.run(path).processed == len(TEXTS) - 6


@pytest.mark.parametrize("settings", [{"shard_size": 1}, {"shard_size": 100, "batch_size": 1}, {"workers": 2}])
def test_results_do_not_depend_on_how_the_work_is_cut(
    tmp_path: Path, make_manifest: Make, settings: dict[str, int]
) -> None:
    make_manifest(TEXTS)
    with open_pipeline(tmp_path) as pipeline:
        wanted = export(pipeline, tmp_path)
    (tmp_path / "out.db").unlink()
    with open_pipeline(tmp_path, run=settings) as pipeline:
        assert export(pipeline, tmp_path) == wanted


class Stop(Silence):
    """Presses Ctrl-C when so many items are done."""

    def __init__(self, at: int) -> None:
        self.at = at

    def advance(self, summary: RunSummary, items: int) -> None:
        if summary.processed >= self.at:
            raise KeyboardInterrupt


@pytest.mark.parametrize("workers", [1, 2])
def test_ctrl_c_keeps_what_is_done_and_the_next_run_goes_on(tmp_path: Path, make_manifest: Make, workers: int) -> None:
    path = make_manifest(TEXTS)
    with open_pipeline(tmp_path) as pipeline:
        wanted = export(pipeline, tmp_path)
    (tmp_path / "out.db").unlink()
    settings = {"shard_size": 4, "workers": workers}
    with open_pipeline(tmp_path, run=settings) as pipeline:
        stopped = pipeline.run(path, progress=Stop(8))
        assert (stopped.state, stopped.processed) == ("interrupted", 8)
        shards = pipeline.store.db.execute("SELECT id, members FROM shards").fetchall()
    with open_pipeline(tmp_path, run=settings) as pipeline:
        went_on = pipeline.run(path)
        assert (went_on.processed, went_on.skipped) == (len(TEXTS) - 8, 8)
        assert pipeline.store.db.execute("SELECT id, members FROM shards").fetchall() == shards
        assert export(pipeline, tmp_path) == wanted


def test_an_item_on_which_a_stage_fails_fails_alone(tmp_path: Path, make_manifest: Make) -> None:
    extractor = FakeExtractor(WORDS, fail_on="boom")
    with open_pipeline(tmp_path, extractor) as pipeline:
        results = pipeline.process_dataset(make_manifest(["girl", "girl, boom", "hat"]))
        assert [result.status for result in results] == ["ok", "failed", "ok"]
        assert results[1].error == "fake: extractor_failed: ItemError: the word 'boom' was met"
        assert pipeline.get_statistics()["errors_by_kind"] == {"extractor_failed": 1}
        assert pipeline.run(tmp_path / "texts.jsonl").processed == 0
        assert pipeline.run(tmp_path / "texts.jsonl", retry_failed=True).processed == 1


class Deadly(FakeExtractor):
    """Kills its process on one word, as a broken decoder would."""

    def process(self, batch: Sequence[Item]) -> list[tuple[Evidence, ...]]:
        if any("deadly" in (item.text or "") for item in batch):
            os._exit(1)
        return super().process(batch)


def test_an_item_that_kills_its_worker_costs_one_item(tmp_path: Path, make_manifest: Make) -> None:
    texts = [*TEXTS[:10], "girl, deadly", *TEXTS[:5]]
    with open_pipeline(tmp_path, Deadly(WORDS), run={"shard_size": 4, "workers": 2}) as pipeline:
        results = pipeline.process_dataset(make_manifest(texts))
        assert len(results) == len(texts)
        failed = [result for result in results if result.status == "failed"]
    assert [result.item_id for result in failed] == ["item-00010"]
    assert "worker_died" in (failed[0].error or "")


RUN_DEADLY = """
import sys
from pathlib import Path
from tests.conftest import WORDS
from tests.runs.test_run import Deadly, open_pipeline
with open_pipeline(Path(sys.argv[1]), Deadly(WORDS), run={"shard_size": 4, "workers": 1}) as pipeline:
    print([r.item_id for r in pipeline.process_dataset(Path(sys.argv[1]) / "texts.jsonl") if r.status == "failed"])
"""


def test_an_item_that_kills_a_run_of_one_process_is_found_by_the_next_run(tmp_path: Path, make_manifest: Make) -> None:
    make_manifest([*TEXTS[:5], "deadly", *TEXTS[:5]])
    command = [sys.executable, "-c", RUN_DEADLY, str(tmp_path)]
    assert subprocess.run(command, check=False, cwd=ROOT).returncode == 1
    again = subprocess.run(command, check=True, cwd=ROOT, capture_output=True, text=True)
    assert again.stdout == "['item-00005']\n"


def test_a_view_shows_the_items_of_its_own_call(tmp_path: Path, make_manifest: Make) -> None:
    other = tmp_path / "other.jsonl"
    other.write_text(json.dumps({"id": "z", "text": "hat"}) + "\n")
    with open_pipeline(tmp_path) as pipeline:
        first = pipeline.process_dataset(make_manifest(TEXTS))
        second = pipeline.process_dataset(other)
        assert (len(first), len(second)) == (len(TEXTS), 1)
        assert second[0].item_id == "other.jsonl//z"
        assert len(pipeline.process_dataset(tmp_path / "texts.jsonl", limit=3)) == 3
        assert pipeline.get_statistics()["items"] == len(TEXTS) + 1


def test_passing_failures_are_tried_again(tmp_path: Path) -> None:
    folder = tmp_path / "set"
    folder.mkdir()
    (folder / "a.png").write_bytes(picture_bytes())
    with open_pipeline(tmp_path) as pipeline:
        pipeline.run(folder)
        pipeline.store.db.execute("UPDATE records SET retry = 1")
        assert pipeline.run(folder).processed == 1


def test_pictures_that_have_not_changed_are_not_opened_again(tmp_path: Path) -> None:
    folder = tmp_path / "set"
    folder.mkdir()
    for name in "abc":
        (folder / f"{name}.png").write_bytes(picture_bytes(size=(7, 9)))
    (folder / "bad.png").write_bytes(b"")
    with open_pipeline(tmp_path) as pipeline:
        first = [result.attributes.content_hash for result in pipeline.process_dataset(folder)]
    with open_pipeline(tmp_path, attribute_fusion={"confidence_threshold": 0.5}) as pipeline:
        (folder / "b.png").write_bytes(picture_bytes(size=(9, 9)))
        again = pipeline.run(folder)
    assert (again.processed, again.counts["pictures_decoded"]) == (4, 1)
    assert len(first) == 4


def test_a_lower_limit_of_pixels_counts_for_known_pictures_too(tmp_path: Path) -> None:
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / "a.png").write_bytes(picture_bytes(size=(8, 6)))
    with open_pipeline(tmp_path) as pipeline:
        assert pipeline.run(tmp_path / "set").kinds == {}
    with open_pipeline(tmp_path, input_loader={"max_pixels": 47}) as pipeline:
        assert pipeline.run(tmp_path / "set").kinds == {"image_too_large": 1}


def test_quarantined_items_are_rows_that_are_never_shown(tmp_path: Path) -> None:
    words = {"kid": ("safety", "minor"), "adult_content": ("safety", "sexual"), "girl": ("gender", "Female")}
    folder = tmp_path / "set"
    folder.mkdir()
    for name, text in (("a", "girl, kid"), ("b", "girl, kid, adult_content")):
        (folder / f"{name}.txt").write_text(text)
        (folder / f"{name}.png").write_bytes(picture_bytes())
    with open_pipeline(tmp_path, FakeExtractor(words)) as pipeline:
        results = pipeline.process_dataset(folder)
        assert [result.item_id for result in results] == ["a.png"]
        assert results.to_jsonl(tmp_path / "o.jsonl") == 1
        assert pipeline.get_statistics()["by_status"]["quarantined"] == 1
        row = pipeline.store.db.execute("SELECT width FROM records WHERE status = 4").fetchone()
        assert row == (0,), "a quarantined picture must not be decoded"
        kept = get_result(pipeline.store, "b.png")
    assert kept is not None
    assert kept.attributes.to_dict() == {"Confidence Score": 0.0}


def test_a_full_disk_stops_the_run_with_a_reason(tmp_path: Path, make_manifest: Make) -> None:
    with open_pipeline(tmp_path) as pipeline:
        pages = pipeline.store.db.execute("PRAGMA page_count").fetchone()[0]
        pipeline.store.db.execute(f"PRAGMA max_page_count = {pages + 2}")
        with pytest.raises(StoreError, match="full"):
            pipeline.run(make_manifest(["girl, " * 200] * 500))
        pipeline.store.db.execute("PRAGMA max_page_count = 1000000")
        assert pipeline.run(tmp_path / "texts.jsonl").listed == 500
        assert pipeline.get_statistics()["by_status"]["ok"] == 500


def test_two_runs_at_once_are_refused(tmp_path: Path, make_manifest: Make) -> None:
    path = make_manifest(TEXTS)

    class Intrude(Silence):
        def advance(self, summary: RunSummary, items: int) -> None:
            with open_pipeline(tmp_path) as other, pytest.raises(StoreError, match="another run"):
                other.run(path)

    with open_pipeline(tmp_path) as pipeline:
        assert pipeline.run(path, progress=Intrude()).processed == len(TEXTS)


def test_the_database_can_be_read_while_it_is_written(tmp_path: Path, make_manifest: Make) -> None:
    seen: list[int] = []

    class Look(Silence):
        def advance(self, summary: RunSummary, items: int) -> None:
            with sqlite3.connect(tmp_path / "out.db") as db:
                seen.append(db.execute("SELECT count(*) FROM records").fetchone()[0])
            db.close()

    with open_pipeline(tmp_path) as pipeline:
        pipeline.run(make_manifest(TEXTS), progress=Look())
    assert seen == [*range(4, len(TEXTS), 4), len(TEXTS)]
