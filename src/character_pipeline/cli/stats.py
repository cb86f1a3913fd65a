"""`charpipe stats`: what is in a database."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from character_pipeline.cli.common import DbArgument, JsonOption, console, open_store, tell_delivered, write_json

if TYPE_CHECKING:
    from character_pipeline.database.store import Store

MOST_VALUES = 6


def stats(
    db: DbArgument,
    as_json: JsonOption = False,
    figures: Annotated[
        bool, typer.Option("--figures", help="As JSON: confidences, agreement of sources, calibration, throughput.")
    ] = False,
) -> None:
    """Count items by status, attributes by value, errors by kind."""
    from character_pipeline.database.queries import get_statistics

    tell_delivered(db)
    with open_store(db) as store:
        found = _figures(store) if figures else get_statistics(store)
    if as_json or figures:
        write_json(found)
    else:
        _print(found)


def _figures(store: Store) -> dict[str, Any]:
    from character_pipeline.evaluation.figures import all_figures

    return all_figures(store)


def _print(found: dict[str, Any]) -> None:
    from rich.table import Table

    screen = console()
    counts = ", ".join(f"{count:,} {status}" for status, count in found["by_status"].items() if count)
    screen.print(
        f"{found['items']:,} items: {counts}" + (f", {found['waiting']:,} waiting" if found["waiting"] else "")
    )
    screen.print(f"mean confidence {found['mean_confidence']:.2f}, {found['seconds_per_item'] * 1000:.2f} ms an item\n")
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("attribute", "known", "values"):
        table.add_column(column, overflow="fold")
    for label, counted in found["attributes"].items():
        values = {name: count for name, count in counted.items() if name[0].isupper()}
        shown = ", ".join(f"{name} {count:,}" for name, count in list(values.items())[:MOST_VALUES])
        more = len(values) - MOST_VALUES
        described = found["by_status"]["ok"] + found["by_status"]["partial"]
        states = sum(count for name, count in counted.items() if not name[0].isupper())
        known = f"{(described - states) / described:.0%}" if described else "-"
        table.add_row(label, known, shown + (f", … {more} more" if more > 0 else ""))
    screen.print(table)
    for kind, count in found["errors_by_kind"].items():
        screen.print(f"[yellow]{kind}[/] {count:,}")
