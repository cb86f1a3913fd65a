"""Working through rows in batches: of one size, and smaller where the memory does not suffice."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property, partial
from typing import TYPE_CHECKING, TypeVar

from character_pipeline.errors import ItemError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

log = logging.getLogger(__name__)
Row = TypeVar("Row")
Work = Callable[[Sequence[Row]], "NDArray[np.float32]"]
WAVE = 16
"""Calls handed to each thread at once: at the end of a wave, threads wait for the last one."""
SIGNS = ("out of memory", "failed to allocate memory", "bad_alloc", "bfcarena", "outofmemory")
"""How torch, CUDA and ONNX Runtime say that memory does not suffice: some only in the text of a RuntimeError."""


def is_out_of_memory(error: BaseException) -> bool:
    said = f"{type(error).__name__}: {error}".lower()
    return isinstance(error, MemoryError) or any(sign in said for sign in SIGNS)


class Batches:
    """Runs a function on rows, `limit` at a time.

    Where memory does not suffice the limit is halved, for good, and the work goes on.

    Args:
        limit: rows in one call.
        padded: fill the last batch up with its last row, so that every call has the same shape. A row then has the
            same result whatever stands beside it.
        threads: calls at the same time, for work that lets Python go on meanwhile.
    """

    def __init__(self, limit: int, padded: bool = False, threads: int = 1) -> None:
        self.limit = limit
        self.padded = padded
        self.threads = threads

    def run(self, rows: Sequence[Row], size: int, work: Work[Row]) -> NDArray[np.float32]:
        """What `work` makes of the rows, shape (rows, size). Raises ItemError where one row alone is too much."""
        import numpy as np

        found = np.empty((len(rows), size), dtype=np.float32)
        done = 0
        while done < len(rows):
            wave = rows[done : done + self.limit * self.threads * WAVE]
            try:
                found[done : done + len(wave)] = np.concatenate(self._calls(wave, work))
            except Exception as error:
                if not is_out_of_memory(error):
                    raise
                self._halve(error)
            else:
                done += len(wave)
        return found

    def _calls(self, wave: Sequence[Row], work: Work[Row]) -> list[NDArray[np.float32]]:
        """The results of the parts of a wave, in their order."""
        parts = [wave[start : start + self.limit] for start in range(0, len(wave), self.limit)]
        if self.threads == 1 or len(parts) == 1:
            return [self._call(work, part) for part in parts]
        return list(self._pool.map(partial(self._call, work), parts))

    def _call(self, work: Work[Row], part: Sequence[Row]) -> NDArray[np.float32]:
        filling = [part[-1]] * (self.limit - len(part)) if self.padded else []
        return work([*part, *filling])[: len(part)]

    @cached_property
    def _pool(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(self.threads, thread_name_prefix="charpipe-model")

    def _halve(self, error: Exception) -> None:
        if self.limit == 1:
            raise ItemError("out_of_memory", f"not enough memory for the model: {error}"[:300]) from error
        log.warning("not enough memory for batches of %d; going on with %d", self.limit, self.limit // 2)
        self.limit //= 2
