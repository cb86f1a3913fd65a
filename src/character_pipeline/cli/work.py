"""`charpipe work` and `charpipe index`: a run on machines that share a disk, without a cluster."""

from __future__ import annotations

import re
from typing import Annotated

import typer

from character_pipeline.cli.common import DbArgument, open_store

SharedOption = Annotated[str | None, typer.Option(help="Where shards are delivered, if not beside the database.")]


def work(
    db: DbArgument,
    part: Annotated[str, typer.Option(help="Which part of how many, such as 3/16: 0/16 is the first.")] = "0/1",
    shared: SharedOption = None,
) -> None:
    """Do one part of what charpipe extract --inventory-only has planned, and deliver it for charpipe index.

    Parts may run at the same time, on any machine that sees the data set and the database, which they only read. A part
    that was killed goes on when it is started again.
    """
    from character_pipeline.pipeline import create_pipeline
    from character_pipeline.runs.jobs import planned_run

    place, parts = _part(part)
    with open_store(db) as store:
        config = planned_run(store).config
        database = config.database.model_copy(update={"db_path": store.address})
    shards = items = 0
    with create_pipeline(config.model_copy(update={"database": database})) as pipeline:
        for done in pipeline.work(place, parts, shared):
            shards, items = shards + 1, items + done
            typer.echo(f"part {place}/{parts}: {items:,} items in {shards:,} shards", err=True)
    typer.echo(f"part {place}/{parts} is done: {items:,} items in {shards:,} shards")


def index(db: DbArgument, shared: SharedOption = None) -> None:
    """Write what the parts have delivered into the database. Wait until none runs any more: they read it as a file
    that does not change."""
    from character_pipeline.database.ledger import Ledger
    from character_pipeline.runs.jobs import index_delivered

    with open_store(db, writable=True) as store, store.lock():
        items = sum(index_delivered(store, shared))
        left = len(Ledger(store).pending_shards())
    typer.echo(f"{items:,} items written" + (f"; {left:,} shards are not done yet" if left else "; nothing is left"))


def _part(text: str) -> tuple[int, int]:
    from character_pipeline.errors import ConfigError

    found = re.fullmatch(r"(\d+)/(\d+)", text)
    if found is None or not int(found[1]) < int(found[2]):
        raise ConfigError(f"--part is written K/N, with K from 0 to N - 1; given: {text}")
    return int(found[1]), int(found[2])
