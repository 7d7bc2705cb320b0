"""A server that answers a client of `remote/` from a script, in memory, and remembers what it was asked."""

import asyncio
import json
import random
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any, Final

import httpx

from remote.address import parse_server_address
from remote.client import RemoteClient
from remote.kept_sessions import KeptSessions
from remote.patience import Patience, Wait
from remote.sessions import TokenSession
from remote.transport import Transport
from store.clock import Clock
from tests.harness.stores import StillClock

ADDRESS: Final = "https://api.example.com"
NOW: Final = "Tue, 27 Jan 2026 12:00:00 GMT"
"""The server's clock, as a header."""


@dataclass
class Body(httpx.AsyncByteStream):
    """A body that is read once, in pieces."""

    pieces: list[bytes]
    is_closed: bool = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self.pieces:
            yield piece

    async def aclose(self) -> None:
        self.is_closed = True


def raw(
    status: int, body: bytes = b"", headers: dict[str, str] | list[tuple[str, str]] | None = None
) -> httpx.Response:
    """An answer whose body is not read yet."""
    return httpx.Response(status, headers=headers, stream=Body([body]))


def answer(
    data: Any = None, *, status: int = 200, success: bool = True, code: str = "", cookies: tuple[str, ...] = ()
) -> httpx.Response:
    """An answer in the envelope of a New API server."""
    whole = {"success": success, "message": "words of the server", "data": data} | ({"code": code} if code else {})
    headers = [("content-type", "application/json; charset=utf-8"), ("date", NOW)]
    return raw(status, json.dumps(whole).encode(), headers + [("set-cookie", line) for line in cookies])


def refusal(*, status: int = 200, code: str = "") -> httpx.Response:
    return answer(status=status, success=False, code=code)


Answer = httpx.Response | Exception | Callable[[httpx.Request], httpx.Response]


@dataclass
class ScriptedServer(httpx.AsyncBaseTransport):
    """Answers each route from its list; the last answer is given for ever."""

    routes: dict[str, list[Answer]] = field(default_factory=dict)
    seen: list[httpx.Request] = field(default_factory=list)

    def script(self, route: str, *answers: Answer) -> None:
        """`route` is such as `GET /api/user/self`. An exception is raised in the client."""
        self.routes[route] = list(answers)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await request.aread()
        self.seen.append(request)
        answers = self.routes[f"{request.method} {request.url.path}"]
        given = answers.pop(0) if len(answers) > 1 else answers[0]
        if isinstance(given, Exception):
            raise given
        if isinstance(given, httpx.Response):
            return copied(given)  # a response is read once, and this one may be given again
        return given(request)

    def asked(self, route: str) -> list[httpx.Request]:
        """The requests of one route."""
        return [one for one in self.seen if f"{one.method} {one.url.path}" == route]


# -- two generations --------------------------------------------------------------------------------------------

STATUS: Final = {"version": "v1", "system_name": "New API", "quota_per_unit": 500000, "setup": True}
SELF: Final = {
    "id": 2,
    "username": "alice",
    "display_name": "Alice",
    "role": 1,
    "email": "",
    "group": "default",
    "quota": 2_500_000,
    "used_quota": 0,
    "request_count": 0,
    "setting": '{"gotify_priority":0,"language":"en"}',
    "sidebar_modules": "",
    "permissions": {"sidebar_modules": {"admin": False}, "sidebar_settings": True},
}
COOKIE: Final = "MTc5-cookie-secret"
REFRESH: Final = "sid-1.refresh-secret-1"
ACCESS: Final = "eyJ-access-secret-1"
PASSWORD: Final = "Al1ce-pass-word"
SECRETS: Final = ("secret", PASSWORD)
"""Texts that no repr, error or log may hold."""
SESSION: Final = {"sid": "sid-1", "current": True, "created_at": 1769515200}


def bundle(number: int = 1, *, with_user: bool = True, life_s: int = 900) -> httpx.Response:
    """The session that AUG answers with: its token and its cookie."""
    data: dict[str, Any] = {
        "access_token": f"eyJ-access-secret-{number}",
        "access_expires_at": 1769515200 + life_s,
        "session": SESSION,
        "token_type": "Bearer",
    } | ({"user": SELF} if with_user else {})
    return answer(data, cookies=(f"new_api_refresh=sid-1.refresh-secret-{number}; Path=/api/user/auth; HttpOnly",))


def feb_server() -> ScriptedServer:
    server = ScriptedServer()
    server.script("GET /api/status", answer(STATUS | {"_qn": "new-api", "top_up_link": ""}))
    server.script("GET /api/user/self", by_credential("cookie", f"session={COOKIE}", answer(SELF), refusal(status=401)))
    server.script("POST /api/user/login", answer(SELF, cookies=(f"session={COOKIE}; Path=/; HttpOnly",)))
    server.script("GET /api/user/logout", answer())
    return server


def aug_server() -> ScriptedServer:
    server = ScriptedServer()
    server.script("GET /api/status", answer(STATUS | {"register_enabled": True, "password_login_enabled": True}))
    refused = refusal(status=401, code="AUTH_UNAUTHORIZED")
    server.script(
        "GET /api/user/self", by_credential("authorization", "Bearer eyJ-access-secret", answer(SELF), refused)
    )
    server.script("POST /api/user/login", bundle())
    server.script("POST /api/user/auth/refresh", bundle(2))
    server.script("POST /api/user/auth/logout", answer({"cookie_cleared": True}))
    return server


def by_credential(header: str, start: str, accepted: httpx.Response, refused: httpx.Response) -> Answer:
    """An answer that depends on the credential in a header."""
    bodies = {True: accepted, False: refused}

    def respond(request: httpx.Request) -> httpx.Response:
        return copied(bodies[request.headers.get(header, "").startswith(start)])

    return respond


def copied(response: httpx.Response) -> httpx.Response:
    """A response that was not read yet, of one that stays as it is."""
    assert isinstance(response.stream, Body)
    return raw(response.status_code, b"".join(response.stream.pieces), list(response.headers.multi_items()))


@dataclass
class Waits:
    """Every wait that a client asked for; none takes time."""

    told: list[Wait] = field(default_factory=list)

    async def sleep(self, _seconds: float) -> None:
        await asyncio.sleep(0)

    def patience(self) -> Patience:
        return Patience(told=self.told.append, sleep=self.sleep, rng=random.Random(5))


def client_of(
    server: httpx.AsyncBaseTransport,
    *,
    clock: Clock | None = None,
    waits: Waits | None = None,
    kept: KeptSessions | None = None,
) -> RemoteClient:
    """A client of a server in memory."""
    address = parse_server_address(ADDRESS)
    return RemoteClient(
        address,
        kept=kept,
        transport=Transport(address, inner=server),
        patience=(waits or Waits()).patience(),
        clock=clock or StillClock(),
    )


async def signed_in(server: ScriptedServer, *, with_token: bool = False, waits: Waits | None = None) -> RemoteClient:
    """A client of alice's on a server of either generation."""
    client = client_of(server, waits=waits)
    if with_token:
        await client._keeper.open("alice", TokenSession("token-secret", 2))
        await client.facts()
    else:
        await client.sign_in("alice", PASSWORD)
    return client
