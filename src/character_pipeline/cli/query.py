"""`charpipe query`: the records that a filter lets through."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from character_pipeline.cli.common import (
    DbArgument,
    JsonOption,
    WhereOption,
    console,
    open_store,
    shown,
    tell_delivered,
    write_json,
)

if TYPE_CHECKING:
    from character_pipeline.database.queries import Filter
    from character_pipeline.database.store import Store

ALIKE = "Similarity"


def query(  # noqa: PLR0913, PLR0917
    db: DbArgument,
    where: WhereOption = None,
    min_confidence: Annotated[
        float, typer.Option(min=0, max=1, help="Least confidence of the attributes asked for, or of the record.")
    ] = 0.0,
    text: Annotated[
        str | None, typer.Option(help="Words of the tags or the text: 'blue_eyes school* -hat'; * for how one begins.")
    ] = None,
    like: Annotated[str | None, typer.Option(help="Pictures like that of this item, the most alike first.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many records.")] = 20,
    as_json: JsonOption = False,
) -> None:
    """List records by their attributes, for instance --where 'hair_color=Black,gender=Female'.

    A value may also be a state: eye_color=not_visible. With --json, one flat record a line. --text makes an index
    beside the database when it is first used, and keeps it up to date; so does --like, by what the model saw.
    """
    from character_pipeline.cli.progress import ShareLog
    from character_pipeline.database.export import flat_row
    from character_pipeline.database.queries import count_results, find_results, parse_filter
    from character_pipeline.database.search import add_text

    tell_delivered(db)
    with open_store(db) as store:
        found = parse_filter(store, where, min_confidence)
        if text is not None:
            add_text(store, found, text, ShareLog("indexing texts"))
        rows = (
            _alike(store, like, limit, found)
            if like is not None
            else [flat_row(result) for result in find_results(store, found, limit)]
        )
        total = len(rows) if like is not None or len(rows) < limit else count_results(store, found)
    if as_json:
        for row in rows:
            write_json(row, indent=None)
        return
    _print(rows)
    typer.echo(f"{len(rows):,} of {total:,} records", err=True)


def _alike(store: Store, item_id: str, limit: int, found: Filter) -> list[dict[str, object]]:
    from character_pipeline.cli.progress import ShareLog
    from character_pipeline.database.export import flat_row
    from character_pipeline.database.queries import get_result
    from character_pipeline.identity.neighbours import similar

    pairs = similar(store, item_id, limit, found, ShareLog("indexing pictures"))
    results = ((get_result(store, other), alike) for other, alike in pairs)
    return [{**flat_row(result), ALIKE: alike} for result, alike in results if result is not None]


def _print(rows: list[dict[str, object]]) -> None:
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    alike = [ALIKE.lower()] if any(ALIKE in row for row in rows) else []
    for column in ("item", "status", "conf.", *alike, "attributes"):
        table.add_column(column, overflow="fold")
    for row in rows:
        rest = {name: value for name, value in row.items() if name not in {"item_id", "status", "people"}}
        confidence = rest.pop("Confidence Score")
        alike = [f"{rest.pop(ALIKE):.2f}"] if ALIKE in rest else []
        said = ", ".join(f"{k}: {', '.join(v) if isinstance(v, list) else v}" for k, v in rest.items())
        table.add_row(shown(str(row["item_id"])), str(row["status"]), f"{confidence:.2f}", *alike, shown(said))
    console().print(table)
