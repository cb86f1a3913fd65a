from __future__ import annotations

from pathlib import Path

import pytest

from character_pipeline.database.queries import parse_filter
from character_pipeline.database.store import Store
from character_pipeline.vocabulary import load_vocabulary


@pytest.mark.parametrize(
    "where", ["hair_color=Black", "hair_color=not_visible", "accessories=Glasses", "status=failed"]
)
def test_filters_use_an_index(tmp_path: Path, where: str) -> None:
    store = Store(tmp_path / "x.db", load_vocabulary())
    found = parse_filter(store, where)
    query = f"EXPLAIN QUERY PLAN SELECT count(*) FROM items i JOIN records r ON r.item = i.id {found.where}"
    plan = [row[3] for row in store.db.execute(query, found.marks)]
    store.close()
    assert not [step for step in plan if step.startswith("SCAN")], plan
