"""The service under load on this machine: clients that ask for pictures one after the other, with single items gathered
for the model and without, in turns; then more clients than are let in, and what it is like after.

Clients and service share the processors. The embedded model, the bundled samples with their texts; the cache knows
none of them. Prints Markdown tables.
"""

from __future__ import annotations

import argparse
import http.client
import json
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from itertools import count
from pathlib import Path
from socket import create_server
from typing import Any

from character_pipeline.runs.hardware import describe_machine
from character_pipeline.sample import bundled_folder

ALONE = {"batch_size": 1, "batch_wait_ms": 0}
WAYS = {"together": {}, "one at a time": {**ALONE, "decode_processes": 0}, "one at a time, opened beside": ALONE}
"""Settings of the service. "one at a time": nothing happens beside the item that is read."""
BOUNDARY = "charpipe-benchmark"
LET_IN = 8
Seen = list[tuple[int, float]]
"""Status and seconds of each request."""


def bodies() -> list[bytes]:
    """The samples as forms, each a picture with its text."""
    return [_form(path) for path in sorted(bundled_folder().glob("*.webp"))]


def _form(path: Path) -> bytes:
    beside = path.with_suffix(".txt")
    text = beside.read_bytes() if beside.exists() else b""
    head = b"--%s\r\nContent-Disposition: form-data; name=" % BOUNDARY.encode()
    image = head + b'"image"; filename="a.webp"\r\n\r\n' + path.read_bytes()
    return image + b"\r\n" + head + b'"text"\r\n\r\n' + text + b"\r\n--%s--\r\n" % BOUNDARY.encode()


@contextmanager
def serving(**settings: Any) -> Iterator[int]:
    """The port of a service that is ready."""
    with create_server(("127.0.0.1", 0)) as free:
        port = int(free.getsockname()[1])
    with tempfile.TemporaryDirectory() as place:
        config = {"clip_analyzer": {"model_name": "embedded"}, "serve": settings}
        (Path(place) / "settings.json").write_text(json.dumps(config))
        command = [sys.executable, "-m", "character_pipeline", "serve", "--no-ui", "--port", str(port)]
        command += ["--output", place, "--config", f"{place}/settings.json"]
        process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        try:
            while ask(port, "GET", "/readyz") != 200:
                time.sleep(0.1)
            yield port
        finally:
            process.terminate()
            process.wait()


def ask(port: int, method: str, path: str, body: bytes = b"", kept: http.client.HTTPConnection | None = None) -> int:
    """The status of an answer; 0 where there was none."""
    connection = kept or http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request(method, path, body, {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"})
        answer = connection.getresponse()
        answer.read()
    except (OSError, http.client.HTTPException):
        connection.close()
        return 0
    return answer.status


def load(port: int, clients: int, seconds: float) -> Seen:
    """What many clients saw who ask one request after the other."""
    sent, number, end = bodies(), count(), time.perf_counter() + seconds

    def run(_: int) -> Seen:
        connection, seen = http.client.HTTPConnection("127.0.0.1", port, timeout=60), []
        while (start := time.perf_counter()) < end:
            status = ask(port, "POST", "/v1/extract", sent[next(number) % len(sent)], connection)
            seen.append((status, time.perf_counter() - start))
        connection.close()
        return seen

    with ThreadPoolExecutor(clients) as pool:
        return [one for seen in pool.map(run, range(clients)) for one in seen]


def percentile(seen: Seen, share: float) -> float:
    """Of the time that good answers took, in milliseconds."""
    times = sorted(seconds for status, seconds in seen if status == 200)
    return times[min(int(len(times) * share), len(times) - 1)] * 1000 if times else float("nan")


def compare(clients: int, seconds: float, rounds: int) -> None:
    found: dict[str, Seen] = {name: [] for name in WAYS}
    with ExitStack() as running:
        ports = {name: running.enter_context(serving(**settings)) for name, settings in WAYS.items()}
        for _ in range(rounds):
            for name, port in ports.items():
                found[name] += load(port, clients, seconds / rounds / len(WAYS))
    print("| single items | requests/s | p50, ms | p95, ms | errors |\n|---|---|---|---|---|")
    rates = {}
    for name, seen in found.items():
        good = sum(status == 200 for status, _ in seen)
        rates[name] = good / (seconds / len(WAYS))
        p50, p95 = percentile(seen, 0.5), percentile(seen, 0.95)
        print(f"| {name} | {rates[name]:.1f} | {p50:.0f} | {p95:.0f} | {len(seen) - good} |")
    best = rates.pop("together")
    for name, rate in rates.items():
        print(f"\ntogether in times {name}: {best / rate:.2f}")


def overload(clients: int, seconds: float) -> None:
    with serving(max_concurrent=LET_IN) as port:
        seen = Counter(status for status, _ in load(port, clients, seconds))
        after = load(port, 1, seconds / 4)
    print(f"\n| {clients} clients where {LET_IN} are let in | answers |\n|---|---|")
    for status, number in sorted(seen.items()):
        print(f"| {status or 'none'} | {number} |")
    errors = sum(status != 200 for status, _ in after)
    print(f"\nafter that, one client: {len(after)} answers, {errors} errors, p50 {percentile(after, 0.5):.0f} ms")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60, help="of all ways together")
    parser.add_argument("--clients", type=int, default=32)
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    compare(asked.clients, asked.seconds, asked.rounds)
    overload(2 * asked.clients, asked.seconds / 6)
    print(f"\n{asked.clients} clients, {asked.seconds:.0f} s, {asked.rounds} rounds in turns; {describe_machine()}")


if __name__ == "__main__":
    main()
