"""What several commands share."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from rich.console import Console

    from character_pipeline.database.store import Store

DATABASE = "character_attributes.db"

DbArgument = Annotated[Path, typer.Argument(help="The database, or the output folder it is in.", show_default=False)]
WhereOption = Annotated[
    str | None, typer.Option(help="attribute=value, several with commas: hair_color=Black,status=ok")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Write JSON to stdout.")]


def find_database(path: Path) -> Path:
    """The database file, given itself or the folder it is in."""
    return path / DATABASE if path.is_dir() else path


@contextmanager
def open_store(path: Path) -> Iterator[Store]:
    """An existing database, for reading, with the vocabulary that its last run used."""
    from character_pipeline.database.store import Store
    from character_pipeline.vocabulary import load_vocabulary

    store = Store(find_database(path), load_vocabulary(), writable=False)
    try:
        yield store
    finally:
        store.close()


def write_json(data: Any) -> None:
    typer.echo(json.dumps(data, ensure_ascii=False, indent=2))


def console() -> Console:
    """Where tables go: stdout; wide enough for them when it is no terminal."""
    from rich.console import Console

    plain = Console()
    return plain if plain.is_terminal else Console(width=120)


def state_text(state: str, values: tuple[str, ...]) -> str:
    """A value, or the state in its stead, as rich markup with the values escaped."""
    from rich.markup import escape

    if state == "known":
        return escape(", ".join(values))
    colour = {"conflicting": "yellow"}.get(state, "dim")
    return f"[{colour}]{state.replace('_', ' ')}[/]"


def confidence_text(confidence: float) -> str:
    return f"{confidence:.2f}"
