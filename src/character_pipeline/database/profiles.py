"""What the pictures of a character, or the copies of a picture, have in common: votes, beside the records."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from character_pipeline.database.connection import Connection
from character_pipeline.database.identity import PROFILES, read_note, write_note
from character_pipeline.database.store import Store
from character_pipeline.errors import ConfigError, unknown_name

Said = Mapping[str, Sequence[str]]
"""By the key of an attribute, the values that an item has."""
PRIOR = "character_profile"
"""The source of what a profile claims of an item."""
AT_ONCE = 500


@dataclass(slots=True)
class Profile:
    """The votes on a character.

    Attributes:
        items: how many are of it, also those that are copies of others and do not vote.
        support: by attribute, how many vote.
        votes: by attribute, how many say each value.
    """

    name: str
    items: int = 0
    support: Counter[str] = field(default_factory=Counter)
    votes: dict[str, Counter[str]] = field(default_factory=dict)

    def add(self, said: Said, sign: int = 1) -> None:
        """Count what an item says, or with -1 leave it out."""
        for attribute, values in said.items():
            self.support[attribute] += sign
            counts = self.votes.setdefault(attribute, Counter())
            for value in values:
                counts[value] += sign

    def without(self, said: Said) -> Profile:
        """The votes of all others."""
        votes = {attribute: counts.copy() for attribute, counts in self.votes.items()}
        rest = Profile(self.name, self.items, self.support.copy(), votes)
        rest.add(said, -1)
        return rest


@dataclass(frozen=True, slots=True)
class Member:
    """An item of a profile, with what it voted, or what the copy voted that stands for it."""

    item_id: str
    name: str
    said: Said


def write_profiles(store: Store, profiles: Sequence[Profile], members: Iterable[Member], by: str) -> None:
    """Write all profiles instead of those that are there."""
    numbers = {one.name: number for number, one in enumerate(profiles, 1)}
    rows = [(numbers[one.name], one.name, one.items, _dump(one)) for one in profiles]
    digest = hashlib.sha256(json.dumps(rows).encode())
    with store.transaction() as db:
        db.execute("DELETE FROM profile_members")
        db.execute("DELETE FROM profiles")
        db.executemany("INSERT INTO profiles(id, name, items, votes) VALUES (?, ?, ?, ?)", rows)
        for one in members:
            row = (one.item_id, numbers[one.name], json.dumps(one.said, sort_keys=True))
            digest.update(json.dumps(row).encode())
            db.execute("INSERT INTO profile_members(item_id, profile, votes) VALUES (?, ?, ?)", row)
        write_note(db, PROFILES, {"by": by, "digest": digest.hexdigest()[:16]})


def _dump(profile: Profile) -> str:
    votes = {key: dict(sorted(counts.items())) for key, counts in sorted(profile.votes.items())}
    return json.dumps({"support": dict(sorted(profile.support.items())), "votes": votes})


def read_profiles(db: Connection, name: str | None = None) -> Iterator[Profile]:
    """Those with the most items first; or the one of this name. Raises ConfigError where there is none."""
    where, marks = ("WHERE name = ?", (name,)) if name is not None else ("", ())
    rows = db.execute(f"SELECT name, items, votes FROM profiles {where} ORDER BY items DESC, name", marks).fetchall()
    if name is not None and not rows:
        names = [row[0] for row in db.execute("SELECT name FROM profiles ORDER BY items DESC, name LIMIT 20")]
        raise ConfigError(unknown_name("character", name, names))
    for row in rows:
        yield _profile(*row)


def find_profiles(db: Connection, names: Sequence[str]) -> dict[str, Profile]:
    """Those of these names that there are."""
    query = "SELECT name, items, votes FROM profiles WHERE name IN ({marks})"
    found: dict[str, Profile] = {}
    for start in range(0, len(names), AT_ONCE):
        part = names[start : start + AT_ONCE]
        rows = db.execute(query.format(marks=", ".join("?" * len(part))), tuple(part))
        found |= {row[0]: _profile(*row) for row in rows}
    return found


def _profile(name: str, items: int, stored: str) -> Profile:
    told = json.loads(stored)
    votes = {key: Counter(counts) for key, counts in told["votes"].items()}
    return Profile(name, items, Counter(told["support"]), votes)


def read_members(db: Connection, name: str) -> Iterator[tuple[str, Said]]:
    """The items of a profile that are shown, by their ids, and what each says."""
    query = """SELECT m.item_id, m.votes FROM profile_members m JOIN profiles p ON p.id = m.profile
               WHERE p.name = ? ORDER BY m.item_id"""
    for item_id, votes in db.execute(query, (name,)):
        yield item_id, json.loads(votes)


def own_votes(db: Connection, item_ids: Sequence[str]) -> dict[str, tuple[str, Said]]:
    """By item, its profile and what it, or the copy that stands for it, voted."""
    query = """SELECT m.item_id, p.name, m.votes FROM profile_members m JOIN profiles p ON p.id = m.profile
               WHERE m.item_id IN ({marks})"""
    found: dict[str, tuple[str, Said]] = {}
    for start in range(0, len(item_ids), AT_ONCE):
        part = item_ids[start : start + AT_ONCE]
        for item_id, name, votes in db.execute(query.format(marks=", ".join("?" * len(part))), tuple(part)):
            found[item_id] = name, json.loads(votes)
    return found


def profiles_digest(db: Connection) -> str | None:
    """Names the profiles of a database; None where it has none of characters."""
    note = read_note(db, PROFILES)
    return str(note["digest"]) if note is not None and note["by"] == "character" else None
