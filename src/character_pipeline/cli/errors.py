"""`charpipe errors`: what went wrong, how often, and what to do."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from character_pipeline.cli.common import DbArgument, JsonOption, console, open_store, shown, write_json


def errors(
    db: DbArgument,
    examples: Annotated[int, typer.Option(min=0, help="Items shown of each kind.")] = 3,
    as_json: JsonOption = False,
) -> None:
    """List the errors by kind, with examples and what to do about them."""
    from character_pipeline.database.queries import list_errors

    with open_store(db) as store:
        groups = list_errors(store, examples)
    if as_json:
        write_json([asdict(group) for group in groups])
        return
    screen = console()
    if not groups:
        screen.print("no errors")
    for group in groups:
        again = "tried again by the next run" if group.passing else "tried again with --retry-failed"
        screen.print(f"[yellow]{group.kind}[/] {group.count:,} ({again}): {group.advice}")
        for item_id, message in group.examples:
            screen.print(f"  {shown(item_id)}: [dim]{shown(message)}[/]", soft_wrap=True)
