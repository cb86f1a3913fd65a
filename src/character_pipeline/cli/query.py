"""`charpipe query`: the records that a filter lets through."""

from __future__ import annotations

from typing import Annotated

import typer

from character_pipeline.cli.common import DbArgument, JsonOption, WhereOption, console, open_store, shown, write_json


def query(
    db: DbArgument,
    where: WhereOption = None,
    min_confidence: Annotated[
        float, typer.Option(min=0, max=1, help="Least confidence of the attributes asked for, or of the record.")
    ] = 0.0,
    text: Annotated[
        str | None, typer.Option(help="Words of the tags or the text: 'blue_eyes school* -hat'; * for how one begins.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many records.")] = 20,
    as_json: JsonOption = False,
) -> None:
    """List records by their attributes, for instance --where 'hair_color=Black,gender=Female'.

    A value may also be a state: eye_color=not_visible. With --json, one flat record a line. --text makes an index
    beside the database when it is first used, and keeps it up to date.
    """
    from character_pipeline.cli.progress import ShareLog
    from character_pipeline.database.export import flat_row
    from character_pipeline.database.queries import count_results, find_results, parse_filter
    from character_pipeline.database.search import add_text

    with open_store(db) as store:
        found = parse_filter(store, where, min_confidence)
        if text is not None:
            add_text(store, found, text, ShareLog("indexing texts"))
        rows = [flat_row(result) for result in find_results(store, found, limit)]
        total = len(rows) if len(rows) < limit else count_results(store, found)
    if as_json:
        for row in rows:
            write_json(row, indent=None)
        return
    _print(rows)
    typer.echo(f"{len(rows):,} of {total:,} records", err=True)


def _print(rows: list[dict[str, object]]) -> None:
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("item", "status", "conf.", "attributes"):
        table.add_column(column, overflow="fold")
    for row in rows:
        rest = {name: value for name, value in row.items() if name not in {"item_id", "status", "people"}}
        confidence = rest.pop("Confidence Score")
        said = ", ".join(f"{k}: {', '.join(v) if isinstance(v, list) else v}" for k, v in rest.items())
        table.add_row(shown(str(row["item_id"])), str(row["status"]), f"{confidence:.2f}", shown(said))
    console().print(table)
