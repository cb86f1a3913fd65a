"""Every error that the package raises on purpose. A message says what was given, what is allowed, what to do next."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class CharpipeError(Exception):
    """The base of all errors below."""


class ConfigError(CharpipeError):
    """A setting, a data file or an argument is wrong. The run has not begun."""


class MissingExtraError(CharpipeError):
    """A feature needs a package that is not installed."""

    def __init__(self, feature: str, extra: str) -> None:
        super().__init__(f"{feature} needs the extra '{extra}': run pip install 'character-pipeline[{extra}]'")
        self.given = feature, extra

    def __reduce__(self) -> tuple[type[MissingExtraError], tuple[str, str]]:
        return type(self), self.given  # a worker process sends it to the main one


class ModelError(ConfigError):
    """A model was asked for that cannot be had, or whose files are damaged. The run has not begun."""


class StoreError(CharpipeError):
    """The database cannot be used as asked."""


class LockedError(StoreError):
    """Another run is writing to the database."""


class BusyError(CharpipeError):
    """A service has all the work that it can hold; the same again a little later may succeed."""


class ItemError(CharpipeError):
    """One item could not be read or understood; the run goes on.

    Args:
        kind: one of the names in `data.ERROR_KINDS`, by which failures are counted.
        message: what was found, for a person.
    """

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind

    def __reduce__(self) -> tuple[type[ItemError], tuple[str, str]]:
        # It travels between processes; as it is, only the message would.
        return type(self), (self.kind, str(self))


def unknown_name(what: str, given: str, allowed: Iterable[str]) -> str:
    """The text for a name that is not known: what was given, the nearest known name, all that is allowed."""
    names = list(allowed)
    near = difflib.get_close_matches(given, names, n=1)
    hint = f" Did you mean '{near[0]}'?" if near else ""
    return f"unknown {what} '{given}'.{hint} Allowed: {', '.join(names)}"
