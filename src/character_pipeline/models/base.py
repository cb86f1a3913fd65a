"""What every model of pictures and sentences can do, whatever runs it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL import Image


@runtime_checkable
class DualEncoder(Protocol):
    """Puts pictures and sentences into one space, where what belongs together lies close.

    Attributes:
        name: the model as users say it.
        key: names weights, preprocessing, backend and precision; under one key a picture has one vector.
        size: the length of a vector.
        device: what is really used, in words: "cpu, 2 threads".
        scale: the logit of a picture and a sentence is their cosine times this, plus `bias`.
        bias: see `scale`.
    """

    name: str
    key: str
    size: int
    device: str
    scale: float
    bias: float

    def embed_pictures(self, pictures: Sequence[Image.Image]) -> NDArray[np.float32]:
        """One vector of length 1 for each RGB picture, shape (pictures, size).

        Raises ItemError (out_of_memory) where not even one picture fits into memory.
        """
        ...

    def embed_texts(self, sentences: Sequence[str]) -> NDArray[np.float32]:
        """One vector of length 1 for each sentence, shape (sentences, size)."""
        ...


def unit_rows(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Each row scaled to length 1; a row of zeros stays one."""
    import numpy as np

    wide = np.asarray(vectors, dtype=np.float64)
    lengths = np.linalg.norm(wide, axis=-1, keepdims=True)
    return (wide / np.where(lengths > 0, lengths, 1.0)).astype(np.float32)
