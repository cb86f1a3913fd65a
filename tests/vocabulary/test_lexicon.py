"""The shipped tag tables are consistent, and say what a person would say."""

from __future__ import annotations

import csv
import shutil
from collections import Counter
from pathlib import Path

import pytest

from character_pipeline.data import STATEMENT
from character_pipeline.errors import ConfigError
from character_pipeline.vocabulary import DATA, load_vocabulary
from character_pipeline.vocabulary.lexicon import GATES, Claim, Lexicon, load_lexicon

CASES = [
    tuple(line.split(" -> "))
    for line in (Path(__file__).parent / "wanted_claims.txt").read_text(encoding="utf-8").splitlines()
    if line and not line.startswith("# ")
]
MARKS = {"is": "=", "not": "!", "hidden": "?", "absent": "-"}


@pytest.fixture(scope="module")
def lexicon() -> Lexicon:
    return load_lexicon()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the data files, to be spoiled."""
    return shutil.copytree(DATA, tmp_path / "vocabulary", ignore=shutil.ignore_patterns("*.py", "__pycache__"))


def written(claim: Claim) -> str:
    hint = "~" if claim.score < STATEMENT else ""
    return f"{hint}{claim.attribute}{MARKS[claim.stance]}{claim.value.replace(' ', '_')}"


@pytest.mark.parametrize(("tag", "wanted"), CASES)
def test_a_tag_says_what_a_person_would_say(lexicon: Lexicon, tag: str, wanted: str) -> None:
    said = {written(claim) for claim in lexicon.lookup(tag)}
    assert said == (set() if wanted == "nothing" else set(wanted.split()))


def test_there_are_enough_tags_and_cases(lexicon: Lexicon) -> None:
    assert len(lexicon.rows) >= 5000
    assert len(CASES) >= 150


def test_a_tag_gives_an_attribute_of_one_value_one_value(lexicon: Lexicon) -> None:
    single = {key for key, attribute in load_vocabulary().attributes.items() if not attribute.many}
    for tag, claims in lexicon.rows.items():
        counts = Counter(claim.attribute for claim in claims if claim.attribute in single)
        assert not [attribute for attribute, count in counts.items() if count > 1], tag


def test_no_claim_is_listed_twice(lexicon: Lexicon) -> None:
    for tag, claims in lexicon.rows.items():
        assert len({(claim.attribute, claim.value, claim.stance) for claim in claims}) == len(claims), tag


def test_statements_score_above_every_hint(lexicon: Lexicon) -> None:
    for claims in lexicon.rows.values():
        for claim in claims:
            assert (claim.score >= STATEMENT) == (claim.strength >= 0.75)
            assert 0 < claim.score < 1


def test_an_alias_names_a_listed_tag_and_no_listed_tag_is_an_alias(lexicon: Lexicon) -> None:
    assert set(lexicon.aliases.values()) <= set(lexicon.rows)
    assert not set(lexicon.aliases) & (set(lexicon.rows) | lexicon.names)
    assert not [alias for alias in lexicon.aliases if alias.startswith("/")]


NEGATORS = ("no_", "unworn_", "holding_", "alternate_", "fake_", "removing_")
WORN_ALL_THE_SAME = {
    "fake_animal_ears", "fake_cat_ears", "fake_fox_ears", "fake_rabbit_ears", "fake_smile", "no_lenses",
    "holding_own_tail", "holding_with_tail",
}  # fmt: skip


def test_no_listed_tag_claims_what_it_negates(lexicon: Lexicon) -> None:
    for tag in {*lexicon.rows, *lexicon.aliases} - WORN_ALL_THE_SAME:
        if tag.startswith(NEGATORS) or tag.endswith(("_removed", "_switch", "_(cosplay)")):
            stated = [each for each in lexicon.lookup(tag) if each.stance == "is" and each.attribute not in GATES]
            assert not stated, tag


def test_a_name_states_nothing(lexicon: Lexicon) -> None:
    assert not lexicon.names & set(lexicon.rows)


def test_every_listed_tag_is_in_its_one_form(lexicon: Lexicon) -> None:
    from character_pipeline.vocabulary.tag_form import tag_form

    for tag in {*lexicon.rows, *lexicon.aliases, *lexicon.names}:
        assert tag_form(tag) == tag


def test_every_people_claim_can_be_counted(lexicon: Lexicon) -> None:
    details = {claim.detail for claims in lexicon.rows.values() for claim in claims if claim.attribute == "people"}
    plain = {"solo", "focus", "solo_focus", "group", "multiple_views", "no_humans"}
    assert plain <= details
    for detail in details - plain:
        group, count = str(detail).split("=")
        assert group in {"girls", "boys", "others"}
        assert count.rstrip("+").isdigit()


def test_ethnicity_never_comes_from_clothes_or_skin(lexicon: Lexicon) -> None:
    for claims in lexicon.rows.values():
        attributes = {claim.attribute for claim in claims}
        assert not {"ethnicity", "dress"} <= attributes
        assert not {"ethnicity", "skin_tone"} <= attributes


def test_age_never_comes_from_clothes_or_body(lexicon: Lexicon) -> None:
    for tag, claims in lexicon.rows.items():
        attributes = {claim.attribute for claim in claims}
        assert not {"age", "dress"} <= attributes, tag
        assert not {"age", "body_type"} <= attributes or tag == "muscular_child", tag


@pytest.mark.parametrize(
    "tag", ["1girl", "Long Hair", "long hair", "gray hair", "green yukata", ":d", "highres", "boxing ring", "red hat"]
)
def test_it_knows_a_tag(lexicon: Lexicon, tag: str) -> None:
    assert lexicon.knows(tag)


@pytest.mark.parametrize(
    "words", ["a girl with a hat", "she wears a hat", "without glasses", "lorem ipsum", "", "_", "  "]
)
def test_it_does_not_take_a_sentence_for_a_tag(lexicon: Lexicon, words: str) -> None:
    assert not lexicon.knows(words)


@pytest.mark.parametrize(
    ("tag", "detail"),
    [
        ("silver_hair", "silver"),
        ("green yukata", "green yukata"),
        ("red_necktie", "red necktie"),
        ("glasses", None),
        ("strawberry blonde hair", "strawberry blonde"),
        ("eyewear_on_head", None),
        ("very_long_hair", "very long"),
        ("gold striped qipao", "gold striped qipao"),
    ],
)
def test_the_detail_keeps_what_the_value_leaves_out(lexicon: Lexicon, tag: str, detail: str | None) -> None:
    assert [claim.detail for claim in lexicon.lookup(tag)] == [detail]


def test_a_new_attribute_is_a_new_table(folder: Path) -> None:
    with (folder / "vocabulary.toml").open("a", encoding="utf-8") as file:
        file.write('\n[shoes]\nlabel = "Shoes"\nvalues = ["Boots"]\n')
    (folder / "tags" / "shoes.csv").write_text(
        "tag,value,strength,f1,stance,detail\nboots,Boots,1,,,\n", encoding="utf-8"
    )
    assert [written(claim) for claim in load_lexicon(folder).lookup("Boots")] == ["shoes=Boots"]


HEADER = "tag,value,strength,f1,stance,detail\n"


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("tags/age.csv", HEADER + "child,Kid,1,,,\n", "line 2: unknown value 'Kid'"),
        ("tags/age.csv", HEADER + "child,Child,0.7,,,\n", "neither a hint"),
        ("tags/age.csv", HEADER + "child,Child,much,,,\n", "line 2: could not convert"),
        ("tags/age.csv", HEADER + "child,Child,1,2,,\n", "f1 2.0"),
        ("tags/age.csv", HEADER + "child,Child,1,,maybe,\n", "unknown stance 'maybe'"),
        ("tags/age.csv", HEADER + "child,,1,,,\n", "needs a value"),
        ("tags/age.csv", HEADER + "child,Child\n", "line 2: 2 cells, not 6"),
        ("tags/age.csv", "tag,value\n", "line 1: the columns are"),
        ("tags/ages.csv", HEADER, "Did you mean 'age'"),
        ("tag_aliases.csv", "alias,tag\nkiddo,chlid\n", "line 2: 'chlid' is in no table"),
        ("tag_composition.toml", "stops = [", "cannot be read"),
        ("tag_composition.toml", "stops = []", "incomplete"),
    ],
)
def test_a_wrong_table_is_named_with_its_line(folder: Path, name: str, text: str, message: str) -> None:
    (folder / name).write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as raised:
        load_lexicon(folder)
    assert name.rsplit("/", maxsplit=1)[-1] in str(raised.value)
    assert message in str(raised.value)


def test_a_composed_value_outside_the_vocabulary_is_named(folder: Path) -> None:
    path = folder / "tag_composition.toml"
    path.write_text(path.read_text(encoding="utf-8").replace('value = "Goggles"', 'value = "Gogles"'), encoding="utf-8")
    with pytest.raises(ConfigError, match="no value 'Gogles' of 'accessories'"):
        load_lexicon(folder)


def test_a_missing_file_is_named(folder: Path) -> None:
    (folder / "tag_names.txt").unlink()
    with pytest.raises(ConfigError, match="tag_names"):
        load_lexicon(folder)


def test_every_table_has_an_attribute_or_a_gate_and_stays_small() -> None:
    known = {*load_vocabulary().attributes, *GATES}
    for path in (DATA / "tags").glob("*.csv"):
        assert path.stem in known
        assert path.stat().st_size < 300_000


def test_the_tables_are_sorted_for_reading() -> None:
    for path in (DATA / "tags").glob("*.csv"):
        with path.open(encoding="utf-8", newline="") as lines:
            values = [row["value"] for row in csv.DictReader(lines)]
        assert values == sorted(values), path.name
