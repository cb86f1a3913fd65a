"""The steps of CONTRIBUTING.md, taken literally."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path
from textwrap import dedent

import pyarrow.parquet as pq
import pytest

from tests.readme import ROOT, Place
from tests.test_architecture import ROOMS

TEXT = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
STEP = re.compile(r"^ +```sh\n(.*?)^ +```$", re.DOTALL | re.MULTILINE)


def steps(section: str) -> list[str]:
    """The commands of a section, step by step."""
    body = TEXT.split(f"\n## {section}\n")[1].split("\n## ")[0]
    return [dedent(block) for block in STEP.findall(body)]


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path / "place")


def test_a_new_attribute_needs_no_code(place: Place) -> None:
    said = [place.shell(step) for step in steps("Add an attribute")]
    assert len(said) == 6
    assert "barefoot → Barefoot" in said[-1]
    output = place.folder / "shoes"
    boots = {"compound", "sentence", "tag"}
    lines = (output / "records.jsonl").read_text(encoding="utf-8").splitlines()
    assert {row["item_id"] for row in map(json.loads, lines) if row["Footwear"] == ["Boots"]} == boots
    table = pq.read_table(output / "records.parquet")
    assert table.column("footwear").to_pylist() == [["Boots"]] * 3
    assert table.column("footwear_detail").to_pylist() == ["red boots", "black riding boots", "ankle boots"]
    with (output / "records.csv").open(encoding="utf-8", newline="") as file:
        assert [row["Footwear"] for row in csv.DictReader(file)] == ["Boots"] * 3
    assert "Footwear" in json.loads((output / "schema.json").read_text(encoding="utf-8"))["properties"]
    rows = place.shell("charpipe query shoes --where footwear=Boots --json").splitlines()
    assert {json.loads(row)["item_id"] for row in rows} == boots
    assert "Footwear           100%   Boots 3" in place.shell("charpipe stats shoes")
    shown = json.loads(place.shell("charpipe show tag --db shoes --json"))
    assert shown["attributes"]["Footwear"]["evidence"][0]["from"] == "ankle_boots"


def test_the_vocabulary_is_found_from_another_folder(place: Place) -> None:
    for step in steps("Add an attribute"):
        place.shell(step)
    assert "3" in place.shell(f"cd / && charpipe query '{place.folder / 'shoes'}' --where footwear=Boots 2>&1")


def test_a_database_from_before_the_attribute_is_read_and_then_takes_it_up(place: Place) -> None:
    first, *others, _ = steps("Add an attribute")
    place.shell(f"{first}\necho '1girl, boots' > t.txt && charpipe extract t.txt --output shoes --config my.toml")
    for step in others:
        place.shell(step)
    assert "Footwear" not in place.shell("charpipe stats shoes && charpipe query shoes && charpipe export shoes")
    place.shell("charpipe extract t.txt --output shoes --config my.toml")
    assert "1 of 1" in place.shell("charpipe query shoes --where footwear=Boots 2>&1")


def test_a_new_extractor_is_heard(place: Place) -> None:
    place.divert_pip()
    tried, installed = [place.shell(step) for step in steps("Add an extractor")][1:]
    assert "{'source': 'emoji/1', 'from': '😢', 'value': 'Sad', 'score': 0.7}" in tried
    assert "😢 → Sad 0.70 (emoji/1)" in installed
    place.shell("echo '1girl, red hair 😢' > t.txt && charpipe extract t.txt --output out")
    shown = json.loads(place.shell("charpipe show 't.txt#1' --db out --json"))
    assert [claim["source"] for claim in shown["attributes"]["Facial Expression"]["evidence"]] == ["emoji/1"]


def test_an_extractor_works_in_worker_processes(place: Place) -> None:
    place.divert_pip()
    for step in steps("Add an extractor"):
        place.shell(step)
    place.shell('for n in 1 2 3 4; do echo "1girl, $n 😢"; done > t.txt')
    place.shell("charpipe extract t.txt --output out --workers 2")
    assert "Sad 4" in place.shell("charpipe stats out")


def test_the_rooms_are_those_of_the_package() -> None:
    rooms = re.findall(r"`(\w+)`", "".join(re.findall(r"^\| (`[^|]*) \|", TEXT, re.MULTILINE)))
    assert rooms == list(ROOMS)


def test_the_targets_exist() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in re.findall(r"^make (\w+)", TEXT, re.MULTILINE):
        assert f"\n{target}:" in makefile
