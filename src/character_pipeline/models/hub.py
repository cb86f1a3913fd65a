"""Checkpoints from the Hugging Face hub: what is cached first, then the network, for a bounded time."""

from __future__ import annotations

import logging
import os
import re
import socket
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from character_pipeline.errors import ModelError
from character_pipeline.models.checkpoint import SUFFIXES

if TYPE_CHECKING:
    from huggingface_hub import HfApi

log = logging.getLogger(__name__)
PROBE_SECONDS = 5.0
"""How long the hub may take to say that it knows a model. The download itself may take as long as it needs."""
NAME = re.compile(r"[\w.-]+(/[\w.-]+)?")
SMALL = ("*.json",)
TORCH = ("model.safetensors", "model-*-of-*.safetensors")
EXTRAS = ("domain.safetensors", "prompt_embeddings.safetensors")
CONVERTER = ("SFconvertbot", "Adding `safetensors` variant of this model")
"""Who offers safetensors for older models, in a pull request with this title."""


def is_hub_name(name: str) -> bool:
    return NAME.fullmatch(name) is not None


def patterns(torch: bool, precision: str) -> list[str]:
    """The files worth fetching: never a format that can run code, and of the ONNX files one precision."""
    names = [*SMALL, *EXTRAS]
    if torch:
        return [*names, *TORCH]
    suffixes = SUFFIXES.get(precision, ("",)) if precision != "auto" else ("",)
    return [*names, *(f"onnx/{tower}_model{s}.onnx*" for s in suffixes for tower in ("vision", "text"))]


def cache_folder() -> Path:
    """Where the hub's library keeps models; it says so itself only when it is imported, which takes long."""
    home = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache") / "huggingface"
    home = Path(os.environ.get("HF_HOME") or home)
    return Path(os.environ.get("HF_HUB_CACHE") or os.environ.get("HUGGINGFACE_HUB_CACHE") or home / "hub").expanduser()


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:
        return False  # a folder in somebody else's home


def is_offline() -> bool:
    """Whether the user forbids to ask the hub."""
    return os.environ.get("HF_HUB_OFFLINE", "").upper() in {"1", "ON", "YES", "TRUE"}


def find_cached(name: str) -> list[Path]:
    """The folders of a model that were fetched before, without asking the network."""
    if not _is_folder(cache_folder() / f"models--{name.replace('/', '--')}"):
        return []
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import LocalEntryNotFoundError

    try:
        newest = Path(snapshot_download(name, cache_dir=cache_folder(), local_files_only=True))
    except (LocalEntryNotFoundError, OSError, ValueError):
        return []
    # A revision with safetensors lies beside the main one, which may have none.
    return [newest, *(path for path in sorted(newest.parent.iterdir()) if path != newest)]


def fetch(name: str, wanted: Sequence[str]) -> Path:
    """Download a model into the hub's cache. Raises ModelError where the hub does not answer or does not have it."""
    if is_offline():
        raise ModelError("it is not on this machine yet, and HF_HUB_OFFLINE forbids to ask the hub")
    from huggingface_hub import HfApi, snapshot_download

    api = HfApi()
    try:
        info = within(PROBE_SECONDS, lambda: api.model_info(name, timeout=PROBE_SECONDS))
        files = {entry.rfilename for entry in info.siblings or ()}
        revision = None if not _is_unsafe_only(files, wanted) else _converted(api, name)
        return Path(snapshot_download(name, revision=revision, allow_patterns=list(wanted), etag_timeout=PROBE_SECONDS))
    except ModelError:
        raise
    except Exception as error:
        # Many types of several libraries: no network, no such model, no right to it, a full disk.
        first = next(iter(str(error).splitlines()), "")
        log.debug("the hub on %s: %s: %s", name, type(error).__name__, first)
        if _is_unreachable(error):
            raise ModelError("it is not on this machine yet, and there is no network to fetch it") from error
        raise ModelError(f"the hub does not give it: {type(error).__name__}: {first}") from error


def _is_unreachable(error: BaseException | None) -> bool:
    """Whether a connection failed at the bottom of this error, in whatever library."""
    while error is not None:
        if isinstance(error, ConnectionError | TimeoutError | socket.gaierror):
            return True
        error = error.__cause__ or error.__context__
    return False


def _is_unsafe_only(files: set[str], wanted: Sequence[str]) -> bool:
    return set(TORCH) <= set(wanted) and not any(file.endswith(".safetensors") for file in files)


def _converted(api: HfApi, name: str) -> str | None:
    """The revision in which the hub's own converter offers safetensors, as for the first CLIP models."""
    author, title = CONVERTER
    for found in api.get_repo_discussions(name, discussion_type="pull_request", author=author):
        if found.title == title and found.status == "open":
            return f"refs/pr/{found.num}"
    return None


def within(seconds: float, work: Callable[[], Any]) -> Any:
    """What `work` returns or raises, if it is done in time. Raises ModelError if not; it then goes on unheard."""
    found: list[tuple[Any, Exception | None]] = []

    def do() -> None:
        try:
            found.append((work(), None))
        except Exception as error:  # noqa: BLE001 - raised again by who waits
            found.append((None, error))

    thread = threading.Thread(target=do, daemon=True)
    thread.start()
    thread.join(seconds)
    if not found:
        raise ModelError(f"it is not on this machine yet, and the hub did not answer within {seconds:g} seconds")
    result, failure = found[0]
    if failure is not None:
        raise failure
    return result
