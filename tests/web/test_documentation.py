"""The commands that docs/service.md shows do what it says."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.web.process import serving

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "service.md").read_text(encoding="utf-8")
COMMANDS = [
    line for block in re.findall(r"^```sh\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE) for line in block.splitlines()
]


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_every_command_works(tmp_path: Path) -> None:
    with serving(tmp_path) as server:
        server.wait_ready()
        found = []
        for command in COMMANDS:
            asked = shlex.split(command.replace("http://127.0.0.1:7860", server.address))
            assert asked[0] == "curl"
            answer = subprocess.run([*asked, "-s", "--fail-with-body"], cwd=ROOT, capture_output=True, text=True)  # noqa: PLW1510
            found.append((command, answer.returncode, json.loads(answer.stdout)))
            if "/v1/batches" in command:
                with server.client() as client:
                    while client.get("/v1/batches").json()["items"][0]["state"] in {"queued", "running"}:
                        pass
        assert not [one for one in found if one[1]]
        results = next(answer for command, _, answer in found if "where=" in command)
        assert [row["item_id"] for row in results["items"]] == ["a.png"]


def test_every_path_and_setting_is_there() -> None:
    from character_pipeline.config import ServeConfig
    from tests.web.test_openapi import OPERATIONS

    for operation in OPERATIONS:
        assert operation.split()[1].replace("{batch}", "{id}") in PAGE
    for name in re.findall(r"serve\.(\w+)", PAGE):
        assert name in ServeConfig.model_fields
