"""`charpipe bench`: how fast this machine is."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from character_pipeline.cli.common import write_json


def bench(
    items: Annotated[int, typer.Option(min=1, help="How many texts to make up and process.")] = 50_000,
    workers: Annotated[int, typer.Option(min=0, help="Processes; 0 chooses.")] = 0,
    folder: Annotated[Path | None, typer.Option(help="Where to put the temporary database.")] = None,
) -> None:
    """Measure text extraction end to end (read, parse, fuse, store with evidence) on made-up items."""
    from character_pipeline.pipeline import create_pipeline

    with create_pipeline({"run": {"workers": workers}}) as pipeline:
        write_json(pipeline.benchmark_performance(items, folder))
