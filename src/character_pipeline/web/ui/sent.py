"""Files that events name: only those that were sent to a page. Gradio does not look itself where a page is mounted: it
would copy any file of this machine, and what is behind any address, to where it can be downloaded."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gradio as gr


def take_only(blocks: gr.Blocks, folder: Path) -> None:
    """Refuse events that name a file outside of a folder, whatever component they name it for."""
    usual = blocks.preprocess_data

    async def preprocess_data(block_fn: Any, inputs: list[Any], *rest: Any, **more: Any) -> Any:
        if not all(is_sent(path, folder) for path in named(inputs)):
            raise gr.Error("this was not sent to this page: send it again", print_exception=False)
        return await usual(block_fn, inputs, *rest, **more)

    blocks.preprocess_data = preprocess_data  # type: ignore[method-assign]


def named(value: object) -> Iterator[object]:
    """What a value names as files, at any depth."""
    waiting = [value]
    while waiting:
        match waiting.pop():
            case dict() as one:
                yield from [one["path"]] if "path" in one else []
                waiting += one.values()
            case list() as many:
                waiting += many


def is_sent(path: object, folder: Path) -> bool:
    """Whether a path leads to a file in a folder, also where links lead on."""
    try:
        return isinstance(path, str) and Path(path).resolve().is_relative_to(folder)
    except (OSError, ValueError, RuntimeError):
        return False
