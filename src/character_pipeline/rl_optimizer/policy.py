"""The trained policy as a file, and its answers in exact arithmetic, with numpy alone.

Floating-point sums depend on their order, and matrix products choose it by the shape of the batch. Here they cannot:
weights are whole multiples of 2^-16, and inputs and activations are clipped to 2^8 and rounded to multiples of 2^-16
before every layer. So all products are multiples of 2^-32, and every layer is checked, for every output, to hold

    (sum of |weights| * 2^8 + |bias|) * 2^32 <= 2^53.

Then each partial sum, in whatever order, also with fused multiply-adds, is a whole number of units below 2^53, which
float64 holds exactly. The same state gets the same bytes in every batch, at every place, on every machine.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from character_pipeline.errors import ModelError
from character_pipeline.models.machine import one_blas_thread
from character_pipeline.models.tensor_file import Tensors, load_checked, write_tensors

BITS = 16
UNIT = 2.0**BITS
"""Weights, inputs and activations are counted in 1 / UNIT, sums and biases in 1 / UNIT**2."""
LARGEST = 2.0**8
"""Inputs and activations beyond it are clipped to it."""
EXACT = 2**53
MOST_BYTES = 64 * 2**20
MOST_LAYERS = 8
MOST_WIDE = 4096
DEFAULT = Path(__file__).with_name("policy.safetensors")
ROWS = 1024
"""States that go through the network together: what they need fits into the processor's caches."""
REMEDY = "Fetch the policy again, or train it anew"

Floats = NDArray[np.float64]


def _each_once(names: tuple[str, ...]) -> tuple[str, ...]:
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"every name must be there once, not so: {', '.join(twice)}")
    return names


Name = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Names = Annotated[tuple[Name, ...], Field(min_length=1, max_length=MOST_WIDE), AfterValidator(_each_once)]


class Layer(NamedTuple):
    """Weights (inputs, outputs) and bias (outputs,), as whole numbers of their units."""

    weights: NDArray[np.int32]
    bias: NDArray[np.int64]


class About(BaseModel):
    """The JSON of the file.

    Attributes:
        versions: of all that gives the features and actions their meaning.
        provenance: anything that says where the policy comes from: data, seeds, scores.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: Literal[1] = 1
    features: Names
    actions: Names
    versions: dict[Name, Name] = {}
    provenance: dict[str, Any] = {}


@dataclass(frozen=True, eq=False)
class Policy:
    """A network of ReLU layers whose last outputs are the values of actions; the best allowed one is taken.

    Raises ModelError where layers do not fit the names or each other, or sums would not be exact.
    """

    about: About
    layers: tuple[Layer, ...]
    _floats: list[tuple[Floats, Floats]] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        check_layers(self.layers, len(self.about.features), len(self.about.actions))
        floats = [(w.astype(np.float64), b.astype(np.float64)) for w, b in self.layers]
        object.__setattr__(self, "_floats", floats)

    def values(self, states: NDArray[np.floating]) -> Floats:
        """The value of each action, shape (n, actions), for states (n, features).

        Raises ValueError on another shape, and on states that are not numbers.
        """
        if states.ndim != 2 or states.shape[1] != len(self.about.features):
            raise ValueError(f"states have shape {states.shape}, not (n, {len(self.about.features)})")
        found = np.empty((len(states), len(self.about.actions)))
        with one_blas_thread():
            for at in range(0, len(states), ROWS):
                found[at : at + ROWS] = self._values(states[at : at + ROWS])
        if np.isnan(found).any():
            raise ValueError("a state holds NaN: every feature must be a number")
        return found

    def _values(self, states: NDArray[np.floating]) -> Floats:
        units = np.rint(np.clip(states.astype(np.float64), -LARGEST, LARGEST) * UNIT)
        *hidden, (weights, bias) = self._floats
        for inner, inner_bias in hidden:
            units = units @ inner
            units += inner_bias
            units *= 1 / UNIT
            np.rint(units, out=units)
            np.clip(units, 0.0, LARGEST * UNIT, out=units)
        # The biases come from whole numbers, which have no -0.0; adding them leaves none of those that products make.
        values: Floats = (units @ weights + bias) / UNIT**2
        return values

    def act(self, states: NDArray[np.floating], masks: NDArray[np.bool_]) -> NDArray[np.int64]:
        """The first of the best allowed actions, shape (n,), by masks (n, actions).

        Raises ValueError where no action is allowed.
        """
        values = self.values(states)
        if masks.dtype != np.bool_ or masks.shape != values.shape or not masks.any(axis=1).all():
            raise ValueError(f"masks must be bool of shape {values.shape} and allow an action in every row")
        chosen: NDArray[np.int64] = np.where(masks, values, -np.inf).argmax(axis=1)
        return chosen

    @cached_property
    def digest(self) -> str:
        """Names all that decides: names, versions and weights; not where they come from."""
        names = [self.about.features, self.about.actions, sorted(self.about.versions.items())]
        total = hashlib.blake2b(json.dumps(names).encode(), digest_size=16)
        for weights, bias in self.layers:
            total.update(f"{weights.shape}".encode())
            total.update(weights.astype("<i4").tobytes() + bias.astype("<i8").tobytes())
        return total.hexdigest()


def make_policy(layers: Sequence[tuple[Floats, Floats]], about: About) -> Policy:
    """A policy from weights (inputs, outputs) and biases (outputs,) of a plain network, rounded.

    Raises ModelError where they are too large for exact sums, or do not fit.
    """
    return Policy(about, tuple(Layer(_whole(w * UNIT, np.int32), _whole(b * UNIT**2, np.int64)) for w, b in layers))


def _whole(numbers: Floats, kind: type[np.signedinteger[Any]]) -> NDArray[Any]:
    most = min(EXACT, np.iinfo(kind).max)
    if not (abs(numbers) <= most).all():
        raise ModelError(
            "a weight of the policy is too large, or not a number: train it anew, with rewards and features of about 1 "
            "or a smaller learning_rate"
        )
    return np.rint(numbers).astype(kind)


def check_layers(layers: Sequence[Layer], features: int, actions: int) -> None:
    """Raises ModelError unless layers lead from features to actions, and their sums are exact (see above)."""
    widths = [features, *(len(bias) for _, bias in layers)]
    shapes = [weights.shape for weights, _ in layers]
    if not 1 <= len(layers) <= MOST_LAYERS or max(widths) > MOST_WIDE:
        raise ModelError(f"a policy has 1 to {MOST_LAYERS} layers of up to {MOST_WIDE}, not widths {widths}. {REMEDY}")
    if widths[-1] != actions or shapes != list(pairwise(widths)):
        raise ModelError(f"layers {shapes} do not lead from {features} features to {actions} actions. {REMEDY}")
    for number, (weights, bias) in enumerate(layers):
        reach = abs(weights.astype(np.int64)).sum(axis=0)
        room = EXACT - np.maximum(bias, -bias)
        if (bias < -EXACT).any() or (bias > EXACT).any() or (reach > room // int(LARGEST * UNIT)).any():
            raise ModelError(f"layer {number} has weights too large for exact sums. {REMEDY}, on features of about 1")


def save_policy(policy: Policy, path: Path) -> None:
    """Write a policy to a .safetensors file."""
    tensors: Tensors = {}
    for number, (weights, bias) in enumerate(policy.layers):
        tensors |= {f"weights.{number}": weights, f"bias.{number}": bias}
    write_tensors(path, tensors, {**policy.about.model_dump(mode="json"), "digest": policy.digest})


def load_policy(path: Path) -> Policy:
    """The policy in a file that `save_policy` wrote. Raises ModelError that says what is wrong with it."""

    def build(tensors: Tensors, table: dict[str, Any]) -> Policy:
        return Policy(About.model_validate(table), _layers(tensors))

    return load_checked(path, MOST_BYTES, REMEDY, build)


def _layers(tensors: Tensors) -> tuple[Layer, ...]:
    wanted = [(f"weights.{number}", f"bias.{number}") for number in range(len(tensors) // 2)]
    if {name for pair in wanted for name in pair} != tensors.keys():
        raise ModelError(f"it holds {', '.join(sorted(tensors))[:200]}, not weights.0, bias.0 and so on. {REMEDY}")
    layers = [Layer(tensors[weights], tensors[bias]) for weights, bias in wanted]
    for weights, bias in layers:
        kinds = f"{weights.dtype} {weights.ndim}, {bias.dtype} {bias.ndim}"
        if kinds != "int32 2, int64 1":
            raise ModelError(f"its layers must be int32 of 2 dimensions and int64 of 1, not {kinds}. {REMEDY}")
    return tuple(layers)
