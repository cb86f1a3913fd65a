"""What is watched is what a look at every record says, quickly, and nothing hidden is in it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from character_pipeline import create_pipeline
from character_pipeline.database.feedback import give_feedback
from character_pipeline.database.pace import read_pace
from character_pipeline.database.queries import Filter, find_results, list_errors
from character_pipeline.database.store import Store
from character_pipeline.evaluation.figures import (
    BINS,
    agreements,
    all_figures,
    confidences,
    coverages,
    draw_sample,
    mix,
    reliabilities,
    throughput,
)
from tests.cli.test_cli import charpipe

SETTINGS = {"clip_analyzer": {"enabled": False}, "run": {"workers": 1, "shard_size": 16}}
TEXTS = (
    *["1girl, solo, red_hair, blue_eyes"] * 30,
    *["1girl, solo, hat. A woman with black hair.", "1girl, solo, blonde_hair, a girl with black hair and a red hat."]
    * 5,
    "2girls, red_hair",
    "1girl, solo, blue_eyes, loli, sex, nude, rating:explicit",
)


@pytest.fixture
def filled(database: str, make_manifest: Callable[[Iterable[str]], Path]) -> str:
    with create_pipeline({**SETTINGS, "database": {"db_path": database}}) as pipeline:
        pipeline.run(make_manifest(TEXTS))
    return database


def test_coverage_counts_every_described_item(store: Store) -> None:
    found = {one.attribute: one for one in coverages(store)}
    records = [result.attributes for result in find_results(store, Filter()) if result.success]
    for label, one in found.items():
        states = Counter[str](record.attributes[label].state for record in records)
        assert one.described == len(records) == 40
        assert {state: count for state, count in one.states.items() if count} == states
    assert found["Hair Color"].values["Red"] == 30


def test_confidences_are_those_of_the_records(store: Store) -> None:
    sample = draw_sample(store)
    assert (sample.items, sample.of) == (40, 40)
    found = {one.attribute: one for one in confidences(store, sample)}
    records = [result.attributes for result in find_results(store, Filter()) if result.success]
    sure = [r.attributes["Eye Color"].confidence for r in records if r.attributes["Eye Color"].state == "known"]
    assert sum(found["Eye Color"].counts) == len(sure) == 30
    assert len(found["Eye Color"].counts) == BINS
    assert found["Eye Color"].mean == pytest.approx(sum(sure) / len(sure), abs=1e-3)
    assert found["Scars"].mean is None


def test_samples_are_bounded_and_drawn_by_the_seed(store: Store) -> None:
    some = [draw_sample(store, 7, seed) for seed in (0, 0, 1)]
    assert [(one.items, one.of) for one in some] == [(7, 40)] * 3
    assert some[0].decided == some[1].decided


def test_sources_agree_where_they_say_the_same(store: Store) -> None:
    found = {(one.attribute, one.first, one.second): one for one in agreements(store, draw_sample(store))}
    records = [result.attributes for result in find_results(store, Filter()) if result.success]
    expected: Counter[bool] = Counter()
    for record in records:
        claims = {claim.extractor: claim.value for claim in record.attributes["Hair Color"].evidence}
        if len(claims) == 2:
            expected[len(set(claims.values())) == 1] += 1
    one = found["Hair Color", "tag_parser", "text_parser"]
    assert (one.both, one.same) == (expected.total(), expected[True])
    assert one.both > 0


def test_calibration_comes_from_feedback(store: Store) -> None:
    assert reliabilities(store) == []
    for number in range(10):
        give_feedback(store, f"item-{number:05}", "eye_color", ["Blue" if number else "Red"])
    (one,) = reliabilities(store)
    assert (one.attribute, one.answers, one.right) == ("Eye Color", 10, 0.9)
    assert sum(each["answers"] for each in one.bins) == 10
    assert one.bins[0]["interval"][0] < 0.9 < one.bins[0]["interval"][1]
    (few,) = reliabilities(store, 5)
    assert (few.answers, few.right) == (5, 1.0)


def test_the_pace_of_every_run_is_kept(filled: str, store: Store, tmp_path: Path) -> None:
    paces = read_pace(store.db)
    assert sum(one.items for one in paces) == len(TEXTS)
    assert paces[0].seconds["tag_parser"] >= 0
    assert paces[0].minute % 60 == 0
    (tmp_path / "more.txt").write_text("1girl, solo, hat\n")
    with create_pipeline({**SETTINGS, "database": {"db_path": filled}}) as pipeline:
        pipeline.run(tmp_path / "more.txt")
    found = throughput(store)
    assert [run["processed"] for run in found["runs"]] == [len(TEXTS), 1]
    assert [one["items"] for one in found["minutes"] if one["run"] == 2] == [1]
    assert len(read_pace(store.db, 1)) == 1


def test_errors_of_hidden_items_are_not_shown(store: Store) -> None:
    hidden = f"item-{len(TEXTS) - 1:05}"
    number = store.db.execute("SELECT id FROM items WHERE item_id = ?", (hidden,)).fetchone()[0]
    insert = "INSERT INTO errors(item, number, stage, kind, message, run) VALUES (?, 0, 'read', 'io_error', 'x', 1)"
    store.db.executemany(insert, [(number,), (1,)])
    assert [group.examples for group in list_errors(store)] == [(("item-00000", "x"),)]


def test_where_no_policy_decided_it_did_nothing(store: Store) -> None:
    found = mix(draw_sample(store))
    assert (found.actions, found.asked, found.items) == ({}, 0, 40)


def test_a_policys_actions_are_counted(tmp_path: Path, make_manifest: Callable[[Iterable[str]], Path]) -> None:
    settings = {**SETTINGS, "attribute_fusion": {"fusion_strategy": "learned"}}
    with create_pipeline({**settings, "database": {"db_path": str(tmp_path / "x.db")}}) as pipeline:
        pipeline.run(make_manifest(TEXTS))
        found = mix(draw_sample(pipeline.store))
        chosen = [
            decided.choice.action
            for result in find_results(pipeline.store, Filter())
            for decided in result.attributes.attributes.values()
            if decided.choice is not None
        ]
    assert sum(sum(counts.values()) for counts in found.actions.values()) == len(chosen)


def test_all_of_it_is_json(filled: str, store: Store) -> None:
    give_feedback(store, "item-00001", "eye_color", ["Blue"])
    found = all_figures(store)
    assert json.loads(json.dumps(found, allow_nan=False))["sample"] == {"items": 40, "of": 40}
    shown = json.loads(charpipe("stats", filled, "--figures").stdout)
    assert shown["coverage"] == found["coverage"]
    assert shown["resources"]["memory_mib"] > 1
