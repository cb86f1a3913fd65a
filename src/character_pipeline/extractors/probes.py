"""Light heads on a model's vectors, trained from a user's own tags: the file that holds them, and what they answer.

Temperatures and offsets are part of the weights: what comes out of a head is a probability.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from character_pipeline.data import VIEWS
from character_pipeline.errors import ModelError
from character_pipeline.extractors.prompt_scoring import DIGITS, softmax, unit
from character_pipeline.models.tensor_file import Tensors, load_checked, write_tensors

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Flags = NDArray[np.bool_]

MOST_BYTES = 64 * 2**20
MOST_HEADS = 256
MOST_WIDE = 65_536
LARGEST = 1e6
"""No weight of a training comes near it; sums of larger ones might not be finite."""
REMEDY = "Make the probes anew with charpipe train probes, or fetch the file again"


def _each_once(names: tuple[str, ...]) -> tuple[str, ...]:
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"every name must be there once, not so: {', '.join(twice)}")
    return names


Name = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Names = Annotated[tuple[Name, ...], Field(min_length=1, max_length=1_000), AfterValidator(_each_once)]
Count = Annotated[int, Field(ge=0)]


class HeadAbout(BaseModel):
    """What is known of one head.

    Attributes:
        ask: "choice": one of the values is right, or with `unsure` none can be told; "each": every value by itself.
        tags: how many tags it was trained on.
        scores: how right it and the prompts were on items that it had not seen.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    attribute: Name
    ask: Literal["choice", "each"]
    values: Names
    unsure: bool = False
    tags: Count
    scores: dict[str, Any] = {}

    @property
    def rows(self) -> int:
        return len(self.values) + (self.ask == "choice" and self.unsure)


class About(BaseModel):
    """The JSON of the file.

    Attributes:
        model: the key of the reader whose vectors the heads work on, and `name`: what a person calls the model.
        size: the length of a vector of all `views`.
        provenance: anything that says where the probes come from.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: Literal[1] = 1
    model: Name
    name: Name
    size: Annotated[int, Field(ge=1, le=MOST_WIDE)]
    views: Annotated[int, Field(ge=1, le=len(VIEWS))] = 1
    heads: Annotated[tuple[HeadAbout, ...], Field(max_length=MOST_HEADS)] = ()
    provenance: dict[str, Any] = {}


@dataclass(frozen=True, eq=False)
class Head:
    """One attribute: weights (rows, size), bias (rows,); a row a value, and one for "cannot be told"."""

    about: HeadAbout
    weights: NDArray[np.float32]
    bias: NDArray[np.float32]

    def chances(self, features: Floats) -> tuple[Floats, Flags]:
        """The probability of each value, shape (n, values), and for each picture whether it can be told at all."""
        # Rounded, so that the last bits of a matrix product, which the size of a batch changes, decide nothing.
        logits = features @ self.weights.T.astype(np.float64) + self.bias
        told = np.ones(len(features), dtype=np.bool_)
        if self.about.ask == "each":
            return np.round(1.0 / (1.0 + np.exp(-np.clip(logits, -700, 700))), DIGITS), told
        found = np.round(softmax(logits), DIGITS)
        values = found[:, : len(self.about.values)]
        if self.about.unsure:
            told = found[:, -1] < values.max(axis=1)
        return values, told


@dataclass(frozen=True, eq=False)
class Probes:
    """All heads of a file. Raises ModelError where tensors do not fit what the file says of them."""

    about: About
    heads: tuple[Head, ...]

    def __post_init__(self) -> None:
        names = [head.about.attribute for head in self.heads]
        if len(set(names)) < len(names):
            raise ModelError(f"an attribute has two heads: {', '.join(names)[:300]}. {REMEDY}")
        if self.about.size % self.about.views:
            raise ModelError(f"vectors of {self.about.size} do not hold {self.about.views} views. {REMEDY}")
        for head in self.heads:
            _check(head, self.about.size)

    @cached_property
    def digest(self) -> str:
        """Names all that decides what is claimed."""
        kinds = [head.about.model_dump(mode="json", exclude={"scores"}) for head in self.heads]
        total = hashlib.blake2b(json.dumps([self.about.model, kinds]).encode(), digest_size=16)
        for head in self.heads:
            total.update(head.weights.astype("<f4").tobytes() + head.bias.astype("<f4").tobytes())
        return total.hexdigest()


def _check(head: Head, size: int) -> None:
    wanted, place = (head.about.rows, size), f"the head of '{head.about.attribute}'"
    if head.weights.shape != wanted or head.bias.shape != wanted[:1]:
        shapes = f"weights {head.weights.shape}, bias {head.bias.shape}"
        raise ModelError(f"{place} has {shapes}, not {wanted} and {wanted[:1]}. {REMEDY}")
    if {head.weights.dtype, head.bias.dtype} != {np.dtype(np.float32)}:
        raise ModelError(f"{place} holds {head.weights.dtype} and {head.bias.dtype}, not float32. {REMEDY}")
    if not (abs(head.weights) <= LARGEST).all() or not (abs(head.bias) <= LARGEST).all():
        raise ModelError(f"{place} has weights that are no numbers, or larger than {LARGEST:g}. {REMEDY}")


def features(vectors: NDArray[np.floating], views: int) -> Floats:
    """What heads work on: each view of a vector by itself of length 1. Shape (n, size), as given."""
    count, size = vectors.shape
    return unit(vectors.reshape(count, views, size // views)).reshape(count, size)


def save_probes(probes: Probes, path: Path) -> None:
    """Write a .safetensors file."""
    tensors: Tensors = {}
    for number, head in enumerate(probes.heads):
        tensors |= {f"weights.{number}": head.weights, f"bias.{number}": head.bias}
    about = probes.about.model_copy(update={"heads": tuple(head.about for head in probes.heads)})
    write_tensors(path, tensors, {**about.model_dump(mode="json"), "digest": probes.digest})


def load_probes(path: Path) -> Probes:
    """The probes in a file that `save_probes` wrote. Raises ModelError that says what is wrong with it."""

    def build(tensors: Tensors, table: dict[str, Any]) -> Probes:
        about = About.model_validate(table)
        return Probes(about, _heads(about.heads, tensors))

    return load_checked(path, MOST_BYTES, REMEDY, build)


def _heads(known: Sequence[HeadAbout], tensors: Tensors) -> tuple[Head, ...]:
    wanted = {f"{part}.{number}" for part in ("weights", "bias") for number in range(len(known))}
    if wanted != tensors.keys():
        found = ", ".join(sorted(tensors))[:200] or "nothing"
        raise ModelError(f"it holds {found}, not weights and bias of {len(known)} heads. {REMEDY}")
    return tuple(Head(about, tensors[f"weights.{n}"], tensors[f"bias.{n}"]) for n, about in enumerate(known))
