"""The tables of `charpipe evaluate`."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from character_pipeline.cli.common import console, shown

if TYPE_CHECKING:
    from rich.table import Table

    from character_pipeline.evaluation.scores import ListScore, Score, Scores
    from character_pipeline.evaluation.truth import Report

NAMES = {"text": "text alone", "picture": "picture alone", "fused": "together", "majority": "most frequent"}
"""What the sources are called in tables."""


def _table(columns: Sequence[str], words: int = 1) -> Table:
    """A table whose first columns hold words, the rest numbers."""
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    for place, column in enumerate(columns):
        table.add_column(column, justify="left" if place < words else "right")
    return table


def _share(share: float) -> str:
    return "-" if math.isnan(share) else f"{share:.1%}"


def _between(interval: tuple[float, float]) -> str:
    return "-" if math.isnan(interval[0]) else f"{interval[0]:.1%} - {interval[1]:.1%}"


def print_report(report: Report, faults: int) -> None:
    """What the text states and the record has, misses, or has wrongly."""
    from character_pipeline.evaluation.metrics import wilson

    table = _table(("attribute", "stated", "found", "95 % interval", "missed", "wrong", "precision"))
    for label, tally in [*report.tallies.items(), ("all", report.total)]:
        interval = wilson(tally.right, tally.stated)
        found = [_share(tally.recall), _between(interval)]
        numbers = [f"{tally.missed:,}", f"{tally.wrong:,}", _share(tally.precision)]
        table.add_row(label, f"{tally.stated:,}", *found, *numbers)
    screen = console()
    screen.print(table)
    screen.print(
        f"\n{report.items:,} items, {report.absent:,} not in the database; people right in {report.people_right:,}"
    )
    for fault in report.faults[:faults]:
        screen.print(f"  {shown(fault)}")


def print_sources(scores: Scores) -> None:
    """Every attribute by source: text alone, pictures alone, together, and always the most frequent value."""
    screen = console()
    screen.print(f"{scores.items:,} items\n")
    for table in (_single_table(scores.single), _many_table(scores.many), _people_table(scores)):
        if table.row_count:
            screen.print(table)
            screen.print()


def _single_table(scores: Sequence[Score]) -> Table:
    columns = ("one value", "source", "items", "right", "95 % interval", "answered", "of these", "macro F1", "ECE")
    table = _table(columns, 2)
    label = ""
    for s in scores:
        calibration = "-" if s.source == "majority" or math.isnan(s.calibration) else f"{s.calibration:.3f}"
        shares = [_share(s.accuracy), _between(s.interval), _share(s.coverage), _share(s.selective)]
        first = s.label if s.label != label else ""
        table.add_row(first, NAMES[s.source], f"{s.items:,}", *shares, _share(s.macro_f1), calibration)
        label = s.label
    return table


def _many_table(scores: Sequence[ListScore]) -> Table:
    columns = ("many values", "source", "true", "F1", "95 % interval", "precision", "recall", "macro F1")
    table = _table(columns, 2)
    label = ""
    for s in scores:
        shares = [_share(s.f1), _between(s.interval), _share(s.precision), _share(s.recall), _share(s.macro_f1)]
        table.add_row(s.label if s.label != label else "", NAMES[s.source], f"{s.true:,}", *shares)
        label = s.label
    return table


def _people_table(scores: Scores) -> Table:
    from character_pipeline.data import PEOPLE

    table = _table(("people", "source", *(f"said {said}" for said in PEOPLE)), 2)
    for source, confusion in scores.people.items():
        for true, said in confusion.items():
            table.add_row(f"truly {shown(true)}", NAMES[source], *(f"{said[value]:,}" for value in PEOPLE))
    return table


def print_styles(scores: Mapping[str, Scores]) -> None:
    """The accuracy (F1 where there are many values) of every attribute and source, style by style."""
    table = _table(("attribute", "source", *(shown(style or "no style") for style in scores)), 2)
    found = {name: _main(part) for name, part in scores.items()}
    for label, source in found["all"]:
        shares = [_share(part.get((label, source), math.nan)) for part in found.values()]
        table.add_row(label if source == "text" else "", NAMES[source], *shares)
    table.add_row("items", "", *(f"{part.items:,}" for part in scores.values()))
    console().print(table)


def _main(scores: Scores) -> dict[tuple[str, str], float]:
    single = {(s.label, s.source): s.accuracy for s in scores.single}
    return single | {(s.label, s.source): s.f1 for s in scores.many}
