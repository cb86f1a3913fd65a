"""`charpipe sample`: draw a labelled data set."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def sample(  # noqa: PLR0913, PLR0917
    out: Annotated[Path, typer.Argument(help="The folder to write: pictures, .txt sidecars, truth.jsonl.")],
    count: Annotated[int, typer.Option(help="How many pictures.")] = 100,
    noise: Annotated[
        str, typer.Option(help="What goes wrong with tags and pictures: none, light, heavy or mixed.")
    ] = "none",
    style: Annotated[
        list[str] | None, typer.Option(help="Draw in this style only; give it again for more styles. Default: all.")
    ] = None,
    seed: Annotated[int, typer.Option(help="The same seed draws the same data set.")] = 0,
    size: Annotated[int, typer.Option(help="Pixels of the longer side.")] = 512,
    image_format: Annotated[
        list[str] | None, typer.Option("--format", help="png, jpg or webp; give it again for a mix. Default: all.")
    ] = None,
    sidecars: Annotated[
        str, typer.Option(help="tags, or mixed: a few pictures without a sidecar or with plain English.")
    ] = "tags",
) -> None:
    """Draw labelled characters with natural tags, as a data set to try things on."""
    from rich.console import Console
    from rich.progress import Progress

    from character_pipeline.sample import FORMATS, write_samples

    formats = image_format or tuple(FORMATS)
    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("drawing", total=count)
        write_samples(
            out,
            count,
            seed,
            noise,
            style,
            size,
            lambda done: bar.update(task, completed=done),
            formats=formats,
            sidecars=sidecars,
        )
