"""How fast records were written: items and seconds of work in each minute of each run, kept beside the records."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass

from character_pipeline.database.connection import Connection

MINUTE = 60
COLUMNS = ("run", "minute", "items", "seconds")


@dataclass(frozen=True, slots=True)
class Pace:
    """What was written in one minute of a run.

    Attributes:
        minute: when it began, in seconds since 1970.
        seconds: by part of the work, summed over workers and threads.
    """

    run: int
    minute: int
    items: int
    seconds: Mapping[str, float]


def add_pace(db: Connection, run: object, items: int, seconds: Mapping[str, float]) -> None:
    """Count what is written now, inside a transaction of the caller."""
    minute = int(time.time()) // MINUTE * MINUTE
    row = db.execute("SELECT items, seconds FROM pace WHERE run = ? AND minute = ?", (run, minute)).fetchone()
    before, spent = (0, {}) if row is None else (row[0], json.loads(row[1]))
    for part, more in seconds.items():
        spent[part] = round(spent.get(part, 0.0) + more, 4)
    db.put("pace", COLUMNS, [(run, minute, before + items, json.dumps(spent))], keys=2)


def read_pace(db: Connection, most: int = 1_440) -> list[Pace]:
    """The newest minutes in which something was written, the oldest first."""
    query = "SELECT run, minute, items, seconds FROM pace ORDER BY run DESC, minute DESC LIMIT ?"
    rows = db.execute(query, (most,)).fetchall()
    return [Pace(run, minute, items, json.loads(seconds)) for run, minute, items, seconds in reversed(rows)]
