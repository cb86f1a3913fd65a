"""Adopted policies, version by version, so that one can go back to the one before."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from character_pipeline.database.connection import Connection, find_place
from character_pipeline.database.store import Store
from character_pipeline.errors import ConfigError, ModelError, StoreError
from character_pipeline.rl_optimizer.policy import MOST_BYTES, Policy, load_policy

COLUMNS = "id, adopted, digest, labels, gate, current"


@dataclass(frozen=True, slots=True)
class Version:
    """An adopted policy.

    Attributes:
        adopted: when, in seconds since 1970.
        labels: how many it was trained on; None where its file does not say.
        gate: what the gate found; empty where its file does not say.
        current: whether it decides.
    """

    number: int
    adopted: float
    digest: str
    labels: int | None
    gate: Mapping[str, Any]
    current: bool


def adopt(store: Store, path: Path) -> Version:
    """Check a file, keep it as a new version and let it decide; one that is kept already decides again.

    Raises ModelError where the file is broken, ConfigError where the gate did not adopt the policy.
    """
    raw = path.read_bytes() if path.is_file() and path.stat().st_size <= MOST_BYTES else b""
    policy = _check(raw) if raw else load_policy(path)
    notes = policy.about.provenance
    if notes.get("instead"):
        raise ConfigError(f"{path}: the gate did not adopt this policy: '{notes['instead']}' was as good or better")
    labels = notes.get("labels") if isinstance(notes.get("labels"), int) else None
    row = (time.time(), policy.digest, labels, json.dumps(notes.get("gate") or {}), raw)
    with store.lock(), store.transaction() as db:
        known = db.execute("SELECT id FROM policies WHERE digest = ?", (policy.digest,)).fetchone()
        insert = "INSERT INTO policies(adopted, digest, labels, gate, file, current) VALUES (?, ?, ?, ?, ?, 0)"
        _make_current(db, known[0] if known else db.execute(f"{insert} RETURNING id", row).fetchone()[0])
    return next(one for one in versions(store) if one.current)


def roll_back(store: Store) -> Version | None:
    """Let the version before the current one decide; None: there is none before it, and that of the package decides.

    Raises ConfigError where none is current.
    """
    with store.lock(), store.transaction() as db:
        found = list(versions(store))
        current = next((one for one in found if one.current), None)
        if current is None:
            raise ConfigError("no adopted policy decides: there is nothing to go back from")
        before = next((one for one in reversed(found) if one.number < current.number), None)
        _make_current(db, before.number if before else None)
    return before


def versions(store: Store) -> Iterator[Version]:
    """All that were adopted, oldest first."""
    if store.db.execute("SELECT 1 FROM sqlite_master WHERE name = 'policies'").fetchone() is None:
        return  # opened for reading, and written before there were any
    for number, adopted, digest, labels, gate, current in store.db.execute(
        f"SELECT {COLUMNS} FROM policies ORDER BY id"
    ):
        yield Version(number, adopted, digest, labels, json.loads(gate), bool(current))


def current_policy(address: str | Path) -> Policy | None:
    """The policy that decides in a database, read and checked as from a file; None where there is none.

    Raises ModelError where it is damaged.
    """
    raw = current_file(address)
    return None if raw is None else _check(raw)


def current_file(address: str | Path) -> bytes | None:
    """The same as the file that it came from, as it is."""
    query = "SELECT file FROM policies WHERE current = 1 AND length(file) <= ?"
    try:
        with closing(find_place(address).connect()) as db:
            row = db.execute(query, (MOST_BYTES,)).fetchone()
    except (sqlite3.Error, StoreError):  # written before there were any, or no database: who opens it says so
        return None
    return None if row is None else bytes(row[0])


def _check(raw: bytes) -> Policy:
    with TemporaryDirectory() as folder:
        file = Path(folder) / "policy.safetensors"
        file.write_bytes(raw)
        try:
            return load_policy(file)
        except ModelError as error:
            raise ModelError(f"an adopted policy is broken: {str(error).replace(f'{file}', 'its file')}") from error


def _make_current(db: Connection, number: int | None) -> None:
    db.execute("UPDATE policies SET current = CASE WHEN id = ? THEN 1 ELSE 0 END", (number,))
