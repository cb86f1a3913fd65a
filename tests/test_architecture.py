"""The rooms of the package stand in an order, and nothing imports from a room below its own."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "src" / "character_pipeline"
ROOMS = (
    "errors",
    "data",
    "config",
    "vocabulary",
    "schema",
    "input_loader",
    "models",
    "extractors",
    "attribute_fusion",
    "rl_optimizer",
    "database",
    "processing",
    "runs",
    "benchmark",
    "results",
    "pipeline",
    "planning",
    "evaluation",
    "identity",
    "sample",
    "training",
    "testing",
    "web",
    "cli",
)
FILES = sorted(path for path in PACKAGE.rglob("*.py") if path.parent != PACKAGE or not path.name.startswith("__"))


def room_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported_rooms(node: ast.AST) -> Iterator[str]:
    """The rooms that a file imports at run time, anywhere in it."""
    if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
        return
    if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("character_pipeline."):
        yield (node.module or "").split(".")[1]
    elif isinstance(node, ast.ImportFrom) and node.module == "character_pipeline":
        yield from (alias.name for alias in node.names if alias.name in ROOMS)
    for child in ast.iter_child_nodes(node):
        yield from imported_rooms(child)


def test_every_room_has_its_place() -> None:
    assert {room_of(path) for path in FILES} <= set(ROOMS)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_run_upwards(path: Path) -> None:
    own = ROOMS.index(room_of(path))
    wrong = [room for room in imported_rooms(ast.parse(path.read_text())) if ROOMS.index(room) > own]
    assert not wrong


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_files_stay_small(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= 300
