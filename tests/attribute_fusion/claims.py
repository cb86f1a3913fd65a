"""Any evidence at all, from given sources."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import strategies as st

from character_pipeline.data import Evidence
from character_pipeline.vocabulary import load_vocabulary

ATTRIBUTES = load_vocabulary().attributes


def any_claim(sources: Sequence[str]) -> st.SearchStrategy[Evidence]:
    return st.sampled_from(sorted(ATTRIBUTES)).flatmap(
        lambda key: st.builds(
            Evidence,
            attribute=st.just(key),
            value=st.sampled_from(ATTRIBUTES[key].values),
            score=st.floats(0.0, 1.0),
            source=st.sampled_from(sources),
            origin=st.just("x"),
            stance=st.sampled_from(["is", "is", "is", "not", "hidden", "absent"]),
            detail=st.sampled_from([None, "dark"]),
        )
    )
