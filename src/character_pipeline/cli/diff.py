"""`charpipe diff`: what a newer version says differently."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from character_pipeline.cli.common import DbArgument, JsonOption, console, open_store, shown, write_json

if TYPE_CHECKING:
    from character_pipeline.database.diff import AttributeDiff, Difference, Move

MOST_MOVES = 3


def diff(
    old: DbArgument,
    new: DbArgument,
    attribute: Annotated[str | None, typer.Option(help="Only this attribute, with all its changes.")] = None,
    examples: Annotated[int, typer.Option(min=0, help="Items that are named for each change.")] = 3,
    as_json: JsonOption = False,
) -> None:
    """Say what a newer database says differently of the same items, attribute by attribute, with examples."""
    from character_pipeline.database.diff import compare_stores

    with open_store(old) as older, open_store(new) as newer:
        wanted = older.vocabulary.attribute(attribute).label if attribute else None
        found = compare_stores(older, newer, examples)
    if wanted:
        found.attributes = [one for one in found.attributes if one.label == wanted]
    if as_json:
        write_json(asdict(found))
    else:
        _print(found, None if wanted else MOST_MOVES)


def _print(found: Difference, most: int | None) -> None:
    from rich.table import Table

    screen = console()
    alone = [f"{count:,} only in the {name} one" for name, count in (("old", found.only_old), ("new", found.only_new))]
    screen.print(f"{found.compared:,} items in both, {', '.join(alone)}", highlight=False)
    for move in found.statuses:
        screen.print(f"status: {move.before} → {move.after} {move.count:,}", highlight=False)
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("attribute", "same", "new", "changed", "withdrawn", "what changed most"):
        table.add_column(column, overflow="fold")
    for one in found.attributes:
        if one.moves:
            table.add_row(*_row(one, most))
    screen.print(table if table.row_count else "no attribute differs")


def _row(one: AttributeDiff, most: int | None) -> tuple[str, ...]:
    counts = (one.same, one.gained, one.changed, one.lost)
    return one.label, *(f"{count:,}" for count in counts), "\n".join(map(_move, one.moves[:most]))


def _move(move: Move) -> str:
    named = f" ({', '.join(map(shown, move.examples))})" if move.examples else ""
    return f"{shown(move.before)} → {shown(move.after)} {move.count:,}{named}"
