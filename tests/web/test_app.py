"""REST and pages side by side."""

from __future__ import annotations

from pathlib import Path

import pytest

from character_pipeline.errors import ConfigError
from character_pipeline.web.app import create_app
from tests.web.process import serving


def test_pages_are_where_rest_is_not(tmp_path: Path) -> None:
    with serving(tmp_path, ui=True) as server, server.client() as client:
        server.wait_ready()
        page = client.get("/")
        assert page.status_code == 200
        assert page.headers["content-type"].startswith("text/html")
        assert client.get("/config").status_code == 200
        wrong = (("GET", "/v1/nothing", 404), ("PUT", "/v1/extract", 405), ("POST", "/metrics", 405))
        for method, path, status in wrong:
            answer = client.request(method, path)
            assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
        assert 'route="/v1/extract",status="405"' in client.get("/metrics").text
        for headers in ({"Host": "evil.example"}, {"Origin": "https://evil.example"}):
            assert client.post("/gradio_api/queue/join", json={}, headers=headers).status_code == 403
        asked = client.get("/gradio_api/queue/data", headers={"Origin": "http://localhost:9999"})
        assert asked.status_code == 403
        assert "Access-Control-Allow-Origin" not in asked.headers


def test_wrong_settings_are_told_before_anything_starts() -> None:
    with pytest.raises(ConfigError, match="unknown key 'prot'"):
        create_app({"serve": {"prot": 1}})
    with pytest.raises(ConfigError, match=r"serve\.spool_path"):
        create_app({"database": {"db_path": "postgresql://nobody@127.0.0.1:1/x"}})
