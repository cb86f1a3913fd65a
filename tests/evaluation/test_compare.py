"""Two sides beside each other: counts that a look at every record gives, paired tests that the theory gives."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from character_pipeline import create_pipeline
from character_pipeline.database.feedback import give_feedback
from character_pipeline.database.queries import Filter, find_results
from character_pipeline.database.store import Store
from character_pipeline.errors import ConfigError
from character_pipeline.evaluation.compare import Comparison, compare_sides, mcnemar, said
from character_pipeline.evaluation.sides import decided, is_database, read_truths
from character_pipeline.rl_optimizer.policy import DEFAULT
from character_pipeline.sample import bundled_folder
from tests.cli.test_cli import charpipe

TEXTS = (
    *["1girl, solo, red_hair, green_hair, blue_eyes"] * 12,
    *["1girl, solo, blonde_hair, hat", "1girl, solo. A woman with black hair."] * 10,
    "2girls, red_hair",
    "1girl, solo, blue_eyes, loli, sex, nude, rating:explicit",
)
SIDES = ("hierarchical", "majority_voting")
HIDDEN = f"item-{len(TEXTS) - 1:05}"


@pytest.fixture
def manifest(make_manifest: Callable[[Iterable[str]], Path]) -> Path:
    return make_manifest(TEXTS)


@pytest.fixture
def finished(database: str, manifest: Path) -> str:
    with create_pipeline({"database": {"db_path": database}, "clip_analyzer": {"enabled": False}}) as pipeline:
        pipeline.run(manifest)
    return database


@pytest.fixture
def settings(tmp_path: Path) -> Path:
    (tmp_path / "side.toml").write_text(
        '[clip_analyzer]\nenabled = false\n[attribute_fusion]\nfusion_strategy = "majority_voting"\n', encoding="utf-8"
    )
    return tmp_path / "side.toml"


def truth(items: Iterable[int]) -> Iterator[dict[str, Any]]:
    for number in items:
        hair = "Red" if number < 12 else "Blonde" if number % 2 == 0 else "Black"
        attributes = {"Hair Color": hair}
        yield {
            "item_id": f"item-{number:05}",
            "labels": ["Hair Color"],
            "attributes": attributes,
            "character": str(number // 2),
        }


def compare(place: str, truths: Iterable[dict[str, Any]] = (), most: int = 10) -> Comparison:
    with decided(SIDES, place) as stores:
        return compare_sides(SIDES, stores, truths, most)


def test_without_truth_it_counts_what_every_record_says(finished: str) -> None:
    with decided(SIDES, finished) as (first, second):
        found = compare_sides(SIDES, (first, second))
        records = [{one.item_id: one.attributes for one in find_results(store, Filter())} for store in (first, second)]
    assert found.items == len(TEXTS) - 1 == len(records[0])
    for one in found.attributes:
        pairs = [
            (a.attributes[one.attribute], records[1][item].attributes[one.attribute]) for item, a in records[0].items()
        ]
        assert one.same == sum(said(a) == said(b) for a, b in pairs)
        assert one.first_known == sum(a.state == "known" for a, _ in pairs)
        assert one.judged is None
        sure = [b.confidence for _, b in pairs if b.state == "known"]
        assert math.isnan(one.second_sure) if not sure else one.second_sure == pytest.approx(sum(sure) / len(sure))
    assert (found.labelled, found.together) == (0, None)


def test_items_that_differ_most_come_first_and_none_is_hidden(finished: str) -> None:
    shown = compare(finished, most=100).apart
    assert HIDDEN not in {one.item_id for one in shown}
    counts = [len(one.differences) for one in shown]
    assert counts == sorted(counts, reverse=True)
    assert compare(finished, most=2).apart == shown[:2]
    assert compare(finished, most=0).apart == []


def test_the_truth_says_who_is_right_more_often(finished: str) -> None:
    found = compare(finished, truth(range(32)))
    hair = next(one for one in found.attributes if one.attribute == "Hair Color").judged
    assert found.labelled == 32
    assert hair is not None
    assert found.together is not None
    assert hair.items == found.together.items == 32
    assert hair.difference == pytest.approx((hair.only_second - hair.only_first) / 32)
    assert hair.interval[0] <= hair.difference <= hair.interval[1]
    assert hair.chance == mcnemar(hair.only_first, hair.only_second) == hair.corrected
    assert found.together.chance is None
    assert {one.attribute for one in found.attributes if one.judged} == {"Hair Color"}


def test_a_side_against_itself_is_the_same(finished: str) -> None:
    with decided(("hierarchical", "hierarchical"), finished) as stores:
        found = compare_sides(("a", "b"), stores, truth(range(32)))
    assert all(one.same == one.items for one in found.attributes)
    assert found.apart == []
    assert found.together is not None
    assert (found.together.difference, found.together.interval) == (0.0, (0.0, 0.0))


def test_feedback_is_the_truth_of_a_database(finished: str) -> None:
    assert read_truths(finished, None) == []
    with closing(Store(finished)) as store:
        give_feedback(store, "item-00001", "hair_color", ["Red"])
    assert compare(finished, read_truths(finished, None)).labelled == 1


def test_a_data_set_is_compared_on_like_its_database(finished: str, manifest: Path, settings: Path) -> None:
    names = (str(settings), str(settings))
    with decided(names, str(manifest), settings) as stores:
        fresh = compare_sides(SIDES, stores)
    with decided(names, finished, settings) as stores:
        assert compare_sides(SIDES, stores) == fresh
    with decided(names, str(manifest), settings, limit=3) as stores:
        assert compare_sides(SIDES, stores).items == 3


def test_policies_and_settings_are_sides(finished: str, settings: Path) -> None:
    with decided((str(DEFAULT), str(settings)), finished) as (first, second):
        kinds = [json.loads(store.db.execute("SELECT config FROM runs").fetchone()[0]) for store in (first, second)]
    assert [one["attribute_fusion"]["fusion_strategy"] for one in kinds] == ["learned", "majority_voting"]
    assert kinds[0]["rl_optimizer"]["policy"] == str(DEFAULT)


def test_pictures_are_read_once(tmp_path: Path) -> None:
    (tmp_path / "set").mkdir()
    for name in ("0001.webp", "0001.txt", "0002.webp", "0002.txt"):
        (tmp_path / "set" / name).write_bytes((bundled_folder() / name).read_bytes())
    (tmp_path / "plain.toml").write_text("[clip_analyzer]\nenabled = false\n", encoding="utf-8")
    embedded = tmp_path / "embedded.toml"
    embedded.write_text('[clip_analyzer]\nmodel_name = "embedded"\n', encoding="utf-8")
    for sides, read in ((("hierarchical", "ensemble"), 0), ((str(tmp_path / "plain.toml"), str(embedded)), 2)):
        with decided(sides, str(tmp_path / "set"), embedded) as (_, second):
            told = json.loads(second.db.execute("SELECT statistics FROM runs").fetchone()[0])
        assert told["pictures_read"] == read


@pytest.mark.parametrize("side", ["ensembel", "none.toml", "none.safetensors", ""])
def test_what_is_no_side_is_refused(finished: str, side: str) -> None:
    with pytest.raises(ConfigError), decided(("hierarchical", side), finished):
        pass


def test_places_are_told_apart(tmp_path: Path, manifest: Path) -> None:
    assert not is_database(str(manifest))
    assert not is_database(str(tmp_path))
    assert not is_database(str(tmp_path / "none"))
    with pytest.raises(ConfigError), decided(SIDES, str(tmp_path / "none")):
        pass


@given(st.integers(0, 60), st.integers(0, 60))
def test_mcnemars_test_is_the_exact_binomial(one: int, other: int) -> None:
    n = one + other
    exact = 2 * sum(math.comb(n, k) for k in range(min(one, other) + 1)) / 2**n
    assert mcnemar(one, other) == pytest.approx(min(1.0, exact))
    assert mcnemar(one, other) == mcnemar(other, one)


def test_mcnemars_test_holds_for_very_many_pairs() -> None:
    assert mcnemar(500_000, 500_000) == pytest.approx(1.0)
    assert mcnemar(490_000, 510_000) < 1e-80


def test_the_command(finished: str, tmp_path: Path) -> None:
    path = tmp_path / "truth.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in truth(range(32))), encoding="utf-8")
    words = ("compare", *SIDES, finished, "--truth", path, "--quiet")
    table = charpipe(*words).stdout
    assert "A: hierarchical, B: majority_voting" in table
    assert "95 % interval" in table
    found = json.loads(charpipe(*words, "--json").stdout)
    assert found["labelled"] == 32
    assert found["attributes"][0]["judged"] is None or found["attributes"][0]["judged"]["items"]
    assert "Allowed: " in charpipe("compare", "ensembel", "bayesian", finished, "--quiet", code=2).stderr
