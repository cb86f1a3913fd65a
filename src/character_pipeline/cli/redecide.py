"""`charpipe redecide`: a finished run decided anew, as another version beside it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from character_pipeline.cli.common import ConfigOption, JsonOption, find_database, folder_of

VERSIONS = "versions"


def redecide(  # noqa: PLR0913, PLR0917 - the options of the command
    database: Annotated[str, typer.Argument(help="The finished run: its database, or the folder it is in.")],
    output: Annotated[
        Path | None, typer.Option(help="Folder of the new version; without it, one under OLD/versions.")
    ] = None,
    config: ConfigOption = None,
    workers: Annotated[int, typer.Option(min=0, help="Processes; 0 chooses.")] = 0,
    formats: Annotated[str, typer.Option("--format", help="parquet, jsonl, csv, or none.")] = "parquet,jsonl",
    quiet: Annotated[bool, typer.Option(help="No progress.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Decide a finished run again with another vocabulary, calibration, policy or strategy, and open no picture.

    The new version is a database of its own; the old one stays as it is. charpipe diff OLD NEW says what changed.
    """
    from character_pipeline.cli.extract import finish, parse_formats, settings
    from character_pipeline.cli.progress import choose_progress
    from character_pipeline.pipeline import create_pipeline

    kinds, old = parse_formats(formats), find_database(database)
    place = output or _place(folder_of(database), config)
    with create_pipeline(settings(config, place, workers)) as pipeline:
        summary = pipeline.redecide(old, progress=choose_progress(quiet))
        finish(pipeline, place, summary, kinds, quiet, as_json)


def _place(folder: Path, config: Path | None) -> Path:
    """A folder named by what decides: the same settings go on where they stopped, others get another."""
    from character_pipeline.config import load_config
    from character_pipeline.pipeline import build_stages

    return folder / VERSIONS / build_stages(load_config(config)).fingerprint
