"""Tags in, evidence out."""

from __future__ import annotations

import pickle
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from character_pipeline.data import Evidence
from character_pipeline.extractors import tag_parser
from character_pipeline.extractors.base import PipelineStage
from character_pipeline.extractors.tag_parser import TagParser
from character_pipeline.vocabulary import load_vocabulary
from character_pipeline.vocabulary.lexicon import GATES, load_lexicon

PARSER = TagParser()
TAGS = sorted(load_lexicon().rows)
# A tag, a piece of one, or anything at all: what users write lies between.
SEGMENTS = st.one_of(st.sampled_from(TAGS), st.text(max_size=30), st.lists(st.sampled_from(TAGS)).map("_".join))


def claims(*segments: str) -> set[tuple[str, str, str]]:
    return {(each.attribute, each.value, each.stance) for each in PARSER.parse(segments)}


def test_it_is_a_pipeline_stage() -> None:
    assert isinstance(PARSER, PipelineStage)
    assert (PARSER.name, PARSER.version, PARSER.needs) == ("tag_parser", "1", frozenset({"text"}))


def test_it_says_where_each_claim_comes_from() -> None:
    (found,) = PARSER.parse(["Blonde Hair"])
    assert found.to_json() == {"source": "tag_parser/1", "from": "blonde_hair", "value": "Blonde", "score": 0.9672}


def test_a_description_of_one_person() -> None:
    assert claims("1girl", "solo", "long hair", "silver_hair", "red eyes", "school uniform", "Smile") == {
        ("people", "single", "is"),
        ("gender", "Female", "is"),
        ("hair_length", "Long", "is"),
        ("hair_color", "Grey", "is"),
        ("eye_color", "Red", "is"),
        ("dress", "School Uniform", "is"),
        ("facial_expression", "Happy", "is"),
    }


def test_the_groups_of_people_can_be_added() -> None:
    details = [
        each.detail for each in PARSER.parse(["2girls", "1boy", "multiple_others"]) if each.attribute == "people"
    ]
    assert details == ["girls=2", "boys=1", "others=2+"]


@pytest.mark.parametrize(
    "same", [["long hair", "long_hair"], ["LONG HAIR", " long_hair "], [r"fade \(haircut\)", "fade_(haircut)"]]
)
def test_a_tag_given_twice_counts_once(same: list[str]) -> None:
    assert len(PARSER.parse(same)) == len(PARSER.parse(same[:1]))


def test_evidence_is_shared_between_items() -> None:
    assert PARSER.parse(["long hair"])[0] is PARSER.parse(["Long_Hair"])[0]


@pytest.mark.parametrize("segments", [[], [""], ["zzz unknown"], ["holding hat", "unworn_hat"], [" ", "_", "__"]])
def test_what_is_unknown_says_nothing(segments: list[str]) -> None:
    assert PARSER.parse(segments) == ()


@pytest.mark.parametrize(
    ("alias", "tag"),
    [("blond_hair", "blonde_hair"), (":)", "smile"), ("brunette", "brown_hair"), ("trap", "otoko_no_ko")],
)
def test_an_alias_says_what_its_tag_says(alias: str, tag: str) -> None:
    assert claims(alias) == claims(tag)


@pytest.mark.parametrize(
    "segment",
    [
        "holding", "absurdres", "braid", "cap", "cape", "earrings", "ponytail", "bowtie", "horned_helmet", "white_rose",
        "boxing_ring", "bow_(weapon)", "halo_(game)", "ring_(planet)", "blue_eyes_white_dragon", "black_cat", "bread",
    ],
)  # fmt: skip
def test_words_inside_words_are_not_read(segment: str) -> None:
    wrong = {("age", "Elderly"), ("dress", "Underwear"), ("body_type", "Athletic"), ("features", "Tail"),
             ("features", "Halo"), ("features", "Horns"), ("features", "Wings"), ("eye_color", "Blue")}  # fmt: skip
    if segment != "cap":
        wrong.add(("accessories", "Hat"))
    if segment != "bowtie":
        wrong.add(("accessories", "Bow"))
    wrong |= {("accessories", "Ring"), ("accessories", "Crown")}
    assert not {(attribute, value) for attribute, value, _ in claims(segment)} & wrong


@pytest.mark.parametrize(
    "negated",
    [
        "no_{}",
        "unworn_{}",
        "{}_removed",
        "holding_{}",
        "alternate_{}",
        "{}_switch",
        "fake_{}",
        "removing_{}",
        "without_{}",
    ],
)
@pytest.mark.parametrize("thing", ["red hat", "blue gloves", "white kimono", "green bikini", "black wings", "pink bow"])
def test_a_negated_thing_is_never_claimed(negated: str, thing: str) -> None:
    assert not [stance for _, _, stance in claims(negated.format(thing)) if stance == "is"]


def test_the_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tag_parser, "REMEMBERED", 10)
    parser = TagParser()
    parser.parse([f"unknown {number}" for number in range(50)])
    assert len(parser._memory) <= 10
    assert parser.parse(["long hair"])


def test_a_parser_can_be_sent_to_a_worker() -> None:
    copy = pickle.loads(pickle.dumps(PARSER))
    assert [each.value for each in copy.parse(["1girl"])] == [each.value for each in PARSER.parse(["1girl"])]


@given(st.lists(SEGMENTS, max_size=20))
def test_nothing_raises_and_all_evidence_is_valid(segments: list[str]) -> None:
    vocabulary = load_vocabulary()
    for found in PARSER.parse(segments):
        allowed = GATES.get(found.attribute) or vocabulary.attributes[found.attribute].values
        assert found.value in allowed or (not found.value and found.stance != "is")
        assert 0 < found.score < 1
        assert found.source == "tag_parser/1"


@given(st.lists(SEGMENTS, max_size=20), st.randoms())
def test_the_order_does_not_matter(segments: list[str], shuffler: random.Random) -> None:
    mixed = list(segments)
    shuffler.shuffle(mixed)
    assert set(PARSER.parse(segments)) == set(PARSER.parse(mixed))


@given(st.sampled_from(TAGS))
def test_every_spelling_gives_the_same_evidence(tag: str) -> None:
    evidence: tuple[Evidence, ...] = PARSER.parse([tag])
    assert evidence
    assert PARSER.parse([tag.replace("_", " ")]) == evidence
    assert PARSER.parse([tag.upper()]) == evidence
    assert PARSER.parse([f"  {tag} "]) == evidence
