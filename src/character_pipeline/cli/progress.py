"""Progress on stderr: a live line on a terminal, log lines elsewhere."""

from __future__ import annotations

import sys
import time
from typing import Any

from character_pipeline.runs.run import Progress, RunSummary, Silence

LOG_EVERY = 10.0
"""Seconds between log lines."""


def choose_progress(quiet: bool) -> Progress:
    if quiet:
        return Silence()
    return LiveProgress() if sys.stderr.isatty() else LogProgress()


def failures_text(summary: RunSummary) -> str:
    """The failures by kind, most frequent first: "3 truncated_image, 1 empty_file"."""
    return ", ".join(f"{count:,} {kind}" for kind, count in summary.kinds.most_common(4))


class LogProgress:
    """A line every ten seconds, and at the end."""

    def __init__(self) -> None:
        self.found = 0
        self.todo = 0
        self.start = self.last = time.monotonic()

    def listed(self, items: int) -> None:
        self.found += items
        self._log(f"found {self.found:,} items so far")

    def begin(self, todo: int, done: int, workers: int) -> None:
        self.todo = todo
        self.start = time.monotonic()
        self.last = 0.0
        self._log(f"{todo:,} items to do, {done:,} done before, {workers} worker{'s' if workers > 1 else ''}")

    def advance(self, summary: RunSummary, items: int) -> None:
        done = summary.processed
        rate = done / max(time.monotonic() - self.start, 1e-9)
        share = f"{done:,} of {self.todo:,} ({done / max(self.todo, 1):.0%})"
        failures = failures_text(summary)
        message = f"{share}, {rate:,.0f} items/s, {duration((self.todo - done) / rate)} left"
        self._log(message + (f"; failures: {failures}" if failures else ""), final=done >= self.todo)

    def end(self) -> None:
        pass

    def _log(self, message: str, final: bool = False) -> None:
        now = time.monotonic()
        if final or now - self.last >= LOG_EVERY:
            self.last = now
            sys.stderr.write(f"{time.strftime('%H:%M:%S')} {message}\n")
            sys.stderr.flush()


class LiveProgress:
    """One line that shows share done, speed, time left and failures by kind."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            Progress,
            SpinnerColumn,
            TextColumn,
            TimeRemainingColumn,
        )

        self.found = 0
        self.bar = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]}"),
            TimeRemainingColumn(),
            TextColumn("[yellow]{task.fields[failures]}"),
            console=Console(stderr=True),
        )
        fields: dict[str, Any] = {"rate": "", "failures": ""}
        self.task = self.bar.add_task("looking", total=None, **fields)
        self.start = time.monotonic()
        self.bar.start()

    def listed(self, items: int) -> None:
        self.found += items
        self.bar.update(self.task, completed=self.found)

    def begin(self, todo: int, done: int, workers: int) -> None:
        self.start = time.monotonic()
        skipped = f" ({done:,} done before)" if done else ""
        self.bar.reset(self.task, total=todo, description=f"extracting{skipped}", rate="", failures="")

    def advance(self, summary: RunSummary, items: int) -> None:
        rate = summary.processed / max(time.monotonic() - self.start, 1e-9)
        failures = failures_text(summary)
        self.bar.update(self.task, advance=items, rate=f"{rate:,.0f} items/s", failures=failures)

    def end(self) -> None:
        self.bar.stop()


class ShareLog:
    """A line every ten seconds of what is done beforehand, such as an index."""

    def __init__(self, what: str) -> None:
        self.what = what
        self.last = time.monotonic()

    def __call__(self, done: int, total: int) -> None:
        now = time.monotonic()
        if now - self.last >= LOG_EVERY:
            self.last = now
            sys.stderr.write(f"{time.strftime('%H:%M:%S')} {self.what}: {done:,} of {total:,}\n")
            sys.stderr.flush()


def duration(seconds: float) -> str:
    """Seconds as a person says them: "4 s", "12 min", "3.4 h"."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
