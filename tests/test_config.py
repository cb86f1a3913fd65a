from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from character_pipeline import create_pipeline
from character_pipeline.config import load_config, without_password
from character_pipeline.errors import ConfigError

CONTRACT = {
    "input_loader": {"dataset_path": "./continued/sensitive"},
    "clip_analyzer": {"model_name": "openai/clip-vit-base-patch32", "confidence_threshold": 0.3, "device": "cuda"},
    "attribute_fusion": {"fusion_strategy": "confidence_weighted", "confidence_threshold": 0.3},
    "rl_optimizer": {"learning_rate": 0.001, "epsilon": 0.1, "batch_size": 32},
    "database": {"db_path": "./data/character_attributes.db", "enable_caching": True},
}


def test_the_documented_configuration_is_taken() -> None:
    config = load_config(CONTRACT)
    assert config.database.db_path == "./data/character_attributes.db"
    assert load_config(config) is config


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("c.toml", "[attribute_fusion]\nconfidence_threshold = 0.5\n"),
        ("c.yaml", "attribute_fusion:\n  confidence_threshold: 0.5\n"),
        ("c.json", '{"attribute_fusion": {"confidence_threshold": 0.5}}'),
    ],
)
def test_files(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text)
    assert load_config(tmp_path / name).attribute_fusion.confidence_threshold == 0.5


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"databse": {}}, r"unknown key 'databse'. Did you mean 'database'\?"),
        ({"database": {"db_pth": "x"}}, r"section \[database\]: unknown key 'db_pth'. Did you mean 'db_path'\?"),
        ({"attribute_fusion": {"confidence_threshold": 3}}, "attribute_fusion.confidence_threshold.*given: 3"),
        ({"clip_analyzer": {"views": ["face"]}}, r"clip_analyzer\.views: .*Allowed: whole, head \(given: \['face'\]"),
        ({"clip_analyzer": {"views": []}}, "clip_analyzer.views: .*must be a list of views"),
        ({"clip_analyzer": {"views": ["head"]}}, "clip_analyzer.views: .*must name 'whole' too"),
    ],
)
def test_mistakes_are_named(given: dict[str, object], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        load_config(given)


@pytest.mark.parametrize(
    ("name", "text"), [("c.toml", "= 1"), ("c.yaml", "{"), ("c.json", "["), ("c.ini", ""), ("c.json", "[]")]
)
def test_files_that_cannot_be_read(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(ConfigError, match=r"c\.|a table of sections"):
        load_config(str(tmp_path / name))


def test_an_unknown_strategy() -> None:
    with pytest.raises(ConfigError, match=r"fusion_strategy .best. .*Allowed: confidence_weighted"):
        create_pipeline({"attribute_fusion": {"fusion_strategy": "best"}})


def test_a_missing_file() -> None:
    with pytest.raises(ConfigError, match=r"no_such\.toml"):
        create_pipeline("no_such.toml")


SIGNS = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=6)


@given(SIGNS, st.sampled_from(["host", "host:5432", "%2Ftmp", ""]))
def test_passwords_are_not_shown(password: str, host: str) -> None:
    hidden = f"<{password}>"
    for address in (
        f"postgresql://me:{hidden}@{host}/db?connect_timeout=3",
        f"postgres://me@{host}/db?password={hidden.replace('&', '')}",
        f"postgresql://me@{host}/db?sslpassword={hidden.replace('&', '')}&a=1",
    ):
        shown = without_password(address)
        assert hidden not in shown
        assert shown.startswith(address.split(":")[0] + "://me@")


def test_a_broken_file_does_not_show_what_is_in_it(tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_text("database:\n  db_path: postgresql://me:secret@host/db: x\n")
    with pytest.raises(ConfigError, match="line 2") as told:
        load_config(tmp_path / "c.yaml")
    assert "secret" not in str(told.value)
    place = "postgresql://me:secret@host/db"
    config = load_config({"database": {"db_path": place}, "attribute_fusion": {"character_profiles": place}})
    assert "secret" not in f"{config!r}{config.model_dump()}{config.model_dump_json()}"
    assert config.database.db_path == config.attribute_fusion.character_profiles == place
