"""The scores of a training as a table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.table import Table

from character_pipeline.cli.common import console


def print_scores(scores: Mapping[str, Mapping[str, Any]]) -> None:
    """One row a thing and set of pictures."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("pictures of", "what", "kind", "right", "95 % interval", "majority", "pictures"):
        table.add_column(column, justify="left" if column in {"pictures of", "what", "kind"} else "right")
    for pictures, found in scores.items():
        for what, one in found.items():
            low, high = one["interval"]
            row = (f"{one['right']:.3f}", f"{low:.3f} - {high:.3f}", f"{one['majority']:.3f}", f"{one['pictures']:,}")
            table.add_row(pictures, what, one["kind"], *row)
    console().print(table)
