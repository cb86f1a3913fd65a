"""What fusion has learned from labelled items: one JSON file of curves, habits and stacks."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError, model_validator

from character_pipeline.errors import ConfigError

if TYPE_CHECKING:
    from character_pipeline.attribute_fusion.bayesian import Habits
    from character_pipeline.attribute_fusion.calibration import Calibration
    from character_pipeline.attribute_fusion.ensemble import Stack
    from character_pipeline.vocabulary import Attribute

DEFAULT = Path(__file__).with_name("weights.json")
LARGEST = 16 * 2**20
"""Bytes of a file that is read."""
VERSION: Literal[1] = 1

Chance = Annotated[float, Field(gt=0.0, lt=1.0)]
Number = Annotated[float, Field(ge=-1e6, le=1e6)]
Threshold = Annotated[float, Field(ge=0.0, le=2.0)]
Short = Annotated[str, Field(max_length=200)]


class Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class CurveRow(Part):
    slope: Number = 1.0
    offset: Number = 0.0
    scores: tuple[Annotated[float, Field(ge=0, le=1)], ...] = ()
    chances: tuple[Annotated[float, Field(ge=0, le=1)], ...] = ()

    @model_validator(mode="after")
    def rising(self) -> CurveRow:
        """Only a curve that never falls keeps the order of scores."""
        same = len(self.scores) == len(self.chances)
        if not same or self.slope < 0 or list(self.scores) != sorted(self.scores):
            raise ValueError("a curve must rise: scores in order, as many chances, no negative slope")
        if list(self.chances) != sorted(self.chances):
            raise ValueError("a curve must rise: chances in order")
        return self


class HabitsRow(Part):
    sources: tuple[Short, ...]
    prior: tuple[Chance, ...]
    silent: tuple[tuple[Chance, ...], ...]
    mute: tuple[tuple[Chance, ...], ...] = ()
    weight: tuple[Annotated[float, Field(ge=0, le=2)], ...]


class StackRow(Part):
    sources: tuple[Short, ...]
    weights: tuple[Number, ...]
    offset: Number


class Weights(Part):
    """What fusion has learned.

    Attributes:
        curves: by source and attribute: from scores to probabilities.
        habits: by attribute: how frequent values are, and what sources leave unsaid.
        stacks: by attribute: how much each source's word is worth.
        thresholds: by strategy, target precision ("0.98") and attribute: the least confidence that reaches it; above 1
            where nothing does.
        values: of each attribute, those that the numbers are of, in their order.
        learned_from: what the labelled items were.
    """

    version: Literal[1] = VERSION
    values: Mapping[Short, tuple[Short, ...]] = {}
    curves: Mapping[Short, Mapping[Short, CurveRow]] = {}
    habits: Mapping[Short, HabitsRow] = {}
    stacks: Mapping[Short, StackRow] = {}
    thresholds: Mapping[Short, Mapping[Short, Mapping[Short, Threshold]]] = {}
    learned_from: Mapping[Short, JsonValue] = {}

    @model_validator(mode="after")
    def shapes(self) -> Weights:
        """Numbers of another shape would meet arrays much later, in the middle of a run."""
        from character_pipeline.attribute_fusion.ensemble import PER_SOURCE

        for key, row in self.habits.items():
            wide, sources = len(self.values.get(key, ())) + 1, len(row.sources)
            rows = [row.prior, *row.silent]
            if any(len(one) != wide for one in rows) or not len(row.silent) == len(row.weight) == sources:
                raise ValueError(f"habits of {key}: the numbers do not fit {wide - 1} values and {sources} sources")
            if row.mute and (len(row.mute) != sources or any(len(one) != wide - 1 for one in row.mute)):
                raise ValueError(f"habits of {key}: 'mute' does not fit {wide - 1} values and {sources} sources")
        for key, stack in self.stacks.items():
            if len(stack.weights) != PER_SOURCE * len(stack.sources):
                raise ValueError(f"stack of {key}: {len(stack.weights)} weights for {len(stack.sources)} sources")
        return self

    @property
    def digest(self) -> str:
        """Names what was learned of sources; not the thresholds, which change no probability."""
        return _digest(self.model_copy(update={"thresholds": {}}))

    @property
    def thresholds_digest(self) -> str:
        """Names the thresholds."""
        return _digest(Weights(thresholds=self.thresholds))

    def calibration(self) -> Calibration:
        from character_pipeline.attribute_fusion.calibration import Calibration, Curve

        return Calibration(
            {
                source: {key: Curve(row.slope, row.offset, row.scores, row.chances) for key, row in curves.items()}
                for source, curves in self.curves.items()
            }
        )

    def all_habits(self) -> dict[str, Habits]:
        import numpy as np

        from character_pipeline.attribute_fusion.bayesian import Habits

        return {
            key: Habits(
                row.sources, np.array(row.prior), np.array(row.silent), np.array(row.mute), np.array(row.weight)
            )
            for key, row in self.habits.items()
        }

    def all_stacks(self) -> dict[str, Stack]:
        import numpy as np

        from character_pipeline.attribute_fusion.ensemble import Stack

        return {key: Stack(row.sources, np.array(row.weights), row.offset) for key, row in self.stacks.items()}

    def save(self, path: Path) -> None:
        """As JSON; the same weights give the same bytes. Raises ConfigError where it cannot be written."""
        try:
            path.write_text(self.model_dump_json(indent=1, exclude_defaults=True) + "\n", encoding="utf-8")
        except OSError as error:
            raise ConfigError(f"the fusion weights cannot be written to {path}: {error}") from error


def _digest(weights: Weights) -> str:
    return sha256(weights.model_dump_json().encode()).hexdigest()[:16]


def load_weights(path: Path = DEFAULT) -> Weights:
    """Read and check a file that anybody may have written. Raises ConfigError that says what is wrong with it."""
    try:
        return Weights.model_validate_json(_read(path))
    except (OSError, ValueError) as error:
        what = error.errors()[0]["msg"] if isinstance(error, ValidationError) else error
        remedy = "make them with `charpipe train calibration`, or leave out attribute_fusion.weights"
        raise ConfigError(f"the fusion weights cannot be read: {path}: {what}. To mend it: {remedy}") from error


def _read(path: Path) -> bytes:
    """Raises OSError or ValueError; a pipe or a device, which may have no end, is not read."""
    if not path.is_file():
        raise ValueError("there is no such file")
    with path.open("rb") as file:
        content = file.read(LARGEST + 1)
    if len(content) > LARGEST:
        raise ValueError(f"it is larger than fusion weights can be ({LARGEST:,} bytes)")
    return content


def fitting(weights: Weights, attributes: Mapping[str, Attribute]) -> Weights:
    """Without what was learned for attributes whose values are others by now."""
    same = {key for key, known in weights.values.items() if key in attributes and attributes[key].values == known}
    # Habits of a list say how often what is not true is left unsaid; those of a choice do not.
    habits = {key: row for key, row in weights.habits.items() if key in same and bool(row.mute) == attributes[key].many}
    return weights.model_copy(
        update={
            "habits": habits,
            "stacks": {key: row for key, row in weights.stacks.items() if key in same or key == "*"},
            "thresholds": {
                strategy: {
                    target: {key: least for key, least in own.items() if key in same} for target, own in targets.items()
                }
                for strategy, targets in weights.thresholds.items()
            },
        }
    )
