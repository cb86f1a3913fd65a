"""`charpipe train`: make models."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True, help="Train models.")


@app.command("embedded")
def embedded(  # noqa: PLR0913, PLR0917 - options of a command
    avatars: Annotated[
        list[Path] | None,
        typer.Option(help="An archive of labelled pictures, NAME.png with NAME.json; each is a style. Repeatable."),
    ] = None,
    drawn: Annotated[int, typer.Option(min=0, help="How many pictures to draw.")] = 12_000,
    passes: Annotated[int, typer.Option(min=1, help="Passes over all pictures.")] = 10,
    seed: Annotated[int, typer.Option(help="The same seed gives the same model.")] = 0,
    leave_out: Annotated[list[str] | None, typer.Option(help="A style to test on only. Repeatable.")] = None,
    work: Annotated[Path, typer.Option(help="Keeps the state after each pass; a stopped training goes on.")] = Path(
        "charpipe-training"
    ),
    output: Annotated[
        Path | None, typer.Option(help="Where to write the model; without it, it is only tested.")
    ] = None,
    workers: Annotated[int, typer.Option(min=1, help="Processes that draw.")] = 1,
) -> None:
    """Train the small model that ships with the package, and report how right it is on styles seen and unseen."""
    from character_pipeline.cli.training_report import print_scores
    from character_pipeline.training.embedded import Settings
    from character_pipeline.training.recipe import Recipe, train_embedded
    from character_pipeline.vocabulary import load_vocabulary

    recipe = Recipe(
        archives=tuple(avatars or ()),
        drawn=drawn,
        work=work,
        leave_out=tuple(leave_out or ()),
        settings=Settings(passes=passes, seed=seed),
        workers=workers,
    )
    report = train_embedded(recipe, load_vocabulary(), output, partial(typer.echo, err=True))
    print_scores(report["scores"])


@app.command("head-finder")
def head_finder(
    output: Annotated[Path, typer.Option(help="The ONNX file to write.")],
    drawn: Annotated[int, typer.Option(min=500, help="How many pictures to draw.")] = 16_000,
    passes: Annotated[int, typer.Option(min=1, help="Passes over all pictures.")] = 10,
    seed: Annotated[int, typer.Option(help="The same seed gives the same finder.")] = 0,
    workers: Annotated[int, typer.Option(min=1, help="Processes that draw.")] = 1,
) -> None:
    """Train the small network that finds the head in a picture, and report how near it comes in styles seen and not."""
    from character_pipeline.training.heads import make_head_finder, print_nearness

    typer.echo(print_nearness(make_head_finder(drawn, passes, seed, workers, output, partial(typer.echo, err=True))))
