"""`charpipe`: puts the commands together and turns errors into one line and an exit code."""

from __future__ import annotations

import io
import sqlite3
import sys

import typer

from character_pipeline import __version__
from character_pipeline.cli import (
    bench,
    compare,
    dedupe,
    diff,
    errors,
    evaluate,
    export,
    export_onnx,
    extract,
    feedback,
    keys,
    plan,
    policies,
    profiles,
    query,
    redecide,
    review,
    sample,
    serve,
    show,
    stats,
    train,
    work,
)
from character_pipeline.cli.common import printable
from character_pipeline.errors import CharpipeError, ConfigError

app = typer.Typer(
    name="charpipe",
    help="Clean, structured, trustworthy attributes from character pictures and messy tags.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.command("extract")(extract.extract)
app.command("show")(show.show)
app.command("query")(query.query)
app.command("stats")(stats.stats)
app.command("plan")(plan.plan)
app.command("work")(work.work)
app.command("index")(work.index)
app.command("redecide")(redecide.redecide)
app.command("diff")(diff.diff)
app.command("dedupe")(dedupe.dedupe)
app.command("profiles")(profiles.profiles)
app.command("errors")(errors.errors)
app.command("export")(export.export)
app.command("export-onnx")(export_onnx.export_onnx)
app.command("evaluate")(evaluate.evaluate)
app.command("review")(review.review)
app.command("compare")(compare.compare)
app.command("feedback")(feedback.feedback)
app.command("bench")(bench.bench)
app.command("sample")(sample.sample)
app.command("serve")(serve.serve)
app.add_typer(keys.app, name="keys")
app.add_typer(train.app, name="train")
app.add_typer(policies.app, name="policies")


@app.callback(invoke_without_command=True)
def root(version: bool = typer.Option(False, "--version", help="Show the version and exit.")) -> None:
    if version:
        typer.echo(__version__)
        raise typer.Exit


def run() -> None:
    """The entry point. Exit codes: 0 done, 1 the run itself failed, 2 wrong usage, 130 stopped with Ctrl-C."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a terminal that cannot show a sign shows its number
    try:
        app()
    except ConfigError as error:
        sys.exit(_complain(error, 2))
    except CharpipeError as error:
        sys.exit(_complain(error, 1))
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(1)
    except (OSError, sqlite3.Error) as error:  # a full disk, an output that is no folder, a damaged database
        sys.exit(_complain(error, 1))


def _complain(error: Exception, code: int) -> int:
    lines = "\n".join(printable(line) for line in str(error).split("\n"))
    typer.echo(f"charpipe: {lines}", err=True)
    return code
