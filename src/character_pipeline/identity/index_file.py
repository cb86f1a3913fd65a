"""An index of vectors as a file: what usearch writes, and behind it, as JSON, what it is of and its digest.

It is written aside and put in place, and read with distrust: a file that is cut off, changed, of other sizes or no
index is as good as none.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from character_pipeline.errors import MissingExtraError, StoreError

if TYPE_CHECKING:
    from usearch.index import Index

    Graph: TypeAlias = Index

MARK = b"charpipe likeness 1"
LENGTH = 8
MOST_ABOUT = 1 << 24
PIECE = 1 << 22
CONNECTIVITY, EXPANSION = 16, 64


def open_graph(size: int, metric: str = "cos", dtype: str = "i8", what: str = "finding similar pictures") -> Graph:
    """A new index of vectors of a length. Raises MissingExtraError without usearch.

    Args:
        metric, dtype: how usearch compares and keeps them.
        what: it is for, as the error says.
    """
    try:
        from usearch.index import Index
    except ImportError as error:
        raise MissingExtraError(what, "dedupe") from error
    return Index(
        ndim=size,
        metric=metric,
        dtype=dtype,
        connectivity=CONNECTIVITY,
        expansion_add=EXPANSION,
        expansion_search=EXPANSION,
    )


@contextmanager
def lock_index(path: Path) -> Iterator[None]:
    """Be the one who changes an index; waits for others. Raises StoreError where that cannot be."""
    from filelock import FileLock

    lock = FileLock(f"{path}.lock")
    try:
        lock.acquire()
    except OSError as error:
        raise StoreError(f"the index of pictures cannot be written: {path}: {error}") from error
    try:
        yield
    finally:
        lock.release()


def write_index(path: Path, graph: Graph, about: Mapping[str, Any]) -> None:
    """Write an index and what it is of. Raises StoreError where that cannot be."""
    aside = path.with_name(f"{path.name}.part")
    try:
        graph.save(aside)
        size = aside.stat().st_size
        whole = {**about, "bytes": size, "count": len(graph), "digest": _digest(aside, size)}
        raw = json.dumps(whole).encode()
        with aside.open("ab") as file:
            file.write(raw + len(raw).to_bytes(LENGTH, "little") + MARK)
        aside.replace(path)
    except (OSError, RuntimeError, ValueError) as error:
        raise StoreError(f"the index of pictures cannot be written: {path}: {error}") from error


def read_index(path: Path, size: int, view: bool = False) -> tuple[Graph, dict[str, Any]] | None:
    """The index of vectors of this length and what it is of; None where there is no such index.

    Args:
        view: leave it in the file: it takes no memory and cannot be changed.
    """
    graph = open_graph(size)
    about = read_about(path)
    try:
        if about is None or _digest(path, about["bytes"]) != about.get("digest"):
            return None
        known = type(graph).metadata(path)
        if not known or known["dimensions"] != size or known["kind_scalar"] != graph.dtype:
            return None
        (graph.view if view else graph.load)(path)
    except (OSError, RuntimeError, ValueError, KeyError):
        return None
    return (graph, about) if len(graph) == about.get("count") else None


def read_about(path: Path) -> dict[str, Any] | None:
    """What an index is of, without reading it; None where its file is none, or not as long as it says."""
    try:
        with path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(-min(size, LENGTH + len(MARK)), os.SEEK_END)
            length = int.from_bytes(file.read(LENGTH), "little")
            if file.read() != MARK or length > MOST_ABOUT:
                return None
            begin = size - LENGTH - len(MARK) - length
            file.seek(max(begin, 0))
            about = json.loads(file.read(length))
    except (OSError, ValueError):
        return None
    return about if isinstance(about, dict) and about.get("bytes") == begin else None


def _digest(path: Path, size: int) -> str:
    """Of the first bytes of a file."""
    found = hashlib.blake2b(digest_size=16)
    with path.open("rb") as file:
        while size > 0 and (piece := file.read(min(PIECE, size))):
            found.update(piece)
            size -= len(piece)
    return found.hexdigest()
