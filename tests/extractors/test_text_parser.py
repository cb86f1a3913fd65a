"""The reader of plain English: a table of sentences, and what must hold for every text."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from character_pipeline.data import Evidence, Item
from character_pipeline.extractors.base import PipelineStage
from character_pipeline.extractors.text_parser import TextParser
from character_pipeline.vocabulary import load_vocabulary
from character_pipeline.vocabulary.phrases import GATES

_SHORT = {
    "g": "gender",
    "eth": "ethnicity",
    "hair": "hair_color",
    "len": "hair_length",
    "style": "hair_style",
    "eye": "eye_color",
    "body": "body_type",
    "expr": "facial_expression",
    "acc": "accessories",
    "fh": "facial_hair",
    "skin": "skin_tone",
    "feat": "features",
}
_SIGNS = {"is": "", "not": "-", "hidden": "?", "absent": "~"}


@dataclass(frozen=True)
class Case:
    """A sentence, what it says, and the gates that it speaks of."""

    text: str
    expected: frozenset[str]
    gates: frozenset[str]

    def claimed(self, evidence: Iterable[Evidence]) -> frozenset[str]:
        """The claims in the same form, without the gates that the case leaves open."""
        kept = [claim for claim in evidence if claim.attribute not in GATES or claim.attribute in self.gates]
        return frozenset(f"{claim.attribute}={_SIGNS[claim.stance]}{claim.value}" for claim in kept)


def cases(name: str) -> Iterator[Case]:
    for line in (Path(__file__).parent / name).read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            text, _, said = line.rpartition("|")
            yield _case(text.strip(), said.split())


def _case(text: str, said: list[str]) -> Case:
    expected, gates = set(), set()
    for word in said:
        name, _, values = word.partition("=")
        attribute = _SHORT.get(name, name)
        if attribute in GATES:
            gates.add(attribute)
        if values or attribute not in GATES:
            expected |= {f"{attribute}={value.replace('_', ' ')}" for value in values.split(",")}
    return Case(text, frozenset(expected), frozenset(gates))


def score(table: Iterable[tuple[Case, Iterable[Evidence]]]) -> tuple[float, float]:
    """Precision and recall over all claims of a table."""
    right = claimed = expected = 0
    for case, evidence in table:
        found = case.claimed(evidence)
        right += len(found & case.expected)
        claimed += len(found)
        expected += len(case.expected)
    return right / claimed, right / expected


VOCABULARY = load_vocabulary()
PARSER = TextParser(VOCABULARY, lambda text: text in {"1girl", "solo", "blue eyes"})
CASES = list(cases("english_cases.txt"))
WORDS = sorted({word for case in CASES for word in re.findall(r"[A-Za-z]+|[.,;:—-]", case.text)})
SENTENCES = st.lists(st.sampled_from(WORDS), max_size=30).map(" ".join)


def shown(evidence: tuple[Evidence, ...]) -> set[tuple[str, str, str]]:
    return {(claim.attribute, claim.value, claim.stance) for claim in evidence}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.text[:60])
def test_a_sentence_says_this_and_nothing_else(case: Case) -> None:
    assert case.claimed(PARSER.parse(case.text)) == case.expected


@pytest.mark.parametrize("name", ["english_held_out.txt", "english_held_out_2.txt", "english_held_out_3.txt"])
def test_the_held_out_sentences_stay_as_well_read(name: str) -> None:
    precision, recall = score((case, PARSER.parse(case.text)) for case in cases(name))
    assert precision > 0.97
    assert recall > 0.97


def test_it_is_a_stage_and_reads_the_english_part_alone() -> None:
    assert isinstance(PARSER, PipelineStage)
    batch = [Item("a", "1girl, solo, blue eyes"), Item("b", "1girl, solo, she has a long scar on her cheek"), Item("c")]
    tags, mixed, empty = PARSER.process(batch)
    assert tags == ()
    assert empty == ()
    assert ("scars", "Cheek", "is") in shown(mixed)


@pytest.mark.parametrize(
    ("text", "attribute", "detail"),
    [
        ("raven hair", "hair_color", "raven"),
        ("She is wearing a green yukata.", "dress", "green yukata"),
        ("a girl in a straw hat", "accessories", "straw hat"),
        ("hazel eyes", "eye_color", "hazel"),
        ("one blue eye and one green eye", "eye_color", "blue and green"),
        ("black hair with red streaks", "hair_color", "black, red streaks"),
        ("black eyes", "eye_color", None),
    ],
)
def test_the_detail_says_what_the_value_leaves_out(text: str, attribute: str, detail: str | None) -> None:
    assert detail in [claim.detail for claim in PARSER.parse(text) if claim.attribute == attribute]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a 16-year-old boy", {"minor"}),
        ("She looks like a child.", {"minor"}),
        ("her 8-year-old daughter", {"minor"}),
        ("a toddler", {"minor"}),
        ("a child soldier", {"minor"}),
        ("NSFW: yes", {"sexual"}),
        ("a nude woman", {"sexual"}),
        ("explicit content", {"sexual"}),
        ("no nudity, not explicit", set()),
        ("no children", set()),
        ("Sex: female. Age: 24.", set()),
        ("a woman in a school uniform", set()),
        ("visible to the naked eye", set()),
    ],
)
def test_safety_words_count_wherever_they_stand(text: str, expected: set[str]) -> None:
    assert {claim.value for claim in PARSER.parse(text) if claim.attribute == "safety"} == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("A 30-year-old woman and her 8-year-old daughter", "multiple"),
        ("There are two women in the picture.", "multiple"),
        ("a woman and her cat", "single"),
        ("There is no one in the picture.", "none"),
        ("a red hat", None),
    ],
)
def test_people(text: str, expected: str | None) -> None:
    found = [claim.value for claim in PARSER.parse(text) if claim.attribute == "people"]
    assert found == ([expected] if expected else [])


@settings(max_examples=150, deadline=None)
@given(st.one_of(st.text(max_size=200), SENTENCES))
def test_any_text_gives_sound_evidence(text: str) -> None:
    allowed = {key: attribute.values for key, attribute in VOCABULARY.attributes.items()} | dict(GATES)
    for claim in PARSER.parse(text):
        assert claim.origin
        assert claim.origin in text
        assert claim.value in (*allowed[claim.attribute], "")
        assert claim.value or claim.stance != "is"
        assert 0.5 <= claim.score <= 1
        assert claim.source == "text_parser/1"


@settings(max_examples=100, deadline=None)
@given(SENTENCES)
def test_case_and_spaces_change_nothing(text: str) -> None:
    expected = shown(PARSER.parse(text))
    assert shown(PARSER.parse(text.upper())) == expected
    assert shown(PARSER.parse(text.replace(" ", "   "))) == expected


@pytest.mark.parametrize(
    "piece", ["black, ", "no hat, ", "a hat and ", "as ", "not ", "her hair ", "like a cat, ", "12 "]
)
def test_the_work_grows_with_the_length_alone(piece: str) -> None:
    assert steps(piece * 400) < 2.5 * steps(piece * 200)


def steps(text: str) -> int:
    """How many lines of code run: a clock that other work on the machine does not disturb."""

    count = 0

    def trace(_frame: FrameType, event: str, _arg: object) -> object:
        nonlocal count
        count += event == "line"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)  # type: ignore[arg-type]
    try:
        PARSER.parse(text)
    finally:
        sys.settrace(before)
    return count
