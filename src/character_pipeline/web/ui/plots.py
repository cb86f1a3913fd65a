"""Numbers as the plots of the pages take them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

Kind = Literal["nominal", "quantitative", "temporal"]
Mark = Literal["bar", "line", "point"]


def plotted(columns: Mapping[str, Kind], rows: Iterable[Sequence[Any]], mark: Mark) -> dict[str, Any] | None:
    """A table as a plot takes it; nothing where it has no rows. Moments are milliseconds since 1970."""
    data = [list(row) for row in rows]
    return {"columns": list(columns), "data": data, "datatypes": dict(columns), "mark": mark} if data else None
