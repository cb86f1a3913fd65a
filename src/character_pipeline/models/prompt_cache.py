"""The embeddings of sentences: shipped with the checkpoint, computed before, or computed now."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from character_pipeline.models.checkpoint import PROMPTS
from character_pipeline.models.plan import Plan

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

log = logging.getLogger(__name__)
Compute = Callable[[Sequence[str]], "NDArray[np.float32]"]
Known = dict[str, "NDArray[np.float32]"]


class PromptCache:
    """Sentences to vectors; each sentence is computed once for a model.

    Args:
        size: the length of a vector.
        shipped: a file of embeddings that came with the model, or None.
        own: the file that computed embeddings are kept in, or None to keep none.
    """

    def __init__(self, size: int, shipped: Path | None, own: Path | None) -> None:
        self.size = size
        self._shipped = shipped
        self._own = own

    def embed(self, sentences: Sequence[str], compute: Compute) -> NDArray[np.float32]:
        """The vectors of sentences, shape (sentences, size), in their order. `compute` is called for new ones only."""
        import numpy as np

        wanted = {digest(sentence): sentence for sentence in sentences}
        known = self._read(self._shipped)
        if wanted.keys() - known.keys():
            known = {**self._read(self._own), **known}
        missing = {key: sentence for key, sentence in wanted.items() if key not in known}
        if missing:
            known |= dict(zip(missing, compute(list(missing.values())), strict=True))
            self._keep({key: known[key] for key in wanted})
        rows = [known[digest(sentence)] for sentence in sentences]
        return np.stack(rows) if rows else np.empty((0, self.size), np.float32)

    def _read(self, path: Path | None) -> Known:
        found = read_embeddings(path) if path is not None else {}
        return {key: row for key, row in found.items() if row.shape == (self.size,)}

    def _keep(self, known: Known) -> None:
        """Add to the cache file; where that cannot be done, the sentences are computed again the next time."""
        if self._own is None:
            return
        try:
            write_embeddings(self._own, {**self._read(self._own), **known})
        except OSError as error:
            log.warning("embeddings of prompts cannot be kept in %s: %s", self._own, error)


def prompt_cache(plan: Plan) -> PromptCache:
    """The cache for the model of a plan, in the user's cache folder."""
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    own = home / "character-pipeline" / "prompts" / f"{plan.key}.safetensors"
    return PromptCache(plan.checkpoint.size, plan.checkpoint.folder / PROMPTS, own)


def digest(sentence: str) -> str:
    """What a sentence is filed under."""
    return hashlib.blake2b(sentence.encode(), digest_size=16).hexdigest()


def read_embeddings(path: Path) -> Known:
    """The rows of a file by the digest of their sentence; nothing where the file is missing or damaged.

    The file is a safetensors file with one tensor `embeddings`, and a JSON list of the digests under `sentences` in
    its metadata.
    """
    if not path.is_file():
        return {}
    import numpy as np
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="np") as file:
            rows = np.asarray(file.get_tensor("embeddings"), dtype=np.float32)
            names = json.loads((file.metadata() or {})["sentences"])
        return dict(zip(names, rows, strict=True))
    except (OSError, ValueError, KeyError, TypeError, SafetensorError) as error:
        log.warning("%s cannot be read and is left out: %s", path, error)
        return {}


def write_embeddings(path: Path, known: Mapping[str, NDArray[np.float32]]) -> None:
    """Write a file that `read_embeddings` reads; in place of an old one at once, so that no reader sees half of it."""
    import numpy as np
    from safetensors.numpy import save

    path.parent.mkdir(parents=True, exist_ok=True)
    names = sorted(known)
    tensor = np.stack([known[name] for name in names]).astype(np.float32)
    raw = save({"embeddings": tensor}, metadata={"sentences": json.dumps(names)})
    handle, aside = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(raw)
        Path(aside).replace(path)
    except OSError:
        with suppress(OSError):
            Path(aside).unlink()
        raise
