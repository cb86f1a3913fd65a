"""The attributes and their values: data files, and the loader that checks them."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from character_pipeline.errors import ConfigError, unknown_name

DATA = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Attribute:
    """One attribute: its values as a record writes them, and how they relate to each other."""

    key: str
    label: str
    core: bool
    many: bool
    listed: bool
    values: tuple[str, ...]
    lasting: bool = False
    exclusive: tuple[frozenset[str], ...] = ()
    refines: Mapping[str, frozenset[str]] = field(default_factory=dict)
    order: Mapping[str, int] = field(default_factory=dict)
    """The place of each value among the values."""


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """All attributes by key, in the order of the record; `folder` holds the data files, `digest` names their state."""

    version: int
    attributes: Mapping[str, Attribute]
    folder: Path
    digest: str

    def attribute(self, name: str) -> Attribute:
        """The attribute with this key or label, in any case. Raises ConfigError that names the nearest one."""
        wanted = name.strip().lower().replace(" ", "_")
        for attribute in self.attributes.values():
            if wanted in {attribute.key, attribute.label.lower().replace(" ", "_")}:
                return attribute
        raise ConfigError(unknown_name("attribute", name, self.attributes))

    def value(self, attribute: Attribute, name: str) -> str:
        """The value as a record writes it, given in any case. Raises ConfigError that names the nearest one."""
        for value in attribute.values:
            if value.lower() == name.strip().lower():
                return value
        raise ConfigError(unknown_name(f"value for {attribute.label}", name, attribute.values))


@lru_cache(maxsize=8)
def load_vocabulary(folder: Path = DATA) -> Vocabulary:
    """Read and check the data files of a folder.

    Raises ConfigError naming the file and the entry that is wrong.
    """
    path = folder / "vocabulary.toml"
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError) as error:
        remedy = "put the folder back, or name it in the setting vocabulary.path"
        raise ConfigError(f"the vocabulary cannot be read: {path}: {error}. If it was moved: {remedy}") from error
    version = table.pop("version", 1)
    attributes = {key: _attribute(path, key, row) for key, row in table.items()}
    return Vocabulary(version, attributes, folder, _digest(folder))


def _attribute(path: Path, key: str, row: Mapping[str, Any]) -> Attribute:
    if not isinstance(row, Mapping) or not row.get("label") or not row.get("values"):
        raise ConfigError(f"{path}: [{key}] needs a label and a list of values")
    values = tuple(row["values"])
    many = row.get("cardinality", "one") == "many"
    attribute = Attribute(
        key=key,
        label=row["label"],
        core=bool(row.get("core", False)),
        many=many,
        listed=many and row.get("flat", "list") == "list",
        values=values,
        lasting=bool(row.get("lasting", False)),
        exclusive=tuple(frozenset(group) for group in row.get("exclusive", ())),
        refines={value: frozenset(others) for value, others in row.get("refines", {}).items()},
        order={value: place for place, value in enumerate(values)},
    )
    named = {*attribute.refines, *(v for group in (*attribute.exclusive, *attribute.refines.values()) for v in group)}
    if stray := named - set(values):
        raise ConfigError(f"{path}: [{key}] {unknown_name('value', min(stray), values)}")
    return attribute


def _digest(folder: Path) -> str:
    total = sha256()
    for path in sorted(folder.rglob("*")):
        if path.suffix in {".toml", ".csv", ".txt"}:
            total.update(path.name.encode() + b"\0" + path.read_bytes())
    return total.hexdigest()[:16]
