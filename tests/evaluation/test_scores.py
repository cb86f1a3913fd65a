"""Text alone, pictures alone and both together are scored from the stored evidence."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path

import pytest
from typer.testing import CliRunner

from character_pipeline import create_pipeline
from character_pipeline.cli.main import app
from character_pipeline.data import Evidence, Item
from character_pipeline.evaluation.scores import ListScore, Score, Scores, score
from character_pipeline.evaluation.sources import read_answers
from character_pipeline.extractors.base import Need

WORDS = {
    "red": ("hair_color", "Red", "tag_parser/1"),
    "blue": ("hair_color", "Blue", "tag_parser/1"),
    "seen-red": ("hair_color", "Red", "color_analyzer/1"),
    "hat": ("accessories", "Hat", "text_parser/1"),
    "seen-bag": ("accessories", "Bag", "clip_analyzer/1"),
    "two": ("people", "multiple", "clip_analyzer/1"),
    "one": ("people", "single", "tag_parser/1"),
}


class Mixed:
    """Claims for each word what the word stands for, in the name of the source that the word names."""

    name = "mixed"
    version = "1"
    needs: frozenset[Need] = frozenset({"text"})

    def process(self, batch: Sequence[Item]) -> list[tuple[Evidence, ...]]:
        return [tuple(map(self._claim, (item.text or "").split(", "))) for item in batch]

    def _claim(self, word: str) -> Evidence:
        attribute, value, source = WORDS[word]
        return Evidence(attribute, value, 0.9, source, word)


TEXTS = {"a": "red, seen-red", "b": "blue, hat, seen-bag", "c": "seen-red, one", "d": "red", "e": "two"}
HAIR = {"a": "Red", "b": "Blue", "c": "Red", "d": "Blue", "e": "Red"}


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder with a database and the truth of its items."""
    truths = [
        {
            "item_id": name,
            "people": "multiple" if name == "e" else "single",
            "attributes": {"Hair Color": HAIR[name], "Accessories": ["Hat"] if name == "b" else []},
            "character": "ab" if name in "ab" else name,
            "style": "plain" if name in "abc" else "odd",
        }
        for name in TEXTS
    ]
    (tmp_path / "t.jsonl").write_text("".join(json.dumps({"id": k, "text": t}) + "\n" for k, t in TEXTS.items()))
    (tmp_path / "truth.jsonl").write_text("".join(json.dumps(truth) + "\n" for truth in truths))
    config = {"database": {"db_path": str(tmp_path / "x.db")}}
    with create_pipeline(config, extractors=[Mixed()]) as pipeline:
        pipeline.run(tmp_path / "t.jsonl")
    return tmp_path


@pytest.fixture
def scores(place: Path) -> Scores:
    with create_pipeline({"database": {"db_path": str(place / "x.db")}}) as pipeline:
        return score(read_answers(pipeline.store, place / "truth.jsonl"), pipeline.store.vocabulary)


def single(scores: Scores, label: str) -> dict[str, Score]:
    return {s.source: s for s in scores.single if s.label == label}


def many(scores: Scores, label: str) -> dict[str, ListScore]:
    return {s.source: s for s in scores.many if s.label == label}


def test_each_source_is_scored_by_its_own_evidence(scores: Scores) -> None:
    hair = single(scores, "Hair Color")
    assert {source: s.items for source, s in hair.items()} == {"text": 5, "picture": 5, "fused": 5, "majority": 5}
    assert {source: s.accuracy for source, s in hair.items()} == {
        "text": 2 / 5, "picture": 2 / 5, "fused": 3 / 5, "majority": 3 / 5,
    }  # fmt: skip
    assert hair["text"].selective == 2 / 3
    assert hair["picture"].coverage == 2 / 5
    assert hair["picture"].calibration == pytest.approx(0.1)
    assert hair["fused"].interval[0] < 3 / 5 < hair["fused"].interval[1]
    assert [s for s in scores.single if s.label != "Hair Color"] == []


def test_lists_are_scored_value_by_value(scores: Scores) -> None:
    worn = many(scores, "Accessories")
    assert (worn["text"].precision, worn["text"].recall, worn["text"].f1) == (1, 1, 1)
    assert (worn["picture"].precision, worn["picture"].recall) == (0, 0)
    assert (worn["fused"].precision, worn["fused"].recall) == (0.5, 1)


def test_people_are_counted_true_and_said(scores: Scores) -> None:
    assert scores.people["fused"]["multiple"] == {"single": 0, "multiple": 1, "none": 0, "unknown": 0}
    assert scores.people["text"]["multiple"]["unknown"] == 1
    assert scores.people["picture"]["multiple"]["multiple"] == 1
    assert scores.people["text"]["single"] == {"single": 1, "multiple": 0, "none": 0, "unknown": 3}


def cli(*words: object, code: int = 0) -> str:
    done = CliRunner().invoke(app, ["evaluate", *map(str, words)])
    assert done.exit_code == code, done.output
    return done.output


def test_the_tables_of_the_command(place: Path) -> None:
    words = (place / "x.db", "--truth", place / "truth.jsonl")
    assert re.search(r"Hair Color +text alone +5 +40\.0%", cli(*words, "--by-source"))
    assert re.search(r"truly multiple +together +0 +1 +0 +0", cli(*words, "--by-source"))
    assert "3 items" in cli(*words, "--by-source", "--styles", "plain")
    assert re.search(r"attribute +source +all +odd +plain", cli(*words, "--by", "style"))
    assert re.search(r"Hair Color +text alone +40\.0% +0\.0% +66\.7%", cli(*words, "--by", "style"))
    assert "3 items, 0 not in the database" in cli(*words, "--styles", "plain")


def test_json_has_all_numbers_and_no_nan(place: Path) -> None:
    found = json.loads(cli(place / "x.db", "--truth", place / "truth.jsonl", "--by", "style", "--json"))
    assert list(found["scores"]) == ["all", "odd", "plain"]
    assert found["total"]["wrong"] >= 1
    assert found["scores"]["all"]["single"][0]["label"] == "Hair Color"
    assert "NaN" not in json.dumps(found)
