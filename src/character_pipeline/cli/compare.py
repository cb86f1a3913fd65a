"""`charpipe compare`: two ways of deciding beside each other."""

from __future__ import annotations

from dataclasses import asdict
from math import isnan
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from character_pipeline.cli.common import ConfigOption, JsonOption, console, find_database, shown, write_json
from character_pipeline.cli.evaluate import without_nan

if TYPE_CHECKING:
    from character_pipeline.evaluation.compare import Beside, Comparison, Judged

SideArgument = Annotated[
    str, typer.Argument(help="A strategy ('ensemble'), a policy (.safetensors) or settings (.toml, .yaml, .json).")
]
JUDGED = ("labelled", "A right", "B right", "B - A", "95 % interval", "p")


def compare(  # noqa: PLR0913, PLR0917 - the options of the command
    first: SideArgument,
    second: SideArgument,
    dataset: Annotated[str, typer.Argument(help="A finished run (nothing is opened then), or a data set.")],
    truth: Annotated[
        Path | None, typer.Option(help="A truth.jsonl; without it, the feedback in the database, where there is any.")
    ] = None,
    config: ConfigOption = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Only the first so many items of a data set.")] = None,
    differing: Annotated[int, typer.Option(min=0, help="Show so many of the items that differ most.")] = 10,
    quiet: Annotated[bool, typer.Option(help="No progress.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Let two strategies, policies or settings decide the same items, and say where they differ and which is right.

    With the truth, each attribute has the difference of the shares that are right, with its interval by character, and
    McNemar's exact test, corrected for the number of attributes. Nothing is written.
    """
    from character_pipeline.cli.progress import choose_progress
    from character_pipeline.evaluation.compare import compare_sides
    from character_pipeline.evaluation.sides import decided, read_truths

    place = find_database(dataset) if Path(find_database(dataset)).is_file() else dataset
    truths = read_truths(place, truth)
    with decided((first, second), place, config, limit, choose_progress(quiet)) as stores:
        found = compare_sides((first, second), stores, truths, differing)
    if as_json:
        write_json(without_nan(asdict(found)))
    else:
        _print(found)


def _print(found: Comparison) -> None:
    from rich.table import Table

    screen = console()
    screen.print(f"A: {shown(found.first)}, B: {shown(found.second)}", highlight=False)
    screen.print(f"{found.items:,} items, {found.labelled:,} of them labelled\n", highlight=False)
    table = Table(box=None, pad_edge=False, header_style="bold")
    columns = ("attribute", "same", "A says", "B says", "A sure", "B sure", *(JUDGED if found.together else ()))
    for column in columns:
        table.add_column(column)
    for one in found.attributes:
        table.add_row(*_row(one), *(_judged(one.judged) if found.together else ()))
    if found.together:
        table.add_row("all", *[""] * 5, *_judged(found.together))
    screen.print(table)
    for item in found.apart:
        said = "; ".join(f"{label}: {first} | {second}" for label, (first, second) in item.differences.items())
        screen.print(f"  {shown(item.item_id)}: [dim]{shown(said)}[/]", soft_wrap=True, highlight=False)


def _row(one: Beside) -> tuple[str, ...]:
    shares = (count / one.items for count in (one.same, one.first_known, one.second_known))
    sure = ("-" if isnan(number) else f"{number:.2f}" for number in (one.first_sure, one.second_sure))
    return one.attribute, *(f"{share:.1%}" for share in shares), *sure


def _judged(one: Judged | None) -> tuple[str, ...]:
    if one is None:
        return ("",) * len(JUDGED)
    low, high = one.interval
    apart = f"{one.difference:+.1%}", f"{low:+.1%} to {high:+.1%}"
    return f"{one.items:,}", f"{one.first:.1%}", f"{one.second:.1%}", *apart, _chance(one.corrected)


def _chance(chance: float | None) -> str:
    return "" if chance is None else "<0.001" if chance < 0.001 else f"{chance:.3f}"
