"""Keys with which someone may use a service. The database holds only their hashes: a key is 256 random bits, which
nobody finds by trying, so a plain hash is enough."""

from __future__ import annotations

import hashlib
import secrets
import time
from dataclasses import dataclass

from character_pipeline.database.store import Store
from character_pipeline.errors import ConfigError

PREFIX = "charpipe_"
MOST_NAME = 100


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key as it is known: under whose name, and since when (seconds since 1970)."""

    name: str
    created: float


def add_key(store: Store, name: str) -> str:
    """A new key, which is shown this one time. Raises ConfigError where the name is taken."""
    if not name.strip() or len(name) > MOST_NAME or not name.isprintable():
        raise ConfigError(f"the name of a key has 1 to {MOST_NAME} signs that can be seen")
    key = PREFIX + secrets.token_urlsafe(32)
    insert = "INSERT INTO api_keys(name, digest, created) VALUES (?, ?, ?) ON CONFLICT(name) DO NOTHING"
    with store.transaction() as db:
        new = db.execute(insert, (name, digest_of(key), time.time())).rowcount
    if not new:
        raise ConfigError(f"there is a key '{name}' already: revoke it first, or choose another name")
    return key


def list_keys(store: Store) -> list[ApiKey]:
    return [ApiKey(*row) for row in store.db.execute("SELECT name, created FROM api_keys ORDER BY id")]


def revoke_key(store: Store, name: str) -> bool:
    """Whether there was such a key."""
    return store.db.execute("DELETE FROM api_keys WHERE name = ?", (name,)).rowcount > 0


def is_known(store: Store, digest: str) -> bool:
    """Whether a key with this hash may be used."""
    return store.db.execute("SELECT 1 FROM api_keys WHERE digest = ?", (digest,)).fetchone() is not None


def digest_of(key: str) -> str:
    return hashlib.sha256(key.encode("utf-8", "replace")).hexdigest()
