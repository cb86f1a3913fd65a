"""What several commands share."""

from __future__ import annotations

import json
import sys
import unicodedata
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from rich.console import Console

    from character_pipeline.database.store import Store

DATABASE = "character_attributes.db"

DbArgument = Annotated[
    str, typer.Argument(help="The database, or the output folder it is in; or postgresql://...", show_default=False)
]
WhereOption = Annotated[
    str | None, typer.Option(help="attribute=value, several with commas: hair_color=Black,status=ok")
]
ConfigOption = Annotated[Path | None, typer.Option(help="Settings: a .toml, .yaml or .json file.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Write JSON to stdout.")]


def find_database(place: str) -> str:
    """The database, given itself or the folder it is in."""
    return str(Path(place) / DATABASE) if Path(place).is_dir() else place


def folder_of(place: str) -> Path:
    """Where files that belong to a database are written, unless told. Raises ConfigError where it is on a server."""
    from character_pipeline.config import is_server, without_password
    from character_pipeline.errors import ConfigError

    if is_server(place):
        raise ConfigError(f"{without_password(place)} is on a server: name a folder to write to with --output")
    return Path(find_database(place)).parent


@contextmanager
def open_store(place: str, writable: bool = False) -> Iterator[Store]:
    """An existing database, by default for reading, with the vocabulary that its last run used."""
    from character_pipeline.database.store import Store

    store = Store(find_database(place), writable=writable)
    try:
        yield store
    finally:
        store.close()


def tell_delivered(place: str) -> None:
    """Say on stderr that shards lie beside the database which are not in it. Nothing is written: machines that do
    others may be reading the database as a file that does not change."""
    from character_pipeline.config import is_server
    from character_pipeline.database.shard_files import ShardFiles
    from character_pipeline.runs.jobs import SHARED

    database = Path(find_database(place))
    shards = database.parent / SHARED
    if is_server(place) or not database.is_file() or not shards.is_dir():
        return
    if waiting := len(ShardFiles(str(shards)).finished()):
        told = f"{waiting:,} delivered shards are not in the database yet"
        typer.echo(f"{told}: when no charpipe work runs any more, charpipe index {place} takes them", err=True)


UNSEEN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
"""The Unicode categories of signs that steer a terminal, turn the direction of writing, or cannot be written."""


def printable(text: str, escaped: Callable[[str], str] = lambda sign: sign.encode("unicode_escape").decode()) -> str:
    """Text from outside as it may be shown: what cannot be seen is written as an escape."""
    if text.isprintable():
        return text
    return "".join(escaped(sign) if unicodedata.category(sign) in UNSEEN else sign for sign in text)


def shown(text: str) -> str:
    """Text from outside as rich markup: nothing in it is markup, and nothing steers the terminal."""
    from rich.markup import escape

    return escape(printable(text))


def write_json(data: Any, indent: int | None = 2) -> None:
    """Write JSON to stdout. Signs that cannot be seen are escaped, which does not change what the JSON says."""
    unicode = (sys.stdout.encoding or "").lower().startswith("utf")
    text = json.dumps(data, ensure_ascii=not unicode, indent=indent)
    typer.echo("\n".join(printable(line, lambda sign: json.dumps(sign)[1:-1]) for line in text.split("\n")))


def console() -> Console:
    """Where tables go: stdout; wide enough for them when it is no terminal."""
    from rich.console import Console

    plain = Console()
    return plain if plain.is_terminal else Console(width=120)


def state_text(state: str, values: tuple[str, ...]) -> str:
    """A value, or the state in its stead, as rich markup with the values escaped."""
    if state == "known":
        return shown(", ".join(values))
    colour = {"conflicting": "yellow"}.get(state, "dim")
    return f"[{colour}]{state.replace('_', ' ')}[/]"


def confidence_text(confidence: float) -> str:
    return f"{confidence:.2f}"
