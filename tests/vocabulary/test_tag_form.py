"""Every spelling of a tag has one form, and kaomoji survive."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from character_pipeline.vocabulary.tag_form import tag_form


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("Long Hair", "long_hair"),
        ("  long   hair\n", "long_hair"),
        (r"bow \(weapon\)", "bow_(weapon)"),
        ("bow (weapon)", "bow_(weapon)"),
        ("ｌｏｎｇ　ｈａｉｒ", "long_hair"),
        ("jack-o’-lantern", "jack-o'-lantern"),
        ("rating: Explicit", "rating:explicit"),
        ("rating:explicit", "rating:explicit"),
        (":D", ":d"),
        (":d", ":d"),
        (";)", ";)"),
        ("^_^", "^_^"),
        ("^ ^", "^_^"),
        (">_<", ">_<"),
        ("T_T", "t_t"),
        ("@_@", "@_@"),
        (r"\(^o^)/", r"\(^o^)/"),
        (r"\m/", r"\m/"),
        (r"\||/", r"\||/"),
        (":(", ":("),
        ("=_=", "=_="),
        ("<o>_<o>", "<o>_<o>"),
        ("|_|", "|_|"),
        ("", ""),
    ],
)
def test_the_form_of(text: str, form: str) -> None:
    assert tag_form(text) == form


@given(st.text(max_size=40))
def test_the_form_of_a_form_is_itself(text: str) -> None:
    assert tag_form(tag_form(text)) == tag_form(text)


@given(st.text("abc()-_ :;^<>'\\\u00c9\uff21\u2019", max_size=30))
def test_spaces_and_underscores_agree(text: str) -> None:
    assert tag_form(text.strip().replace(" ", "_")).count(" ") == 0
    assert "_".join(tag_form(text).split("_")) == tag_form(text)
