"""The code blocks of a Markdown page: runs them, and puts in what they really print.

`python -m tests.readme` brings README.md up to date.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from character_pipeline.config import PipelineConfig

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
CUT = "[...]"
"""A line that stands for lines that are not shown."""
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
PYTHON_AND_OUTPUT = re.compile(r"^```python\n(.*?)^```\n\n```text\n(.*?)^```$", re.DOTALL | re.MULTILINE)
CONSOLE = re.compile(r"^```console\n(.*?)^```$", re.DOTALL | re.MULTILINE)
COMMAND = re.compile(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", re.MULTILINE)
VARYING = (
    (re.compile(r"\d+\.\d+ s \(\d[\d,]*/s\)"), "N s (N/s)"),
    (re.compile(r"\d+\.\d+ ms an item"), "N ms an item"),
    (re.compile(r"(\d+ read) \(\d[\d,.]*/s\)"), r"\1 (N/s)"),
    (re.compile(r"\b\d+ threads?\b"), "N threads"),
)
FINE = re.compile(r"\b\d+\.\d{3}\b")


@dataclass(frozen=True)
class Place:
    """A folder in which the blocks run one after another, as a reader would run them at the root of the project."""

    folder: Path

    def __post_init__(self) -> None:
        (self.folder / "bin").mkdir(parents=True)
        (self.folder / "src").symlink_to(ROOT / "src")
        self._program("charpipe", f'exec "{sys.executable}" -m character_pipeline "$@"')

    def _program(self, name: str, script: str) -> None:
        program = self.folder / "bin" / name
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)

    def divert_pip(self) -> None:
        """Let `pip install` put packages beside the place, where its programs find them, and ask no index."""
        options = f'--quiet --no-deps --no-build-isolation --target "{self.folder / "site"}"'
        self._program("pip", f'shift; exec "{sys.executable}" -m pip install {options} "$@"')

    def shell(self, command: str) -> str:
        """What a command prints to stdout. It must end well."""
        path = f"{self.folder / 'bin'}{os.pathsep}{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        environment = {
            **os.environ,
            "PATH": path,
            "PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{self.folder / 'site'}",
            "COLUMNS": "120",
            "HF_HUB_OFFLINE": "1",
            "HF_HUB_CACHE": str(self.folder / "cache" / "hub"),
            "XDG_CACHE_HOME": str(self.folder / "cache"),
        }
        done = subprocess.run(
            ["/bin/sh", "-c", command], cwd=self.folder, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
        return "\n".join(line.rstrip() for line in done.stdout.rstrip("\n").split("\n")) + "\n"

    def python(self, program: str) -> str:
        (self.folder / "block.py").write_text(program, encoding="utf-8")
        return self.shell(f'"{sys.executable}" block.py')


def masked(text: str) -> str:
    """The text without what differs from run to run."""
    for pattern, instead in VARYING:
        text = pattern.sub(instead, text)
    return text


def settled(real: str, shown: str) -> str:
    """The real text with the shown numbers of three decimals where they differ by one in the last: processors round
    differently."""
    given = iter(FINE.findall(shown))

    def nearest(match: re.Match[str]) -> str:
        other = next(given, match[0])
        return other if abs(float(other) - float(match[0])) < 0.0015 else match[0]

    return FINE.sub(nearest, real)


def shortened(real: str, shown: str) -> str:
    """The real output, cut where the shown one is cut."""
    if CUT not in shown.split("\n"):
        return real
    before, _, after = shown.partition(CUT + "\n")
    lines, end = real.splitlines(keepends=True), len(after.splitlines())
    return "".join([*lines[: len(before.splitlines())], CUT + "\n", *(lines[-end:] if end else [])])


def refreshed(text: str, place: Place) -> str:
    """The page with the real output of its Python and console blocks, in which they run in their order."""
    return "".join(_piece(place, text, start, end, find) for start, end, find in _pieces(text))


Fill = Callable[[Place, "re.Match[str]"], str]


def _pieces(text: str) -> Iterator[tuple[int, int, tuple[Fill, re.Match[str]] | None]]:
    found = [(match, _fill_python) for match in PYTHON_AND_OUTPUT.finditer(text)]
    found += [(match, _fill_console) for match in CONSOLE.finditer(text)]
    last = 0
    for match, fill in sorted(found, key=lambda pair: pair[0].start()):
        yield last, match.start(), None
        yield match.start(), match.end(), (fill, match)
        last = match.end()
    yield last, len(text), None


def _piece(place: Place, text: str, start: int, end: int, find: tuple[Fill, re.Match[str]] | None) -> str:
    return text[start:end] if find is None else find[0](place, find[1])


def _fill_python(place: Place, match: re.Match[str]) -> str:
    program, shown = match.groups()
    return f"```python\n{program}```\n\n```text\n{shortened(place.python(program), shown)}```"


def _fill_console(place: Place, match: re.Match[str]) -> str:
    return f"```console\n{COMMAND.sub(partial(_fill_command, place), match[1])}```"


def _fill_command(place: Place, match: re.Match[str]) -> str:
    command, shown = match.groups()
    real = place.shell(command)
    return f"$ {command}\n" + (shortened(real, shown) if shown else "")


TABLE = re.compile(r"(?<=^\| key \| default \| meaning \|\n\|---\|---\|---\|\n)(?:\|.*\n)*", re.MULTILINE)


def settings_table() -> str:
    """A row for each setting."""
    rows: list[str] = []
    for section, field in PipelineConfig.model_fields.items():
        for key, setting in type(field.default).model_fields.items():
            rows.append(f"| `{section}.{key}` | `{json.dumps(setting.default)}` | {setting.description} |\n")
    return "".join(rows)


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        place = Place(Path(folder) / "place")
        text = TABLE.sub(lambda _: settings_table(), README.read_text(encoding="utf-8"))
        README.write_text(refreshed(text, place), encoding="utf-8")


if __name__ == "__main__":
    main()
