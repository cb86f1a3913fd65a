"""The table of `charpipe evaluate --strategies`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.table import Table

from character_pipeline.cli.common import console

if TYPE_CHECKING:
    from character_pipeline.evaluation.contest.standings import Place

COLUMNS = ("utility", "right", "answered", "macro F1", "ECE", "ms", "ahead", "95 % interval", "p")


def print_places(places: Sequence[Place]) -> None:
    """One row a contender, over all attributes."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("contender")
    for column in COLUMNS:
        table.add_column(column, justify="right")
    for place in places:
        every = place.marks["all"]
        numbers = [f"{every.utility:.4f}", *map(_share, (every.accuracy, every.coverage, every.macro_f1))]
        low, high = place.interval
        ahead = [f"{place.ahead:+.4f}", f"{low:+.4f} to {high:+.4f}", f"{place.chance:.2g}"]
        table.add_row(place.name, *numbers, f"{every.calibration:.3f}", f"{place.cost:.1f}", *ahead)
    screen = console()
    screen.print(table)
    screen.print(
        "utility: +1 for a right value, -1 for a wrong one, 0 for none, the mean over attributes; ahead: of the best "
        "fixed action, p corrected for the number of rows (Holm)"
    )


def _share(share: float) -> str:
    return "-" if math.isnan(share) else f"{share:.1%}"
