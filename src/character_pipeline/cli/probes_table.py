"""The comparison of probes with prompts as a table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.table import Table

from character_pipeline.cli.common import console, shown

if TYPE_CHECKING:
    from character_pipeline.training.probes.judging import Verdict

COLUMNS = ("items", "right", "said", "utility", "ECE", "gain", "net", "95 %", "kept")


def print_verdicts(verdicts: Sequence[Verdict]) -> None:
    """A row an attribute: what prompts reach, and probes."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("prompts > probes")
    for column in COLUMNS:
        table.add_column(column, justify="right")
    for one in verdicts:
        old, new = one.prompts, one.probes
        pairs = [(old.accuracy, new.accuracy), (old.coverage, new.coverage)]
        shares = [f"{before:.0%} > {after:.0%}" for before, after in pairs]
        low, high = one.interval
        rest = [f"{old.utility:.3f} > {new.utility:.3f}", f"{old.calibration:.2f} > {new.calibration:.2f}"]
        rest += [f"{one.gain:+.3f}", f"{one.net:+.3f}", f"{low:+.3f} to {high:+.3f}"]
        table.add_row(shown(one.label), f"{one.items:,}", *shares, *rest, "yes" if one.kept else "no")
    console().print(table)
