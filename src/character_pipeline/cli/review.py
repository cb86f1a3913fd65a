"""`charpipe review`: what to say next, of which the pipeline would learn most."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from character_pipeline.cli.common import (
    DbArgument,
    JsonOption,
    console,
    open_store,
    printable,
    shown,
    state_text,
    write_json,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from character_pipeline.database.review import Question

MOST_CHANCES = 3
AttributeOption = Annotated[str | None, typer.Option(help="Ask about this attribute only.")]


def review(
    db: DbArgument,
    attribute: AttributeOption = None,
    limit: Annotated[int, typer.Option(min=1, max=500, help="At most so many questions.")] = 20,
    seed: Annotated[int, typer.Option(min=0, help="Another number looks at other items of a large database.")] = 0,
    as_json: JsonOption = False,
) -> None:
    """List the attributes of items of which a label would teach most: contradictions, disagreement, doubt.

    Answer with charpipe feedback DB ITEM --set 'attribute=value'; what is answered is not asked again.
    """
    from character_pipeline.config import without_password
    from character_pipeline.database.review import review_queue

    with open_store(db) as store:
        questions = review_queue(store, attribute, limit, seed)
    if as_json:
        for question in questions:
            write_json(question.to_json(), indent=None)
        return
    _print(questions)
    answer = f"charpipe feedback {printable(without_password(db))} ITEM --set 'attribute=value'"
    typer.echo(f"{len(questions):,} questions; to answer: {answer}", err=True)


def _print(questions: Sequence[Question]) -> None:
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("item", "attribute", "decided", "likeliest", "why"):
        table.add_column(column, overflow="fold")
    for one in questions:
        chances = ", ".join(f"{value} {p:.2f}" if p else value for value, p in one.chances[:MOST_CHANCES])
        decided = state_text(one.state, one.values)
        table.add_row(shown(one.item_id), shown(one.attribute), decided, shown(chances), one.reason)
    console().print(table)
