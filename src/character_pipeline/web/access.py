"""Who may ask: the names by which the service is asked, pages of other origins, and API keys."""

from __future__ import annotations

import base64
import binascii
import ipaddress
import time
from collections.abc import Mapping
from urllib.parse import urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from character_pipeline.config import ServeConfig
from character_pipeline.database.api_keys import digest_of, is_known
from character_pipeline.web.rest.problems import ProblemError, answer, shorten
from character_pipeline.web.service import Service

OPEN = frozenset({"/healthz", "/readyz"})
KNOWN_SECONDS = 5.0
"""How long a key that was looked up stays known: a revoked one is refused after that."""
MOST_KNOWN = 1_000


def is_local(host: str) -> bool:
    """Whether only this machine reaches an address."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower().rstrip(".") == "localhost"


def needs_key(config: ServeConfig) -> bool:
    return not is_local(config.host) if config.require_key is None else config.require_key


def is_alone(config: ServeConfig) -> bool:
    """Whether only this machine reaches the service, and no proxy on it is expected to pass on what others ask."""
    return is_local(config.host) and not config.allowed_hosts and not needs_key(config)


class Names:
    """Refuses requests under names that are not those of this machine, which pages elsewhere make their names lead
    to it with, and what pages of other origins ask: gradio would tell it to those of other ports of this machine."""

    def __init__(self, app: ASGIApp, config: ServeConfig) -> None:
        self.app = app
        self.local = is_local(config.host)
        self.allowed = {name.lower() for name in (*config.allowed_hosts, config.host)}
        self.checks = self.local or bool(config.allowed_hosts)
        self.origins = frozenset(config.cors_origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        problem = self._problem(scope) if scope["type"] in {"http", "websocket"} else None
        if problem is None:
            await self.app(scope, receive, send)
        else:
            await refuse(scope, receive, send, problem)

    def _problem(self, scope: Scope) -> ProblemError | None:
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        if self.checks and scope["path"] not in OPEN and not self._is_ours(host):
            told = f"this service is not called '{shorten(host)}': use its address, or name it in serve.allowed_hosts"
            return ProblemError(403, told)
        origin = headers.get("origin")
        if origin is None or origin in self.origins:
            return None
        if urlsplit_host(origin) == host.lower():
            return None
        told = f"pages of '{shorten(origin)}' may not ask anything here: name the origin in serve.cors_origins"
        return ProblemError(403, told)

    def _is_ours(self, host: str) -> bool:
        name = (urlsplit_name(host) or "").lower()
        return name in self.allowed or (self.local and is_local(name))


def urlsplit_host(origin: str) -> str:
    try:
        return urlsplit(origin).netloc.lower()
    except ValueError:
        return ""


def urlsplit_name(host: str) -> str | None:
    try:
        return urlsplit(f"//{host}").hostname
    except ValueError:
        return None


class Keys:
    """Asks for an API key: `Authorization: Bearer KEY`, `X-API-Key: KEY`, or the password that a browser asks for."""

    def __init__(self, app: ASGIApp, service: Service) -> None:
        self.app = app
        self.service = service
        self.asks = needs_key(service.config.serve)
        self._known: dict[str, float] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        checked = self.asks and scope["type"] in {"http", "websocket"} and scope["path"] not in OPEN
        if checked and scope.get("method") == "OPTIONS":
            checked = False  # a browser asks so, without a key, whether it may ask
        if not checked or await self._may(Headers(scope=scope)):
            await self.app(scope, receive, send)
            return
        told = "an API key is needed: send it as Authorization: Bearer KEY; charpipe keys add NAME makes one"
        asked = 'Bearer realm="charpipe"' if scope["path"].startswith("/v1/") else 'Basic realm="charpipe"'
        await refuse(scope, receive, send, ProblemError(401, told, {"WWW-Authenticate": asked}))

    async def _may(self, headers: Mapping[str, str]) -> bool:
        key = key_of(headers)
        if not key:
            return False
        digest, now = digest_of(key), time.monotonic()
        if self._known.get(digest, 0.0) > now:
            return True
        if not await run_in_threadpool(self._look_up, digest):
            return False
        if len(self._known) >= MOST_KNOWN:
            self._known.clear()
        self._known[digest] = now + KNOWN_SECONDS
        return True

    def _look_up(self, digest: str) -> bool:
        with self.service.reading() as store:
            return is_known(store, digest)


def key_of(headers: Mapping[str, str]) -> str:
    """The key that a request brings; empty where it brings none."""
    if key := headers.get("x-api-key"):
        return key
    scheme, _, rest = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return rest.strip()
    if scheme.lower() != "basic":
        return ""
    try:
        return base64.b64decode(rest, validate=True).decode().partition(":")[2]
    except (binascii.Error, ValueError):
        return ""


async def refuse(scope: Scope, receive: Receive, send: Send, problem: ProblemError) -> None:
    """Answer with a problem; a web socket is closed."""
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008})
    else:
        await answer(scope, problem)(scope, receive, send)
