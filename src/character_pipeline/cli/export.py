"""`charpipe export`: records out of a database."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from character_pipeline.cli.common import DbArgument, WhereOption, folder_of, open_store, tell_delivered


def export(
    db: DbArgument,
    output: Annotated[Path | None, typer.Option(help="Folder to write to; by default that of the database.")] = None,
    formats: Annotated[
        str, typer.Option("--format", help="parquet, jsonl, csv, dataset (a folder of Parquet files): one or more.")
    ] = "parquet,jsonl",
    where: WhereOption = None,
    min_confidence: Annotated[
        float, typer.Option(min=0, max=1, help="Least confidence of the attributes asked for, or of the record.")
    ] = 0.0,
) -> None:
    """Write records to Parquet, JSONL or CSV, with their JSON Schema beside them. Quarantined items are left out."""
    from character_pipeline.database.export import export as write
    from character_pipeline.database.export import export_path, write_schema
    from character_pipeline.database.queries import parse_filter

    folder = output or folder_of(db)
    tell_delivered(db)
    with open_store(db) as store:
        found = parse_filter(store, where, min_confidence)
        for kind in (part.strip().lower() for part in formats.split(",") if part.strip()):
            path = export_path(folder, kind)
            count = write(store, kind, path, found)
            typer.echo(f"{path}: {count:,} records")
        write_schema(store.vocabulary, folder / "schema.json")
