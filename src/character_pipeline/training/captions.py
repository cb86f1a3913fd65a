"""Captions of training pictures: what is true of one, as tags and as an English sentence."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random
from typing import Any

from character_pipeline.vocabulary.prompts import PromptBook

NOUNS = {"Female": ("woman", "girl", "lady"), "Male": ("man", "boy", "guy")}
MOST = 7
OPENINGS = ("", "a drawing of ", "an illustration of ", "a portrait of ", "art of ")


def tag_caption(line: Mapping[str, Any], book: PromptBook, rng: Random) -> str:
    """Some of what is true, comma-separated and in any order, as people tag."""
    phrases = _phrases(line, book, rng)
    count = {"single": ["solo"], "multiple": ["several characters"], "none": ["no people"]}[line["people"]]
    return ", ".join(count + phrases)


def english_caption(line: Mapping[str, Any], book: PromptBook, rng: Random) -> str:
    """The same as a sentence: "an illustration of a woman with red hair, glasses and a smile"."""
    if line["people"] != "single":
        return tag_caption(line, book, rng)
    noun = rng.choice(NOUNS.get(line["attributes"].get("Gender"), ("person", "character")))
    phrases = _phrases(line, book, rng, skip=("gender",))
    if not phrases:
        return rng.choice(OPENINGS) + f"a {noun}"
    *first, last = phrases
    listed = f"{', '.join(first)} and {last}" if first else last
    return rng.choice(OPENINGS) + f"a {noun} with {listed}"


def _phrases(line: Mapping[str, Any], book: PromptBook, rng: Random, skip: tuple[str, ...] = ()) -> list[str]:
    found = []
    for key, question in book.questions.items():
        given = line["attributes"].get(key.replace("_", " ").title()) if key not in skip else None
        values = given if isinstance(given, list) else [given] if isinstance(given, str) else []
        found += [rng.choice(question.values[value]) for value in values if value in question.values]
    if line["attributes"].get("Facial Hair") is True:
        found.append("facial hair")
    rng.shuffle(found)
    return found[: rng.randint(2, MOST)]
