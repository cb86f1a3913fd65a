"""What the service writes to stderr: a line an event, as text or as JSON. Nothing of a request steers a terminal."""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime
from typing import Any


class JsonLines(logging.Formatter):
    """An object a line."""

    def format(self, record: logging.LogRecord) -> str:
        return json.dumps({**_about(record), **getattr(record, "about", {})})


class TextLines(logging.Formatter):
    """A line to read; what is not plain text is escaped."""

    def format(self, record: logging.LogRecord) -> str:
        time = datetime.fromtimestamp(record.created).strftime("%H:%M:%S")
        about = " ".join(f"{name}={value}" for name, value in getattr(record, "about", {}).items())
        line = json.dumps(f"{record.levelname.lower()}: {record.getMessage()} {about}".rstrip())[1:-1]
        trace = f"\n{self.formatException(record.exc_info)}" if record.exc_info else ""
        return f"{time} {line}{trace}"


def _about(record: logging.LogRecord) -> dict[str, Any]:
    time = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
    about = {"time": time, "level": record.levelname.lower(), "logger": record.name, "message": record.getMessage()}
    if record.exc_info:
        about["trace"] = logging.Formatter().formatException(record.exc_info)
    return about


def set_up_logs(as_json: bool) -> None:
    """Everything of this program and of its server goes to stderr, from level INFO."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines() if as_json else TextLines())
    for name in ("character_pipeline", "uvicorn"):
        logger = logging.getLogger(name)
        logger.handlers = [handler]
        logger.setLevel(logging.INFO)
        logger.propagate = False
