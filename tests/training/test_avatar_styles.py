"""What the styles of drawn avatars say is in the words of the vocabulary."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from character_pipeline.training.card import CREDITS
from character_pipeline.vocabulary import load_vocabulary

FOLDER = Path(__file__).parents[2] / "scripts" / "avatars"
STYLES: dict[str, Any] = json.loads((FOLDER / "styles.json").read_text(encoding="utf-8"))


def said(style: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    yield from style.get("always", {}).items()
    for part in style["parts"].values():
        for group in part.values():
            if isinstance(group, dict):
                yield from group["is"].items()


@pytest.mark.parametrize("name", STYLES)
def test_labels_are_those_of_the_vocabulary(name: str) -> None:
    attributes = {one.label: one for one in load_vocabulary().attributes.values()}
    for label, given in said(STYLES[name]):
        if isinstance(given, bool):
            assert label == "Facial Hair"
        else:
            values = given if isinstance(given, list) else [given]
            assert set(values) <= set(attributes[label].values)
            assert isinstance(given, list) == attributes[label].many, (label, given)


@pytest.mark.parametrize("name", STYLES)
def test_each_variant_of_a_part_is_in_one_group(name: str) -> None:
    for part, groups in STYLES[name]["parts"].items():
        plain = [one for one in groups.values() if isinstance(one, dict) and "with" not in one]
        variants = [variant for group in plain for variant in group["of"]]
        assert len(variants) == len(set(variants)), (name, part)


def test_colors_of_hair_have_names_of_the_vocabulary() -> None:
    colors = json.loads((FOLDER / "colors.json").read_text(encoding="utf-8"))
    assert set(colors["hair"]) <= set(load_vocabulary().attributes["hair_color"].values)


def test_every_style_has_a_credit() -> None:
    assert set(STYLES) <= set(CREDITS)
