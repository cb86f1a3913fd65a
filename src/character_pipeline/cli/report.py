"""What `charpipe extract` says at its end."""

from __future__ import annotations

from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from character_pipeline.cli.common import DATABASE, confidence_text, console, state_text

if TYPE_CHECKING:
    from rich.table import Table

    from character_pipeline.pipeline import CharacterPipeline
    from character_pipeline.runs.run import RunSummary

SHOWN = 12
COLUMNS = ("Gender", "Age", "Hair Color", "Hair Length", "Hair Style", "Eye Color", "Dress")


def print_report(pipeline: CharacterPipeline, output: Path, summary: RunSummary, exports: dict[str, str]) -> None:
    """Counts, a table of the first records, where everything is, and what to do next."""
    from character_pipeline.cli.progress import failures_text

    screen = console()
    screen.print(_results_table(pipeline))
    counts = ", ".join(f"{count:,} {status}" for status, count in summary.statuses.most_common())
    screen.print(
        f"\n{summary.processed:,} items in {summary.seconds['run']:.1f} s ({summary.items_per_second:,.0f}/s)"
        + (f": {counts}" if counts else "")
        + (f"; {summary.skipped:,} done before" if summary.skipped else "")
    )
    if summary.kinds:
        screen.print(f"[yellow]problems:[/] {failures_text(summary)}. See: charpipe errors {output}")
    if summary.state == "interrupted":
        left = summary.todo - summary.processed
        screen.print(f"[yellow]stopped[/] with {left:,} items left: run the same command to go on")
        return
    screen.print(f"\ndatabase  {output / DATABASE}")
    for kind, path in exports.items():
        screen.print(f"{kind:<9} {path}")
    screen.print("\nnext:")
    for command in (
        f"charpipe show {_example(pipeline)} --db {output}",
        f"charpipe query {output} --where 'hair_color=Black,gender=Female'",
        f"charpipe stats {output}",
    ):
        screen.print(f"  {command}", markup=False, highlight=False, soft_wrap=True)


def _results_table(pipeline: CharacterPipeline) -> Table:
    from rich.markup import escape
    from rich.table import Table

    from character_pipeline.pipeline import Results

    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("item", "status", *COLUMNS, "conf."):
        table.add_column(column, overflow="ellipsis", no_wrap=True)
    results = Results(pipeline.store)
    for result in islice(results, SHOWN):
        record = result.attributes
        cells = [record.attributes[label] for label in COLUMNS if label in record.attributes]
        described = [state_text(c.state, c.values[:1]) if c.state != "unknown" else "[dim]·[/]" for c in cells]
        table.add_row(escape(result.item_id), record.status, *described, confidence_text(record.confidence))
    more = len(results) - SHOWN
    if more > 0:
        table.add_row(f"[dim]… {more:,} more[/]")
    return table


def _example(pipeline: CharacterPipeline) -> str:
    import shlex

    from character_pipeline.pipeline import Results

    first = next(iter(Results(pipeline.store)), None)
    return shlex.quote(first.item_id) if first else "ITEM"
