"""`charpipe keys`: who may use a service."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from character_pipeline.cli.common import DATABASE, JsonOption, find_database, open_store, printable, write_json
from character_pipeline.errors import ConfigError

app = typer.Typer(help="The API keys of a service.", no_args_is_help=True, rich_markup_mode=None)
Db = Annotated[str | None, typer.Option(help="The database, or the folder it is in; or postgresql://...")]
Output = Annotated[Path, typer.Option(help="The folder of the database, as for serve.")]
Name = Annotated[str, typer.Argument(help="Who it is for.")]
OUTPUT = Path("charpipe-output")


@app.command("add")
def add(name: Name, db: Db = None, output: Output = OUTPUT) -> None:
    """Make a key and write it to stdout. It is shown this one time: the database keeps only its hash."""
    from character_pipeline.database.api_keys import add_key

    place = _place(db, output)
    _make_database(place)
    with open_store(place, writable=True) as store:
        typer.echo(add_key(store, name))


@app.command("list")
def listed(db: Db = None, output: Output = OUTPUT, as_json: JsonOption = False) -> None:
    """List the names of the keys."""
    from character_pipeline.database.api_keys import list_keys

    with open_store(_place(db, output)) as store:
        known = list_keys(store)
    if as_json:
        write_json([{"name": one.name, "created": one.created} for one in known])
        return
    for one in known:
        typer.echo(f"{printable(one.name)}  since {datetime.fromtimestamp(one.created, UTC):%Y-%m-%d}")


@app.command("revoke")
def revoke(name: Name, db: Db = None, output: Output = OUTPUT) -> None:
    """Let a key be used no more. A service that runs notices within seconds."""
    from character_pipeline.database.api_keys import revoke_key

    with open_store(_place(db, output), writable=True) as store:
        if not revoke_key(store, name):
            raise ConfigError(f"there is no key '{name}' in {store.name}: charpipe keys list shows them")


def _place(db: str | None, output: Path) -> str:
    """The database that `charpipe serve` works on with the same options."""
    return str(output / DATABASE) if db is None else find_database(db)


def _make_database(place: str) -> None:
    """A service may be given its keys before it runs for the first time."""
    from character_pipeline.config import is_server
    from character_pipeline.database.store import Store
    from character_pipeline.vocabulary import load_vocabulary

    if not is_server(place) and not Path(place).exists():
        Store(place, load_vocabulary()).close()
