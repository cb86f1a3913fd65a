from __future__ import annotations

import json
from pathlib import Path

import pytest

from character_pipeline import create_pipeline
from character_pipeline.errors import ConfigError
from character_pipeline.evaluation.truth import Tally, compare, read_truth, true_values
from character_pipeline.sample import bundled_folder, write_samples
from character_pipeline.testing import FakeExtractor
from tests.conftest import WORDS


def test_each_kind_of_outcome_is_counted(tmp_path: Path) -> None:
    texts = {"a": "girl, blonde_hair, glasses", "b": "hat", "c": "crowd"}
    truths = [
        {"item_id": "a", "people": "single", "attributes": {"Hair Color": "Red", "Gender": "Female", "Accessories": []},
         "stated": {"Gender": "Female", "Eye Color": "Blue"}},
        {"item_id": "b", "people": "single", "attributes": {"Accessories": ["Hat"]}, "stated": {}},
        {"item_id": "c", "people": "single", "attributes": {}, "stated": {}},
        {"item_id": "nowhere", "people": "single", "attributes": {}, "stated": {}},
    ]  # fmt: skip
    (tmp_path / "t.jsonl").write_text("".join(json.dumps({"id": k, "text": t}) + "\n" for k, t in texts.items()))
    (tmp_path / "truth.jsonl").write_text("".join(json.dumps(truth) + "\n" for truth in truths))
    config = {"database": {"db_path": str(tmp_path / "x.db")}}
    with create_pipeline(config, extractors=[FakeExtractor(WORDS)]) as pipeline:
        pipeline.run(tmp_path / "t.jsonl")
        report = compare(pipeline.store, tmp_path / "truth.jsonl")
    assert (report.items, report.absent, report.people_right) == (3, 1, 2)
    assert report.tallies["Gender"] == Tally(right=1)
    assert report.tallies["Hair Color"] == Tally(wrong=1)
    assert report.tallies["Eye Color"] == Tally(missed=1)
    assert report.tallies["Accessories"] == Tally(wrong=1, beyond=1)
    assert report.total.precision == pytest.approx(2 / 4)
    assert len(report.faults) == 3


TEXTS_ALONE = {"clip_analyzer": {"enabled": False}, "picture_analyzers": {"colors": False, "quality": False}}


def test_a_truth_that_cannot_be_read_names_the_line(tmp_path: Path) -> None:
    (tmp_path / "truth.jsonl").write_text("nope\n")
    with create_pipeline({"database": {"db_path": str(tmp_path / "x.db")}}) as pipeline:
        with pytest.raises(ConfigError, match="cannot be read"):
            compare(pipeline.store, tmp_path / "none.jsonl")
        (tmp_path / "truth.jsonl").write_text("nope\n")
        with pytest.raises(ConfigError, match="line 1"):
            compare(pipeline.store, tmp_path / "truth.jsonl")


@pytest.mark.parametrize("bundled", [True, False])
def test_what_the_tags_of_drawn_characters_state_is_found_and_nothing_is_made_up(tmp_path: Path, bundled: bool) -> None:
    folder = bundled_folder() if bundled else tmp_path / "drawn"
    if not bundled:
        write_samples(folder, 150, seed=77, size=64)
    with create_pipeline({"database": {"db_path": str(tmp_path / "x.db")}, **TEXTS_ALONE}) as pipeline:
        pipeline.run(folder)
        report = compare(pipeline.store, folder / "truth.jsonl")
    assert report.absent == 0
    assert report.people_right == report.items
    assert report.total.recall >= 0.99, report.faults
    assert report.total.precision >= 0.99, report.faults


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("[]", "an object with an item_id"),
        ('{"item_id": 1}', "an object with an item_id"),
        ('{"item_id": "a", "attributes": []}', "an object of labels"),
        ("\ufeff{", "no JSON"),
    ],
)
def test_a_line_of_another_format_is_named(tmp_path: Path, line: str, said: str) -> None:
    (tmp_path / "truth.jsonl").write_text('{"item_id": "fine"}\n' + line + "\n")
    with pytest.raises(ConfigError, match=f"line 2: .*{said}"):
        list(read_truth(tmp_path / "truth.jsonl"))


def test_styles_are_chosen_and_checked(tmp_path: Path) -> None:
    lines = [{"item_id": name, "style": name[0]} for name in ("a1", "b1", "a2")]
    (tmp_path / "truth.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert [truth["item_id"] for truth in read_truth(tmp_path / "truth.jsonl", ["a"])] == ["a1", "a2"]
    with pytest.raises(ConfigError, match=r"unknown style 'c'.*a, b"):
        list(read_truth(tmp_path / "truth.jsonl", ["a", "c"]))


def test_a_label_that_a_line_does_not_know_about_is_not_judged() -> None:
    truth = {
        "item_id": "a",
        "attributes": {"Gender": "Male", "Accessories": ["Hat", "Bag"]},
        "labels": ["Gender", "Age"],
    }
    assert true_values(truth, "Gender") == {"Male"}
    assert true_values(truth, "Age") == set()
    assert true_values(truth, "Accessories") is None
    assert true_values({"item_id": "a", "attributes": truth["attributes"]}, "Accessories") == {"Hat", "Bag"}
