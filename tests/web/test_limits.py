from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

from starlette.types import Message, Receive, Scope, Send

from character_pipeline.config import ServeConfig
from character_pipeline.web.limits import BODIES, BodyLimit, WorkLimit

Answer = tuple[int, bytes]


async def read_all(scope: Scope, receive: Receive, send: Send) -> None:
    """A program that reads a body to its end and says how long it was."""
    size, more = 0, True
    while more:
        message = await receive()
        size, more = size + len(message["body"]), message["more_body"]
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": str(size).encode()})


async def ask(app: Any, pieces: Iterator[bytes], path: str = "/v1/x", pause: asyncio.Event | None = None) -> Answer:
    sent: list[Message] = []

    async def receive() -> Message:
        if pause is not None and not pause.is_set():
            await pause.wait()
        piece = next(pieces, None)
        return {"type": "http.request", "body": piece or b"", "more_body": piece is not None}

    async def send(message: Message) -> None:
        sent.append(message)

    await app({"type": "http", "method": "POST", "path": path, "headers": []}, receive, send)
    return sent[0]["status"], b"".join(message.get("body", b"") for message in sent)


def test_a_body_may_be_as_large_as_allowed_and_no_larger() -> None:
    app = BodyLimit(read_all, 10)
    assert asyncio.run(ask(app, iter([b"12345", b"67890"]))) == (200, b"10")
    assert asyncio.run(ask(app, iter([b"12345", b"67890", b"1"])))[0] == 413
    assert app.held == 0


def test_bodies_together_are_bounded_and_those_after_them_are_answered() -> None:
    app = BodyLimit(read_all, 10)

    async def run() -> list[Answer]:
        pause = asyncio.Event()

        def slowly() -> Iterator[bytes]:
            yield b"1234567890"
            pause.clear()
            yield b""

        pause.set()
        holding = [asyncio.ensure_future(ask(app, slowly(), pause=pause)) for _ in range(BODIES)]
        for _ in range(BODIES):
            pause.set()
            await asyncio.sleep(0.01)
        return [*(await asyncio.gather(*holding)), await ask(app, iter([b"1"]))]

    assert [status for status, _ in asyncio.run(run())] == [200] * (BODIES + 1)
    app.held = BODIES * 10
    assert asyncio.run(ask(app, iter([b"1"])))[0] == 429
    assert app.held == BODIES * 10


def test_so_many_at_a_time_and_each_for_so_long() -> None:
    ended: list[str] = []

    async def slow(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await asyncio.sleep(60 if scope["path"] == "/v1/slow" else 0.05)
        finally:
            ended.append(scope["path"])
        await read_all(scope, receive, send)

    app = WorkLimit(slow, ServeConfig(max_concurrent=2, timeout_seconds=0.2))

    async def run() -> list[int]:
        answers = await asyncio.gather(
            *(ask(app, iter([b""]), path) for path in ("/v1/slow", "/v1/x", "/v1/x", "/page"))
        )
        await asyncio.sleep(0)
        return [status for status, _ in [*answers, await ask(app, iter([b""]))]]

    assert asyncio.run(run()) == [504, 200, 429, 200, 200]
    assert "/v1/slow" in ended
    assert not app.running
