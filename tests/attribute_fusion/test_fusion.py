from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from character_pipeline.attribute_fusion.ballots import Ballot
from character_pipeline.attribute_fusion.fusion import Fuser
from character_pipeline.attribute_fusion.gates import count_people, is_quarantined
from character_pipeline.attribute_fusion.strategies import compete
from character_pipeline.config import AttributeFusionConfig
from character_pipeline.data import AttributeValue, Evidence, Stance, by_attribute
from character_pipeline.errors import ConfigError
from character_pipeline.schema import find_fault
from character_pipeline.vocabulary import load_vocabulary
from tests.attribute_fusion.claims import any_claim

VOCABULARY = load_vocabulary()
FUSER = Fuser(VOCABULARY)


def claim(
    attribute: str,
    value: str = "",
    score: float = 0.9,
    stance: Stance = "is",
    detail: str | None = None,
    source: str = "tags/1",
) -> Evidence:
    return Evidence(attribute, value, score, source, value.lower(), stance, detail)


def decide(label: str, *claims: Evidence) -> AttributeValue:
    return FUSER.decide(by_attribute(claims))[label]


def test_nothing_is_guessed() -> None:
    assert {decided.state for decided in FUSER.decide({}).values()} == {"unknown"}


def test_one_claim_keeps_its_probability() -> None:
    decided = decide("Hair Color", claim("hair_color", "Blonde", 0.87))
    assert (decided.state, decided.value) == ("known", "Blonde")
    assert decided.confidence == pytest.approx(0.87)


def test_sources_that_agree_are_surer_and_one_source_is_not_counted_twice() -> None:
    twice = decide(
        "Hair Color", claim("hair_color", "Brown", 0.8), claim("hair_color", "Brown", 0.7, detail="light brown")
    )
    assert twice.confidence == pytest.approx(0.8)
    assert twice.detail == "light brown"
    both = decide("Hair Color", claim("hair_color", "Brown", 0.8), claim("hair_color", "Brown", 0.7, source="text/1"))
    assert both.confidence == pytest.approx(1 - 0.2 * 0.3)


def test_two_statements_contradict_each_other() -> None:
    decided = decide("Eye Color", claim("eye_color", "Blue", 0.95), claim("eye_color", "Red", 0.93))
    assert (decided.state, decided.values, decided.confidence) == ("conflicting", (), 0.0)
    assert [value for value, _ in decided.alternatives] == ["Blue", "Red"]


def test_a_far_stronger_claim_wins() -> None:
    decided = decide("Hair Color", claim("hair_color", "Blonde", 0.97), claim("hair_color", "Red", 0.6))
    assert decided.value == "Blonde"
    assert decided.confidence < 0.97
    assert decided.alternatives[0][0] == "Red"


def test_hints_yield_to_statements_and_leave_their_detail() -> None:
    decided = decide("Dress", claim("dress", "School Uniform"), claim("dress", "Casual", 0.45, detail="blue skirt"))
    assert (decided.state, decided.value, decided.detail) == ("known", "School Uniform", "blue skirt")
    assert decide("Dress", claim("dress", "Casual", 0.45)).value == "Casual"
    hints = decide("Dress", claim("dress", "Armor", 0.5), claim("dress", "Gothic", 0.48))
    assert (hints.state, hints.values) == ("unknown", ())


def test_a_hint_is_not_enough_for_a_list() -> None:
    assert decide("Accessories", claim("accessories", "Scarf", 0.45)).state == "unknown"


@pytest.mark.parametrize(("label", "key"), [("Hair Color", "hair_color"), ("Eye Color", "eye_color")])
def test_several_colours_with_a_collective_are_one_answer(label: str, key: str) -> None:
    decided = decide(label, claim(key, "Multicolored"), claim(key, "Pink"), claim(key, "Blue"))
    assert (decided.state, decided.value, decided.detail) == ("known", "Multicolored", "blue, pink")


def test_heterochromia() -> None:
    decided = decide(
        "Eye Color", claim("eye_color", "Blue"), claim("eye_color", "Heterochromia"), claim("eye_color", "Red")
    )
    assert (decided.value, decided.detail) == ("Heterochromia", "blue, red")


def test_what_cannot_be_seen_is_not_stated() -> None:
    decided = decide("Eye Color", claim("eye_color", "Blue"), claim("eye_color", stance="hidden"))
    assert (decided.state, decided.values) == ("not_visible", ())
    hint = claim("eye_color", score=0.5, stance="hidden")
    assert decide("Eye Color", hint).state == "not_visible"
    assert decide("Eye Color", claim("eye_color", "Blue"), hint).value == "Blue"


def test_bald_heads_have_no_colour_unless_someone_says_so() -> None:
    assert decide("Hair Color", claim("hair_color", stance="absent")).state == "not_applicable"
    both = decide("Hair Color", claim("hair_color", stance="absent"), claim("hair_color", "Red"))
    assert both.state == "conflicting"


def test_denials() -> None:
    glasses, denied = claim("accessories", "Glasses"), claim("accessories", "Glasses", stance="not")
    assert decide("Accessories", denied).state == "unknown"
    assert decide("Accessories", glasses, denied).state == "conflicting"
    assert decide("Accessories", glasses, denied, claim("accessories", "Hat")).values == ("Hat",)
    assert decide("Scars", claim("scars", stance="not")).state == "not_applicable"
    assert decide("Gender", claim("gender", "Male"), claim("gender", "Male", stance="not")).state == "conflicting"


def test_lists_are_in_the_order_of_the_vocabulary_and_precise() -> None:
    decided = decide(
        "Hair Style", *(claim("hair_style", v) for v in ("Bangs", "Blunt Bangs", "Ponytail", "Side Ponytail"))
    )
    assert decided.values == ("Side Ponytail", "Blunt Bangs")


def test_values_that_exclude_each_other() -> None:
    decided = decide(
        "Hair Style", claim("hair_style", "Straight"), claim("hair_style", "Curly"), claim("hair_style", "Ahoge")
    )
    assert decided.values == ("Ahoge",)
    assert {value for value, _ in decided.alternatives} == {"Straight", "Curly"}


def test_below_the_threshold_a_value_is_withheld() -> None:
    fuser = Fuser(VOCABULARY, AttributeFusionConfig(confidence_threshold=0.9))
    decided = fuser.decide({"hair_color": [claim("hair_color", "Red", 0.8)]})["Hair Color"]
    assert (decided.state, decided.alternatives[0][0]) == ("unknown", "Red")


def test_an_unknown_strategy_says_what_there_is() -> None:
    with pytest.raises(ConfigError, match="confidence_weighted"):
        Fuser(VOCABULARY, AttributeFusionConfig(fusion_strategy="wisest"))


class Last:
    """Believes that the last value is always right."""

    name, texts_first, settles = "last", False, True

    def support(self, ballot: Ballot) -> NDArray[np.float64]:
        found = np.zeros((len(ballot), len(ballot.attribute.values)))
        found[:, -1] = 0.9
        return found


def test_a_strategy_can_be_plugged_in() -> None:
    fuser = Fuser(VOCABULARY, strategy=Last())
    assert fuser.decide({"hair_color": [claim("hair_color", "Blue")]})["Hair Color"].value == "Multicolored"


CLAIMS = any_claim(["tags/1", "text/1", "clip/1"])


@given(st.lists(CLAIMS, max_size=12))
def test_any_evidence_gives_a_record_that_keeps_the_schema(claims: list[Evidence]) -> None:
    for label, decided in FUSER.decide(by_attribute(claims)).items():
        attribute = VOCABULARY.attribute(label)
        assert find_fault(attribute, decided) is None
        stated = {c.value for c in claims if c.attribute == attribute.key and c.stance == "is"}
        assert set(decided.values) <= stated


@given(st.lists(CLAIMS, max_size=8), st.randoms())
def test_the_order_of_claims_does_not_matter(claims: list[Evidence], random: object) -> None:
    turned = claims[::-1]
    for one, other in zip(
        FUSER.decide(by_attribute(claims)).values(), FUSER.decide(by_attribute(turned)).values(), strict=True
    ):
        assert (one.state, one.values) == (other.state, other.values)
        assert one.confidence == pytest.approx(other.confidence)


@given(st.dictionaries(st.sampled_from("abcd"), st.floats(0.0, 0.999), min_size=1))
def test_competing_probabilities_never_exceed_one_and_keep_their_order(support: dict[str, float]) -> None:
    ranked = compete(support)
    assert sum(ranked.values()) <= 1 + 1e-9
    assert list(ranked.values()) == sorted(ranked.values(), reverse=True)
    assert all(ranked[value] <= support[value] + 1e-9 for value in support)


def test_noisy_or_is_capped() -> None:
    sure = [claim("gender", "Male", 1.0, source=f"s{n}") for n in range(3)]
    assert Fuser(VOCABULARY).decide({"gender": sure})["Gender"].confidence < 1.0


PEOPLE = {
    "1girl": claim("people", "single", detail="girls=1"),
    "1boy": claim("people", "single", detail="boys=1"),
    "2girls": claim("people", "multiple", detail="girls=2"),
    "solo": claim("people", "single", detail="solo"),
    "no_humans": claim("people", "none"),
    "multiple_views": claim("people", "multiple", detail="multiple_views"),
    "focus": claim("people", "focus"),
    "hug": claim("people", "multiple", 0.5, detail="group"),
    "a woman": claim("people", "single", detail="women=1", source="text/1"),
}


@pytest.mark.parametrize(
    ("tags", "people"),
    [
        ("", "unknown"),
        ("1girl", "single"),
        ("1girl,solo", "single"),
        ("1girl,1girl", "single"),
        ("1girl,1boy", "multiple"),
        ("1girl,1boy,solo", "multiple"),
        ("2girls", "multiple"),
        ("solo", "single"),
        ("no_humans", "none"),
        ("1girl,multiple_views", "multiple"),
        ("1girl,a woman", "single"),
        ("2girls,focus", "multiple"),
        ("1girl,focus", "multiple"),
        ("1girl,hug", "single"),
        ("hug", "multiple"),
    ],
)
def test_people(tags: str, people: str) -> None:
    claims = [PEOPLE[tag] for tag in tags.split(",") if tag]
    for order in itertools.permutations(claims):
        assert count_people(tuple(order)).people == people


def test_the_focus_character_can_be_described() -> None:
    assert count_people((PEOPLE["2girls"], PEOPLE["focus"]), describe_focus=True).people == "single"


def test_quarantine_needs_both() -> None:
    minor, sexual = claim("safety", "minor"), claim("safety", "sexual")
    assert is_quarantined([minor, sexual])
    assert not is_quarantined([minor])
    assert not is_quarantined([sexual])
    assert not is_quarantined([minor, claim("safety", "sexual", stance="not")])
    assert is_quarantined([minor, claim("safety", "sexual", 0.5)])
    assert not is_quarantined([claim("safety", "minor", 0.5), claim("safety", "sexual", 0.5)])
