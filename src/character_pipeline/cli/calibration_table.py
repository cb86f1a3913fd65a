"""The tables of `charpipe train calibration`."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from rich.table import Table

from character_pipeline.cli.common import console, shown

if TYPE_CHECKING:
    from character_pipeline.evaluation.reliability import Reliability
    from character_pipeline.training.fusion.recipe import Learned
    from character_pipeline.vocabulary import Vocabulary

NUMBERS = ("log loss", "", "Brier", "", "ECE", "", "95 % interval")


def print_learned(learned: Learned, vocabulary: Vocabulary) -> None:
    """The scores of single claims by attribute, before and after; and those of what each strategy says."""
    labels = {key: attribute.label for key, attribute in vocabulary.attributes.items()}
    table = _table("attribute", "curves", "claims", *NUMBERS)
    for key, after in learned.after.items():
        if after.answers:
            table.add_row(labels.get(key, key), _curves(learned, key), *_row(learned.before[key], after))
    console().print(table)
    screen = console()
    screen.print(
        "of each: as sources give it, then calibrated; on characters that were not learned from, cross-validated\n"
    )
    table = _table("strategy", "said", "right", "log loss", "Brier", "ECE", "95 % interval", "risk-coverage area")
    for name, found in learned.answers.items():
        table.add_row(name, *_said(found["all"]))
    screen.print(table)


def _table(first: str, *columns: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column(first)
    for column in columns:
        table.add_column(column, justify="left" if column == "curves" else "right")
    return table


def _curves(learned: Learned, key: str) -> str:
    from character_pipeline.training.fusion.recipe import kind_of

    found = {source: kind_of(own[key]) for source, own in learned.weights.curves.items() if key in own}
    return shown(", ".join(f"{source} {kind}" for source, kind in sorted(found.items()))) or "-"


def _row(before: Reliability, after: Reliability) -> list[str]:
    pairs = [
        (before.log_loss, after.log_loss),
        (before.brier, after.brier),
        (before.calibration, after.calibration),
    ]
    numbers = [_number(one) for pair in pairs for one in pair]
    return [f"{after.answers:,}", *numbers, _interval(after)]


def _said(found: Reliability) -> list[str]:
    numbers = (found.log_loss, found.brier, found.calibration)
    right = "-" if math.isnan(found.right) else f"{found.right:.1%}"
    return [f"{found.answers:,}", right, *map(_number, numbers), _interval(found), _number(found.area)]


def _interval(found: Reliability) -> str:
    low, high = found.interval
    return "-" if math.isnan(low) else f"{low:.3f} - {high:.3f}"


def _number(number: float) -> str:
    return "-" if math.isnan(number) else f"{number:.3f}"
