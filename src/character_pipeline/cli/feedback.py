"""`charpipe feedback`: write down what is true of an item."""

from __future__ import annotations

from typing import Annotated

import typer

from character_pipeline.cli.common import DbArgument, JsonOption, open_store, shown, write_json
from character_pipeline.errors import ConfigError


def feedback(
    db: DbArgument,
    item: Annotated[str | None, typer.Argument(help="The item; without it, all feedback is listed.")] = None,
    true: Annotated[
        list[str] | None,
        typer.Option(
            "--set", help="attribute=value; with + between the values of a list, nothing for none. Repeatable."
        ),
    ] = None,
    author: Annotated[str, typer.Option(help="Who says so.")] = "",
    undo: Annotated[bool, typer.Option("--undo", help="Take back the newest statement.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Say what is true of an item, for calibration and policy to learn from; or list what was said.

    For instance: charpipe feedback DB 0001.png --set 'hair_color=Red' --set 'accessories=Hat+Glasses' --set 'scars='
    """
    from character_pipeline.database.feedback import all_feedback, give_feedback, undo_feedback

    with open_store(db, writable=bool(true) or undo) as store:
        if undo:
            back = undo_feedback(store)
            what = "nothing to take back" if back is None else f"taken back: {shown(back.item_id)}: {back.label}"
            typer.echo(what, err=True)
            return
        if item is not None and not true:
            raise ConfigError("say what is true: --set 'hair_color=Red'")
        for pair in true or ():
            name, _, values = pair.partition("=")
            if item is not None:
                give_feedback(store, item, name, [value for value in values.split("+") if value.strip()], author)
        if item is not None:
            typer.echo(f"{len(true or ())} written down", err=True)
            return
        for one in all_feedback(store):
            if as_json:
                write_json({"item_id": one.item_id, "attribute": one.label, "values": list(one.values)}, indent=None)
            else:
                typer.echo(f"{shown(one.item_id)}: {one.label}: {', '.join(one.values) or 'none'}")
