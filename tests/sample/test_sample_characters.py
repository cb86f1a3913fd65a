"""Who is drawn, and what is said of them."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from character_pipeline.sample import STYLES, UNDRAWN, draw
from character_pipeline.sample.character import GROWN, sample_character
from character_pipeline.sample.shot import EXPRESSIONS
from character_pipeline.vocabulary import load_vocabulary

LIVE = frozenset((Path(__file__).parent / "live_tags.txt").read_text(encoding="utf-8").split())
seeds = st.integers(min_value=0, max_value=2**40)


def as_list(value: str | list[str]) -> list[str]:
    return value if isinstance(value, list) else [value]


def drawn_values(count: int) -> set[tuple[str, str]]:
    found = {("Facial Expression", name) for name in EXPRESSIONS}
    for seed in range(count):
        person = sample_character(seed)
        eyes = person.eyes[0] if person.eye_kind == "plain" else person.eye_kind
        one = {"Age": person.age, "Gender": person.gender, "Hair Color": person.hair.colour, "Eye Color": eyes}
        one |= {"Hair Length": person.hair.length, "Body Type": person.body, "Skin Tone": person.skin}
        many = {"Hair Style": person.hair.styles, "Accessories": person.accessories, "Scars": person.scars}
        many |= {"Tattoos": person.tattoos, "Facial Hair": person.facial_hair, "Features": person.features}
        found |= {(label, value) for label, value in {**one, "Dress": person.outfit.dress}.items() if value}
        found |= {(label, value) for label, values in many.items() for value in values}
    return found


def test_every_drawable_value_is_drawn() -> None:
    wanted = {
        (attribute.label, value)
        for attribute in load_vocabulary().attributes.values()
        for value in attribute.values
        if value not in UNDRAWN.get(attribute.label, ())
    }
    assert wanted - drawn_values(4000) == set()


def test_what_is_not_for_all_ages_is_never_drawn() -> None:
    people = [sample_character(seed) for seed in range(3000)]
    assert not {"Nude", "Underwear"} & {person.outfit.dress for person in people}
    assert all(person.age in GROWN for person in people if person.outfit.dress == "Swimwear")
    assert all(person.age in GROWN for person in people if person.tattoos or person.body == "Curvy")


@given(seed=seeds)
@settings(max_examples=60, deadline=None)
def test_the_truth_speaks_the_vocabulary(seed: int) -> None:
    truth = draw(seed).truth
    for label, value in {**truth["attributes"], **truth["stated"]}.items():
        attribute = load_vocabulary().attribute(label)
        assert attribute.label == label
        assert isinstance(value, list) == attribute.many
        assert set(as_list(value)) <= set(attribute.values)
        assert as_list(value)
    for label, state in truth["states"].items():
        assert state in {"not_visible", "not_applicable"}
        assert label not in truth["attributes"]


@given(seed=seeds)
@settings(max_examples=60, deadline=None)
def test_tags_state_a_part_of_the_truth(seed: int) -> None:
    truth = draw(seed).truth
    for label, value in truth["stated"].items():
        assert set(as_list(value)) <= set(as_list(truth["attributes"][label]))
    colour = truth["stated"].get("Hair Color")
    if colour not in {None, "Multicolored"}:
        assert f"{colour.lower()}_hair" in truth["tags"]


@given(seed=seeds)
@settings(max_examples=40, deadline=None)
def test_only_real_tags_are_given_and_each_once(seed: int) -> None:
    tags = draw(seed).tags
    assert set(tags) <= LIVE
    assert len(tags) == len(set(tags))


def truths(count: int) -> list[dict[str, Any]]:
    return [draw(seed).truth for seed in range(count)]


def test_the_unseen_is_a_state_and_no_value() -> None:
    for truth in truths(240):
        tags, attributes = set(truth["tags"]), truth["attributes"]
        if {"closed_eyes", "from_behind", "blindfold", "hair_over_eyes", "greyscale"} & tags:
            assert truth["states"]["Eye Color"] == "not_visible"
            assert "Eye Color" not in attributes
        if "Bald" in attributes.get("Hair Style", []):
            assert truth["states"]["Hair Color"] == "not_applicable"


def test_any_twenty_four_seeds_hold_every_case() -> None:
    for start in (0, 1000, 77777):
        drawings = [draw(seed) for seed in range(start, start + 24)]
        people = Counter(drawing.truth["people"] for drawing in drawings)
        assert people["none"] >= 1
        assert people["multiple"] >= 1
        states = [drawing.truth["states"].get("Eye Color") for drawing in drawings]
        assert states.count("not_visible") >= 4


def test_pictures_of_nobody_or_of_several_describe_nobody() -> None:
    for truth in truths(96):
        if truth["people"] != "single":
            assert truth["attributes"] == truth["states"] == truth["stated"] == {}
            assert "solo" not in truth["tags"]
        if truth["people"] == "multiple":
            assert sum(int(tag[0]) for tag in truth["tags"] if tag[0].isdigit()) >= 2


def test_a_person_returns_in_another_picture() -> None:
    first, again = draw(2 * 24 + 2 + 4), draw(2 * 24 + 3 + 4)
    assert first.truth["character"] == again.truth["character"]
    assert first.svg != again.svg
    assert draw(1).truth["character"] != draw(0).truth["character"]


def test_a_seed_is_a_picture() -> None:
    assert draw(4242) == draw(4242)
    assert draw(4242).svg != draw(4243).svg


@pytest.mark.parametrize("style", STYLES)
def test_styles_differ(style: str) -> None:
    others = {draw(12, name).svg for name in STYLES if name != style}
    assert draw(12, style).svg not in others
    assert draw(12, style).truth["style"] == style
