"""Names that come again, and archives that are looked at before they are believed."""

from __future__ import annotations

import io
import warnings
import zipfile
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from character_pipeline.config import PipelineConfig
from character_pipeline.errors import ConfigError
from character_pipeline.web.archives import count_members
from character_pipeline.web.rest.uploads import Upload, read_uploads

names = st.lists(st.sampled_from(["a.txt", "a#2.txt", "a#3.txt", "b/a.txt", "c.txt"]), min_size=1, max_size=12)


def archive(members: Sequence[str]) -> io.BytesIO:
    held = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that a name comes again
        with zipfile.ZipFile(held, "w") as file:
            for name in members:
                file.writestr(name, b"1girl")
    return held


@given(names)
def test_every_file_is_one_item_whatever_it_is_called(members: list[str]) -> None:
    held = archive(members)
    assert count_members(held) >= len(members)
    found = list(read_uploads([Upload("a.zip", held)], PipelineConfig()))
    assert len({sent.item_id for sent in found}) == len(found) == len(members)
    assert all(sent.text == "1girl" and sent.image is None for sent in found)


def test_very_many_files_of_one_name() -> None:
    held = archive(["a.txt"] * 30_000)
    assert sum(1 for _ in read_uploads([Upload("a.zip", held)], PipelineConfig())) == 30_000


def test_an_archive_that_lists_too_much_is_not_opened() -> None:
    config = PipelineConfig.model_validate({"serve": {"max_batch_items": 10}})
    with pytest.raises(ConfigError, match="too many files"):
        list(read_uploads([Upload("a.zip", archive(["a.txt"] * 30))], config))
