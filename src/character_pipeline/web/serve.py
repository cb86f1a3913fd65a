"""The server process: a socket, the application, and a clean end."""

from __future__ import annotations

import logging
import os
import socket
from contextlib import closing, suppress

import uvicorn

from character_pipeline.config import PipelineConfig, ServeConfig
from character_pipeline.database.api_keys import list_keys
from character_pipeline.errors import ConfigError
from character_pipeline.web.access import needs_key
from character_pipeline.web.app import create_app
from character_pipeline.web.logs import set_up_logs
from character_pipeline.web.service import Service

log = logging.getLogger("character_pipeline")
GRACE_SECONDS = 5
"""How long requests may go on after Ctrl-C."""


def serve(config: PipelineConfig, *, ui: bool = True, log_json: bool = False) -> None:
    """Serve until Ctrl-C or SIGTERM. A batch that runs then goes on when the service starts again.

    Raises ConfigError where the address cannot be listened on, and as `create_app` does.
    """
    # Nothing is told to anybody: gradio would report that it was started, and look for fonts and newer versions.
    os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
    set_up_logs(log_json)
    with closing(listen(config.serve)) as listener:
        app = create_app(config, ui=ui)
        _announce(app.state.service, listener)
        server = uvicorn.Server(
            uvicorn.Config(
                app,
                log_config=None,
                access_log=False,
                server_header=False,
                timeout_graceful_shutdown=GRACE_SECONDS,
            )
        )
        with suppress(KeyboardInterrupt):
            server.run(sockets=[listener])


def listen(config: ServeConfig) -> socket.socket:
    """A socket at the address of the settings. Raises ConfigError where it cannot be had."""
    family = socket.AF_INET6 if ":" in config.host else socket.AF_INET
    try:
        listener = socket.create_server((config.host.strip("[]"), config.port), family=family, backlog=2048)
        # Connections inherit it. Without it, the end of an answer waits 40 ms for the client to confirm its beginning.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return listener
    except OSError as error:
        told = f"{config.host}:{config.port} cannot be listened on: {error.strerror or error}"
        raise ConfigError(f"{told}. Choose another --host or --port") from error


def _announce(service: Service, listener: socket.socket) -> None:
    host, port = listener.getsockname()[:2]
    log.info("listening on http://%s:%s, what can be asked is at /docs", f"[{host}]" if ":" in host else host, port)
    if not needs_key(service.config.serve):
        return
    with service.reading() as store:
        if not list_keys(store):
            log.warning("an API key is needed, and there is none: charpipe keys add NAME --db %s", store.name)
