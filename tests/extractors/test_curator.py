"""Lists of tags, prompts and descriptions as people have them, read from end to end."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.extractors.curator import Case, Score, cases, judge

from character_pipeline import CharacterPipeline, create_pipeline


@pytest.fixture(scope="module")
def pipeline() -> Iterator[CharacterPipeline]:
    with create_pipeline() as made:
        yield made


@pytest.mark.parametrize("case", list(cases("curator_cases.txt")), ids=lambda case: case.text[:60])
def test_the_record_is_one_that_a_curator_accepts(case: Case, pipeline: CharacterPipeline) -> None:
    assert judge(case, pipeline.extract_from_text(case.text)).faults == []


def test_the_held_out_texts_stay_as_well_read(pipeline: CharacterPipeline) -> None:
    scores = [judge(case, pipeline.extract_from_text(case.text)) for case in cases("curator_held_out.txt")]
    right, wrong, missing = (sum(each) for each in zip(*map(counted, scores), strict=True))
    assert right / (right + wrong) > 0.97
    assert right / (right + missing) > 0.97
    assert not any(score.people for score in scores)


def counted(score: Score) -> tuple[int, int, int]:
    return score.right, len(score.wrong), len(score.missing)
