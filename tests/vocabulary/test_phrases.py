"""The phrase lexicon: it is checked against the vocabulary, and a new attribute is new data."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from character_pipeline.errors import ConfigError
from character_pipeline.extractors.text_parser import TextParser
from character_pipeline.vocabulary import DATA, load_vocabulary
from character_pipeline.vocabulary.phrases import load_phrases

HEADER = "phrases,kind,head,attribute,value,score,stance\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    copy = tmp_path / "vocabulary"
    shutil.copytree(DATA, copy, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    return copy


def test_a_new_attribute_needs_no_code(folder: Path) -> None:
    with (folder / "vocabulary.toml").open("a", encoding="utf-8") as file:
        file.write('\n[footwear]\nlabel = "Footwear"\ncardinality = "many"\nvalues = ["Boots", "Barefoot"]\n')
    rows = "boot|hiking boot,noun,,footwear,Boots,0.9,\nbarefoot,adj,,footwear,Barefoot,0.9,\n"
    (folder / "phrases" / "footwear.csv").write_text(HEADER + rows, encoding="utf-8")
    parser = TextParser(load_vocabulary(folder), lambda _: False)
    (claim,) = [c for c in parser.parse("She wears brown leather boots.") if c.attribute == "footwear"]
    assert (claim.value, claim.stance, claim.origin) == ("Boots", "is", "brown leather boots")
    (claim,) = [c for c in parser.parse("a boy without boots") if c.attribute == "footwear"]
    assert (claim.value, claim.stance) == ("Boots", "not")


@pytest.mark.parametrize(
    ("row", "named"),
    [
        ("boot,noun,,footwaer,Boots,0.9,", "footwaer"),
        ("boot,noun,,accessories,Glases,0.9,", "Did you mean 'Glasses'"),
        ("boot,nuon,,accessories,Glasses,0.9,", "Did you mean 'noun'"),
        ("boot,noun,,accessories,Glasses,0.2,", "0.2"),
        ("boot,noun,,accessories,Glasses,much,", "much"),
        ("boot,noun,,accessories,Glasses,0.9,perhaps", "perhaps"),
        ("boot| ,noun,,accessories,Glasses,0.9,", "empty phrase"),
    ],
)
def test_a_wrong_row_is_named(folder: Path, row: str, named: str) -> None:
    (folder / "phrases" / "mine.csv").write_text(HEADER + row + "\n", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"mine\.csv: 'boot") as raised:
        load_phrases(load_vocabulary(folder))
    assert named in str(raised.value)


def test_a_missing_file_is_named(folder: Path) -> None:
    (folder / "phrases" / "grammar.toml").unlink()
    with pytest.raises(ConfigError, match=r"grammar\.toml"):
        load_phrases(load_vocabulary(folder))


def test_every_attribute_has_phrases() -> None:
    vocabulary = load_vocabulary()
    rows = [entry for row in load_phrases(vocabulary).table.values() for _, entry in row]
    claimed = {claim.attribute for entry in rows for claim in entry.claims}
    assert set(vocabulary.attributes) <= claimed


def test_almost_every_value_can_be_said() -> None:
    vocabulary = load_vocabulary()
    phrases = load_phrases(vocabulary)
    said = {(c.attribute, c.value) for row in phrases.table.values() for _, entry in row for c in entry.claims}
    said |= {(attribute, value) for attribute, table in phrases.places.items() for value in table.values()}
    wanted = {(key, value) for key, attribute in vocabulary.attributes.items() for value in attribute.values}
    assert wanted - said == set()
