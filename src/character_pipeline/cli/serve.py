"""`charpipe serve`: REST service and web UI."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from character_pipeline.cli.common import ConfigOption

if TYPE_CHECKING:
    from character_pipeline.config import PipelineConfig


def serve(  # noqa: PLR0913, PLR0917 - the options of the command
    db: Annotated[str | None, typer.Option(help="The database, or the folder it is in; or postgresql://...")] = None,
    output: Annotated[Path, typer.Option(help="The folder of the database, as for extract.")] = Path("charpipe-output"),
    host: Annotated[str | None, typer.Option(help="The address to listen on: 127.0.0.1; 0.0.0.0 for all.")] = None,
    port: Annotated[int | None, typer.Option(min=0, max=65535, help="The port; 0: any that is free.")] = None,
    config: ConfigOption = None,
    ui: Annotated[bool, typer.Option("--ui/--no-ui", help="Web pages beside REST.")] = True,
    log_json: Annotated[bool, typer.Option("--log-json", help="Write the log as JSON.")] = False,
) -> None:
    """Serve the pipeline: REST at /v1, what can be asked at /docs, numbers at /metrics, web pages at /.

    Beyond this machine (--host 0.0.0.0) it asks for an API key: charpipe keys add NAME.
    """
    from character_pipeline.errors import MissingExtraError

    settings = serve_settings(config, output, db, {"host": host, "port": port})
    try:
        from character_pipeline.web import serve as server
    except ImportError as error:
        raise MissingExtraError("charpipe serve", "web") from error
    server.serve(settings, ui=ui, log_json=log_json)


def serve_settings(
    path: Path | None, output: Path, db: str | None, given: dict[str, str | int | None]
) -> PipelineConfig:
    """The configuration of the file, with what the command line says on top."""
    from character_pipeline.cli.common import find_database
    from character_pipeline.cli.extract import settings
    from character_pipeline.config import is_server

    found = settings(path, output, 0)
    place = found.database.db_path if db is None else find_database(db)
    serve = {name: value for name, value in given.items() if value is not None}
    if is_server(place) and found.serve.spool_path is None:
        serve["spool_path"] = str((output / "batches").absolute())
    return found.model_copy(
        update={
            "database": found.database.model_copy(update={"db_path": place}),
            "serve": found.serve.model_copy(update=serve),
        }
    )
