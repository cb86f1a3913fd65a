"""`charpipe extract`: the main job."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from character_pipeline.cli.common import DATABASE, JsonOption, write_json

if TYPE_CHECKING:
    from character_pipeline.config import PipelineConfig
    from character_pipeline.pipeline import CharacterPipeline
    from character_pipeline.runs.engine import Engine
    from character_pipeline.runs.run import RunSummary

ENGINES = ("local", "ray")


def extract(  # noqa: PLR0913, PLR0917 - the options of the command
    dataset: Annotated[
        list[str],
        typer.Argument(help="Folder, tar, Parquet, Arrow, JSONL, CSV, picture, text file, shard pattern or URL."),
    ],
    output: Annotated[Path, typer.Option(help="Folder for the database and the exports.")] = Path("charpipe-output"),
    limit: Annotated[int | None, typer.Option(min=1, help="Only the first N items.")] = None,
    engine: Annotated[str, typer.Option(help="Where the work is done: local, or ray.")] = "local",
    address: Annotated[str | None, typer.Option(help="Of a Ray cluster: auto, host:port; without it one here.")] = None,
    gpus: Annotated[float, typer.Option(min=0, help="With ray: the share of a GPU that each worker gets.")] = 0.0,
    shared: Annotated[str | None, typer.Option(help="Folder or URL that all machines of the cluster see.")] = None,
    inventory_only: Annotated[bool, typer.Option(help="List the items, and leave the work to charpipe work.")] = False,
    workers: Annotated[int, typer.Option(min=0, help="Processes; 0 chooses.")] = 0,
    formats: Annotated[str, typer.Option("--format", help="parquet, jsonl, csv, or none.")] = "parquet,jsonl",
    retry_failed: Annotated[bool, typer.Option(help="Also try again what failed for a lasting reason.")] = False,
    config: Annotated[Path | None, typer.Option(help="Settings: a .toml, .yaml or .json file.")] = None,
    dry_run: Annotated[bool, typer.Option(help="Say what would be done; write nothing.")] = False,
    quiet: Annotated[bool, typer.Option(help="No progress.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Describe every item of a data set: one row each, with values, states, confidences and evidence.

    Run it again to go on where it stopped: what is done is skipped, what changed is done again.
    """
    from character_pipeline.cli.progress import choose_progress
    from character_pipeline.pipeline import create_pipeline

    where = _engine(engine, address, gpus, shared)
    kinds = parse_formats(formats)
    with create_pipeline(settings(config, output, workers)) as pipeline:
        if dry_run:
            _dry_run(pipeline, dataset, limit, as_json)
            return
        signal.signal(signal.SIGTERM, signal.default_int_handler)  # a machine that is taken away says so like this
        summary = pipeline.run(
            [*dataset],
            limit,
            retry_failed=retry_failed,
            progress=choose_progress(quiet),
            engine=where,
            inventory_only=inventory_only,
        )
        if summary.state == "planned":
            _say_planned(summary, database_argument(pipeline, output))
            return
        finish(pipeline, output, summary, kinds, quiet, as_json)


def _engine(name: str, address: str | None, gpus: float, shared: str | None) -> Engine:
    from character_pipeline.errors import ConfigError, unknown_name
    from character_pipeline.runs.engine import LocalEngine
    from character_pipeline.runs.ray_engine import RayEngine

    if name not in ENGINES:
        raise ConfigError(unknown_name("engine", name, ENGINES))
    if name == "local" and (address or gpus or shared):
        raise ConfigError("--address, --gpus and --shared go with --engine ray")
    return LocalEngine() if name == "local" else RayEngine(address, gpus, shared=shared)


def _say_planned(summary: RunSummary, output: str) -> None:
    typer.echo(f"{summary.todo:,} items wait in {output}; on each machine that sees it, for parts 0 to N - 1:")
    typer.echo(f"  charpipe work {output} --part 0/N\nand when they are done:\n  charpipe index {output}")


def parse_formats(text: str) -> list[str]:
    from character_pipeline.database.export import WRITERS
    from character_pipeline.errors import ConfigError, unknown_name

    kinds = [part.strip().lower() for part in text.split(",") if part.strip() and part.strip() != "none"]
    for kind in kinds:
        if kind not in WRITERS:
            raise ConfigError(unknown_name("format", kind, [*WRITERS, "none"]))
    return kinds


def settings(path: Path | None, output: Path, workers: int) -> PipelineConfig:
    """The configuration of the file, with what the command line says on top."""
    from character_pipeline.config import is_server, load_config

    config = load_config(path)
    place = config.database.db_path
    database = config.database.model_copy(update={"db_path": place if is_server(place) else str(output / DATABASE)})
    run = config.run.model_copy(update={"workers": workers}) if workers else config.run
    return config.model_copy(update={"database": database, "run": run})


def _dry_run(pipeline: CharacterPipeline, datasets: list[str], limit: int | None, as_json: bool) -> None:
    from itertools import islice

    from character_pipeline.input_loader import open_source

    sources = [(uri, open_source(uri, pipeline.config.input_loader)) for uri in datasets]
    found = [
        {"dataset": uri, "kind": source.kind, "items": sum(1 for _ in islice(source.inventory(), limit))}
        for uri, source in sources
    ]
    plan = {"would_process": found, "config": pipeline.config.model_dump(), "fingerprint": pipeline.stages.fingerprint}
    if as_json:
        write_json(plan)
        return
    for row in found:
        typer.echo(f"{row['items']:>12,} items in {row['dataset']} ({row['kind']})")
    typer.echo(f"into {database_name(pipeline)}; nothing was written", err=True)


def database_name(pipeline: CharacterPipeline) -> str:
    from character_pipeline.config import without_password

    return without_password(pipeline.config.database.db_path)


def database_argument(pipeline: CharacterPipeline, output: Path) -> str:
    """What other commands are given to find the database."""
    from character_pipeline.config import is_server

    name = database_name(pipeline)
    return name if is_server(name) else str(output)


def finish(
    pipeline: CharacterPipeline, output: Path, summary: RunSummary, kinds: list[str], quiet: bool, as_json: bool
) -> None:
    """Write the exports, and say what was done. Ends the program where the run was stopped."""
    exports = {} if summary.state == "interrupted" else _export(pipeline, output, kinds, quiet)
    _report(pipeline, output, summary, exports, as_json)
    if summary.state == "interrupted":
        raise typer.Exit(130)


def _export(pipeline: CharacterPipeline, output: Path, kinds: list[str], quiet: bool) -> dict[str, str]:
    from character_pipeline.database.export import export, write_schema, write_whole

    paths = {kind: output / f"records.{kind}" for kind in kinds}
    for kind, path in paths.items():
        if not quiet:
            typer.echo(f"writing {path}", err=True)
        export(pipeline.store, kind, path)
    write_schema(pipeline.vocabulary, output / "schema.json")
    config = pipeline.config.model_dump_json(indent=2)
    write_whole(output / "config.json", config + "\n")
    return {kind: str(path) for kind, path in paths.items()}


def _report(
    pipeline: CharacterPipeline, output: Path, summary: RunSummary, exports: dict[str, str], as_json: bool
) -> None:
    import json

    from character_pipeline.database.export import write_whole

    data: dict[str, Any] = {**summary.to_json(), "database": database_name(pipeline), "exports": exports}
    write_whole(output / "stats.json", json.dumps(data, indent=2) + "\n")
    if as_json:
        write_json(data)
    else:
        from character_pipeline.cli.report import print_report

        print_report(pipeline, output, summary, exports)
