"""Processes that work for this one: they start without the user's script, and end when it ends, however it does."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable
from concurrent.futures import Executor
from typing import Any


def start_children(count: int, begin: Callable[..., None], *arguments: Any) -> Executor:
    """A pool of processes, each of which begins with `begin(*arguments)`.

    Where one dies, all that was asked of the pool fails with BrokenProcessPool, and it takes nothing more.
    """
    # Unlike the pool of the standard library, loky does not run the user's script again in each process.
    from loky.backend import get_context
    from loky.process_executor import ProcessPoolExecutor

    pool: Executor = ProcessPoolExecutor(
        count, context=get_context("loky"), initializer=_begin, initargs=(os.getpid(), begin, arguments)
    )
    return pool


def stop_children(pool: Executor) -> None:
    """Stop a pool at once, whatever its processes are doing.

    What was asked of it must not have been cancelled: loky's thread would fail on it, and print how.
    """
    pool.shutdown(wait=True, kill_workers=True)  # type: ignore[call-arg] # loky's own


def _begin(parent: int, begin: Callable[..., None], arguments: tuple[Any, ...]) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_die_with, args=(parent,), daemon=True).start()
    begin(*arguments)


def _die_with(parent: int) -> None:
    """End this process soon after its parent was killed; nobody would ever take its results."""
    while os.getppid() == parent:
        time.sleep(1.0)
    os._exit(1)
