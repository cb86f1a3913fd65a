from __future__ import annotations

import base64
import io
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from character_pipeline.errors import BusyError, StoreError
from character_pipeline.web.app import create_app
from character_pipeline.web.service import Service
from tests.conftest import picture_bytes
from tests.web.conftest import settings

Pictures = list[tuple[bytes, str | None]]
ODD_ID = "../../a b/<script>alert(1)</script>?.png"


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    app = create_app(settings(tmp_path_factory.mktemp("rest"), max_body_bytes=2**20), ui=False)
    with TestClient(app, base_url="http://localhost") as client:
        yield client


@pytest.fixture(scope="module")
def batch(client: TestClient) -> dict[str, Any]:
    """A batch that is done: texts, pictures, what is broken and what is quarantined."""
    items = [
        {"id": "one.png", "text": "1girl, solo, red_hair, blue_eyes"},
        {"id": ODD_ID, "text": "1boy, solo, black_hair, <b>hat</b>"},
        {"id": "broken", "image": base64.b64encode(b"no picture").decode()},
        {"id": "picture", "image": base64.b64encode(picture_bytes(size=(64, 64))).decode()},
        {"id": "aside", "text": "loli, nude, sex"},
        *({"text": f"1girl, solo, green_hair, number_{n}"} for n in range(20)),
    ]
    answer = client.post("/v1/batches", json={"items": items}, headers={"Idempotency-Key": "first"})
    assert answer.status_code == 202
    service: Service = client.app.state.service  # type: ignore[attr-defined]
    service.jobs.wait(answer.json()["id"])
    again = client.post("/v1/batches", json={"items": items}, headers={"Idempotency-Key": "first"})
    assert again.status_code == 200
    assert again.headers["location"] == f"/v1/batches/{answer.json()['id']}"
    found: dict[str, Any] = again.json()
    return found


def problem(answer: Any, status: int) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    found: dict[str, Any] = answer.json()
    assert found["status"] == status
    assert found["instance"].endswith(answer.headers["x-request-id"])
    return found


def test_one_item_as_json_and_as_a_form(client: TestClient, pictures: Pictures) -> None:
    raw, text = pictures[0]
    form = client.post("/v1/extract", files={"image": ("../../x.webp", raw)}, data={"text": text or ""})
    encoded = base64.b64encode(raw).decode()
    json = client.post("/v1/extract", json={"image": encoded, "text": text or ""})
    assert form.status_code == json.status_code == 200
    assert form.json() == json.json()
    assert form.json()["status"] == "ok"
    assert form.json()["Gender"] == "Female"
    detail = client.post("/v1/extract", files={"image": ("x", raw)}, data={"detail": "true", "strategy": "ensemble"})
    assert detail.json()["attributes"]["Gender"]["evidence"]


def test_an_item_that_fails_in_part_says_so(client: TestClient) -> None:
    broken = base64.b64encode(b"no picture").decode()
    found = client.post("/v1/extract", json={"image": broken, "text": "1girl, solo, red_hair"}).json()
    assert (found["status"], found["Hair Color"], found["errors"][0]["kind"]) == ("partial", "Red", "not_an_image")
    told = problem(client.post("/v1/extract", json={"image": broken}), 422)
    assert told["kind"] == "not_an_image"
    assert told["advice"]


def test_what_is_set_aside_shows_nothing(client: TestClient, batch: dict[str, Any]) -> None:
    for detail in (False, True):
        found = client.post("/v1/extract", json={"text": "loli, nude, sex", "detail": detail}).json()
        assert found["status"] == "quarantined"
        assert "loli" not in str(found)
    ids = [row["item_id"] for row in client.get("/v1/results?limit=500").json()["items"]]
    assert "aside" not in ids
    assert len(ids) == 24
    problem(client.get("/v1/results/aside"), 404)
    problem(client.post("/v1/feedback", json={"item_id": "aside", "attribute": "Age", "values": []}), 404)


def test_a_batch_says_how_it_went(client: TestClient, batch: dict[str, Any]) -> None:
    assert (batch["state"], batch["total"], batch["done"]) == ("done", 25, 25)
    assert batch["failures"] == {"not_an_image": 1}
    assert client.get("/v1/batches").json()["items"][-1] == batch
    assert client.get(f"/v1/batches/{batch['id']}").json() == batch
    assert client.delete(f"/v1/batches/{batch['id']}").json() == batch
    problem(client.get("/v1/batches/none"), 404)
    problem(client.delete("/v1/batches/none"), 404)
    other = client.post("/v1/batches", json={"items": [{"text": "x"}]}, headers={"Idempotency-Key": "first"})
    assert "Idempotency-Key" in problem(other, 422)["detail"]


def test_results_come_in_pages(client: TestClient, batch: dict[str, Any]) -> None:
    whole = client.get("/v1/results", params={"limit": 500}).json()
    assert whole["next_cursor"] is None
    rows, cursor = [], None
    while True:
        page = client.get("/v1/results", params={"limit": 7} | ({"cursor": cursor} if cursor else {})).json()
        rows += page["items"]
        cursor = page["next_cursor"]
        if cursor is None:
            break
        assert len(page["items"]) == 7
    assert rows == whole["items"]
    green = client.get("/v1/results", params={"where": "hair_color=Green", "limit": 500, "batch": batch["id"]}).json()
    assert len(green["items"]) == 20
    assert [row["item_id"] for row in client.get("/v1/results?status=failed").json()["items"]] == ["broken"]
    found = client.get("/v1/results", params={"text": "number_7", "detail": "true"}).json()["items"]
    assert [row["item_id"] for row in found] == ["13"]
    assert found[0]["attributes"]["Hair Color"]["value"] == "Green"


@pytest.mark.parametrize("cursor", ["x", "bm9uZQ", "bi0x", "bjk5OTk5OTk5OTk5OTk5OTk5OTk5OTk5", "é", "bjFf"])
def test_made_up_cursors(client: TestClient, cursor: str) -> None:
    assert "next_cursor" in problem(client.get("/v1/results", params={"cursor": cursor}), 422)["detail"]


def test_one_result_by_any_id(client: TestClient, batch: dict[str, Any]) -> None:
    assert client.get("/v1/results/one.png", params={"detail": "false"}).json()["Hair Color"] == "Red"
    odd = client.get("/v1/results/" + "".join(f"%{sign:02x}" for sign in ODD_ID.encode()))
    assert odd.json()["item_id"] == ODD_ID
    for missing in ("none", "a%00b", "%ff", "x" * 999):
        problem(client.get(f"/v1/results/{missing}"), 404)


def test_feedback_is_given_and_taken_back(client: TestClient, batch: dict[str, Any]) -> None:
    said = {"item_id": "one.png", "attribute": "hair_color", "values": ["green"], "author": "<i>me</i>"}
    given = client.post("/v1/feedback", json=said)
    assert given.status_code == 201
    assert (given.json()["attribute"], given.json()["values"]) == ("Hair Color", ["Green"])
    number = given.json()["number"]
    assert client.delete(f"/v1/feedback/{number}").json() == given.json()
    problem(client.delete(f"/v1/feedback/{number}"), 404)
    problem(client.delete(f"/v1/feedback/{2**70}"), 422)
    for wrong in ({"attribute": "hair"}, {"values": ["purplish"]}, {"values": ["Red", "Green"]}):
        told = problem(client.post("/v1/feedback", json={**said, **wrong}), 422)["detail"]
        assert "/" not in told


def test_files_and_archives(client: TestClient, pictures: Pictures) -> None:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("../up.webp", pictures[0][0])
        packed.writestr("../up.txt", "1girl, solo, red_hair")
        packed.writestr("alone.txt", "1boy, solo")
    files = [("files", ("a.webp", pictures[1][0])), ("files", ("a.txt", b"1girl, blonde_hair")),
             ("files", ("all.ZIP", archive.getvalue())), ("files", ("a.webp", b"x"))]  # fmt: skip
    started = client.post("/v1/batches", files=files)
    assert started.status_code == 202, started.text
    service: Service = client.app.state.service  # type: ignore[attr-defined]
    done = service.jobs.wait(started.json()["id"])
    found = client.get(f"{started.json()['results']}&limit=500").json()["items"]
    ids = {row["item_id"].removeprefix(done.prefix or ""): row["status"] for row in found}
    assert ids == {"../up.webp": "ok", "alone.txt": "ok", "a.webp": "ok", "a#2.webp": "failed"}


@pytest.mark.parametrize("raw", [b"", b"PK\x05\x06", b"no zip", b"PK\x01\x02" * 250_000])
def test_archives_that_are_none(client: TestClient, raw: bytes) -> None:
    answer = client.post("/v1/batches", files=[("files", ("x.zip", raw))])
    assert answer.status_code in {413, 422}, answer.text
    problem(answer, answer.status_code)


def test_what_comes_out_of_an_archive_is_bounded(client: TestClient) -> None:
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("zeros.png", bytes(40 * 2**20))
    assert (
        "too much" in problem(client.post("/v1/batches", files=[("files", ("b.zip", bomb.getvalue()))]), 422)["detail"]
    )


JSON = {"content-type": "application/json"}
DEEP = "[" * 10_000 + "]" * 10_000
MANY = b'{"items":[' + b",".join([b"1"] * 400_000) + b"]}"
WRONG: list[tuple[int, str, str, dict[str, Any]]] = [
    (404, "GET", "/v1/nothing", {}),
    (404, "GET", "/nothing", {}),
    (405, "PUT", "/v1/extract", {}),
    (405, "POST", "/healthz", {}),
    (413, "POST", "/v1/extract", {"content": b"x" * (2**20 + 1)}),
    (413, "POST", "/v1/extract", {"content": iter([b"x" * 2**19] * 3), "headers": JSON}),
    (413, "POST", "/v1/extract", {"content": b"", "headers": {"content-length": "-5"}}),
    (415, "POST", "/v1/extract", {"content": b"x", "headers": {"content-type": "text/plain"}}),
    (415, "POST", "/v1/batches", {"content": b"x"}),
    (422, "POST", "/v1/extract", {"json": {}}),
    (422, "POST", "/v1/extract", {"json": {"text": "x", "url": "http://example.org"}}),
    (422, "POST", "/v1/extract", {"json": {"text": "x", "strategy": "nobody"}}),
    (422, "POST", "/v1/extract", {"json": {"image": "not base64!"}}),
    (422, "POST", "/v1/extract", {"content": DEEP, "headers": JSON}),
    (422, "POST", "/v1/extract", {"content": b"\xff{", "headers": JSON}),
    (422, "POST", "/v1/extract", {"content": b'{"text":"\\ud800"}', "headers": JSON}),
    (422, "POST", "/v1/extract", {"files": {"picture": ("a.png", b"x")}}),
    (422, "POST", "/v1/extract", {"files": {"image": ("a.png", b"x")}, "data": {"detail": "maybe"}}),
    (422, "POST", "/v1/extract", {"files": {"image": ("a.png", picture_bytes()[:40])}}),
    (422, "POST", "/v1/batches", {"json": {"items": []}}),
    (422, "POST", "/v1/batches", {"files": [("other", ("a.png", b"x"))]}),
    (400, "POST", "/v1/batches", {"content": b"--", "headers": {"content-type": "multipart/form-data"}}),
    (422, "POST", "/v1/feedback", {"content": DEEP, "headers": JSON}),
    (415, "POST", "/v1/feedback", {"content": b"{}"}),
    (413, "POST", "/v1/feedback", {"content": MANY, "headers": JSON}),
    (413, "POST", "/v1/extract", {"content": MANY, "headers": JSON}),
    (422, "POST", "/v1/extract", {"content": b'{"' + b'\\"' * 400_000, "headers": JSON}),
    (413, "POST", "/v1/batches", {"content": MANY, "headers": JSON}),
    (422, "GET", "/v1/results?where=hair", {}),
    (422, "GET", "/v1/results?where=hair_colour=Red", {}),
    (422, "GET", "/v1/results?where=duplicate=no", {}),
    (422, "GET", "/v1/results?limit=1000", {}),
    (422, "GET", "/v1/results?status=quarantined", {}),
    (422, "GET", "/v1/results?text=,", {}),
    (404, "GET", "/v1/results?batch=none", {}),
]  # fmt: skip


@pytest.mark.parametrize(("status", "method", "path", "given"), WRONG)
def test_every_error_is_a_problem(
    client: TestClient,
    tmp_path_factory: pytest.TempPathFactory,
    status: int,
    method: str,
    path: str,
    given: dict[str, Any],
) -> None:
    told = problem(client.request(method, path, **given), status)
    assert len(told["detail"]) > 15
    assert str(tmp_path_factory.getbasetemp()) not in str(told)


def test_a_huge_picture_is_refused_by_its_header(client: TestClient) -> None:
    raw = picture_bytes(size=(12_000, 12_000), mode="1", color=0)
    assert len(raw) < 2**20
    told = problem(client.post("/v1/extract", files={"image": ("bomb.png", raw)}), 413)
    assert told["kind"] == "image_too_large"


def test_what_it_says_of_itself(client: TestClient, batch: dict[str, Any]) -> None:
    assert client.get("/healthz").json()["status"] == "ok"
    service: Service = client.app.state.service  # type: ignore[attr-defined]
    assert service.ready.wait(30)
    assert client.get("/readyz").json()["status"] == "ready"
    failed = client.get("/v1/results?status=failed").json()["items"]
    assert client.get("/v1/statistics").json()["by_status"]["failed"] == len(failed)
    known = client.get("/v1/vocabulary").json()
    assert known["strategies"][0] == "hierarchical"
    assert len(known["attributes"]) == 16
    text = client.get("/metrics").text
    assert 'charpipe_requests_total{method="GET",route="/v1/vocabulary",status="200"} 1.0' in text
    assert 'charpipe_items_total{how="batch",status="ok"}' in text
    page = client.get("/docs")
    assert "/v1/extract" in page.text
    assert "http" not in page.text.replace("http://", "").split("<style>")[0]
    assert "<script" not in page.text


def test_request_ids(client: TestClient) -> None:
    assert client.get("/healthz", headers={"X-Request-ID": "mine-1"}).headers["x-request-id"] == "mine-1"
    for odd in ("a b", "x" * 65, "<script>", ""):
        assert client.get("/healthz", headers={"X-Request-ID": odd}).headers["x-request-id"] not in {odd, ""}


def test_nothing_of_a_request_is_on_disk(client: TestClient, batch: dict[str, Any], tmp_path_factory: Any) -> None:
    service: Service = client.app.state.service  # type: ignore[attr-defined]
    folder = Path(service.config.database.db_path).parent
    sent = {"one.png", "broken", "picture", "aside", "1boy", "script", "passwd"}
    assert not [path for path in folder.rglob("*") if any(name in path.name for name in sent)]
    assert not list((folder / "service.batches").glob("batch-*"))


def test_what_breaks_inside_is_told_without_its_inside(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(error: Exception) -> Any:
        def raise_it(*_: object) -> None:
            raise error

        return raise_it

    place = client.app.state.service.config.database.db_path  # type: ignore[attr-defined]
    for error, status in (
        (RuntimeError("secret"), 500),
        (StoreError(f"{place} is gone"), 503),
        (BusyError("full"), 429),
    ):
        monkeypatch.setattr("character_pipeline.web.rest.about.get_statistics", fail(error))
        answer = client.get("/v1/statistics")
        told = problem(answer, status)
        assert "secret" not in str(told)
        assert place not in str(told)
        assert ("retry-after" in answer.headers) == (status != 500)


def test_it_is_not_ready_before_its_model(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    service: Service = client.app.state.service  # type: ignore[attr-defined]
    monkeypatch.setattr(service, "ready", threading.Event())
    assert "being loaded" in problem(client.get("/readyz"), 503)["detail"]
    monkeypatch.setattr(service, "failure", "the model cannot be loaded")
    assert "cannot" in problem(client.get("/readyz"), 503)["detail"]
