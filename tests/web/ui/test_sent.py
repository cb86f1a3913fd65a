"""Events read what was sent to a page, and no other file or address, whatever they name."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from character_pipeline.web.ui.sent import is_sent, named
from tests.conftest import picture_bytes
from tests.web.process import serving

values = st.recursive(
    st.none() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["path", "url", "x"]), inner)
)


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    with serving(tmp_path_factory.mktemp("sent"), ui=True) as server:
        server.wait_ready()
        with closing(server.client()) as client:
            yield client


def ask(client: httpx.Client, name: str, *data: object) -> dict[str, Any]:
    """What an event of the page answers, asked for without the page."""
    events = {one["api_name"]: one["id"] for one in client.get("/config").json()["dependencies"]}
    about = {"data": data, "fn_index": events[name], "session_hash": os.urandom(8).hex()}
    client.post("/gradio_api/queue/join", json=about).raise_for_status()
    with client.stream("GET", "/gradio_api/queue/data", params={"session_hash": about["session_hash"]}) as answer:
        told = next(line for line in answer.iter_lines() if "process_completed" in line)
    found: dict[str, Any] = json.loads(told.removeprefix("data:"))
    return found


def test_no_other_file_is_read(client: httpx.Client, tmp_path: Path) -> None:
    secret = tmp_path / "secret.png"
    secret.write_bytes(picture_bytes())
    meta = {"_type": "gradio.FileData"}
    for path in (str(secret), f"{tmp_path}/x/../secret.png", f"file://{secret}", "http://127.0.0.1:1/x.png"):
        for about in ({"path": path}, {"path": path, "meta": meta}, {"path": path, "url": path, "meta": meta}):
            for name, data in (("run", (about, "1girl", "hierarchical")), ("begin_1", ([about], "", False)),
                               ("run", (None, about, "hierarchical"))):  # fmt: skip
                answer = ask(client, name, *data)
                assert not answer["success"]
                assert "not sent to this page" in answer["output"]["error"]


def test_what_was_sent_is_read(client: httpx.Client) -> None:
    sent = client.post("/gradio_api/upload", files={"files": ("a.png", picture_bytes())}).json()
    answer = ask(client, "run", {"path": sent[0], "meta": {"_type": "gradio.FileData"}}, "1girl", "hierarchical")
    assert answer["success"]
    assert "cp-record" in answer["output"]["data"][0]


@given(values)
def test_all_that_is_named_is_found(value: object) -> None:
    assert json.dumps([value]).count('"path":') == len(list(named([value])))


@given(st.text())
def test_only_files_of_the_folder_are_sent(name: str) -> None:
    assert not is_sent(f"/elsewhere/{name}", Path("/pages")) or ".." in name
    assert not is_sent(f"/pages/../{name}", Path("/pages")) or name.partition("/")[0] == "pages"


def test_links_lead_nowhere(tmp_path: Path) -> None:
    folder = tmp_path / "pages"
    folder.mkdir()
    (folder / "link").symlink_to(tmp_path)
    assert is_sent(str(folder / "a.png"), folder)
    assert not is_sent(str(folder / "link" / "a.png"), folder)
    assert not is_sent(str(folder / "link"), folder)
