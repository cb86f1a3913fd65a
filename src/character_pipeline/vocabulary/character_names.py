"""Which tags name a character: those of the form name_(series), as Danbooru writes them."""

from __future__ import annotations

import re
from collections.abc import Iterable

from character_pipeline.vocabulary.lexicon import Lexicon
from character_pipeline.vocabulary.tag_form import tag_form

LONGEST = 200
_NAME = re.compile(r"[^()]*[^\W\d_][^()]*_\(([^()]+)\)(?:_\(([^()]+)\))?")
NO_SERIES = frozenset(
    [
        "animal",
        "artist",
        "artwork",
        "bird",
        "company",
        "cosplay",
        "drink",
        "emoji",
        "fish",
        "flower",
        "food",
        "fruit",
        "gesture",
        "group",
        "holiday",
        "instrument",
        "language",
        "medium",
        "meme",
        "mixed-language_text",
        "object",
        "phrase",
        "place",
        "plant",
        "programming_language",
        "season",
        "sculpture",
        "software",
        "song",
        "sport",
        "style",
        "symbol",
        "texture",
        "tree",
        "username",
        "vehicle",
        "weapon",
        "website",
    ]
)
"""What stands in brackets behind things, styles and people who draw."""


def named_character(tags: Iterable[str], lexicon: Lexicon) -> str | None:
    """The one character that tags name, in the written form of the tag; None where they name none, or several.

    >>> from character_pipeline.vocabulary.lexicon import load_lexicon
    >>> named_character(["1girl", "Bow (weapon)", r"alice liddell \\\\(wonderland\\\\)"], load_lexicon())
    'alice_liddell_(wonderland)'
    """
    found = {form for tag in tags if "(" in tag and len(tag) <= LONGEST and _is_name(form := tag_form(tag), lexicon)}
    return found.pop() if len(found) == 1 else None


def _is_name(form: str, lexicon: Lexicon) -> bool:
    parts = _NAME.fullmatch(form)
    return parts is not None and NO_SERIES.isdisjoint(filter(None, parts.groups())) and not lexicon.knows(form)
