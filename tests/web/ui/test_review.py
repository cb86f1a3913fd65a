"""A desk of questions: keys answer the one that is shown, and nothing else does anything."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from character_pipeline.database.feedback import all_feedback, count_feedback
from character_pipeline.web.service import Service
from character_pipeline.web.ui.review import Desk, _act, _refill, _shown, name_of
from tests.web.conftest import settings as service_settings

TEXTS = ["1girl, solo, red_hair, blue_hair", "1girl, solo, blue_eyes, red_eyes", "1boy, solo, hat, glasses"]


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    place = tmp_path_factory.mktemp("review")
    (place / "texts.txt").write_text("\n".join(TEXTS))
    with Service(service_settings(place)) as service:
        service.pipeline.run(place / "texts.txt")
        yield service


def said(service: Service) -> int:
    with service.reading() as store:
        return count_feedback(store)


def press(service: Service, desk: Desk, act: str, *keys: int) -> Desk:
    assert desk.question is not None
    return _act(service, desk, {"act": act, "question": name_of(desk.question), "keys": list(keys)})


def test_an_answer_is_kept_and_can_be_taken_back(filled: Service) -> None:
    desk = _refill(filled, Desk())
    first = desk.question
    assert first is not None
    after = press(filled, desk, "say", 1)
    with filled.reading() as store:
        (one,) = all_feedback(store)
    assert (one.item_id, one.label, one.values) == (first.item_id, first.attribute, (first.chances[0][0],))
    assert after.question != first
    back = _act(filled, after, {"act": "undo"})
    assert (said(filled), back.question, back.given) == (0, first, ())
    assert _act(filled, back, {"act": "undo"}) == back


def test_no_key_says_that_none_can_be_seen(filled: Service) -> None:
    after = press(filled, _refill(filled, Desk()), "say")
    with filled.reading() as store:
        assert [one.values for one in all_feedback(store)] == [()]
    _act(filled, after, {"act": "undo"})


def test_on_and_back(filled: Service) -> None:
    desk = _refill(filled, Desk())
    onward = press(filled, desk, "skip")
    assert onward.question == desk.questions[1]
    assert press(filled, onward, "back").question == desk.question
    assert press(filled, desk, "back").question == desk.question
    assert said(filled) == 0


anything = st.recursive(st.none() | st.integers() | st.text(max_size=5), lambda inner: st.lists(inner, max_size=3))


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.one_of(anything, st.fixed_dictionaries({"act": anything, "question": anything, "keys": anything})))
def test_what_no_page_sends_does_nothing(filled: Service, asked: object) -> None:
    desk = _refill(filled, Desk())
    assert _act(filled, desk, asked) == desk
    assert said(filled) == 0


def test_the_page_escapes_and_counts(filled: Service) -> None:
    _, card, _, history = _shown(filled, _refill(filled, Desk()))
    assert 'data-key="1"' in card
    assert "<b>0</b> of them just now" in history
    assert "Nothing is left" in _shown(filled, Desk())[1]
