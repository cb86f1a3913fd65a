"""Texts of all kinds with the records that a careful curator would accept, and how far a pipeline agrees."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from character_pipeline.data import AttributeValue, CharacterAttributes

SHORT = {
    "g": "Gender",
    "age": "Age",
    "eth": "Ethnicity",
    "hair": "Hair Color",
    "len": "Hair Length",
    "style": "Hair Style",
    "eye": "Eye Color",
    "body": "Body Type",
    "dress": "Dress",
    "expr": "Facial Expression",
    "acc": "Accessories",
    "scars": "Scars",
    "tattoos": "Tattoos",
    "fh": "Facial Hair",
    "skin": "Skin Tone",
    "feat": "Features",
}
STATES = {"?": "not_visible", "!": "conflicting", "~": "not_applicable"}
STATUS = {"multiple": "ambiguous", "none": "no_character", "quarantined": "quarantined"}


@dataclass(frozen=True)
class Case:
    """A text and what may be said of it: the kinds of people accepted, and for each attribute what has to be there
    (`required`, a value or one of several) and what may be (`allowed`)."""

    text: str
    people: frozenset[str]
    required: Mapping[str, tuple[frozenset[str], ...]]
    allowed: Mapping[str, frozenset[str]]


@dataclass
class Score:
    """Right, wrong and missing values, and what was wrong in words."""

    right: int = 0
    wrong: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    people: list[str] = field(default_factory=list)

    @property
    def faults(self) -> list[str]:
        return [*self.people, *self.wrong, *self.missing]


def cases(name: str) -> Iterator[Case]:
    lines = (Path(__file__).parent / name).read_text(encoding="utf-8").splitlines()
    kept = [line for line in lines if line and not line.startswith("# ")]
    for text, said in zip(kept[::2], kept[1::2], strict=True):
        yield _case(text.replace("\\n", "\n"), said.removeprefix("= ").split())


def _case(text: str, said: list[str]) -> Case:
    required: dict[str, tuple[frozenset[str], ...]] = {}
    allowed: dict[str, frozenset[str]] = {}
    for word in said[1:]:
        name, _, values = word.partition("=")
        options = [(value, value.replace("*", "").replace("_", " ").split("/")) for value in values.split(",")]
        required[SHORT[name]] = tuple(frozenset(either) for value, either in options if "*" not in value)
        allowed[SHORT[name]] = frozenset(each for _, either in options for each in either)
    return Case(text, frozenset(said[0].split("/")), required, allowed)


def judge(case: Case, record: CharacterAttributes) -> Score:
    """Compare one record with its case."""
    score = Score()
    people = "quarantined" if record.status == "quarantined" else record.people
    if people not in case.people or record.status != STATUS.get(people, "ok"):
        score.people.append(f"people {people} ({record.status}), not {'/'.join(sorted(case.people))}")
    if record.status == "ok":
        for label, decided in record.attributes.items():
            _judge_one(label, _said(decided), case, score)
    return score


def _judge_one(label: str, said: frozenset[str], case: Case, score: Score) -> None:
    wrong = {value for value in said - case.allowed.get(label, frozenset()) if value not in STATES}
    lacking = [either for either in case.required.get(label, ()) if not either & said]
    score.right += len(said & case.allowed.get(label, frozenset()))
    score.wrong += [f"{label} is not {value}" for value in sorted(wrong)]
    score.missing += [f"{label} lacks {'/'.join(sorted(either))}" for either in lacking]


def _said(decided: AttributeValue) -> frozenset[str]:
    signs = {state: sign for sign, state in STATES.items()}
    return frozenset(decided.values) | ({signs[decided.state]} if decided.state in signs else frozenset())
