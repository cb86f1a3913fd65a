"""`charpipe evaluate`: a database against the truth."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from character_pipeline.cli.common import DbArgument, JsonOption, console, open_store, shown, write_json

if TYPE_CHECKING:
    from character_pipeline.evaluation.truth import Report


def evaluate(
    db: DbArgument,
    truth: Annotated[Path, typer.Option(help="A truth.jsonl, as charpipe sample writes it.")],
    faults: Annotated[int, typer.Option(min=0, help="Show so many of the faults.")] = 10,
    as_json: JsonOption = False,
) -> None:
    """Compare the records with the truth, attribute by attribute: what is stated and found, missed, or wrong."""
    from character_pipeline.evaluation.truth import compare

    with open_store(db) as store:
        report = compare(store, truth)
    if as_json:
        write_json({**asdict(report), "total": asdict(report.total)})
    else:
        _print(report, faults)


def _print(report: Report, faults: int) -> None:
    from rich.table import Table

    from character_pipeline.evaluation.truth import wilson

    screen = console()
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("attribute", "stated", "found", "95 % interval", "missed", "wrong", "precision"):
        table.add_column(column, justify="left" if column == "attribute" else "right")
    for label, tally in [*report.tallies.items(), ("all", report.total)]:
        low, high = wilson(tally.right, tally.stated)
        found = [f"{tally.recall:.1%}", f"{low:.1%} - {high:.1%}"] if tally.stated else ["-", "-"]
        precision = f"{tally.precision:.1%}" if tally.right + tally.beyond + tally.wrong else "-"
        table.add_row(label, f"{tally.stated:,}", *found, f"{tally.missed:,}", f"{tally.wrong:,}", precision)
    screen.print(table)
    screen.print(
        f"\n{report.items:,} items, {report.absent:,} not in the database; people right in {report.people_right:,}"
    )
    for fault in report.faults[:faults]:
        screen.print(f"  {shown(fault)}")
