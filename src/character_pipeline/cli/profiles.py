"""`charpipe profiles`: what the pictures of a character have in common."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from character_pipeline.cli.common import DbArgument, JsonOption, console, find_database, open_store, shown, write_json

if TYPE_CHECKING:
    from character_pipeline.database.profiles import Profile
    from character_pipeline.database.store import Store

MOST_PROFILES, MOST_VALUES = 20, 4


class By(StrEnum):
    CHARACTER = "character"
    CLUSTER = "cluster"


def profiles(
    db: DbArgument,
    character: Annotated[str | None, typer.Option(help="Only this one: its tag, or what stands for a cluster.")] = None,
    by: Annotated[
        By, typer.Option(help="Whose pictures: of a named character, or of a cluster of copies.")
    ] = By.CHARACTER,
    limit: Annotated[int, typer.Option(min=1, help="At most so many, the largest first.")] = MOST_PROFILES,
    as_json: JsonOption = False,
) -> None:
    """Say what the pictures of each character agree on, by how many, and which are the odd ones out.

    A character is named by a tag such as alice_(wonderland). What was found is kept in the database.
    """
    from character_pipeline.database.profiles import read_profiles
    from character_pipeline.identity.profiles import make_profiles

    path = find_database(db)
    with open_store(path):  # it must be there: a writable one would be made
        pass
    with open_store(path, writable=True) as store:
        total = len(make_profiles(store, by.value))
        chosen = list(read_profiles(store.db, _form(character, by)))[:limit]
        rows = [profile_row(store, profile) for profile in chosen]
    if as_json:
        write_json(rows)
        return
    for row in rows:
        _print(row)
    what = "characters are named, by tags such as alice_(wonderland)" if by is By.CHARACTER else "clusters"
    typer.echo(f"{len(rows):,} of {total:,} {what}", err=True)


def _form(character: str | None, by: By) -> str | None:
    from character_pipeline.vocabulary.tag_form import tag_form

    return character if character is None or by is By.CLUSTER else tag_form(character)


def profile_row(store: Store, profile: Profile) -> dict[str, Any]:
    """A profile as JSON."""
    from character_pipeline.identity.profiles import consensus, find_items

    return {
        "name": profile.name,
        "items": profile.items,
        "attributes": {
            one.label: {
                "support": one.support,
                "spread": one.spread,
                "values": dict(one.values),
                "odd": [
                    {"value": value, "count": count, "items": find_items(store, profile.name, one.attribute, value)}
                    for value, count in one.odd
                ],
            }
            for one in consensus(profile, store.vocabulary)
        },
    }


def _print(row: dict[str, Any]) -> None:
    from rich.table import Table

    screen = console()
    screen.print(f"[bold]{shown(row['name'])}[/] {row['items']:,} items", highlight=False)
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("attribute", "support", "values", "spread", "odd ones out"):
        table.add_column(column, overflow="fold")
    for label, one in row["attributes"].items():
        values = ", ".join(f"{shown(value)} {count:,}" for value, count in list(one["values"].items())[:MOST_VALUES])
        odd = "; ".join(_odd(told, one["support"]) for told in one["odd"])
        table.add_row(label, f"{one['support']:,}", values, f"{one['spread']:.2f}", odd)
    screen.print(table)


def _odd(told: dict[str, Any], support: int) -> str:
    return f"{shown(told['value'])} in {told['count']:,} of {support:,} ({', '.join(map(shown, told['items']))})"
