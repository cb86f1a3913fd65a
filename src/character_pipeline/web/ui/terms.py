"""What the words of the UI mean, as people read them when they point at them."""

from __future__ import annotations

from collections.abc import Mapping

TERMS: Mapping[str, str] = {
    # status of an item
    "ok": "Every stage ran; it may still have found nothing.",
    "partial": "A part of the work failed; the rest is there.",
    "ambiguous": "The picture shows several characters: it is flagged and not described.",
    "no_character": "Nobody is in the picture.",
    "failed": "Nothing of the item could be read.",
    # state of an attribute
    "known": "A value was found, with enough confidence.",
    "unknown": "Nobody said it, or nobody said it surely enough. Nothing is guessed.",
    "not_visible": "It cannot be seen: closed eyes, monochrome, from behind.",
    "conflicting": "The sources contradict each other; all values are kept as alternatives.",
    "not_applicable": "There is nothing to describe: a bald head has no hair color.",
    # people
    "people": "How many characters the item shows: single, multiple, none or unknown.",
    # figures
    "confidence": "How probable it is that this is right. Of a record: the mean over its known attributes.",
    "evidence": "One claim of one source: this value, with this score, from these words or this part of the picture.",
    "detail": "What the value leaves out: the colors of Multicolored hair, the garment.",
    "strategy": "How the claims of several sources are weighed against each other.",
    "policy": "A small network that chooses a strategy for each attribute, and what of a picture is worth its cost.",
    "score": "How sure the source itself was, from 0 to 1.",
    "coverage": "The share of described items of which the attribute has a value.",
    "reliability": "Where confidence can be relied on, of the values said with 0.8 eight in ten are right.",
}


def explain(word: str) -> str:
    """What a word means; nothing where it speaks for itself."""
    return TERMS.get(word, "")
