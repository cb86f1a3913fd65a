"""Texts go before pictures: these add what a text leaves out, and agree with what it says."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from character_pipeline.attribute_fusion.fusion import Fuser
from character_pipeline.attribute_fusion.gates import count_people, heed_emptiness
from character_pipeline.data import EMPTY, AttributeValue, Evidence, Stance, by_attribute
from character_pipeline.schema import find_fault
from character_pipeline.vocabulary import load_vocabulary
from tests.attribute_fusion.claims import any_claim

VOCABULARY = load_vocabulary()
LOOKERS = frozenset({"clip_analyzer", "color_analyzer", "picture_quality"})
FUSER = Fuser(VOCABULARY, lookers=LOOKERS)


def tag(attribute: str, value: str = "", score: float = 0.9, stance: Stance = "is") -> Evidence:
    return Evidence(attribute, value, score, "tag_parser/1", value.lower(), stance)


def seen(
    attribute: str, value: str = "", score: float = 0.95, stance: Stance = "is", by: str = "clip_analyzer"
) -> Evidence:
    return Evidence(attribute, value, score, f"{by}/1", value.lower(), stance)


def decide(label: str, *claims: Evidence) -> AttributeValue:
    return FUSER.decide(by_attribute(claims))[label]


def test_a_picture_says_what_the_text_does_not() -> None:
    decided = decide("Hair Color", seen("hair_color", "Red", 0.8), seen("hair_color", "Red", 0.6, by="color_analyzer"))
    assert (decided.state, decided.value) == ("known", "Red")
    assert decided.confidence == pytest.approx(1 - 0.2 * 0.4)
    assert decide("Accessories", tag("accessories", "Scarf"), seen("accessories", "Hat")).values == ("Hat", "Scarf")


@pytest.mark.parametrize("score", [0.4, 0.59, 0.6, 0.99])
def test_a_picture_never_contradicts_a_tag(score: float) -> None:
    decided = decide("Hair Color", tag("hair_color", "Blonde", 0.8), seen("hair_color", "Red", score))
    assert (decided.state, decided.value) == ("known", "Blonde")
    assert decided.confidence == pytest.approx(0.8)
    assert len(decided.evidence) == 2, "what the picture says is kept"


def test_a_picture_that_agrees_makes_surer() -> None:
    decided = decide("Hair Color", tag("hair_color", "Blonde", 0.8), seen("hair_color", "Blonde", 0.5))
    assert decided.confidence == pytest.approx(0.9)


def test_a_picture_settles_what_tags_leave_open() -> None:
    tags = tag("eye_color", "Blue", 0.95), tag("eye_color", "Red", 0.93)
    assert decide("Eye Color", *tags).state == "conflicting"
    assert decide("Eye Color", *tags, seen("eye_color", "Blue", 0.9)).value == "Blue"
    assert decide("Eye Color", *tags, seen("eye_color", "Green", 0.99)).state == "conflicting"


def test_hints_of_tags_yield_to_pictures_that_state_and_outweigh_those_that_hint() -> None:
    hint = tag("dress", "Casual", 0.45)
    assert decide("Dress", hint, seen("dress", "Armor", 0.8)).value == "Armor"
    assert decide("Dress", hint, seen("dress", "Armor", 0.5)).value == "Casual"


@pytest.mark.parametrize("score", [0.4, 0.9])
@pytest.mark.parametrize("value", ["Blue", "Brown"])
def test_what_tags_hide_pictures_do_not_show(score: float, value: str) -> None:
    hidden = tag("eye_color", score=score, stance="hidden")
    assert decide("Eye Color", hidden, seen("eye_color", value)).state == "not_visible"
    bald = tag("hair_color", score=score, stance="absent")
    assert decide("Hair Color", bald, seen("hair_color", value, by="color_analyzer")).state == "not_applicable"


def test_a_picture_without_colours_hides_only_what_no_tag_states() -> None:
    grey = seen("hair_color", score=0.9, stance="hidden", by="picture_quality")
    assert decide("Hair Color", grey).state == "not_visible"
    assert decide("Hair Color", grey, seen("hair_color", "Black")).state == "not_visible"
    assert decide("Hair Color", grey, tag("hair_color", "Blonde")).value == "Blonde"


def test_what_a_tag_denies_a_picture_does_not_add() -> None:
    denied = tag("accessories", "Glasses", stance="not")
    assert decide("Accessories", denied, seen("accessories", "Glasses")).state == "unknown"
    assert decide("Accessories", denied, seen("accessories", "Hat")).values == ("Hat",)
    assert decide("Scars", tag("scars", stance="not"), seen("scars", "Cheek")).state == "not_applicable"


def test_lists_keep_what_tags_state() -> None:
    style = decide("Hair Style", tag("hair_style", "Straight"), seen("hair_style", "Curly"), seen("hair_style", "Bun"))
    assert style.values == ("Bun", "Straight")
    glasses = tag("accessories", "Glasses")
    assert decide("Accessories", glasses, seen("accessories", "Sunglasses", 0.55)).values == ("Glasses",)
    assert decide("Accessories", glasses, seen("accessories", "Sunglasses", 0.8)).values == ("Sunglasses",)


def test_a_hint_at_the_precise_does_not_hide_the_general() -> None:
    values = seen("accessories", "Glasses", 0.9), seen("accessories", "Sunglasses", 0.44)
    assert decide("Accessories", *values).values == ("Glasses",)
    colors = seen("hair_color", "Black", 0.7), seen("hair_color", "Multicolored", 0.15)
    assert decide("Hair Color", *colors).value == "Black"


@pytest.mark.parametrize("bald", [tag("hair_style", "Bald"), seen("hair_style", "Bald", 0.8)])
def test_a_bald_head_has_no_hair_that_a_picture_could_show(bald: Evidence) -> None:
    colour = seen("hair_color", "Brown", 0.8, by="color_analyzer")
    assert decide("Hair Color", bald, colour).state == "not_applicable"
    assert decide("Hair Color", bald, tag("hair_color", "Brown"), colour).value == "Brown"
    assert decide("Hair Color", seen("hair_style", "Bald", 0.45), colour).value == "Brown"


def test_a_hijab_hides_hair() -> None:
    hijab, colour = tag("accessories", "Hijab"), seen("hair_color", "Blue", 0.8, by="color_analyzer")
    assert decide("Hair Color", hijab, colour).state == "not_visible"


CLAIMS = any_claim(["tag_parser/1", "clip_analyzer/1", "color_analyzer/1"])


@given(st.lists(CLAIMS, max_size=12))
def test_pictures_take_nothing_away_from_texts(claims: list[Evidence]) -> None:
    texts = FUSER.decide(by_attribute(claim for claim in claims if claim.extractor not in LOOKERS))
    both = FUSER.decide(by_attribute(claims))
    for label, decided in both.items():
        attribute = VOCABULARY.attribute(label)
        assert find_fault(attribute, decided) is None
        if texts[label].state in {"not_visible", "not_applicable"}:
            assert decided.state == texts[label].state
        stated = {c.value for c in texts[label].evidence if c.score >= 0.6 and c.stance == "is"}
        assert decided.state != "conflicting" or texts[label].state == "conflicting" or not stated
        if texts[label].state == "known" and not attribute.many and texts[label].value in stated:
            assert decided.values == texts[label].values


PEOPLE = {
    "1girl": Evidence("people", "single", 0.95, "tag_parser/1", "1girl", detail="girls=1"),
    "2girls": Evidence("people", "multiple", 0.95, "tag_parser/1", "2girls", detail="girls=2"),
    "hug": Evidence("people", "multiple", 0.5, "tag_parser/1", "hug", detail="group"),
    "one": seen("people", "single", 0.9),
    "perhaps one": seen("people", "single", 0.55),
    "many": seen("people", "multiple", 0.9),
    "perhaps many": seen("people", "multiple", 0.59),
    "surely many": seen("people", "multiple", 0.97),
    "none": seen("people", "none", 0.9),
    "perhaps none": seen("people", "none", 0.5),
}


@pytest.mark.parametrize(
    ("claims", "people"),
    [
        ("one", "single"),
        ("many", "multiple"),
        ("none", "none"),
        ("perhaps one", "unknown"),
        ("perhaps many", "unknown"),
        ("perhaps none", "unknown"),
        ("1girl,many", "single"),
        ("1girl,perhaps many", "single"),
        ("1girl,surely many", "multiple"),
        ("1girl,none", "single"),
        ("2girls,one", "multiple"),
        ("hug,one", "single"),
        ("hug,perhaps one", "multiple"),
    ],
)
def test_people(claims: str, people: str) -> None:
    for order in itertools.permutations([PEOPLE[name] for name in claims.split(",")]):
        assert count_people(tuple(order), lookers=LOOKERS).people == people


def test_a_picture_alone_tells_only_what_is_more_likely_right_than_wrong() -> None:
    assert decide("Hair Color", seen("hair_color", "Black", 0.45)).state == "unknown"
    assert decide("Hair Color", seen("hair_color", "Black", 0.55)).value == "Black"
    with_words = tag("hair_color", "Black", 0.4), seen("hair_color", "Black", 0.45)
    assert decide("Hair Color", *with_words).value == "Black"


def test_where_a_picture_shows_nothing_only_texts_are_heard() -> None:
    empty = seen(EMPTY, "nothing to see", by="picture_quality")
    says, sees = tag("hair_color", "Red"), [seen("hair_color", "White"), seen("people", "single"), empty]
    assert heed_emptiness(by_attribute([says, *sees]), LOOKERS) == {"hair_color": [says], EMPTY: [empty]}
    full = by_attribute([says, *sees[:2]])
    assert heed_emptiness(full, LOOKERS) == full
