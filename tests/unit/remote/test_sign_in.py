"""Sign-in on both generations, and what a person reads when it fails."""

import json
from collections.abc import Callable

import httpx
import pytest

from remote.sessions import BearerSession, CookieSession, TokenSession
from store.errors import (
    AnswerUnreadable,
    BrowserNeeded,
    GatekeyError,
    InvalidNumber,
    InvalidSecret,
    InvalidToken,
    LimitReached,
    NotOnThisServer,
    ServerRateLimited,
    ServerRefused,
    ServerUnreachable,
    SignInExpired,
    WrongCode,
    WrongCredentials,
)
from tests.harness.scripted_server import (
    COOKIE,
    PASSWORD,
    SELF,
    STATUS,
    ScriptedServer,
    answer,
    aug_server,
    bundle,
    client_of,
    feb_server,
    raw,
    refusal,
)
from tests.harness.stores import StillClock

both = pytest.mark.parametrize("make", [feb_server, aug_server])
Make = Callable[[], ScriptedServer]
LOGIN, CODE = "POST /api/user/login", "POST /api/user/login/2fa"
PENDING: dict[Make, Callable[[], httpx.Response]] = {
    feb_server: lambda: answer({"require_2fa": True}, cookies=("session=pending-secret; Path=/",)),
    aug_server: lambda: answer({"require_2fa": True, "flow_token": "flow-secret", "expires_at": 1769515500}),
}
OPENED: dict[Make, Callable[[], httpx.Response]] = {
    feb_server: lambda: answer(SELF, cookies=(f"session={COOKIE}; Path=/",)),
    aug_server: bundle,
}


@both
async def test_a_password_opens_a_session_and_signing_out_ends_it(make: Make) -> None:
    server = make()
    client = client_of(server)
    assert await client.sign_in("alice", PASSWORD) is None
    assert json.loads(server.asked(LOGIN)[0].content) == {"username": "alice", "password": PASSWORD}
    assert (client.is_signed_in, client.name, client.signed_in_with_token) == (True, "alice", False)
    assert (await client.account()).id == 2
    await client.sign_out()
    assert not client.is_signed_in
    assert server.seen[-1].url.path in ("/api/user/logout", "/api/user/auth/logout")
    seen = len(server.seen)
    await client.sign_out()
    assert len(server.seen) == seen


@both
async def test_signing_out_ends_the_session_here_although_the_server_is_gone(make: Make) -> None:
    server = make()
    client = client_of(server)
    await client.sign_in("alice", PASSWORD)
    for route in ("GET /api/user/logout", "POST /api/user/auth/logout"):
        server.script(route, raw(502))
    with pytest.raises(GatekeyError):
        await client.sign_out()
    assert not client.is_signed_in


@both
async def test_a_second_step_follows_and_survives_a_wrong_code(make: Make) -> None:
    server = make()
    server.script(LOGIN, PENDING[make]())
    server.script(CODE, refusal(), OPENED[make]())
    client = client_of(server)
    step = await client.sign_in("alice", PASSWORD)
    assert step is not None
    assert "secret" not in repr(step)
    assert not client.is_signed_in
    with pytest.raises(WrongCode):
        await client.enter_code(step, "000000")
    await client.enter_code(step, " XJPC-6641 ")
    assert (await client.account()).name == "alice"
    sent = server.asked(CODE)[-1]
    body = json.loads(sent.content)
    assert body["code"] == "XJPC-6641"
    if make is feb_server:
        assert sent.headers["cookie"] == "session=pending-secret"
    else:
        assert body["flow_token"] == "flow-secret"


@both
async def test_a_second_step_expires(make: Make) -> None:
    clock, server = StillClock(), make()
    server.script(LOGIN, PENDING[make]())
    client = client_of(server, clock=clock)
    step = await client.sign_in("alice", PASSWORD)
    assert step is not None
    clock.advance(hours=1)
    with pytest.raises(SignInExpired):
        await client.enter_code(step, "123456")
    assert server.asked(CODE) == []


@both
@pytest.mark.parametrize(
    ("given", "kind"),
    [
        (refusal(), WrongCredentials),
        (refusal(status=409, code="AUTH_SESSION_LIMIT"), LimitReached),
        (refusal(status=429, code="AUTH_SESSION_ISSUANCE_LIMIT"), ServerRateLimited),
        (answer({"id": 2}), AnswerUnreadable),
        (answer({"access_token": "x y"}), AnswerUnreadable),
        (answer({"require_2fa": True}), AnswerUnreadable),
        (answer([]), AnswerUnreadable),
    ],
)
async def test_a_sign_in_that_fails_opens_nothing(make: Make, given: object, kind: type[GatekeyError]) -> None:
    server = make()
    server.script(LOGIN, given)  # type: ignore[arg-type]
    client = client_of(server)
    with pytest.raises(kind) as caught:
        await client.sign_in("alice", PASSWORD)
    assert not client.is_signed_in
    assert PASSWORD not in str(caught.value)


@pytest.mark.parametrize(
    ("status", "kind"),
    [({"turnstile_check": True}, BrowserNeeded), ({"password_login_enabled": False}, NotOnThisServer)],
)
async def test_no_password_is_sent_where_it_could_not_sign_in(
    status: dict[str, bool], kind: type[GatekeyError]
) -> None:
    server = aug_server()
    server.script("GET /api/status", answer(STATUS | {"register_enabled": True} | status))
    with pytest.raises(kind, match="System Access Token"):
        await client_of(server).sign_in("alice", PASSWORD)
    assert server.asked(LOGIN) == []


async def test_a_system_access_token_signs_in() -> None:
    server = aug_server()
    server.script("GET /api/user/self", answer(SELF))
    client = client_of(server)
    await client.sign_in_with_token(" token-secret ")
    assert (client.name, client.signed_in_with_token) == ("alice", True)
    assert client._keeper.credential == TokenSession("token-secret")
    assert "new-api-user" not in server.seen[-1].headers
    await client.sign_out()
    assert server.seen[-1].url.path == "/api/user/self", "the token stays valid"


async def test_the_older_generation_wants_the_id_with_the_token() -> None:
    server = feb_server()
    server.script("GET /api/user/self", refusal(status=401), answer(SELF))
    client = client_of(server)
    with pytest.raises(InvalidNumber, match="id of your user") as caught:
        await client.sign_in_with_token("token-secret")
    assert caught.value.field == "user_id"
    await client.sign_in_with_token("token-secret", "2")
    assert server.seen[-1].headers["new-api-user"] == "2"


@pytest.mark.parametrize("given", [refusal(), refusal(status=401), refusal(status=401, code="AUTH_UNAUTHORIZED")])
async def test_an_unknown_token_opens_nothing(given: object) -> None:
    server = aug_server()
    server.script("GET /api/user/self", refusal(status=401, code="AUTH_UNAUTHORIZED"), given)  # type: ignore[arg-type]
    client = client_of(server)
    with pytest.raises(InvalidToken):
        await client.sign_in_with_token("token-secret", "2")
    assert not client.is_signed_in


@pytest.mark.parametrize("token", ["", "two words", "x" * 600, "schlüssel", "a\r\nX-Header: b"])
async def test_what_is_no_token_is_not_sent(token: str) -> None:
    server = aug_server()
    client = client_of(server)
    with pytest.raises(InvalidSecret):
        await client.sign_in_with_token(token)
    with pytest.raises(InvalidNumber):
        await client.sign_in_with_token("token", "zwei")
    assert server.asked("GET /api/user/self")[1:] == [], "the probe of the generation alone"


@both
async def test_an_account_is_created_where_that_is_open(make: Make) -> None:
    server = make()
    server.script("POST /api/user/register", answer(), refusal())
    client = client_of(server)
    await client.register("bob", PASSWORD)
    await client.facts()
    assert json.loads(server.seen[-1].content) == {"username": "bob", "password": PASSWORD}
    with pytest.raises(ServerRefused, match="name may be taken"):
        await client.register("bob", PASSWORD)
    assert not client.is_signed_in


async def test_no_account_is_created_where_that_is_closed() -> None:
    server = aug_server()
    server.script("GET /api/status", answer(STATUS | {"register_enabled": False}))
    with pytest.raises(NotOnThisServer):
        await client_of(server).register("bob", PASSWORD)


async def test_each_generation_has_its_kind_of_session() -> None:
    for make, kind in ((feb_server, CookieSession), (aug_server, BearerSession)):
        client = client_of(make())
        await client.sign_in("alice", PASSWORD)
        assert isinstance(client._keeper.credential, kind)


async def test_a_server_that_is_gone_is_told() -> None:
    server = aug_server()
    client = client_of(server)
    await client.facts()
    server.script(LOGIN, raw(503))
    with pytest.raises(GatekeyError) as caught:
        await client.sign_in("alice", PASSWORD)
    assert not isinstance(caught.value, ServerUnreachable), "a session may have been opened there"
