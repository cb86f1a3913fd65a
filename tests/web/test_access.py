"""Who may ask for what, by the settings."""

from __future__ import annotations

from typing import Any

import pytest

from character_pipeline.config import ServeConfig
from character_pipeline.web.access import is_alone


@pytest.mark.parametrize(
    ("settings", "alone"),
    [
        ({}, True),
        ({"host": "::1"}, True),
        ({"host": "localhost", "require_key": False}, True),
        ({"host": "0.0.0.0"}, False),
        ({"host": "0.0.0.0", "require_key": False}, False),
        ({"allowed_hosts": ("pictures.example",), "require_key": True}, False),
        ({"allowed_hosts": ("pictures.example",)}, False),
        ({"require_key": True}, False),
    ],
)
def test_folders_are_named_only_where_nobody_else_can_ask(settings: dict[str, Any], alone: bool) -> None:
    assert is_alone(ServeConfig(**settings)) is alone
