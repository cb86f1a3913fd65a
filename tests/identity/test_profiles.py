"""What the items of a character agree on: counted, shown, and taken as evidence of its other items."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from character_pipeline import create_pipeline
from character_pipeline.config import load_config
from character_pipeline.data import Item
from character_pipeline.database.profiles import Profile
from character_pipeline.database.store import Store
from character_pipeline.errors import CharpipeError, ConfigError
from character_pipeline.evaluation.metrics import wilson
from character_pipeline.identity.profiles import consensus, make_profiles
from character_pipeline.pipeline import build_stages
from character_pipeline.processing import process_items
from character_pipeline.processing.prior import lower_end
from character_pipeline.results import Results
from character_pipeline.vocabulary import load_vocabulary
from character_pipeline.vocabulary.character_names import named_character
from character_pipeline.vocabulary.lexicon import load_lexicon
from tests.cli.test_cli import answer, charpipe

SETTINGS = {"clip_analyzer": {"enabled": False}, "run": {"workers": 1}}
ALICE, BOB = r"alice \(wonderland\)", "bob_(builders)"
TEXTS = [
    *(f"1girl, solo, {ALICE}, blonde_hair, blue_eyes, tag_{number}" for number in range(19)),
    f"1girl, solo, {ALICE}, red_hair, wig_{1}",
    f"1girl, solo, {ALICE}, smile",
    *(f"1boy, solo, {BOB}, brown_hair, tag_{number}" for number in range(3)),
    f"1girl, loli, nude, sex, rating:explicit, {ALICE}, green_hair",
    f"1girl, solo, {ALICE}, {BOB}, pink_hair",
    "1girl, solo, bow_(weapon), star_(symbol), jane_(cosplay), purple_hair",
]


def write_set(path: Path, texts: Sequence[str]) -> Path:
    rows = [{"id": f"{number:03}", "text": text} for number, text in enumerate(texts)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def extracted(folder: Path, texts: Sequence[str] = TEXTS) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / "character_attributes.db"
    with create_pipeline({**SETTINGS, "database": {"db_path": str(path)}}) as pipeline:
        pipeline.run(write_set(folder / "set.jsonl", texts))
    return path


def stored(path: Path | str) -> list[Any]:
    store = Store(path)
    try:
        make_profiles(store)
        return list(store.db.execute("SELECT name, items, votes FROM profiles ORDER BY name"))
    finally:
        store.close()


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return extracted(tmp_path_factory.mktemp("profiles") / "out")


def test_the_command_shows_agreement_and_the_odd_ones_out(database: Path) -> None:
    alice, bob = answer("profiles", database.parent)
    assert (alice["name"], alice["items"], bob["name"], bob["items"]) == ("alice_(wonderland)", 21, "bob_(builders)", 3)
    assert alice["attributes"]["Hair Color"] == {
        "support": 20,
        "spread": 0.05,
        "values": {"Blonde": 19, "Red": 1},
        "odd": [{"value": "Red", "count": 1, "items": ["019"]}],
    }
    said = charpipe("profiles", database.parent, "--character", "Alice (Wonderland)").stdout
    assert "Red in 1 of 20 (019)" in said
    assert "bob" not in said
    assert "unknown character 'alise_(wonderland)'. Did you mean" in charpipe(
        "profiles", database, "--character", "alise (wonderland)", code=2
    ).stderr  # fmt: skip
    assert "charpipe dedupe" in charpipe("profiles", database, "--by", "cluster", code=2).stderr
    charpipe("dedupe", database, "--exact")
    assert answer("profiles", database, "--by", "cluster") == []


def test_the_same_content_votes_once_and_order_decides_nothing(tmp_path: Path) -> None:
    rows = [f"1girl, solo, {ALICE}, blonde_hair"] * 3 + [f"1girl, solo, {ALICE}, red_hair"]
    told = []
    for seed in (1, 2):
        random.Random(seed).shuffle(rows)
        told.append(stored(extracted(tmp_path / str(seed), rows)))
    assert told[0] == told[1]
    assert json.loads(told[0][0][2])["votes"]["hair_color"] == {"Blonde": 1, "Red": 1}
    assert told[0][0][1] == 4


LEXICON = load_lexicon()


@given(st.lists(st.text(max_size=40) | st.from_regex(r"\A[a-z_]{0,8}_\([a-z_]{0,8}\)\Z"), max_size=5))
def test_any_tags_name_one_character_or_none(tags: list[str]) -> None:
    name = named_character(tags, LEXICON)
    assert name == named_character(tags[::-1] * 2, LEXICON)
    assert name is None or name.endswith(")")


said = st.dictionaries(st.sampled_from(["hair_color", "eye_color"]), st.just(["Blue"]) | st.just(["Red"]), max_size=2)


@given(st.lists(said, min_size=1, max_size=30))
def test_leaving_an_item_out_is_as_if_it_had_not_been_there(votes: list[dict[str, list[str]]]) -> None:
    whole, rest = Profile("x"), Profile("x")
    for one in votes:
        whole.add(one)
    for one in votes[1:]:
        rest.add(one)
    left = whole.without(votes[0])
    assert +left.support == rest.support
    assert {key: +counts for key, counts in left.votes.items() if +counts} == rest.votes
    for found in consensus(whole, load_vocabulary()):
        assert 0 <= found.spread < 1
        assert sum(count for _, count in found.values) == found.support


def redecided(old: Path, out: Path, **fusion: Any) -> dict[str, Any]:
    """The records of a database, decided again, by item."""
    settings = {**SETTINGS, "attribute_fusion": fusion, "database": {"db_path": str(out / "new.db")}}
    with create_pipeline(settings) as pipeline:
        pipeline.redecide(old)
        return {result.item_id: result.attributes for result in Results(pipeline.store)}


def test_profiles_fill_what_nothing_says(tmp_path: Path) -> None:
    path = extracted(tmp_path / "old")
    stored(path)
    found = redecided(path, tmp_path / "filled", character_profiles=str(path))
    eyes = found["019"].attributes["Eye Color"]
    assert (eyes.state, eyes.value) == ("known", "Blue")
    (claim,) = eyes.evidence
    assert (claim.source, claim.origin) == ("character_profile/1", "alice_(wonderland): 19 of 19 others")
    assert eyes.confidence == pytest.approx(0.8318, abs=1e-3)  # 19 of 19 by Wilson
    assert found["019"].attributes["Hair Color"].value == "Red", "what is said counts before what is usual"
    assert found["020"].attributes["Hair Color"].state == "unknown", "19 of 20 may be less than four in five"
    assert found["021"].attributes["Eye Color"].state == "unknown", "three pictures are no rule"
    assert "024" not in found, "quarantined"
    plain = redecided(path, tmp_path / "plain")
    assert plain["019"].attributes["Eye Color"].state == "unknown"
    assert {one.fingerprint for one in plain.values()}.isdisjoint(one.fingerprint for one in found.values())


def test_profiles_may_be_on_a_server(tmp_path: Path, new_schema: Callable[[], str]) -> None:
    database = new_schema()
    with create_pipeline({**SETTINGS, "database": {"db_path": database}}) as pipeline:
        pipeline.run(write_set(tmp_path / "set.jsonl", TEXTS))
    stored(database)
    with create_pipeline({**SETTINGS, "attribute_fusion": {"character_profiles": database}}) as pipeline:
        found = pipeline.extract_from_text(f"1girl, solo, {ALICE}, smile")
    assert found.attributes["Eye Color"].value == "Blue"


def test_what_a_profile_filled_is_no_vote_for_it(tmp_path: Path) -> None:
    path = extracted(tmp_path / "old")
    before = stored(path)
    redecided(path, tmp_path / "filled", character_profiles=str(path))
    assert stored(tmp_path / "filled" / "new.db") == before


def test_items_without_ids_do_not_take_the_character_of_others(tmp_path: Path) -> None:
    path = extracted(tmp_path / "old")
    stored(path)
    config = load_config({**SETTINGS, "attribute_fusion": {"character_profiles": str(path)}})
    items = [Item("", text) for text in ("1girl, solo, smile", f"1girl, solo, {ALICE}, smile", "1girl, solo, bow")]
    eyes = [one.result.attributes.attributes["Eye Color"].state for one in process_items(items, build_stages(config))]
    assert eyes == ["unknown", "known", "unknown"]


def test_profiles_that_nobody_counted_are_asked_for(tmp_path: Path) -> None:
    path = extracted(tmp_path / "old")
    with pytest.raises(ConfigError, match=f"charpipe profiles {path}"):
        create_pipeline({**SETTINGS, "attribute_fusion": {"character_profiles": str(path)}})
    with pytest.raises(CharpipeError, match="nowhere"):
        create_pipeline({**SETTINGS, "attribute_fusion": {"character_profiles": str(tmp_path / "nowhere.db")}})


@given(hits=st.integers(0, 500), misses=st.integers(0, 500))
def test_the_lower_end_is_that_of_wilson(hits: int, misses: int) -> None:
    wanted = wilson(hits, hits + misses)[0] if hits + misses else 0.0
    assert lower_end(hits, hits + misses) == pytest.approx(wanted, abs=1e-9)
