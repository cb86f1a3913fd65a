"""What a run returns: a lazy view on the results in a database."""

from __future__ import annotations

import operator
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, overload

from character_pipeline.data import ExtractionResult
from character_pipeline.database import export, queries
from character_pipeline.database.store import Store
from character_pipeline.errors import MissingExtraError

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Results:
    """A lazy view on results in a database, in the order of the inventory. Quarantined items are not shown."""

    store: Store
    filter: queries.Filter = field(default_factory=queries.Filter)

    def __len__(self) -> int:
        return queries.count_results(self.store, self.filter)

    def __iter__(self) -> Iterator[ExtractionResult]:
        return queries.find_results(self.store, self.filter)

    @overload
    def __getitem__(self, index: int) -> ExtractionResult: ...
    @overload
    def __getitem__(self, index: slice) -> list[ExtractionResult]: ...
    def __getitem__(self, index: int | slice) -> ExtractionResult | list[ExtractionResult]:
        if isinstance(index, slice):
            return self._slice(range(*index.indices(len(self))))
        index = operator.index(index)
        number = index + len(self) if index < 0 else index
        found = queries.result_at(self.store, self.filter, number) if number >= 0 else None
        if found is None:
            raise IndexError(f"result {index} of {len(self)}")
        return found

    def _slice(self, places: range) -> list[ExtractionResult]:
        """The results at some places, read in one pass."""
        if not places:
            return []
        first, last = sorted((places[0], places[-1]))
        found = queries.find_results(self.store, self.filter, limit=last - first + 1, offset=first)
        chosen = list(islice(found, 0, None, abs(places.step)))
        return chosen if places.step > 0 else chosen[::-1]

    def to_pandas(self) -> pd.DataFrame:
        """A data frame with the columns of the Parquet export. Holds everything in memory."""
        try:
            import pandas as pd
        except ImportError as error:
            raise MissingExtraError("to_pandas()", "pandas") from error
        return pd.DataFrame(export.parquet_columns(self.store.vocabulary, list(self)))

    def to_parquet(self, path: str | Path) -> int:
        return export.export(self.store, "parquet", Path(path), self.filter)

    def to_jsonl(self, path: str | Path) -> int:
        return export.export(self.store, "jsonl", Path(path), self.filter)

    def to_csv(self, path: str | Path) -> int:
        return export.export(self.store, "csv", Path(path), self.filter)
