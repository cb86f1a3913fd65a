"""What one client may cost the others: bytes of a body, requests at a time, seconds."""

from __future__ import annotations

import asyncio
from collections.abc import MutableMapping
from contextlib import suppress
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from character_pipeline.config import ServeConfig
from character_pipeline.web.rest.problems import ADVICE, ProblemError, answer

BODIES = 4
"""The largest bodies that may be held at a time."""
DRAINED = 256 * 2**20
"""Bytes of a body that is too large which are still passed over, so that the answer is heard."""
DRAIN_SECONDS = 5.0
LIMITED = "/v1/"
"""Under this are the requests that are counted and timed; pages may stay open for as long as they like."""


class _RefusedError(Exception):
    """No more of a body is taken."""


class BodyLimit:
    """Refuses bodies that are too large: at once where they say so, else as soon as they are."""

    def __init__(self, app: ASGIApp, most: int) -> None:
        self.app = app
        self.most = most
        self.held = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        stated = _stated_length(scope)
        if stated > self.most:
            await self._refuse(scope, receive, send, self.too_large, drain=stated <= DRAINED)
            return
        body = _Body(receive, send, self)
        try:
            await self.app(scope, body.receive, body.send)
        except _RefusedError:
            pass
        finally:
            self.held -= body.taken
            if body.problem is not None and not body.started:
                await self._refuse(scope, receive, send, body.problem, drain=body.more)

    @property
    def too_large(self) -> ProblemError:
        return ProblemError(413, ADVICE[413], {"Connection": "close"}, allowed_bytes=self.most)

    def take(self, body: _Body, size: int) -> None:
        """So many bytes more of a body have come. Raises _RefusedError where they are too many."""
        body.taken += size
        self.held += size
        if body.taken > self.most:
            body.problem = self.too_large
        elif self.held > BODIES * self.most:
            told = "the requests that are being answered hold as much as memory allows: ask again soon"
            body.problem = ProblemError(429, told, {"Connection": "close"})
        if body.problem is not None:
            raise _RefusedError

    async def _refuse(self, scope: Scope, receive: Receive, send: Send, problem: ProblemError, drain: bool) -> None:
        if drain:
            with suppress(TimeoutError):
                await asyncio.wait_for(_drain(receive), DRAIN_SECONDS)
        await answer(scope, problem)(scope, receive, send)


async def _drain(receive: Receive) -> None:
    """Pass over the rest of a body: whoever is still sending does not hear an answer."""
    left, more = DRAINED, True
    while more and left > 0:
        message = await receive()
        left -= len(message.get("body", b""))
        more = message["type"] == "http.request" and message.get("more_body", False)


def _stated_length(scope: Scope) -> int:
    stated = next((value for name, value in scope["headers"] if name == b"content-length"), b"0")
    return int(stated) if stated.isdigit() and len(stated) < 20 else 2**63


class _Body:
    """Counts what comes. When it is too much, no more is taken, and what the program answers is not sent."""

    def __init__(self, receive: Receive, send: Send, limit: BodyLimit) -> None:
        self._receive, self._send = receive, send
        self.limit = limit
        self.taken = 0
        self.problem: ProblemError | None = None
        self.started = False
        self.more = True

    async def receive(self) -> Message:
        message = await self._receive()
        self.more = message.get("more_body", False)
        if message["type"] == "http.request":
            self.limit.take(self, len(message.get("body", b"")))
        return message

    async def send(self, message: Message) -> None:
        if self.problem is not None and not self.started:
            return
        self.started = True
        await self._send(message)


class WorkLimit:
    """So many requests at a time, and each for so long. One that went on for too long is answered, and still counted
    until it has really ended."""

    def __init__(self, app: ASGIApp, config: ServeConfig) -> None:
        self.app = app
        self.most = config.max_concurrent
        self.seconds = config.timeout_seconds
        self.running: set[asyncio.Task[None]] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].startswith(LIMITED):
            await self.app(scope, receive, send)
        elif len(self.running) >= self.most:
            told = f"{self.most} requests are being answered, as many as serve.max_concurrent allows: ask again soon"
            await answer(scope, ProblemError(429, told))(scope, receive, send)
        else:
            await self._run(scope, receive, send)

    async def _run(self, scope: Scope, receive: Receive, send: Send) -> None:
        state: MutableMapping[str, Any] = {"started": False, "late": False}

        async def say(message: Message) -> None:
            if not state["late"]:
                state["started"] = True
                await send(message)

        task = asyncio.ensure_future(self.app(scope, receive, say))
        self.running.add(task)
        task.add_done_callback(self.running.discard)
        done, _ = await asyncio.wait({task}, timeout=self.seconds)
        if done:
            task.result()
            return
        task.add_done_callback(_forget)
        task.cancel()
        if not state["started"]:
            state["late"] = True
            told = f"no answer within {self.seconds:g} s (serve.timeout_seconds): ask for less, or again soon"
            await answer(scope, ProblemError(504, told))(scope, receive, send)


def _forget(task: asyncio.Task[None]) -> None:
    if not task.cancelled():
        task.exception()
