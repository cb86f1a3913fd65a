from __future__ import annotations

import json
import logging

from character_pipeline.web.logs import JsonLines, TextLines

ABOUT = {"path": "/v1/\n12:00:00 error: made up\x1b[31m", "status": 404}


def make_record() -> logging.LogRecord:
    record = logging.LogRecord("character_pipeline.requests", logging.INFO, "", 0, "request", (), None)
    record.about = ABOUT
    return record


def test_a_line_of_json_an_event() -> None:
    line = JsonLines().format(make_record())
    assert "\n" not in line
    assert json.loads(line).items() >= {"level": "info", "message": "request", **ABOUT}.items()


def test_nothing_of_a_request_makes_lines_of_its_own() -> None:
    line = TextLines().format(make_record())
    assert line.isprintable()
    assert "status=404" in line
