"""Whether a model has seen pictures like this one: the distance from those that it was measured on."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from character_pipeline.errors import ModelError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

DOMAIN = "domain.safetensors"
INSIDE = 0.95
"""So much of the measured pictures counts as fully familiar."""
FALL = 8.0
"""A picture half as far again as the edge of the familiar has exp(-FALL / 2) of its familiarity left."""
LEAST = 1e-6
DIGITS = 9
"""What is kept, so that the last bits of a matrix product decide nothing."""


@dataclass(frozen=True, eq=False)
class Domain:
    """The region that a model was measured on, of embeddings, or of embeddings each followed by the appearance.

    Attributes:
        mean: shape (size,).
        whiten: square root of the inverse covariance, shape (size, size).
        edge: the Mahalanobis distance within which 95 % of the measured pictures lie.
    """

    mean: NDArray[np.float64]
    whiten: NDArray[np.float64]
    edge: float

    def distances(self, rows: NDArray[np.floating]) -> NDArray[np.float64]:
        """How far each row lies from the middle of the region; 1 at its edge. For rows as `familiarity` takes them."""
        import numpy as np

        centred = np.asarray(rows, dtype=np.float64)[:, : len(self.mean)] - self.mean
        found: NDArray[np.float64] = np.linalg.norm(centred @ self.whiten, axis=-1) / self.edge
        return found

    def familiarity(self, rows: NDArray[np.floating]) -> NDArray[np.float64]:
        """In (0, 1] for each row of shape (pictures, size or more): 1 inside, falling smoothly towards 0 far outside.

        Args:
            rows: embeddings, each followed by the appearance; which is left out where the region is of embeddings.
        """
        import numpy as np

        excess = np.maximum(self.distances(rows) - 1.0, 0.0)
        found: NDArray[np.float64] = np.maximum(np.exp(-FALL * excess), LEAST)
        return found.round(DIGITS)


def read_domain(folder: Path, size: int, appearance: int = 0) -> Domain | None:
    """The domain of a checkpoint's folder: tensors `mean`, `whiten` and `distances` (sorted). None where there is none.

    Args:
        size: the length of an embedding.
        appearance: how many numbers of the picture may follow it.

    Raises ModelError where the file does not fit the model.
    """
    path = folder / DOMAIN
    if not path.exists():
        return None
    import numpy as np
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    try:
        found = {name: np.asarray(array, dtype=np.float64) for name, array in load_file(path).items()}
        mean, whiten, distances = found["mean"], found["whiten"], found["distances"]
    except (OSError, KeyError, SafetensorError) as error:
        raise ModelError(f"{path} cannot be used: {type(error).__name__}: {error}. Fetch or remove it") from error
    edge = float(np.quantile(distances, INSIDE)) if distances.size else 0.0
    length = len(mean) if mean.ndim == 1 else 0
    if length not in {size, size + appearance} or whiten.shape != (length, length) or not edge > 0:
        shapes = f"mean {mean.shape}, whiten {whiten.shape}, 95 % of the distances under {edge:.3g}"
        raise ModelError(f"{path} does not fit a model of size {size}: {shapes}. Make it anew or remove it")
    return Domain(mean, whiten, edge)
