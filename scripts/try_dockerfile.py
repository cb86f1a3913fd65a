"""Runs the steps of the Dockerfile without Docker: each stage in a copy of a clean root folder, by chroot, in order.

The root folder stands in for the image that FROM names; on Debian it is made by

    debootstrap --include=python3,python3-venv,ca-certificates bookworm ROOT

Then the entry point is started as the image's user, the health check is asked until it is content, and the service is
stopped. Must be run as root. Prints the steps with their seconds, and the size of what they added.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shlex
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

PROJECT = Path(__file__).parents[1]
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
LONGEST = 120


@dataclass
class Stage:
    """A root folder, and what the steps have set so far."""

    root: Path
    workdir: str = "/"
    user: str = "root"
    environment: dict[str, str] = field(
        default_factory=lambda: {
            "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            "HOME": "/root",
        }
    )
    commands: dict[str, list[str]] = field(default_factory=dict)

    def inside(self, path: str) -> Path:
        return self.root / str(Path(self.workdir, path)).lstrip("/")

    def start(self, command: list[str]) -> subprocess.Popen[bytes]:
        words = ["chroot", f"--userspec={self.user}", str(self.root), "env", "-C", self.workdir, *command]
        return subprocess.Popen(words, env=self.environment)

    def run(self, command: list[str]) -> int:
        return self.start(command).wait()


def steps(path: Path) -> Iterator[tuple[str, str]]:
    """The instructions of a Dockerfile, each in one line."""
    lines = [line for line in path.read_text().splitlines() if not line.lstrip().startswith("#")]
    for line in re.sub(r"\\\n\s*", " ", "\n".join(lines)).splitlines():
        if line.strip():
            name, _, rest = line.strip().partition(" ")
            yield name.upper(), rest.strip()


def copy(stage: Stage, rest: str, stages: dict[str, Stage]) -> None:
    words, source = shlex.split(rest), PROJECT
    if words[0].startswith("--from="):
        source = stages[words.pop(0).removeprefix("--from=")].root
    *names, target = words
    there = stage.inside(target)
    there.mkdir(parents=True, exist_ok=True)
    for name in names:
        place = source / name.lstrip("/")
        if place.is_dir():
            cached = shutil.ignore_patterns("__pycache__")
            shutil.copytree(place, there, symlinks=True, dirs_exist_ok=True, ignore=cached)
        else:
            shutil.copy2(place, there)


def assign(stage: Stage, rest: str) -> None:
    for pair in shlex.split(rest):
        key, _, value = pair.partition("=")
        stage.environment[key] = re.sub(r"\$(\w+)", lambda found: stage.environment.get(found[1], ""), value)


def become(stage: Stage, user: str) -> None:
    uid = user.partition(":")[0]
    entries = (line.split(":") for line in (stage.root / "etc/passwd").read_text().splitlines())
    stage.user = user
    stage.environment["HOME"] = next(entry[5] for entry in entries if uid in {entry[0], entry[2]})


def take(stage: Stage, name: str, rest: str, stages: dict[str, Stage]) -> None:
    """One instruction."""
    match name:
        case "RUN":
            if code := stage.run(["sh", "-c", rest]):
                raise SystemExit(f"RUN {rest}\nended with {code}")
        case "COPY":
            copy(stage, rest, stages)
        case "ENV" | "ARG":
            assign(stage, rest)
        case "WORKDIR":
            stage.workdir = rest
            stage.inside("").mkdir(parents=True, exist_ok=True)
        case "USER":
            become(stage, rest)
        case "ENTRYPOINT" | "CMD" | "HEALTHCHECK":
            stage.commands[name] = json.loads(rest[rest.index("[") :])
        case "VOLUME" | "EXPOSE":
            pass
        case _:
            raise SystemExit(f"unknown instruction {name}")


def begin(clean: Path, work: Path, number: int) -> Stage:
    root = work / f"stage-{number}"
    subprocess.run(["cp", "-a", str(clean), str(root)], check=True)
    for name in ("resolv.conf", "pip.conf", "ssl/certs/ca-certificates.crt"):
        if (place := Path("/etc") / name).exists():
            shutil.copy2(place, root / "etc" / name)
    python = root / "usr/local/bin/python"
    if not python.exists():
        python.symlink_to("/usr/bin/python3")
    return Stage(root)


def serve(stage: Stage) -> float:
    """Seconds until the service says that it is well."""
    start = time.monotonic()
    service = stage.start([*stage.commands["ENTRYPOINT"], *stage.commands["CMD"]])
    try:
        while time.monotonic() - start < LONGEST and service.poll() is None:
            check = ["chroot", str(stage.root), "env", *stage.commands["HEALTHCHECK"]]
            if subprocess.run(check, env=stage.environment, capture_output=True, check=False).returncode == 0:
                return time.monotonic() - start
            time.sleep(0.5)
        raise SystemExit("the service is not well")
    finally:
        service.terminate()
        service.wait(30)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("root", type=Path, help="a clean root folder")
    parser.add_argument("--work", type=Path, default=Path(tempfile.gettempdir()), help="where the stages are made")
    asked = parser.parse_args()
    stages: dict[str, Stage] = {}
    with tempfile.TemporaryDirectory(dir=asked.work) as place:
        stage = None
        for name, rest in steps(PROJECT / "Dockerfile"):
            start = time.monotonic()
            if name == "FROM":
                stage = begin(asked.root, Path(place), len(stages))
                stages[rest.partition(" AS ")[2] or "last"] = stage
            else:
                assert stage is not None, "the first instruction is no FROM"
                take(stage, name, rest, stages)
            print(f"{time.monotonic() - start:6.1f} s  {name} {rest[:100]}", flush=True)
        assert stage is not None
        mount = stage.root / "proc"
        subprocess.run(["mount", "-t", "proc", "proc", str(mount)], check=True)
        try:
            print(f"{serve(stage):6.1f} s  until the health check was content, as {stage.user}")
        finally:
            subprocess.run(["umount", str(mount)], check=True)
        size = subprocess.run(
            ["du", "-sm", str(stage.root)], capture_output=True, text=True, check=True
        ).stdout.split()[0]
        print(f"{size} MiB in all; processors here: {os.cpu_count()}")


if __name__ == "__main__":
    main()
