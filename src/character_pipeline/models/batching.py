"""Working through rows in batches: of one size, and smaller where the memory does not suffice."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeVar

from character_pipeline.errors import ItemError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

log = logging.getLogger(__name__)
Row = TypeVar("Row")
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
    """

    def __init__(self, limit: int, padded: bool = False) -> None:
        self.limit = limit
        self.padded = padded

    def run(
        self, rows: Sequence[Row], size: int, work: Callable[[Sequence[Row]], NDArray[np.float32]]
    ) -> NDArray[np.float32]:
        """What `work` makes of the rows, shape (rows, size). Raises ItemError where one row alone is too much."""
        import numpy as np

        found = np.empty((len(rows), size), dtype=np.float32)
        done = 0
        while done < len(rows):
            part = rows[done : done + self.limit]
            try:
                found[done : done + len(part)] = self._call(part, work)
            except Exception as error:
                if not is_out_of_memory(error):
                    raise
                self._halve(error)
            else:
                done += len(part)
        return found

    def _call(self, part: Sequence[Row], work: Callable[[Sequence[Row]], NDArray[np.float32]]) -> NDArray[np.float32]:
        filling = [part[-1]] * (self.limit - len(part)) if self.padded else []
        return work([*part, *filling])[: len(part)]

    def _halve(self, error: Exception) -> None:
        if self.limit == 1:
            raise ItemError("out_of_memory", f"not enough memory for the model: {error}"[:300]) from error
        log.warning("not enough memory for batches of %d; going on with %d", self.limit, self.limit // 2)
        self.limit //= 2
