"""Labelled items as episodes: what is bought, what it costs, what it is worth."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from character_pipeline.attribute_fusion.weights import Weights
from character_pipeline.data import Evidence
from character_pipeline.evaluation.contest.field import Field, lay_out
from character_pipeline.evaluation.gold import Gold
from character_pipeline.rl_optimizer.actions import ACTIONS, COLOR, MODEL, NAMES
from character_pipeline.rl_optimizer.episodes import BUY, Costs, Game, play
from character_pipeline.rl_optimizer.features import feature_names
from tests.rl_optimizer.simulated import TOLD, VOCABULARY, make_gold

COSTS = Costs(decode=3.0, color=4.0, model=8.0)
TAGS, CLIP, COLORS = "tag_parser/1", "clip_analyzer/1", "color_analyzer/1"


@lru_cache(maxsize=4)
def field(count: int = 60) -> Field:
    return lay_out(make_gold(count), Weights())


def of_hair(*claims: tuple[str, str, float], true: str = "Red") -> Field:
    """One item about whose hair some sources say something."""
    said = [Evidence("hair_color", value, score, source, value) for source, value, score in claims]
    gold = Gold(VOCABULARY, [{"item_id": "1", "attributes": {"Hair Color": true}}], [{"hair_color": said}])
    return lay_out(gold, Weights(), ["hair_color"])


def worth(where: Field, subset: int = COLOR | MODEL) -> dict[str, float]:
    return dict(zip(NAMES, where.known.utility[0, 0, subset].tolist(), strict=True))


def test_actions_say_what_their_names_promise() -> None:
    torn = of_hair((TAGS, "Blonde", 0.9), (CLIP, "Red", 0.6), (COLORS, "Red", 0.7))
    assert worth(torn) == {
        "conservative_clip": 0, "aggressive_clip": 1, "tag_priority": -1, "visual_priority": 1,
        "confidence_weighted": -1, "uncertainty_aware": 0,
    }  # fmt: skip
    sure = of_hair((CLIP, "Red", 0.9))
    assert set(worth(sure).values()) == {1.0}
    assert set(worth(sure, 0).values()) == {0.0}, "nothing is bought, so nothing is seen"


def test_a_wrong_answer_costs_what_it_costs() -> None:
    gold = of_hair((TAGS, "Blonde", 0.9)).gold
    assert lay_out(gold, Weights(), ["hair_color"], wrong=3.0).known.utility[0, 0, 0, 2] == -3.0


def test_buying_is_paid_once() -> None:
    table = COSTS.table()
    assert table[0, COLOR] == 7.0
    assert table[0, COLOR | MODEL] == 15.0
    assert table[COLOR, COLOR | MODEL] == 8.0
    assert not np.triu(table, 1)[COLOR, MODEL] - 8.0, "the picture is open already"
    assert not np.diag(table).any()


def test_tag_priority_looks_only_where_no_tag_speaks() -> None:
    told, silent = of_hair((TAGS, "Red", 0.9), (CLIP, "Red", 0.9)), of_hair((CLIP, "Red", 0.9))
    place = NAMES.index("tag_priority")
    assert told.known.needs[0, 0, place] == 0
    assert silent.known.needs[0, 0, place] == COLOR | MODEL


@given(st.sampled_from(range(len(ACTIONS))))
def test_an_episode_with_one_action_pays_and_earns_what_the_tables_say(action: int) -> None:
    known = field().known
    done = play(known, Game("six", COSTS), lambda states, masks, items, place: np.full(len(items), action))
    bought = np.bitwise_or.reduce(np.where(known.asked, known.needs[:, :, action], 0), axis=1)
    np.testing.assert_allclose(done.cost, COSTS.table()[0, bought])
    assert (done.actions[known.asked] == action).all()
    assert (done.actions[~known.asked] == -1).all()


def test_in_acquire_nothing_is_bought_twice_and_answers_buy_nothing() -> None:
    known, game = field().known, Game("acquire", COSTS)
    seen: list[int] = []

    def choose(states: np.ndarray, masks: np.ndarray, items: np.ndarray, place: int) -> np.ndarray:
        free = masks[:, len(NAMES) :]
        seen.append(int(free.sum()))
        return np.where(free.any(axis=1), len(NAMES) + free.argmax(axis=1), 0)

    done = play(known, game, choose)
    assert (done.cost == 15.0).all()
    assert game.actions == (*NAMES, *BUY)
    nothing = play(known, game, lambda states, masks, items, place: np.zeros(len(items), dtype=np.int64))
    assert not nothing.cost.any()
    assert not nothing.utility.any(), "of pictures that were not looked at nothing is known"


def test_states_have_names_and_are_numbers() -> None:
    known = field().known
    assert known.states.shape[-1] == len(known.names) == len(set(known.names))
    assert known.names == feature_names(known.keys)
    assert np.isfinite(known.states).all()


def test_before_anything_is_bought_the_state_knows_no_picture() -> None:
    gold = make_gold(20)
    blind = Gold(VOCABULARY, gold.truths, [
        {key: [claim for claim in some if claim.extractor == "tag_parser"] for key, some in claims.items()}
        for claims in gold.claims
    ])  # fmt: skip
    seeing, unseeing = (lay_out(one, Weights(), list(TOLD)) for one in (gold, blind))
    np.testing.assert_array_equal(seeing.known.states[:, :, 0], unseeing.known.states[:, :, 0])


@given(st.lists(st.integers(0, 19), min_size=1, max_size=20, unique=True))
def test_a_state_does_not_depend_on_the_other_items(rows: list[int]) -> None:
    gold = make_gold(20)
    whole, part = (lay_out(one, Weights(), list(TOLD)) for one in (gold, gold.take(np.array(rows))))
    np.testing.assert_array_equal(whole.known.states[rows], part.known.states)
    np.testing.assert_array_equal(whole.known.utility[rows], part.known.utility)


def test_what_is_not_judged_is_worth_nothing() -> None:
    gold = make_gold(12)
    unlabelled = Gold(VOCABULARY, [{**truth, "labels": ["Gender"]} for truth in gold.truths], gold.claims)
    where = lay_out(unlabelled, Weights(), ["gender", "hair_color"])
    assert not where.known.judged[:, 1].any()
    assert not where.known.utility[:, 1].any()
    assert where.known.utility[:, 0].any()


@pytest.mark.parametrize("mode", ["six", "acquire"])
def test_every_state_allows_an_answer(mode: str) -> None:
    game = Game(mode, COSTS)  # type: ignore[arg-type]
    assert game.allowed(np.arange(4))[:, : len(NAMES)].all()
