"""Tags, prompts and plain English are told apart, and the syntax of prompts is undone."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from character_pipeline.extractors.reading import read

TAGS = {
    *(
        "1girl",
        "2girls",
        "solo",
        "long_hair",
        "blue_eyes",
        "green_eyes",
        "no_glasses",
        "smile",
        "hat",
        "dress",
        "gloves",
    ),
    *("bow_(weapon)", "halo_(game)", "saber_(fate)", "ribbon", "looking_at_viewer", "school_uniform", "dr._stone"),
    *(":)", ">_<", "^_^", "(o)_(o)", ";)", "|_|", ":<", "=_=", "x_x", "\\m/"),
}


def is_tag(text: str) -> bool:
    return text.lower().replace(" ", "_") in TAGS


@pytest.mark.parametrize(
    ("text", "tags"),
    [
        ("1girl, solo, long_hair", "1girl|solo|long_hair"),
        ("1girl,solo,long hair", "1girl|solo|long hair"),
        ("1girl solo long_hair blue_eyes", "1girl|solo|long_hair|blue_eyes"),
        ("1girl\nsolo\n\nlong hair", "1girl|solo|long hair"),
        ("1girl|||solo|||long hair", "1girl|solo|long hair"),
        ("1girl，solo、long hair; smile", "1girl|solo|long hair|smile"),
        ("1girl, solo BREAK long hair AND smile", "1girl|solo|long hair|smile"),
        ("green eyes, smile", "green eyes|smile"),
        ("1girl, some unknown tag", "1girl|some unknown tag"),
        ("masterpiece, best quality, rating:explicit, score_9", "masterpiece|best quality|rating:explicit|score_9"),
        (":), >_<, ^_^, (o)_(o), ;), |_|, :<, =_=, x_x, \\m/", ":)|>_<|^_^|(o)_(o)|;)||_||:<|=_=|x_x|\\m/"),
        ("1girl, bow_(weapon), halo (game)", "1girl|bow_(weapon)|halo (game)"),
        ("1girl, solo., smile", "1girl|solo|smile"),
        ("1girl, dr. stone", "1girl|dr. stone"),
        ("1girl,\nsolo,\r\nlong hair,\n", "1girl|solo|long hair"),
        ("1girl\r\nunknown thing\r\nlong hair", "1girl|unknown thing|long hair"),
        ("1girl solo long_hair somebody_new", "1girl|solo|long_hair|somebody_new"),
    ],
)
def test_lists_of_tags(text: str, tags: str) -> None:
    reading = read(text, is_tag)
    assert "|".join(reading.tags) == tags
    assert reading.prose == ""
    assert reading.language == "tags"


@pytest.mark.parametrize(
    ("text", "tags"),
    [
        ("(smile:1.2)", ["smile"]),
        ("((smile))", ["smile"]),
        ("{{smile}}, [hat]", ["smile", "hat"]),
        ("(smile, long hair:1.1), hat", ["smile", "long hair", "hat"]),
        ("1.2::smile::, -1::hat::, 0::dress, gloves::, ribbon", ["smile", "ribbon"]),
        ("<lora:some_name:0.8>, smile, <hypernet:x:1>", ["smile"]),
        ("__color__, smile", ["smile"]),
        ("{smile|hat|dress}, ribbon", ["ribbon"]),
        ("[smile:hat:0.5], [smile|hat], [hat::0.3], ribbon", ["ribbon"]),
        (r"saber_\(fate\), smile", ["saber_(fate)", "smile"]),
        ("(hat:0), (dress:-0.5), smile", ["smile"]),
        ("(bow_(weapon):1.2), smile", ["bow_(weapon)", "smile"]),
        ("(smile, (hat:0.0), ribbon:1.3)", ["smile", "ribbon"]),
        ("(smile, hat", ["smile", "hat"]),
        ("(smile:1.1)\nNegative prompt: hat, (dress:1.4)\nSteps: 20, Sampler: Euler", ["smile"]),
        ("(smile:1.1)\nSteps: 20, Sampler: Euler a, CFG scale: 7", ["smile"]),
    ],
)
def test_the_syntax_of_prompts_is_undone(text: str, tags: list[str]) -> None:
    reading = read(text, is_tag)
    assert list(reading.tags) == tags
    assert reading.prose == ""
    assert reading.language == "prompt"


@pytest.mark.parametrize(
    "text",
    [
        "a young woman in her twenties with long raven hair tied in a ponytail, green eyes, no glasses, "
        "wearing a school uniform",
        "She has no hat, gloves, or scarf.",
        "Hair: long, black. Eyes: blue. Age: 17",
        "smiling woman",
        "Her auburn locks fell over her shoulders. She smiled.",
        "a woman with a hat, smile, blue eyes",
        "she has blue_eyes and a hat",
        "Hair: long\nEyes: blue\nShe is tall.",
    ],
)
def test_plain_english_stays_in_one_piece(text: str) -> None:
    reading = read(text, is_tag)
    assert reading.language == "english"
    assert reading.prose == text
    assert reading.tags == ()


@pytest.mark.parametrize(
    ("text", "tags", "prose"),
    [
        ("1girl, solo, a woman with red hair, masterpiece", ["1girl", "solo", "masterpiece"], "a woman with red hair"),
        ("1girl, solo. She has a hat, gloves and a bow.", ["1girl", "solo"], "She has a hat, gloves and a bow."),
        ("1girl, solo\nShe is smiling.", ["1girl", "solo"], "She is smiling."),
        ("a tall woman, 1girl, her red hat", ["1girl"], "a tall woman. her red hat"),
        ("1girl, she wears no hat, gloves, or scarf", ["1girl"], "she wears no hat, gloves, or scarf"),
        ("1girl, (a woman with red hair:1.2)", ["1girl"], "a woman with red hair"),
    ],
)
def test_mixed_texts(text: str, tags: list[str], prose: str) -> None:
    reading = read(text, is_tag)
    assert (list(reading.tags), reading.prose, reading.language) == (tags, prose, "mixed")


@pytest.mark.parametrize("text", ["", " \n\t", " , ,", "()", "<lora:x:1>"])
def test_nothing_to_read(text: str) -> None:
    assert read(text, is_tag).language == "empty"


def test_a_second_reader_gets_the_same_answer_and_another_lexicon_its_own() -> None:
    text = "smile hat dress"
    assert read(text, is_tag) is read(text, is_tag)
    assert read(text, lambda _: False).tags == (text,)


SYNTAX = st.text(alphabet="()[]{}<>|\\:;,._- \n12ab'☃，")


@settings(max_examples=200, deadline=None)
@given(st.one_of(st.text(max_size=200), SYNTAX))
def test_any_text_can_be_read(text: str) -> None:
    reading = read(text, is_tag)
    assert all(tag and tag == tag.strip() for tag in reading.tags)
    assert (reading.language == "empty") == (not reading.tags and not reading.prose)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.sampled_from(sorted(TAGS)), min_size=2, max_size=12))
def test_known_tags_come_back_as_they_are(tags: list[str]) -> None:
    assert list(read(", ".join(tags), is_tag).tags) == tags
