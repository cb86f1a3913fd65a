"""What people say is true is kept, counts newest first, and can be taken back."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from character_pipeline import create_pipeline
from character_pipeline.cli.main import app
from character_pipeline.data import STATUSES
from character_pipeline.database.feedback import (
    all_feedback,
    count_feedback,
    feedback_as_truth,
    feedback_on,
    give_feedback,
    newest_feedback,
    undo_feedback,
)
from character_pipeline.database.store import Store
from character_pipeline.errors import ConfigError
from character_pipeline.evaluation.gold import read_gold


@pytest.fixture
def filled(database: str, tmp_path: Path) -> str:
    (tmp_path / "a.txt").write_text("1girl, solo, red_hair\n1girl, solo, blue_eyes\n")
    with create_pipeline({"database": {"db_path": database}, "clip_analyzer": {"enabled": False}}) as pipeline:
        pipeline.process_dataset(tmp_path / "a.txt")
    return database


def first_item(store: Store) -> str:
    return str(store.db.execute("SELECT item_id FROM items ORDER BY id").fetchone()[0])


def test_the_newest_statement_counts_and_can_be_taken_back(store: Store) -> None:
    give_feedback(store, first_item(store), "hair_color", ["Blue"])
    give_feedback(store, first_item(store), "Hair Color", ["red"], author="me")
    assert feedback_as_truth(store)[0]["attributes"] == {"Hair Color": "Red"}
    back = undo_feedback(store)
    assert back is not None
    assert (back.values, back.author) == (("Red",), "me")
    assert feedback_as_truth(store)[0]["attributes"] == {"Hair Color": "Blue"}
    undo_feedback(store)
    assert undo_feedback(store) is None
    assert feedback_as_truth(store) == []


def test_what_counts_of_one_item_and_what_came_last(store: Store) -> None:
    item = first_item(store)
    for value in ("Blue", "Red"):
        give_feedback(store, item, "hair_color", [value])
    give_feedback(store, item, "scars", [])
    assert [(one.label, one.values) for one in feedback_on(store, item)] == [("Hair Color", ("Red",)), ("Scars", ())]
    assert [one.label for one in newest_feedback(store, 2)] == ["Scars", "Hair Color"]
    assert count_feedback(store) == 3
    store.db.execute("UPDATE records SET status = ?", (STATUSES.index("quarantined"),))
    assert newest_feedback(store, 2) == []
    with pytest.raises(ConfigError, match="no item"):
        give_feedback(store, item, "hair_color", ["Red"])


def test_nothing_is_a_statement_too(store: Store) -> None:
    give_feedback(store, first_item(store), "accessories", [])
    give_feedback(store, first_item(store), "scars", ["Eye", "eye", "cheek"])
    (line,) = feedback_as_truth(store)
    assert line["labels"] == ["Accessories", "Scars"]
    assert line["attributes"] == {"Scars": ["Eye", "Cheek"]}


@pytest.mark.parametrize(
    ("attribute", "values", "message"),
    [
        ("hair_colour", ["Red"], "Did you mean 'hair_color'"),
        ("hair_color", ["Redd"], "Did you mean 'Red'"),
        ("hair_color", ["Red", "Blue"], "has one value"),
    ],
)
def test_what_makes_no_sense_is_refused(store: Store, attribute: str, values: list[str], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        give_feedback(store, first_item(store), attribute, values)
    assert not list(all_feedback(store))


@pytest.mark.parametrize("name", ["", "none.png", "'; DROP TABLE feedback; --", "\0", "x" * 5_000])
def test_unknown_items_are_refused(store: Store, name: str) -> None:
    with pytest.raises(ConfigError, match="no item"):
        give_feedback(store, name, "hair_color", ["Red"])
    assert not list(all_feedback(store))


def test_feedback_outlives_another_run_and_is_what_is_learned_from(filled: str, tmp_path: Path) -> None:
    opened = Store(filled)
    give_feedback(opened, first_item(opened), "hair_color", ["Pink"])
    opened.close()
    with create_pipeline({"database": {"db_path": filled}, "clip_analyzer": {"enabled": False}}) as pipeline:
        pipeline.process_dataset(tmp_path / "a.txt")
        gold = read_gold(pipeline.store, None)
    assert len(gold) == 1
    assert gold.claims[0]["hair_color"][0].value == "Red"
    assert gold.truths[0]["attributes"] == {"Hair Color": "Pink"}


def test_the_command_writes_lists_and_takes_back(filled: str) -> None:
    opened = Store(filled)
    name = first_item(opened)
    opened.close()
    run = CliRunner().invoke
    said = ["--set", "hair_color=Red", "--set", "accessories=Hat+glasses", "--set", "scars="]
    assert run(app, ["feedback", filled, name, *said]).exit_code == 0
    listed = run(app, ["feedback", filled]).output
    assert f"{name}: Accessories: Hat, Glasses" in listed
    assert f"{name}: Scars: none" in listed
    assert run(app, ["feedback", filled, "--undo"]).exit_code == 0
    assert "Scars" not in run(app, ["feedback", filled]).output
    assert isinstance(run(app, ["feedback", filled, name]).exception, ConfigError)
