"""A plain sentence about a picture, for sidecars that hold no tags."""

from __future__ import annotations

from typing import Any

from character_pipeline.sample.truth import Values

NOUNS = {
    ("Female", True): "girl",
    ("Male", True): "boy",
    ("Female", False): "woman",
    ("Male", False): "man",
}


def sentence(truth: dict[str, Any]) -> tuple[str, Values]:
    """A description of one person, and what it states."""
    true = truth["attributes"]
    noun = NOUNS[true["Gender"], true.get("Age") in {None, "Child", "Teen"}]
    stated: Values = {"Gender": true["Gender"]}
    parts = [f"A {noun}"]
    if (hair := _hair(true)) and true.get("Hair Color") != "Multicolored":
        stated |= {label: true[label] for label in ("Hair Color", "Hair Length")}
        parts.append(f"with {hair}")
    if true.get("Eye Color") not in {None, "Heterochromia", "Multicolored"}:
        stated["Eye Color"] = true["Eye Color"]
        parts.append(f"{'and' if len(parts) > 1 else 'with'} {true['Eye Color'].lower()} eyes")
    if "Glasses" in true.get("Accessories", ()):
        stated["Accessories"] = ["Glasses"]
        parts.append("who wears glasses")
    return f"{' '.join(parts)}.", stated


def _hair(true: dict[str, Any]) -> str:
    if "Hair Color" not in true or "Hair Length" not in true:
        return ""
    length = {"Medium": "medium-length"}.get(true["Hair Length"], true["Hair Length"].lower())
    return f"{length} {true['Hair Color'].lower()} hair"
