"""What there is to calculate with."""

from __future__ import annotations

import numpy as np
from threadpoolctl import threadpool_info

from character_pipeline.models.machine import one_blas_thread


def blas_threads() -> list[int]:
    """Of numpy; other libraries bring pools of their own, whenever they are loaded."""
    pools = [pool for pool in threadpool_info() if pool["user_api"] == "blas" and "numpy" in pool["filepath"]]
    return [pool["num_threads"] for pool in pools]


def test_matrix_products_get_one_thread_and_the_others_come_back() -> None:
    before = blas_threads()
    assert before
    with one_blas_thread():
        assert blas_threads() == [1] * len(before)
        assert (np.eye(300) @ np.eye(300)).trace() == 300
    assert blas_threads() == before
