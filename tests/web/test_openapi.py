"""What is asked by the OpenAPI document, rightly and wrongly, is answered as the document says."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode
from schemathesis.specs.openapi import checks

from tests.web.process import Server, serving

EXAMPLES = 12
CHECKED = [
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
]
OPERATIONS = (
    "DELETE /v1/batches/{batch}",
    "DELETE /v1/feedback/{number}",
    "GET /healthz",
    "GET /metrics",
    "GET /readyz",
    "GET /v1/batches",
    "GET /v1/batches/{batch}",
    "GET /v1/results",
    "GET /v1/results/{item_id}",
    "GET /v1/statistics",
    "GET /v1/vocabulary",
    "POST /v1/batches",
    "POST /v1/extract",
    "POST /v1/feedback",
)
UNWRONGABLE = {"GET /healthz", "GET /metrics", "GET /readyz", "GET /v1/statistics", "GET /v1/vocabulary"}
"""They are given nothing that could be wrong."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("openapi"), settings="[serve]\nbatch_wait_ms = 0\n") as server:
        server.wait_ready()
        with server.client() as client:
            sent = {"items": [{"id": "a/b.png", "text": "1girl, red_hair"}, {"id": "aside", "text": "loli, nude, sex"}]}
            assert client.post("/v1/batches", json=sent).status_code == 202
        yield server
        assert server.process.poll() is None
        assert not [line for line in server.log if "trace" in line]


def test_the_document(server: Server) -> None:
    with server.client() as client:
        document = client.get("/openapi.json").json()
    named = [f"{method.upper()} {path}" for path, some in document["paths"].items() for method in some]
    assert sorted(named) == list(OPERATIONS)
    for operation in (operation for some in document["paths"].values() for operation in some.values()):
        assert operation["summary"]
        for code, answer in operation["responses"].items():
            assert code < "400" or list(answer["content"]) == ["application/problem+json"]
            assert answer["description"]


@pytest.mark.parametrize(
    ("name", "mode"),
    [(name, mode) for name in OPERATIONS for mode in GenerationMode if mode.is_positive or name not in UNWRONGABLE],
)
def test_answers_are_those_of_the_document(server: Server, name: str, mode: GenerationMode) -> None:
    method, path = name.split()
    operation = schemathesis.openapi.from_url(f"{server.address}/openapi.json")[path][method]

    @given(case=operation.as_strategy(generation_mode=mode))
    @settings(max_examples=EXAMPLES, suppress_health_check=list(HealthCheck), phases=[Phase.generate], database=None)
    def ask(case: schemathesis.Case[Any]) -> None:
        answer = case.call()
        assert answer.status_code < 500
        case.validate_response(answer, checks=CHECKED)

    ask()
