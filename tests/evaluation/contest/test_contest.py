"""Contenders on the same items: what they say, what it is worth, and who is ahead."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from html.parser import HTMLParser

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from character_pipeline.attribute_fusion.weights import Weights
from character_pipeline.data import Evidence
from character_pipeline.errors import ConfigError
from character_pipeline.evaluation.contest.contenders import Ring, baselines, oracle, raw_vote, strategy
from character_pipeline.evaluation.contest.field import Field, cut, lay_out
from character_pipeline.evaluation.contest.page import make_page
from character_pipeline.evaluation.contest.standings import holm, meet
from character_pipeline.evaluation.contest.verdicts import Verdicts, difference, judged, mark, utilities
from character_pipeline.evaluation.gold import Gold
from tests.rl_optimizer.simulated import VOCABULARY, make_gold


@lru_cache(maxsize=1)
def ring() -> Ring:
    fit, test = cut(make_gold(300), 0.5, seed=0)
    first = lay_out(fit, Weights())
    return Ring(first, lay_out(test, Weights(), list(first.ballots)))


def hand_made(truths: list[str | None], said: list[tuple[str, float]]) -> tuple[Field, Verdicts]:
    """Items about whose hair one contender says one value, with a confidence; all is said from 0.5."""
    hair = VOCABULARY.attributes["hair_color"]
    lines = [
        {"item_id": str(n), "attributes": {"Hair Color": value} if value else {}} for n, value in enumerate(truths)
    ]
    claim = Evidence("hair_color", "Red", 0.9, "tag_parser/1", "red_hair")
    field = lay_out(Gold(VOCABULARY, lines, [{"hair_color": [claim]}] * len(lines)), Weights(), ["hair_color"])
    chances = np.zeros((len(said), len(hair.values)))
    for row, (value, chance) in enumerate(said):
        chances[row, hair.order[value]] = chance
    return field, Verdicts("x", {"hair_color": chances}, {"hair_color": np.full(len(said), 0.5)}, np.zeros(len(said)))


def test_marks_by_hand() -> None:
    field, verdicts = hand_made(
        ["Red", "Red", "Blue", None], [("Red", 0.9), ("Blue", 0.6), ("Blue", 0.4), ("Green", 0.8)]
    )
    assert utilities(field, verdicts)[:, 0].tolist() == [1, -1, 0, -1], "a value where there is none is wrong"
    found = mark(field, verdicts)["Hair Color"]
    assert found.judged == 4
    assert found.utility == pytest.approx(-0.25)
    assert found.accuracy == pytest.approx(1 / 3)
    assert found.coverage == pytest.approx(2 / 3)
    assert found.calibration == pytest.approx((abs(0.6 - 0) + abs(0.8 - 0) + abs(0.9 - 1)) / 3)


def test_every_contender_answers_every_item() -> None:
    found = list(baselines(ring()))
    assert len({one.name for one in found}) == len(found)
    for one in found:
        assert set(one.chances) == set(ring().test.ballots)
        assert np.isfinite(one.cost).all()
        for key, chances in one.chances.items():
            assert chances.shape == ring().test.truth[key].shape
            assert ((chances >= 0) & (chances <= 1)).all()


def test_the_oracle_is_above_all_that_choose_among_the_six() -> None:
    best = mark(ring().test, oracle(ring()))["all"].utility
    for one in baselines(ring()):
        if one.name.startswith(("action", "best", "tuned", "random")):
            assert mark(ring().test, one)["all"].utility <= best


def test_strategies_are_judged_by_the_records_they_make() -> None:
    verdicts = strategy(ring(), "majority_voting")
    said = verdicts.said("hair_color", many=False)
    assert (said.sum(axis=1) <= 1).all()
    assert said.any()


@given(st.integers(0, 2**31))
def test_a_difference_to_oneself_is_none(seed: int) -> None:
    verdicts = raw_vote(ring())
    gap = difference(ring().test, verdicts, verdicts)
    assert (gap.mean, gap.interval, gap.chance) == (0.0, (0.0, 0.0), 1.0)


def test_a_difference_has_two_ends_and_a_price() -> None:
    one, other = raw_vote(ring()), oracle(ring())
    there, back = difference(ring().test, one, other), difference(ring().test, other, one)
    assert there.mean == pytest.approx(-back.mean)
    assert there.interval[0] == pytest.approx(-back.interval[1], abs=0.01)
    assert back.chance < 0.001
    free = Verdicts("free", one.chances, one.least, one.cost * 0)
    per_item = judged(ring().test).sum() / len(ring().test)
    assert difference(ring().test, free, one, 0.1).mean == pytest.approx(0.1 * one.cost.mean() / per_item)


@given(st.dictionaries(st.text(max_size=3), st.floats(0, 1), min_size=1, max_size=8))
def test_holm_keeps_the_order_and_never_lowers(chances: dict[str, float]) -> None:
    found = holm(chances)
    assert all(chances[name] <= found[name] <= 1 for name in chances)
    ordered = sorted(chances, key=lambda name: chances[name])
    assert [found[name] for name in ordered] == sorted(found.values())
    assert found[ordered[0]] == pytest.approx(min(1.0, chances[ordered[0]] * len(chances)))


def test_a_meeting_names_its_reference() -> None:
    gold = make_gold(200)
    places = {place.name: place for place in meet(gold, Weights()).places}
    assert places["best fixed action"].ahead == 0.0
    assert places["oracle of the six (unreachable)"].interval[0] > 0
    with pytest.raises(ConfigError, match="contender"):
        meet(gold, Weights(), reference="nobody")


def test_characters_are_never_cut_apart() -> None:
    gold = make_gold(100)
    shared = Gold(VOCABULARY, [{**line, "character": str(n // 4)} for n, line in enumerate(gold.truths)], gold.claims)
    first, second = cut(shared, 0.4, seed=1)
    names = [{line["character"] for line in part.truths} for part in (first, second)]
    assert not names[0] & names[1]
    assert len(first) + len(second) == 100


class Reader(HTMLParser):
    """Collects what a page shows, and complains of tags that are not closed."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag not in {"script", "iframe", "img"}
        assert not any(name in {"src", "href"} or name.startswith("on") for name, _ in attrs)
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in {"polyline", "circle"}

    def handle_data(self, data: str) -> None:
        self.seen.append(data)


def test_the_page_is_whole_escaped_and_needs_nothing_from_elsewhere() -> None:
    places, said = meet(make_gold(150), Weights())
    name = "<script>alert(1)</script>"
    reader = Reader()
    reader.feed(make_page([*places, replace(places[0], name=name)], {**said, name: said["ensemble"]}))
    assert not reader.open
    assert sum(name in words for words in reader.seen) == 3 + (abs(places[0].ahead) < 0.15)
    assert "Hair Color" in reader.seen


def test_the_page_of_those_who_said_nothing() -> None:
    places, said = meet(make_gold(150), Weights())
    nothing = said["ensemble"]._replace(sure=np.zeros(0), right=np.zeros(0, dtype=bool), groups=np.zeros(0, dtype=int))
    assert "nan" not in make_page(places, {"mute": nothing}).lower().replace("nano", "")
