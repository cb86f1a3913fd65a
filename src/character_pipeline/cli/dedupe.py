"""`charpipe dedupe`: the pictures that are copies of each other."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from character_pipeline.cli.common import (
    DbArgument,
    JsonOption,
    console,
    find_database,
    folder_of,
    open_store,
    shown,
    write_json,
)

if TYPE_CHECKING:
    from character_pipeline.identity.duplicates import Duplicates

MOST_CLUSTERS, MOST_MEMBERS = 10, 5
FILE = "duplicates.jsonl"


def dedupe(
    db: DbArgument,
    threshold: Annotated[
        float | None,
        typer.Option(min=0.5, max=1, help="Pictures that are so much alike are copies.", show_default="0.98"),
    ] = None,
    exact: Annotated[bool, typer.Option("--exact", help="Only files with the same content.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Find pictures that are copies of each other: the same file, encoded again, resized, cut a little, mirrored.

    Works on what extract kept, and opens no picture. Afterwards --where duplicate=no lists and exports each picture
    once; which copy stands for the others is written to duplicates.jsonl beside the database.
    """
    from character_pipeline.database.export import write_lines
    from character_pipeline.database.identity import clusters
    from character_pipeline.identity.duplicates import THRESHOLD, find_duplicates

    folder, path = folder_of(db), find_database(db)
    with open_store(path):  # it must be there: a writable one would be made
        pass
    with open_store(path, writable=True) as store:
        found = find_duplicates(store, THRESHOLD if threshold is None else threshold, exact)
        shown_clusters = [cluster_row(members) for members in clusters(store)]
    write_lines(folder / FILE, shown_clusters)
    if as_json:
        write_json({**asdict(found), "groups": shown_clusters})
    else:
        _print(found, shown_clusters)
        typer.echo(f"{folder / FILE}: {len(shown_clusters):,} clusters", err=True)


def cluster_row(members: list[tuple[str, float]]) -> dict[str, Any]:
    """A line of the file: what stands for the cluster, and its copies with their likeness to that."""
    (kept, _), *copies = members
    return {"item_id": kept, "copies": [{"item_id": item_id, "likeness": likeness} for item_id, likeness in copies]}


def _print(found: Duplicates, rows: list[dict[str, Any]]) -> None:
    from rich.table import Table

    screen = console()
    unread = f"; {found.unread:,} have no hash: of these, only the same content is found" if found.unread else ""
    screen.print(
        f"{found.pictures:,} pictures: {found.copies:,} copies in {found.clusters:,} clusters, "
        f"{found.exact:,} of them with the same content{unread}",
        highlight=False,
    )
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("kept", "copies"):
        table.add_column(column, overflow="fold")
    for row in rows[:MOST_CLUSTERS]:
        table.add_row(shown(row["item_id"]), _copies(row["copies"]))
    if rows:
        screen.print(table)


def _copies(copies: list[dict[str, Any]]) -> str:
    named = [f"{shown(one['item_id'])} {one['likeness']:.2f}" for one in copies[:MOST_MEMBERS]]
    more = len(copies) - MOST_MEMBERS
    return ", ".join(named) + (f", … {more:,} more" if more > 0 else "")
