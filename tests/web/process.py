"""A service in a process of its own, as users start it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread
from typing import Any

import httpx

READY_SECONDS = 60


@dataclass
class Server:
    """A running `charpipe serve`; `log` has what it wrote."""

    process: subprocess.Popen[str]
    log: list[dict[str, Any]] = field(default_factory=list)
    reader: Thread | None = None

    def read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.log.append(json.loads(line) if line.startswith("{") else {"message": line})

    @property
    def address(self) -> str:
        """Where it listens, as soon as it says so."""
        end = time.monotonic() + READY_SECONDS
        while time.monotonic() < end and self.process.poll() is None:
            for line in list(self.log):
                if line["message"].startswith("listening on"):
                    return str(line["message"].split()[2].rstrip(","))
            time.sleep(0.02)
        raise AssertionError(self.log)

    def client(self, **settings: Any) -> httpx.Client:
        return httpx.Client(base_url=self.address, timeout=30, trust_env=False, **settings)

    def wait_ready(self) -> float:
        """How long it took until it is."""
        start = time.monotonic()
        with self.client() as client:
            while time.monotonic() < start + READY_SECONDS:
                try:
                    if client.get("/readyz").status_code == 200:
                        return time.monotonic() - start
                except httpx.TransportError:
                    pass
                time.sleep(0.05)
        raise AssertionError(self.log)


@contextmanager
def serving(folder: Path, *options: str, settings: str = "", ui: bool = False) -> Iterator[Server]:
    """A server on a free port of this machine, with the embedded model; it is killed in the end."""
    config = folder / "settings.toml"
    config.write_text(f'[clip_analyzer]\nmodel_name = "embedded"\n{settings}')
    command = [sys.executable, "-m", "character_pipeline", "serve", "--port", "0", "--log-json", *options]
    command += ["--config", str(config), "--output", str(folder), *([] if ui else ["--no-ui"])]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment)
    server = Server(process)
    server.reader = Thread(target=server.read, daemon=True)
    server.reader.start()
    try:
        yield server
    finally:
        process.kill()
        process.wait()
        server.reader.join()
        assert process.stderr is not None
        process.stderr.close()
