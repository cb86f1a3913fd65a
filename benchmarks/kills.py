"""Kills runs at random moments, and looks whether anything is lost: every item in exactly one row, and exports that are
the same bytes as those of a run that nobody disturbed.

Each round kills one process of the run (any: the one that writes, a worker, one of Ray's actors), or all of them, with
SIGKILL; then the same command is given again, until one ends by itself. Prints a Markdown table.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import closing, suppress
from pathlib import Path

from character_pipeline.benchmark import make_texts

CHARPIPE = [sys.executable, "-m", "character_pipeline"]
EXPORTS = ("records.jsonl", "records.parquet")
LONGEST = 300


def write_texts(path: Path, items: int) -> None:
    rows = ({"id": f"item-{number:06}", "text": text} for number, text in enumerate(make_texts(items)))
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")


def processes_of(session: int) -> dict[int, str]:
    """The processes of a session with their names, and Ray's, which make sessions of their own."""
    found = {}
    for status in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError, ValueError, IndexError):
            text = status.read_text()
            name = (status.parent / "cmdline").read_bytes().split(b"\0")[0].decode()
            if int(text.rpartition(")")[2].split()[3]) == session or name.startswith("ray::DeliveringWorker"):
                found[int(status.parent.name)] = name.rpartition("/")[2] or "?"
    return found


def kill_one(run: subprocess.Popen[bytes], rng: random.Random) -> str:
    """Kill a process of a run, or all; says which."""
    alive = processes_of(run.pid)
    if not alive or run.poll() is not None:
        return "none: it had ended"
    victims = list(alive) if rng.random() < 0.25 else [rng.choice(sorted(alive))]
    for victim in victims:
        with suppress(ProcessLookupError):
            os.kill(victim, signal.SIGKILL)
    if len(victims) > 1:
        return "all"
    return (
        "the writer" if victims[0] == run.pid else "an actor" if alive[victims[0]].startswith("ray::") else "a worker"
    )


def end(run: subprocess.Popen[bytes]) -> bool:
    """Wait; whether it ended well."""
    try:
        return run.wait(LONGEST) == 0
    finally:
        with suppress(ProcessLookupError):
            os.killpg(run.pid, signal.SIGKILL)


def one_round(command: list[str], out: Path, rng: random.Random, longest: float) -> tuple[str, int]:
    """Disturb a run once and finish it; says who was killed, and how often the command was given."""
    run = subprocess.Popen(command, start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    time.sleep(rng.uniform(0.2, longest))
    killed, starts = kill_one(run, rng), 1
    while not end(run):
        if starts == 5:
            raise SystemExit(f"{' '.join(command)}: still not done after {starts} starts")
        run = subprocess.Popen(command, start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        starts += 1
    return killed, starts


def check(out: Path, whole: Path, items: int) -> None:
    for name in EXPORTS:
        if (out / name).read_bytes() != (whole / name).read_bytes():
            raise SystemExit(f"{out / name} differs from that of an undisturbed run")
    with closing(sqlite3.connect(out / "character_attributes.db")) as db:
        found = db.execute("SELECT count(*), count(DISTINCT item) FROM records").fetchone()
        whole_database = db.execute("PRAGMA integrity_check").fetchone()[0]
    if found != (items, items) or whole_database != "ok":
        raise SystemExit(f"{found} records and items instead of {items}; the database: {whole_database}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=10, help="of each engine")
    parser.add_argument("--items", type=int, default=6_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--engine", nargs="+", default=["local", "ray"])
    asked = parser.parse_args()
    rng = random.Random(asked.seed)
    print(
        "| engine | rounds | killed | starts | lost or doubled items | exports that differ |\n|---|---|---|---|---|---|"
    )
    with tempfile.TemporaryDirectory() as place:
        texts, whole, config = Path(place) / "t.jsonl", Path(place) / "whole", Path(place) / "c.toml"
        write_texts(texts, asked.items)
        config.write_text("[run]\nshard_size = 100\nworkers = 2\n")
        base = [*CHARPIPE, "extract", str(texts), "--config", str(config), "--quiet", "--output"]
        subprocess.run([*base, str(whole)], check=True, capture_output=True)
        for engine in asked.engine:
            killed: Counter[str] = Counter()
            starts = 0
            for number in range(asked.rounds):
                out = Path(place) / f"{engine}-{number}"
                command = [*base, str(out), "--engine", engine]
                victim, times = one_round(command, out, rng, 4.0 if engine == "local" else 12.0)
                killed[victim] += 1
                starts += times
                check(out, whole, asked.items)
                shutil.rmtree(out)
            said = ", ".join(f"{who} {count}" for who, count in sorted(killed.items()))
            print(f"| {engine} | {asked.rounds} | {said} | {starts} | 0 | 0 |", flush=True)


if __name__ == "__main__":
    main()
