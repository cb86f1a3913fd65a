from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from character_pipeline.web.rest.bodies import check_parts
from character_pipeline.web.rest.problems import ProblemError

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


def count(value: Any) -> int:
    """The keys and values in a value, itself among them."""
    if isinstance(value, dict):
        return 1 + sum(1 + count(one) for one in value.values())
    return 1 + sum(map(count, value)) if isinstance(value, list) else 1


@given(VALUES)
def test_what_has_few_parts_is_let_through(value: Any) -> None:
    check_parts(json.dumps(value).encode(), 2 * count(value))


@pytest.mark.parametrize("raw", [b"1," * 101, b'"",' * 101, b'{"a":1,' * 101, b"[]," * 101, b'"' * 300])
def test_what_has_many_is_not(raw: bytes) -> None:
    with pytest.raises(ProblemError, match="more than 100"):
        check_parts(raw, 100)


def test_signs_within_texts_do_not_count() -> None:
    check_parts(json.dumps({"text": '1girl, "quoted", \\, ' * 10_000}).encode(), 10)


def test_no_text_takes_long() -> None:
    check_parts(b'"' + b'\\"' * 5_000_000, 10)
    check_parts(b'"' + b"\\" * 5_000_001, 10)
