"""`charpipe plan`: what a whole run will take."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from character_pipeline.cli.common import ConfigOption, JsonOption, console, write_json

if TYPE_CHECKING:
    from character_pipeline.planning import Estimate, Plan

ADVICE = {
    "decoding": "pictures are decoded most of the time: make them smaller once, as JPEG, or add processors",
    "models": "the model takes most of the time: a GPU (extra clip) or 8-bit weights are faster",
    "reading": "reading takes most of the time: tar shards or Parquet on a local disk are faster than many small files",
    "writing": "one process writes the database: fewer workers do as well",
    "texts and claims": "texts take most of the time: only more processors help",
    "deciding": "deciding takes most of the time: a simpler attribute_fusion.fusion_strategy is faster",
}


def plan(  # noqa: PLR0913, PLR0917 - the options of the command
    dataset: Annotated[str, typer.Argument(help="As for charpipe extract.", show_default=False)],
    sample: Annotated[int, typer.Option(min=1, help="How many items are measured.")] = 200,
    cores: Annotated[int, typer.Option(min=0, help="Also plan for machines with so many processors.")] = 0,
    machines: Annotated[int, typer.Option(min=1, help="How many of them.")] = 1,
    pictures_per_second: Annotated[
        float | None, typer.Option(min=0.001, help="What a GPU of each reads; without it their processors read.")
    ] = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Measure a sample, and say how long the whole takes here and elsewhere, what bounds it, and the disk it needs."""
    from character_pipeline.config import load_config
    from character_pipeline.models.machine import count_cores
    from character_pipeline.pipeline import create_pipeline
    from character_pipeline.planning import Hardware, plan_run

    elsewhere = cores or machines > 1 or pictures_per_second
    asked = [Hardware(cores or count_cores(), machines, pictures_per_second)] if elsewhere else []
    found = plan_run(create_pipeline, load_config(config), dataset, sample, asked)
    if as_json:
        write_json(found.to_json())
    else:
        _print(found)


def _print(found: Plan) -> None:
    from character_pipeline.planning import duration_text

    screen = console()
    screen.print(
        f"{found.items:,} items, listed in {duration_text(found.listing)}; measured: {found.sample:,}"
        + (f", of which {found.failed:,} failed" if found.failed else ""),
        highlight=False,
    )
    for name, cost in sorted(found.costs.items(), key=lambda pair: -pair[1]):
        screen.print(f"  {name:<17} {cost * 1000:9.3f} ms of a processor an item", highlight=False)
    for estimate in found.estimates:
        screen.print(f"{_where(estimate)}: {duration_text(estimate.seconds)} ({_parts(estimate)})", highlight=False)
    free = "unknown" if found.free is None else f"{found.free / 2**30:,.1f} GiB"
    screen.print(f"database: {found.disk / 2**30:,.1f} GiB; free there: {free}", highlight=False)
    if found.free is not None and found.disk > found.free:
        screen.print("[yellow]that does not fit:[/] choose another output")
    screen.print(ADVICE[max(found.costs, key=lambda name: found.costs[name])], highlight=False)


def _where(estimate: Estimate) -> str:
    hardware = estimate.hardware
    gpu = f" and a GPU of {hardware.pictures_per_second:,.0f} pictures/s" if hardware.pictures_per_second else ""
    many = f"{hardware.machines:,} machines with " if hardware.machines > 1 else ""
    return f"{many}{hardware.cores:,} processors{gpu}"


def _parts(estimate: Estimate) -> str:
    from character_pipeline.planning import duration_text

    parts = sorted(estimate.parts.items(), key=lambda pair: -pair[1])
    return "side by side: " + ", ".join(f"{name} {duration_text(value)}" for name, value in parts)
