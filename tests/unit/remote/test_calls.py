"""Every request: what is repeated and what is not, how long it is waited, and what a refusal means."""

import asyncio
from datetime import timedelta

import httpx
import pytest

from remote.calls import Calls
from remote.client import RemoteClient
from remote.exchanges import Exchanges
from remote.patience import OUTAGE_WAITS, RATE_LIMIT_WAITS, SIGN_IN_WAITS, Patience, Reason
from remote.session_keeper import SessionKeeper
from remote.sessions import CookieSession, Credential, TokenSession
from remote.transport import Transport
from store.errors import (
    AnswerLost,
    AnswerUnreadable,
    GatekeyError,
    NotOnThisServer,
    ServerFailed,
    ServerRateLimited,
    ServerRefused,
    ServerUnreachable,
    SessionEnded,
    SessionSuspended,
)
from tests.harness.scripted_server import (
    SECRETS,
    SELF,
    ScriptedServer,
    Waits,
    answer,
    aug_server,
    bundle,
    client_of,
    feb_server,
    raw,
    refusal,
)
from tests.harness.stores import StillClock

COOKIE = CookieSession(2, "cookie-secret")
TOKEN = TokenSession("token-secret", 2)
PATH = "/api/user/2fa/status"
SETTING = "/api/user/setting"


async def calls_of(server: ScriptedServer, credential: Credential = COOKIE, waits: Waits | None = None) -> Calls:
    """The calls of a session, on a server that has answered before."""
    client = client_of(server, waits=waits)
    calls: Calls = client._calls
    await calls.keeper.open("alice", credential)
    server.script("GET /warm", answer())
    await calls.read("/warm")
    server.seen.clear()
    return calls


async def test_a_change_goes_out_once_when_its_answer_is_lost() -> None:
    server, waits = ScriptedServer(), Waits()
    calls = await calls_of(server, waits=waits)
    server.script(f"POST {SETTING}", httpx.ReadError("x"), answer())
    with pytest.raises(AnswerLost):
        await calls.change("POST", SETTING)
    assert len(server.seen) == 1
    assert waits.told == []


@pytest.mark.parametrize("lost", [httpx.ReadError("x"), raw(502), raw(503, b"<html>"), httpx.ConnectError("x")])
async def test_what_may_be_repeated_is_repeated_while_the_server_restarts(lost: httpx.Response | Exception) -> None:
    server, waits = ScriptedServer(), Waits()
    calls = await calls_of(server, waits=waits)
    server.script(f"PUT {SETTING}", lost, lost, answer("done"))
    server.script(f"GET {PATH}", lost, answer("read"))
    assert (await calls.change("PUT", SETTING, {"a": 1}, is_repeatable=True)).data == "done"
    assert await calls.read(PATH) == "read"
    assert [wait.reason for wait in waits.told] == [Reason.UNREACHABLE] * 3
    assert [request.content for request in server.asked(f"PUT {SETTING}")] == [b'{"a": 1}'] * 3


async def test_a_change_that_was_never_sent_is_sent_again() -> None:
    server = ScriptedServer()
    calls = await calls_of(server)
    server.script(f"POST {SETTING}", httpx.ConnectError("x"), answer("done"))
    assert (await calls.change("POST", SETTING)).data == "done"


async def test_patience_with_an_outage_ends() -> None:
    server, waits = ScriptedServer(), Waits()
    calls = await calls_of(server, waits=waits)
    server.script(f"GET {PATH}", httpx.ConnectError("x"))
    with pytest.raises(ServerUnreachable):
        await calls.read(PATH)
    assert len(waits.told) == len(OUTAGE_WAITS)
    assert [wait.attempt for wait in waits.told] == [1, 2, 3, 4]


async def test_a_server_that_was_waited_for_in_vain_is_not_waited_for_until_it_answers() -> None:
    server, waits = ScriptedServer(), Waits()
    calls = await calls_of(server, waits=waits)
    server.script(f"GET {PATH}", httpx.ConnectError("x"))
    for _ in range(2):
        with pytest.raises(ServerUnreachable):
            await calls.read(PATH)
    assert len(waits.told) == len(OUTAGE_WAITS)
    server.script(f"GET {PATH}", answer("back"), httpx.ConnectError("x"), answer("again"))
    assert await calls.read(PATH) == "back"
    assert await calls.read(PATH) == "again"
    assert len(waits.told) == len(OUTAGE_WAITS) + 1


@pytest.mark.parametrize("body", [b"", b"{}", b'{"error": "sign in to the network"}', b"<html>"])
async def test_a_proxy_that_wants_a_sign_in_ends_no_session(body: bytes) -> None:
    server = ScriptedServer()
    calls = await calls_of(server)
    server.script(f"GET {PATH}", raw(401, body, {"content-type": "application/json"}))
    with pytest.raises(AnswerUnreadable):
        await calls.read(PATH)
    assert calls.keeper.credential == COOKIE


async def test_a_server_that_never_answered_is_not_waited_for() -> None:
    server, waits = ScriptedServer(), Waits()
    server.script("GET /api/status", httpx.ConnectError("x"))
    with pytest.raises(ServerUnreachable):
        await client_of(server, waits=waits).facts()
    assert waits.told == []


async def test_a_gateway_that_fails_leaves_a_change_in_doubt() -> None:
    server = ScriptedServer()
    calls = await calls_of(server)
    server.script(f"POST {SETTING}", raw(504))
    with pytest.raises(AnswerLost):
        await calls.change("POST", SETTING)


async def test_an_empty_429_is_waited_for_and_told() -> None:
    server, waits = ScriptedServer(), Waits()
    calls = await calls_of(server, waits=waits)
    empty = {"content-encoding": "gzip"}
    server.script(f"POST {SETTING}", raw(429, b"", empty), raw(429, b"", {"retry-after": "90"}), answer("done"))
    assert (await calls.change("POST", SETTING)).data == "done"
    assert [wait.reason for wait in waits.told] == [Reason.RATE_LIMIT] * 2
    first, second = (wait.seconds for wait in waits.told)
    assert RATE_LIMIT_WAITS[0] <= first <= RATE_LIMIT_WAITS[0] * 1.1
    assert 90 <= second <= 99


@pytest.mark.parametrize(("signs_in", "waited"), [(False, RATE_LIMIT_WAITS), (True, SIGN_IN_WAITS)])
async def test_patience_with_a_limit_lasts_as_long_as_the_limit(signs_in: bool, waited: tuple[float, ...]) -> None:
    server, waits = ScriptedServer(), Waits()
    calls = await calls_of(server, waits=waits)
    server.script(f"POST {SETTING}", raw(429))
    with pytest.raises(ServerRateLimited):
        await calls.change("POST", SETTING, signs_in=signs_in)
    assert len(waits.told) == len(waited)
    assert sum(waited) >= (1200 if signs_in else 180)


async def test_a_wait_can_be_left() -> None:
    server, waiting = ScriptedServer(), asyncio.Event()

    async def sleep(_: float) -> None:
        waiting.set()
        await asyncio.Event().wait()

    client = client_of(server)
    calls = Calls(Exchanges(client._transport, Patience(sleep=sleep)), client._keeper, StillClock())
    await calls.keeper.open("alice", COOKIE)
    server.script(f"GET {PATH}", raw(429))
    task = asyncio.create_task(calls.read(PATH))
    await waiting.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert len(server.seen) == 1


async def test_a_429_with_a_code_is_a_refusal_and_not_waited_for() -> None:
    server, waits = ScriptedServer(), Waits()
    calls = await calls_of(server, waits=waits)
    server.script(f"POST {SETTING}", refusal(status=429, code="AUTH_SESSION_ISSUANCE_LIMIT"))
    with pytest.raises(ServerRefused) as caught:
        await calls.change("POST", SETTING)
    assert caught.value.code == "AUTH_SESSION_ISSUANCE_LIMIT"
    assert waits.told == []


@pytest.mark.parametrize(
    ("given", "kind"),
    [
        (refusal(status=403, code="AUTH_INSUFFICIENT_PRIVILEGE"), ServerRefused),
        (raw(200), ServerFailed),
        (raw(500, b'{"success":false,"message":"SELECT * FROM users"}'), ServerFailed),
        (raw(404, b'{"error":{"message":"x"}}', {"content-type": "application/json"}), NotOnThisServer),
    ],
)
async def test_a_refusal_has_our_words(given: httpx.Response, kind: type[GatekeyError]) -> None:
    server = ScriptedServer()
    calls = await calls_of(server)
    server.script(f"POST {SETTING}", given)
    with pytest.raises(kind) as caught:
        await calls.change("POST", SETTING)
    assert "SELECT" not in str(caught.value)
    assert "words of the server" not in str(caught.value)


# -- the end of a session -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("credential", [COOKIE, TOKEN])
async def test_a_401_ends_a_session_that_cannot_be_refreshed(credential: Credential) -> None:
    server = ScriptedServer()
    calls = await calls_of(server, credential)
    for path in (PATH, "/api/user/self"):
        server.script(f"GET {path}", refusal(status=401))
    for _ in range(2):
        with pytest.raises(SessionEnded):
            await calls.read(PATH)
    assert len(server.asked(f"GET {PATH}")) == 1


@pytest.mark.parametrize("given", [refusal(status=401), refusal(status=403, code="AUTH_SESSION_REQUIRED")])
async def test_a_route_that_takes_no_token_does_not_end_the_session(given: httpx.Response) -> None:
    server = ScriptedServer()
    calls = await calls_of(server, TOKEN)
    server.script("GET /api/user/passkey", given)
    server.script("GET /api/user/self", answer(SELF))
    with pytest.raises(NotOnThisServer, match="sign-in with a password"):
        await calls.read("/api/user/passkey")
    assert calls.keeper.credential == TOKEN


@pytest.mark.parametrize("credential", [COOKIE, TOKEN])
@pytest.mark.parametrize(("account", "kind"), [(answer(SELF), ServerRefused), (refusal(), SessionEnded)])
async def test_a_refusal_of_a_dead_token_is_told_from_one_of_the_act(
    credential: Credential, account: httpx.Response, kind: type[GatekeyError]
) -> None:
    server = ScriptedServer()
    calls = await calls_of(server, credential)
    server.script(f"PUT {SETTING}", refusal())
    server.script("GET /api/user/self", account)
    with pytest.raises(kind):
        await calls.change("PUT", SETTING)


async def test_a_suspended_account_is_told_as_such() -> None:
    server = ScriptedServer()
    calls = await calls_of(server, TOKEN)
    server.script(f"GET {PATH}", refusal(status=401, code="AUTH_USER_DISABLED"))
    with pytest.raises(SessionSuspended):
        await calls.read(PATH)


async def test_the_cookie_that_an_answer_brings_is_the_next_one_to_be_sent() -> None:
    """A server of the generation FEB keeps the state of a binding in the cookie."""
    server = ScriptedServer()
    calls = await calls_of(server)
    server.script(f"GET {PATH}", answer(cookies=("session=cookie-secret-2; Path=/",)), answer())
    await calls.read(PATH)
    await calls.read(PATH)
    assert [request.headers["cookie"] for request in server.seen] == [
        "session=cookie-secret",
        "session=cookie-secret-2",
    ]
    assert {request.headers["new-api-user"] for request in server.seen} == {"2"}


# -- refresh ----------------------------------------------------------------------------------------------------------


async def test_a_short_token_is_refreshed_before_it_expires_by_the_time_it_lives_not_by_the_clock() -> None:
    clock, server = StillClock(), aug_server()
    client = client_of(server, clock=clock)
    await client.sign_in("alice", "x")
    await client.account()
    assert server.asked("POST /api/user/auth/refresh") == []
    clock.advance(minutes=14, seconds=31)
    await client.account()
    (refresh,) = server.asked("POST /api/user/auth/refresh")
    assert refresh.headers["cookie"] == "new_api_refresh=sid-1.refresh-secret-1"
    assert refresh.headers["x-auth-session"] == "sid-1"
    assert refresh.headers["origin"] == "https://api.example.com"
    assert server.seen[-1].headers["authorization"] == "Bearer eyJ-access-secret-2"
    assert client._keeper.credential.refresh_cookie == "sid-1.refresh-secret-2"  # type: ignore[union-attr]


async def test_a_token_that_is_refused_before_its_time_is_refreshed_and_the_request_repeated() -> None:
    server = aug_server()
    client = client_of(server)
    await client.sign_in("alice", "x")
    server.script(f"PUT {SETTING}", refusal(status=401, code="AUTH_UNAUTHORIZED"), answer("done"))
    assert (await client._calls.change("PUT", SETTING)).data == "done"
    assert len(server.asked("POST /api/user/auth/refresh")) == 1


async def signed_in_an_hour_ago() -> tuple[ScriptedServer, RemoteClient]:
    """A server, and a client whose access token is over."""
    clock, server = StillClock(), aug_server()
    client = client_of(server, clock=clock)
    await client.sign_in("alice", "x")
    clock.advance(hours=1)
    return server, client


async def test_many_requests_at_once_refresh_once() -> None:
    server, client = await signed_in_an_hour_ago()
    await asyncio.gather(*(client.account() for _ in range(20)))
    assert len(server.asked("POST /api/user/auth/refresh")) == 1


@pytest.mark.parametrize("code", ["AUTH_SESSION_REVOKED", "AUTH_UNAUTHORIZED"])
async def test_a_session_that_cannot_be_refreshed_has_ended(code: str) -> None:
    server, client = await signed_in_an_hour_ago()
    server.script("POST /api/user/auth/refresh", refusal(status=401, code=code))
    results = await asyncio.gather(*(client.account() for _ in range(3)), return_exceptions=True)
    assert [type(result) for result in results] == [SessionEnded] * 3
    assert not client.is_signed_in
    assert len(server.asked("POST /api/user/auth/refresh")) == 1


async def test_a_lost_answer_to_a_refresh_is_asked_for_again_with_the_same_cookie() -> None:
    server, client = await signed_in_an_hour_ago()
    server.script(
        "POST /api/user/auth/refresh",
        httpx.ReadError("x"),
        refusal(status=409, code="AUTH_REFRESH_RACE"),
        bundle(2, with_user=False),
    )
    await client.account()
    cookies = {request.headers["cookie"] for request in server.asked("POST /api/user/auth/refresh")}
    assert cookies == {"new_api_refresh=sid-1.refresh-secret-1"}
    assert client.is_signed_in


async def test_who_leaves_a_refresh_does_not_lose_the_session() -> None:
    """The server has turned the cookie over; were the new one dropped, the next refresh would end the session."""
    server, client = await signed_in_an_hour_ago()
    asked, go_on = asyncio.Event(), asyncio.Event()
    inner = server.handle_async_request

    async def slow(request: httpx.Request) -> httpx.Response:
        given = await inner(request)
        if request.url.path.endswith("refresh"):
            asked.set()
            await go_on.wait()
        return given

    server.handle_async_request = slow  # type: ignore[method-assign]
    task = asyncio.create_task(client.account())
    await asked.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    go_on.set()
    await client.account()
    assert len(server.asked("POST /api/user/auth/refresh")) == 1
    assert server.seen[-1].headers["authorization"] == "Bearer eyJ-access-secret-2"


async def test_a_clock_that_is_off_makes_no_difference() -> None:
    clock, server = StillClock(), aug_server()
    clock.jump(days=-700)
    client = client_of(server, clock=clock)
    await client.sign_in("alice", "x")
    clock.advance(minutes=5)
    await client.account()
    assert server.asked("POST /api/user/auth/refresh") == []
    session = client._keeper.credential
    assert session.fresh_until - clock.now() == timedelta(minutes=9, seconds=30)  # type: ignore[union-attr]


# -- what is shown ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("make", [feb_server, aug_server])
async def test_no_secret_is_shown_by_a_repr_an_error_or_a_log(make: object, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(0)
    server = feb_server() if make is feb_server else aug_server()
    client = client_of(server)
    await client.sign_in("alice", "Al1ce-pass-word")
    account = await client.account()
    shown = [repr(client), repr(client._keeper.credential), repr(account), repr(await client.facts())]
    server.script("GET /api/user/self", httpx.ReadError("x"))
    with pytest.raises(ServerUnreachable) as caught:
        await client.account()
    shown += [str(caught.value), repr(caught.value), str(caught.value.__cause__)]
    text = "\n".join([*shown, caplog.text])
    assert not any(secret in text for secret in SECRETS)


def test_a_keeper_without_a_session_has_none() -> None:
    assert SessionKeeper("https://api.example.com").credential is None


async def test_without_a_session_nothing_is_sent() -> None:
    server = ScriptedServer()
    client = client_of(server)
    with pytest.raises(SessionEnded):
        await client.account()
    assert server.seen == []
    assert isinstance(client._transport, Transport)
