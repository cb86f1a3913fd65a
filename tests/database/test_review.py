"""The queue asks first what would teach most, never twice, and never about what must not be shown."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from character_pipeline import create_pipeline
from character_pipeline.data import STATUSES
from character_pipeline.database.feedback import give_feedback
from character_pipeline.database.identity import Copy, write_duplicates
from character_pipeline.database.review import _against, _bits, review_queue
from character_pipeline.database.store import Store
from character_pipeline.errors import ConfigError
from character_pipeline.vocabulary import load_vocabulary
from tests.cli.test_cli import charpipe

SETTINGS = {"clip_analyzer": {"enabled": False}, "run": {"workers": 1}}
TEXTS = (
    "1girl, solo, red_hair, blue_eyes",
    "1girl, solo, red_hair, green_hair, blue_eyes",
    "1girl, solo, black_hair, closed_eyes, blue_eyes",
    "1girl, solo, long_hair, short_hair, smile",
    "1girl, solo, red_hair, green_hair, blue_eyes",
    "2girls, red_hair, green_hair",
    "1girl, solo, red_hair, green_hair, loli, rating:explicit, sex, nude",
)


@pytest.fixture
def filled(database: str, make_manifest: Callable[[Iterable[str]], Path]) -> str:
    with create_pipeline({**SETTINGS, "database": {"db_path": database}}) as pipeline:
        pipeline.run(make_manifest(TEXTS))
    return database


def asked(store: Store, attribute: str | None = None, limit: int = 50) -> list[tuple[str, str]]:
    return [(one.item_id, one.attribute) for one in review_queue(store, attribute, limit)]


def test_contradictions_come_first_and_say_so(store: Store) -> None:
    first = review_queue(store)[0]
    assert (first.attribute, first.state) == ("Hair Color", "conflicting")
    assert "contradict" in first.reason
    assert {value for value, _ in first.chances} == {"Red", "Green"}
    assert {claim.origin for claim in first.evidence} == {"red_hair", "green_hair"}
    assert json.loads(json.dumps(first.to_json()))["item_id"] == first.item_id


def test_what_has_feedback_leaves_and_the_attribute_falls_back(store: Store) -> None:
    item = asked(store)[0][0]
    before = {(one.item_id, one.attribute): one.worth for one in review_queue(store, "hair_color")}
    give_feedback(store, item, "hair_color", ["Red"])
    after = {(one.item_id, one.attribute): one.worth for one in review_queue(store, "hair_color")}
    assert before.keys() - after.keys() == {(item, "Hair Color")}
    assert all(after[key] < before[key] for key in after)


def test_only_described_items_are_asked_about(store: Store) -> None:
    hidden = {"item-00005", "item-00006"}
    statuses = dict(store.db.execute("SELECT item, status FROM records").fetchall())
    assert STATUSES[statuses[7]] == "quarantined"
    assert not hidden & {item for item, _ in asked(store)}
    store.db.execute("UPDATE items SET gone = 1 WHERE item_id = 'item-00001'")
    assert "item-00001" not in {item for item, _ in asked(store)}


def test_copies_are_asked_about_once(store: Store) -> None:
    both = {("item-00001", "Hair Color"), ("item-00004", "Hair Color")}
    assert both <= set(asked(store))
    write_duplicates(store, [Copy(2, 2, 1.0), Copy(5, 2, 0.99)], {})
    assert len(both & set(asked(store))) == 1


def test_one_attribute_and_no_more_than_asked_for(store: Store) -> None:
    assert {label for _, label in asked(store, "hair_length")} == {"Hair Length"}
    assert len(asked(store, limit=2)) == 2
    assert asked(store) == asked(store)
    with pytest.raises(ConfigError, match="Did you mean"):
        review_queue(store, "hair_colour")


def test_an_empty_database_asks_nothing(database: str) -> None:
    store = Store(database, load_vocabulary())
    assert review_queue(store) == []
    store.close()


def test_what_is_looked_at_is_bounded_and_drawn_by_the_seed(
    tmp_path: Path, make_manifest: Callable[[Iterable[str]], Path]
) -> None:
    path = tmp_path / "x.db"
    with create_pipeline({**SETTINGS, "database": {"db_path": str(path)}}) as pipeline:
        pipeline.run(make_manifest(f"1girl, solo, red_hair, green_hair, tag_{number}" for number in range(600)))
        drawn = [{one.item_id for one in review_queue(pipeline.store, "hair_color", 500, seed)} for seed in (0, 0, 1)]
    assert drawn[0] == drawn[1] != drawn[2]
    assert 200 < len(drawn[0]) < 500


@given(st.floats(0, 1))
def test_doubt_is_greatest_at_a_half(p: float) -> None:
    assert 0 <= _bits(p) <= _bits(0.5) == 1.0


def test_what_speaks_against_an_answer() -> None:
    red, blue = ["red_hair", "Red", 0.9, "tag_parser/1"], ["prompt", "Blue", 0.4, "clip_analyzer/1"]
    assert _against([red, blue], many=False) == 0.4
    assert _against([red, red], many=False) == 0.0
    hat, no_hat = ["hat", "Hat", 0.9, "tag_parser/1"], ["no_hat", "Hat", 0.7, "tag_parser/1", "not", None]
    glasses = ["glasses", "Glasses", 0.9, "tag_parser/1"]
    assert _against([hat, glasses], many=True) == 0.0
    assert _against([hat, glasses, no_hat], many=True) == 0.7


def test_the_command_says_how_to_answer(filled: str) -> None:
    done = charpipe("review", filled, "--limit", 3)
    assert "Hair Color" in done.stdout
    assert "charpipe feedback" in done.stderr
    lines = charpipe("review", filled, "--attribute", "hair_color", "--json").stdout.splitlines()
    assert {json.loads(line)["attribute"] for line in lines} == {"Hair Color"}
