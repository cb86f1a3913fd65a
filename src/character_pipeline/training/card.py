"""The model card, written from the report of a training: no number in it is typed by hand."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

SHOWN = {
    "hair_color": "Hair Color", "hair_length": "Hair Length", "eye_color": "Eye Color", "gender": "Gender",
    "dress": "Dress", "facial_expression": "Facial Expression", "skin_tone": "Skin Tone", "age": "Age",
    "accessories: Glasses": "Glasses", "accessories: Hat": "Hat", "facial_hair: any": "Facial Hair", "people": "People",
}  # fmt: skip
"""What the tables show, of all that was measured; training_report.json has the rest."""
CREDITS = {
    "adventurer": "Lisa Wischofsky (CC BY 4.0)", "avataaars": "Pablo Stanley (free for personal and commercial use)",
    "bigEars": "The Visual Team (CC BY 4.0)", "bigHeads": "Robert Broersma (MIT)", "bigSmile": "Ashley Seo (CC BY 4.0)",
    "croodles": "vijay verma (CC BY 4.0)", "dylan": "Natalia Spivak (CC BY 4.0)",
    "facesjs": "Jeremy Scheff and others (Apache 2.0)", "lorelei": "Lisa Wischofsky (CC0 1.0)",
    "micah": "Micah Lanier (CC BY 4.0)", "miniavs": "Webpixels (CC BY 4.0)", "notionists": "Zoish (CC0 1.0)",
    "openPeeps": "Pablo Stanley (CC0 1.0)", "personas": "Draftbit (CC BY 4.0)", "pixelArt": "DiceBear (CC0 1.0)",
    "toonHead": "Johan Melin (CC BY 4.0)",
}  # fmt: skip
"""Who drew a style of avatars, and the licence of the art."""
FRONT = """---
license: apache-2.0
library_name: transformers
pipeline_tag: zero-shot-image-classification
tags: [clip, dual-encoder, character-art]
---
# charpipe-embedded

A small dual encoder for drawn characters: a ConvNeXt of {vision} parameters for pictures of {size} x {size} pixels
and a BERT of two layers for sentences, with embeddings of length {width}. A `VisionTextDualEncoderModel` of
transformers; the folder `onnx` has the same for ONNX Runtime, also with 8-bit weights.

## What it is for

It stands in where no larger model can be had, so that the pipeline sees pictures on any machine, without a network.
It was made for single drawn characters. Photographs, crowds and landscapes are outside of what it knows: it then
says less (`domain.safetensors`), or nothing. It has seen no real people, and must not be used to judge any.

## How it was made

{pictures} views, whole pictures and heads by themselves, of drawn characters of this project's sample drawer (styles
anime, flat, chibi, pixel, and styles made up at random), and of labelled avatars (`scripts/avatars` draws such) in the
styles
{styles}
New colors for ground, skin and hair, other proportions, lines and surfaces were given to them while training, and to
some heads glasses, beards, moustaches, and things that change no label. First the vision tower learned the
classes that the prompts speak of, one linear row a prompt; then, with the vision tower locked (Zhai et al., 2022),
a projection and the text tower learned to say the same, and to match tag captions and English captions with their
pictures. What is small is told from the head, which a network of its own finds (`charpipe train head-finder`); what
is told from where was chosen on pictures that were not trained on. Probabilities are calibrated on them too. Repeat it
with

{commands}

{credits} None of their pictures is in this package.

## How right it is

Share of right answers among those pictures whose truth has a value, the model being made to choose; for things that
are there or not, balanced accuracy. In brackets what always saying the most frequent value gives.
"""
NOTES = """
"held out" are pictures of styles that it was trained on. "drawn, unseen styles" are the styles painterly and
sketch, of which it saw nothing, with people whom it never met; "drawn, seen styles" is the same for its own styles.
Small faces in full-body pictures are part of both. All figures with their intervals are in `training_report.json`.
"""


def model_card(report: Mapping[str, Any], facts: Mapping[str, Any]) -> str:
    """The text of README.md. `facts`: vision (parameters), size, width, pictures."""
    recipe = report["recipe"]
    front = FRONT.format(
        **facts,
        styles=textwrap.fill(f"{', '.join(recipe['avatar styles'])}.", 115),
        credits=_credits(recipe["avatar styles"]),
        commands="\n".join(f"    charpipe train embedded {options}" for options in _commands(recipe)),
    )
    return front + "\n" + _table(report["scores"]) + NOTES


def _commands(recipe: Mapping[str, Any]) -> list[str]:
    """The options of each training, in the order in which one began with the other."""
    chain = [recipe]
    while chain[0].get("begun with"):
        chain.insert(0, chain[0]["begun with"])
    return [" ".join([*_places(one, number), *_options(one)]) for number, one in enumerate(chain, 1)]


def _places(recipe: Mapping[str, Any], number: int) -> list[str]:
    """Where the training of this number is written to, and what it began with."""
    before = recipe.get("begun with")
    begun = [] if before is None else [f"--begin model-{number - 1}" if before else "--begin FOLDER"]
    return [f"--work work-{number} --output model-{number}", *begun]


def _options(recipe: Mapping[str, Any]) -> list[str]:
    said = {"drawn": recipe["drawn"], **{name: recipe["settings"][name] for name in ("passes", "rate", "seed")}}
    avatars = [f"--avatars {name}.tar" for name in recipe["avatar styles"]]
    return [*avatars, *(f"--{name} {value}" for name, value in said.items())]


def _credits(styles: Sequence[str]) -> str:
    given = [f"{style} by {CREDITS[style]}" if style in CREDITS else f"{style} (not credited here)" for style in styles]
    return textwrap.fill(f"Avatar art: {', '.join(given) or 'none'}.", 115)


def _table(scores: Mapping[str, Mapping[str, Any]]) -> str:
    sets = list(scores)
    rows = [f"| | {' | '.join(sets)} |", f"|---|{'---|' * len(sets)}"]
    for what, label in SHOWN.items():
        cells = [_cell(scores[name].get(what)) for name in sets]
        if any(cell != "-" for cell in cells):
            rows.append(f"| {label} | {' | '.join(cells)} |")
    return "\n".join(rows) + "\n"


def _cell(score: Mapping[str, Any] | None) -> str:
    return "-" if score is None else f"{score['right']:.2f} ({score['majority']:.2f})"
