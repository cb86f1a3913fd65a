"""What `charpipe extract` says at its end."""

from __future__ import annotations

import shlex
import shutil
import sys
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from character_pipeline.cli.common import confidence_text, console, shown, state_text

if TYPE_CHECKING:
    from rich.table import Table

    from character_pipeline.pipeline import CharacterPipeline
    from character_pipeline.runs.run import RunSummary

SHOWN = 12
WIDEST = 12
"""Signs of a value that are shown, so that the table fits most screens."""
COLUMNS = ("Gender", "Age", "Hair Color", "Hair Length", "Hair Style", "Eye Color", "Dress")


def print_report(pipeline: CharacterPipeline, output: Path, summary: RunSummary, exports: dict[str, str]) -> None:
    """Counts, a table of the first records, where everything is, and what to do next."""
    from character_pipeline.cli.extract import database_argument, database_name
    from character_pipeline.cli.progress import failures_text

    screen, given = console(), shlex.quote(database_argument(pipeline, output))
    if not summary.listed:
        screen.print("[yellow]nothing found:[/] no pictures, no texts, no archives, no tables, no rows")
        return
    screen.print(_results_table(pipeline))
    counts = ", ".join(f"{count:,} {status}" for status, count in summary.statuses.most_common())
    screen.print(
        f"\n{summary.processed:,} items in {summary.seconds['run']:.1f} s ({summary.items_per_second:,.0f}/s)"
        + (f": {counts}" if counts else "")
        + (f"; {summary.skipped:,} done before" if summary.skipped else "")
    )
    if note := textless_text(summary):
        screen.print(f"[yellow]without text:[/] {note}")
    for line in picture_lines(summary):
        screen.print(shown(line), highlight=False, soft_wrap=True)
    if summary.kinds:
        advice = f"{failures_text(summary)}. See: charpipe errors {given}"
        screen.print(f"[yellow]problems:[/] {shown(advice)}", soft_wrap=True)
    if summary.state == "interrupted":
        left = summary.todo - summary.processed
        screen.print(f"[yellow]stopped[/] with {left:,} items left: run the same command to go on")
        return
    screen.print()
    for kind, path in {"database": database_name(pipeline), **exports}.items():
        screen.print(f"{kind:<9} {shown(path)}", highlight=False, soft_wrap=True)
    screen.print("\nnext:")
    for command in (
        f"show {_example(pipeline)} --db {given}",
        f"query {given} --where 'hair_color=Black,gender=Female'",
        f"stats {given}",
    ):
        screen.print(f"  {shown(_program())} {shown(command)}", highlight=False, soft_wrap=True)


def textless_text(summary: RunSummary) -> str:
    """How many items came without a text, and what that means for them."""
    textless, counts = summary.counts["textless"], summary.counts
    if not textless:
        return ""
    seen = counts["pictures_read"] or counts["pictures_cached"]
    return f"{textless:,}; " + (
        "described from the picture alone" if seen else "nobody read a picture: these stay unknown"
    )


def picture_lines(summary: RunSummary) -> list[str]:
    """How many pictures were read, by whom, and what they added to the texts."""
    counts = summary.counts
    read, cached = counts["pictures_read"], counts["pictures_cached"]
    if not read and not cached:
        return []
    rate = f" ({read / summary.seconds['run']:,.1f}/s)" if read else ""
    speakers = f"; by {'; '.join(summary.speakers.values())}" if summary.speakers else ""
    texts, pictures = counts["text_values"], counts["picture_values"]
    spared = f", {counts['pictures_spared']:,} not worth their cost" if counts["pictures_spared"] else ""
    missed = counts["pictures_missed"]
    return [
        f"pictures: {read:,} read{rate}, {cached:,} taken from the cache{spared}{speakers}",
        f"values: {texts:,} that texts say, {pictures:,} that only pictures say",
        *([f"{missed:,} pictures were never read by all readers: charpipe extract reads them"] if missed else []),
    ]


def _program() -> str:
    """How this program was called, so that the commands work as they are shown."""
    name = Path(sys.argv[0])
    return "charpipe" if name.name != "charpipe" or shutil.which("charpipe") else shlex.quote(str(name))


def _results_table(pipeline: CharacterPipeline) -> Table:
    from rich.table import Table

    from character_pipeline.results import Results

    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("item", overflow="ellipsis", no_wrap=True)
    table.add_column("status", no_wrap=True)
    table.add_column("conf.", no_wrap=True, min_width=5)
    for column in COLUMNS:
        table.add_column(column, overflow="ellipsis", no_wrap=True, max_width=None if column == COLUMNS[-1] else WIDEST)
    results = Results(pipeline.store)
    for result in islice(results, SHOWN):
        record = result.attributes
        cells = [record.attributes[label] for label in COLUMNS if label in record.attributes]
        described = [state_text(c.state, c.values[:1]) if c.state != "unknown" else "[dim]·[/]" for c in cells]
        table.add_row(shown(result.item_id), record.status, confidence_text(record.confidence), *described)
    more = len(results) - SHOWN
    if more > 0:
        table.add_row(f"[dim]… {more:,} more[/]")
    return table


def _example(pipeline: CharacterPipeline) -> str:
    from character_pipeline.results import Results

    names = (result.item_id for result in islice(Results(pipeline.store), SHOWN) if result.success)
    plain = (name for name in names if name.isprintable() and not name.startswith("-"))
    return shlex.quote(next(plain, "ITEM"))
