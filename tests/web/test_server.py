from __future__ import annotations

import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx

from character_pipeline.database.jobs import list_jobs
from character_pipeline.database.queries import Filter, find_results
from character_pipeline.database.store import Store
from tests.web.process import Server, serving

WORDS = ", ".join(f"some_{n}_tag, a word of {n}" for n in range(10))
ITEMS = {"items": [{"id": f"item-{n}", "text": f"1girl, solo, red_hair, number_{n}, {WORDS}"} for n in range(5_000)]}
"""So many that they are not done before they are stopped."""


def resident_mib(server: Server) -> float:
    lines = Path(f"/proc/{server.process.pid}/status").read_text().splitlines()
    peak = next(line for line in lines if line.startswith("VmHWM"))
    return int(peak.split()[1]) / 1024


def test_killed_in_a_batch_it_goes_on_and_each_item_is_there_once(tmp_path: Path) -> None:
    with serving(tmp_path) as server, server.client() as client:
        batch = client.post("/v1/batches", json=ITEMS).json()["id"]
        while not (done := client.get(f"/v1/batches/{batch}").json()["done"]):
            time.sleep(0.01)
        server.process.send_signal(signal.SIGKILL)
        server.process.wait()
        assert done < len(ITEMS["items"])
    with serving(tmp_path) as server, server.client() as client:
        end = time.monotonic() + 60
        while (job := client.get(f"/v1/batches/{batch}").json())["state"] in {"queued", "running"}:
            assert time.monotonic() < end
            time.sleep(0.05)
        assert (job["state"], job["done"]) == ("done", len(ITEMS["items"]))
        rows: list[dict[str, Any]] = []
        cursor = None
        while cursor or not rows:
            asked = {"limit": 500} | ({"cursor": cursor} if cursor else {})
            page = client.get("/v1/results", params=asked).json()
            rows, cursor = rows + page["items"], page["next_cursor"]
    assert Counter(row["item_id"] for row in rows) == Counter(item["id"] for item in ITEMS["items"])
    assert {row["Hair Color"] for row in rows} == {"Red"}
    assert not list(tmp_path.rglob("batch-*"))


def test_ctrl_c_ends_it_and_what_runs_goes_on_later(tmp_path: Path) -> None:
    with serving(tmp_path) as server, server.client() as client:
        assert server.wait_ready() < 30
        job = client.post("/v1/batches", json=ITEMS).json()["id"]
        while not client.get(f"/v1/batches/{job}").json()["done"]:
            time.sleep(0.01)
        server.process.send_signal(signal.SIGINT)
        assert server.process.wait(30) == 0
    assert not [line for line in server.log if "trace" in line or "Traceback" in line["message"]]
    store = Store(tmp_path / "character_attributes.db", writable=False)
    assert [(one.name, one.state) for one in list_jobs(store)] == [(job, "running")]
    assert 0 < len(list(find_results(store, Filter()))) < len(ITEMS["items"])
    store.close()


def test_keys_names_and_origins(tmp_path: Path) -> None:
    def keys(*command: str) -> str:
        program = [sys.executable, "-m", "character_pipeline", "keys", *command, "--db", str(tmp_path)]
        return subprocess.run(program, check=True, capture_output=True, text=True).stdout.strip()

    key = keys("add", "me")
    assert key not in (tmp_path / "character_attributes.db").read_bytes().decode("latin-1")
    origins = '[serve]\ncors_origins = ["https://friend.example"]\nallowed_hosts = ["127.0.0.1"]\n'
    with serving(tmp_path, "--host", "0.0.0.0", settings=origins) as server:
        port = httpx.URL(server.address).port
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client:
            assert client.get("/healthz").status_code == 200
            probe = {"Host": "10.0.0.7"}  # whoever watches a container asks by an address
            assert client.get("/healthz", headers=probe).status_code == 200
            assert client.get("/v1/vocabulary", headers=probe).status_code == 403
            for path in ("/v1/vocabulary", "/metrics", "/docs", "/openapi.json", "/nothing"):
                refused = client.get(path)
                assert refused.status_code == 401
                assert "WWW-Authenticate" in refused.headers
            good: list[dict[str, Any]] = [{"headers": {"Authorization": f"Bearer {key}"}},
                                          {"headers": {"X-API-Key": key}}, {"auth": ("anyone", key)}]  # fmt: skip
            for way in good:
                assert client.get("/v1/vocabulary", **way).status_code == 200
            for wrong in (b"x", key[:-1].encode(), "é".encode()):
                assert client.get("/v1/vocabulary", headers={b"X-API-Key": wrong}).status_code == 401
            asked = {"X-API-Key": key, "Origin": "https://evil.example"}
            assert client.post("/v1/extract", json={"text": "x"}, headers=asked).status_code == 403
            friend = asked | {"Origin": "https://friend.example"}
            answer = client.post("/v1/extract", json={"text": "x"}, headers=friend)
            assert answer.headers["access-control-allow-origin"] == "https://friend.example"
            preflight = {"Origin": "https://friend.example", "Access-Control-Request-Method": "POST"}
            assert client.options("/v1/extract", headers=preflight).status_code == 200
            assert keys("list").startswith("me ")
            keys("revoke", "me")
            end = time.monotonic() + 20
            while client.get("/v1/vocabulary", headers={"X-API-Key": key}).status_code != 401:
                assert time.monotonic() < end
                time.sleep(0.2)


def test_many_at_once_are_answered_or_sent_away_and_bad_clients_cost_little(tmp_path: Path) -> None:
    limits = "[serve]\nmax_concurrent = 4\nqueue_size = 2\nmax_body_bytes = 2000000\ntimeout_seconds = 3\n"
    with serving(tmp_path, settings=limits) as server, server.client() as client:
        server.wait_ready()
        before = resident_mib(server)
        text = ", ".join(f"tag_{n}" for n in range(3_000))
        with ThreadPoolExecutor(32) as pool:
            answers = list(pool.map(lambda _: client.post("/v1/extract", json={"text": text}), range(96)))
        statuses = Counter(answer.status_code for answer in answers)
        assert set(statuses) == {200, 429}
        assert all("retry-after" in answer.headers for answer in answers if answer.status_code == 429)
        assert client.post("/v1/extract", json={"text": "1girl"}).status_code == 200

        def endless() -> Any:
            while True:
                yield bytes(2**16)

        refused = client.post("/v1/extract", content=bytes(100 * 2**20), headers={"content-type": "application/json"})
        assert refused.status_code == 413
        try:
            told = client.post("/v1/extract", content=endless(), headers={"content-type": "application/json"})
            assert told.status_code == 413
        except (httpx.WriteError, httpx.ReadError, httpx.RemoteProtocolError):
            pass  # the server closed the connection before it was heard
        address = httpx.URL(server.address)
        with socket.create_connection((address.host, address.port or 80)) as slow:
            slow.sendall(b"POST /v1/extract HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                         b"Content-Length: 100\r\n\r\n{")  # fmt: skip
            slow.settimeout(15)
            assert slow.recv(100).startswith(b"HTTP/1.1 504")
        assert client.get("/readyz").status_code == 200
        assert resident_mib(server) - before < 150


def test_a_second_service_and_a_taken_port_are_told(tmp_path: Path) -> None:
    with serving(tmp_path) as server:
        port = str(httpx.URL(server.address).port)
        with serving(tmp_path, "--port", port) as other:
            assert other.process.wait(30) == 2
        assert "Choose another --host or --port" in str(other.log)
        with serving(tmp_path) as third:
            assert third.process.wait(30) == 1
        assert "another service works on this database" in str(third.log)
