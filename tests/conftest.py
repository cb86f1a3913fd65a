"""What several rooms' tests share."""

from __future__ import annotations

import io
import json
import uuid
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest
from hypothesis import settings
from PIL import Image

from character_pipeline.database.store import Store
from character_pipeline.testing import FakeExtractor
from tests.servers import Server, find_programs, running_server

settings.register_profile("shared machine", deadline=None)
settings.load_profile("shared machine")

WORDS = {
    "blonde_hair": ("hair_color", "Blonde"),
    "red_hair": ("hair_color", "Red"),
    "blue_eyes": ("eye_color", "Blue"),
    "glasses": ("accessories", "Glasses"),
    "hat": ("accessories", "Hat"),
    "long_hair": ("hair_length", "Long"),
    "girl": ("gender", "Female"),
    "crowd": ("people", "multiple"),
}

SINCE_SEVEN = ("identity", "duplicates", "profiles", "profile_members", "jobs", "api_keys", "pace")
"""The tables of version 7 and of those that came after it."""


@pytest.fixture(scope="session", autouse=True)
def alone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """No test asks the network for models, or reads and fills the user's own caches."""
    place = tmp_path_factory.mktemp("caches")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HF_HUB_OFFLINE", "1")
        patch.setenv("HF_HUB_CACHE", str(place / "hub"))
        patch.setenv("XDG_CACHE_HOME", str(place))
        yield


@pytest.fixture
def fake() -> FakeExtractor:
    return FakeExtractor(WORDS)


def picture_bytes(kind: str = "PNG", size: tuple[int, int] = (8, 6), mode: str = "RGB", color: object = "red") -> bytes:
    buffer = io.BytesIO()
    Image.new(mode, size, color).save(buffer, kind)  # type: ignore[arg-type]
    return buffer.getvalue()


@pytest.fixture
def make_manifest(tmp_path: Path) -> Callable[[Iterable[str]], Path]:
    """Writes texts as a JSONL manifest."""

    def make(texts: Iterable[str]) -> Path:
        path = tmp_path / "texts.jsonl"
        lines = (json.dumps({"id": f"item-{number:05}", "text": text}) for number, text in enumerate(texts))
        path.write_text("".join(f"{line}\n" for line in lines))
        return path

    return make


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    programs = find_programs()
    if programs is None:
        pytest.skip("PostgreSQL is not installed: apt-get install postgresql")
    with running_server(programs) as running:
        yield running


@pytest.fixture(scope="session")
def new_schema(server: Server) -> Callable[[], str]:
    """Makes the address of a place on the server where nothing is yet."""

    def make() -> str:
        import psycopg

        with psycopg.connect(server.address(), autocommit=True) as db:
            schema = f"s{uuid.uuid4().hex}"
            db.execute(f"CREATE SCHEMA {schema}".encode())
        return server.address(schema)

    return make


@pytest.fixture(params=["file", "server"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of a new database, of each kind."""
    if request.param == "file":
        return str(tmp_path / "out" / "character_attributes.db")
    return str(request.getfixturevalue("new_schema")())


@pytest.fixture
def store(filled: str) -> Iterator[Store]:
    """What a module's own fixture `filled` has put into a database."""
    opened = Store(filled)
    yield opened
    opened.close()
