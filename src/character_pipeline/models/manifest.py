"""`charpipe.json`: what a checkpoint says of itself to us: its logits, its prompts, and how far it can be trusted.

    {
      "logit_scale": 100.0, "logit_bias": 0.0,
      "prompt_set": "drawn",
      "views": ["whole", "head"],
      "attributes": {"accessories": {"temperature": 1.3, "trust": 0.9, "values": ["Hat", "Mask"],
                                     "offsets": {"Mask": -2.0}, "look": ["head"]}},
      "about": {"anything": "else"}
    }

All of it may be left out. Where `attributes` is given, nothing else is claimed; where an attribute has `values`, only
these are asked for. `temperature` divides the logits before the softmax, `offsets` are added to those of single values
then, such as -2 for one that is rare; `trust` is multiplied with the probability. `views` is what the model is shown of
a picture, `look` what an attribute is told from; all numbers were measured with these.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from character_pipeline.config import Looks, ReadViews
from character_pipeline.errors import ModelError

MANIFEST = "charpipe.json"
DEFAULT_TRUST = 0.45
"""Of a checkpoint that was never measured: its claims are hints, and too weak to enter a list by themselves."""


class Trust(BaseModel):
    """How far one attribute's answers can be relied on."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    temperature: Annotated[float, Field(gt=0.0, allow_inf_nan=False)] = 1.0
    trust: Annotated[float, Field(ge=0.0, le=1.0)] = DEFAULT_TRUST
    values: tuple[str, ...] | None = None
    offsets: dict[str, Annotated[float, Field(allow_inf_nan=False)]] = {}
    look: Looks | None = None


class Manifest(BaseModel):
    """The whole file; every field may be missing."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    logit_scale: Annotated[float, Field(gt=0.0, allow_inf_nan=False)] | None = None
    logit_bias: Annotated[float, Field(allow_inf_nan=False)] | None = None
    prompt_set: Literal["drawn", "photo"] | None = None
    views: ReadViews = ("whole",)
    attributes: dict[str, Trust] | None = None
    about: dict[str, Any] = {}

    def trust(self, attribute: str) -> Trust | None:
        """What holds for an attribute; None where nothing is to be claimed about it."""
        return Trust() if self.attributes is None else self.attributes.get(attribute)


def read_manifest(folder: Path) -> Manifest:
    """The manifest of a checkpoint's folder; all defaults where there is none. Raises ModelError naming the entry."""
    path = folder / MANIFEST
    if not path.exists():
        return Manifest()
    try:
        return Manifest.model_validate(json.loads(path.read_text(encoding="utf-8")))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        remedy = "correct it, or remove the file to use the model without calibration"
        raise ModelError(f"{path}: {where}: {first['msg']} (given: {first['input']!r}). {remedy}") from error
    except (OSError, ValueError) as error:
        raise ModelError(f"{path} cannot be read as JSON: {error}. Correct or remove it") from error
