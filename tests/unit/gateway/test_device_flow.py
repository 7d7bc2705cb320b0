"""The device flow against providers that pend, slow down, lie, break and disappear. No test sleeps."""

import asyncio
import gzip
import inspect
import json
import logging
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from joserfc import jwt
from joserfc.jwk import ECKey

from gateway import providers
from gateway.device_flow import DeviceAuthorization, DeviceFlow, Identity, Pending
from gateway.providers import MAX_RESPONSE_BYTES, Provider, ProviderKind, canonical_url
from store.clock import Uptime
from store.errors import (
    AddressRefused,
    GatekeyError,
    IdentityRefused,
    ProviderFailed,
    SignInExpired,
    StepMissing,
)
from store.text import is_sanitized
from tests.harness.device_sign_in import decided

START = datetime(2026, 8, 20, 12, 0, tzinfo=UTC)
ISSUER = "https://id.example"
DEVICE_CODE = "dc-4f1e-canary"
ACCESS_TOKEN = "at-9b2c-canary"
CLIENT_SECRET = "cs/77aa+canary"
KEY = ECKey.generate_key("P-256", {"kid": "k1", "use": "sig"})

OIDC = Provider("work", "Work Login", "gatekey", ISSUER)
GITHUB = Provider("github", "GitHub", "Iv1.abc", kind=ProviderKind.GITHUB)

Reply = httpx.Response | Exception


class FakeTime:
    """A clock that only a sleep moves. `naps` are the pauses that were taken, in seconds."""

    def __init__(self) -> None:
        self.moment = START
        self.naps: list[float] = []

    def now(self) -> datetime:
        return self.moment

    def uptime(self) -> Uptime:
        return Uptime("boot of the tests", 0)

    async def sleep(self, seconds: float) -> None:
        assert seconds >= 0
        self.naps.append(seconds)
        self.moment += timedelta(seconds=seconds)


class StubProvider:
    """An OIDC provider or GitHub whose token endpoint replays a script; the last line repeats."""

    def __init__(self, *script: Reply, time: FakeTime | None = None) -> None:
        self.time = time or FakeTime()
        self.script = list(script) or [pending()]
        self.replies: dict[str, Reply] = {}
        self.requests: list[httpx.Request] = []

    def reply(self, path: str, body: object, status: int = 200) -> "StubProvider":
        self.replies[path] = httpx.Response(status, json=body)
        return self

    def handle(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        path = request.url.path
        if path in ("/token", "/login/oauth/access_token"):
            reply = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        else:
            reply = self.replies.get(path) or self._usual(path)
        if isinstance(reply, Exception):
            raise reply
        return httpx.Response(reply.status_code, content=in_chunks(reply.content), headers=reply.headers)

    def _usual(self, path: str) -> httpx.Response:
        usual: dict[str, object] = {
            "/.well-known/openid-configuration": discovery(),
            "/device": device_answer(),
            "/login/device/code": github_device_answer(),
            "/jwks": {"keys": [KEY.as_dict(private=False)]},
            "/userinfo": {"sub": "user-1", "preferred_username": "alice"},
            "/user": {"id": 583231, "login": "octocat"},
        }
        return httpx.Response(200, json=usual[path]) if path in usual else httpx.Response(404, json={})

    def flow(self, provider: Provider = OIDC) -> DeviceFlow:
        client = httpx.AsyncClient(transport=httpx.MockTransport(self.handle), trust_env=False)
        return DeviceFlow(client, provider, self.time, sleep=self.time.sleep)

    def sign_in(self, provider: Provider = OIDC) -> Identity:
        async def both() -> Identity:
            flow = self.flow(provider)
            await flow.start()
            return await decided(flow)

        return asyncio.run(both())

    def form(self, path: str) -> dict[str, str]:
        request = next(request for request in self.requests if request.url.path == path)
        return {name: values[0] for name, values in parse_qs(request.content.decode()).items()}


async def in_chunks(body: bytes) -> AsyncIterator[bytes]:
    """The body as it comes from a network: piece by piece."""
    for start in range(0, len(body), 65536):
        yield body[start : start + 65536]


def discovery(**changes: object) -> dict[str, object]:
    return {
        "issuer": ISSUER,
        "device_authorization_endpoint": f"{ISSUER}/device",
        "token_endpoint": f"{ISSUER}/token",
        "userinfo_endpoint": f"{ISSUER}/userinfo",
        "jwks_uri": f"{ISSUER}/jwks",
        "id_token_signing_alg_values_supported": ["RS256", "ES256"],
        **changes,
    }


def device_answer(**changes: object) -> dict[str, object]:
    return {
        "device_code": DEVICE_CODE,
        "user_code": "BCDF-GHJK",
        "verification_uri": f"{ISSUER}/activate",
        "verification_uri_complete": f"{ISSUER}/activate?user_code=BCDF-GHJK",
        "expires_in": 600,
        **changes,
    }


def github_device_answer() -> dict[str, object]:
    return {
        "device_code": DEVICE_CODE,
        "user_code": "WDJB-MJHT",
        "verification_uri": "https://github.com/login/device",
        "expires_in": 900,
        "interval": 5,
    }


def refusal(code: str, status: int = 400, **more: object) -> httpx.Response:
    return httpx.Response(status, json={"error": code, **more})


def pending() -> httpx.Response:
    return refusal("authorization_pending")


def granted(**changes: object) -> httpx.Response:
    moment = int(START.timestamp())
    claims = {
        "iss": ISSUER,
        "sub": "user-1",
        "aud": "gatekey",
        "iat": moment,
        "exp": moment + 7200,
        **changes,
    }
    token = jwt.encode({"alg": "ES256", "kid": "k1"}, claims, KEY)
    return httpx.Response(200, json={"access_token": ACCESS_TOKEN, "token_type": "Bearer", "id_token": token})


def github_granted() -> httpx.Response:
    return httpx.Response(200, json={"access_token": ACCESS_TOKEN, "token_type": "bearer", "scope": ""})


def html(status: int = 200) -> httpx.Response:
    return httpx.Response(status, html="<!doctype html><title>Maintenance</title>")


# -- the way it should go ------------------------------------------------------------------------------------


def test_a_sign_in_shows_a_code_pends_and_names_the_person() -> None:
    stub = StubProvider(pending(), pending(), granted())

    async def run() -> tuple[DeviceAuthorization, list[Pending | Identity]]:
        flow = stub.flow()
        shown = await flow.start()
        return shown, [await flow.poll() for _ in range(4)]

    shown, outcomes = asyncio.run(run())
    assert shown == DeviceAuthorization(
        user_code="BCDF-GHJK",
        verification_uri=f"{ISSUER}/activate",
        verification_uri_complete=f"{ISSUER}/activate?user_code=BCDF-GHJK",
        expires_at=START + timedelta(seconds=600),
    )
    waiting = Pending()
    alice = Identity("work", "user-1", "alice")
    assert outcomes == [waiting, waiting, alice, alice]
    assert stub.time.naps == [5.0, 5.0, 5.0]
    assert stub.form("/device") == {"client_id": "gatekey", "scope": "openid profile"}
    assert stub.form("/token")["device_code"] == DEVICE_CODE


def test_an_interval_of_the_provider_is_honoured() -> None:
    stub = StubProvider(pending(), granted()).reply("/device", device_answer(interval=12))
    stub.sign_in()
    assert stub.time.naps == [12.0, 12.0]


def test_slow_down_adds_five_seconds_for_good() -> None:
    stub = StubProvider(refusal("slow_down"), pending(), refusal("slow_down"), granted())
    stub.sign_in()
    assert stub.time.naps == [5.0, 10.0, 10.0, 15.0]


@pytest.mark.parametrize("interval", [0, -3, True, "7", None, 1e300])
def test_a_senseless_interval_is_the_default(interval: object) -> None:
    stub = StubProvider(granted()).reply("/device", device_answer(interval=interval))
    stub.sign_in()
    assert stub.time.naps == [5.0]


def test_github_answers_errors_with_200_and_the_number_is_the_subject() -> None:
    stub = StubProvider(refusal("authorization_pending", 200), refusal("slow_down", 200, interval=17), github_granted())
    assert stub.sign_in(GITHUB) == Identity("github", "583231", "octocat")
    assert stub.time.naps == [5.0, 5.0, 17.0]
    assert stub.form("/login/device/code") == {"client_id": "Iv1.abc"}
    assert str(stub.requests[-1].url) == "https://api.github.com/user"


def test_a_github_enterprise_server_is_asked_at_its_own_address() -> None:
    stub = StubProvider(github_granted()).reply("/api/v3/user", {"id": 7, "login": "mona"})
    stub.reply(
        "/login/device/code",
        {**github_device_answer(), "verification_uri": "https://git.example/login/device"},
    )
    server = Provider("ghe", "Our GitHub", "c", "https://git.example", ProviderKind.GITHUB)
    assert stub.sign_in(server) == Identity("ghe", "7", "mona")
    assert {request.url.host for request in stub.requests} == {"git.example"}


@pytest.mark.parametrize(
    "account", [{}, {"id": 0}, {"id": -1}, {"id": True}, {"id": "583231"}, {"id": 1.5}, {"login": "octocat"}]
)
def test_a_github_answer_without_a_number_names_nobody(account: dict[str, object]) -> None:
    with pytest.raises(IdentityRefused):
        StubProvider(github_granted()).reply("/user", account).sign_in(GITHUB)


def test_a_secret_travels_as_basic_unless_only_the_form_is_accepted() -> None:
    secret = Provider("work", "Work Login", "gate:key", ISSUER, client_secret=CLIENT_SECRET)
    stub = StubProvider(granted(aud="gate:key"))
    stub.sign_in(secret)
    asked = [request for request in stub.requests if request.url.path in ("/device", "/token")]
    expected = httpx.BasicAuth("gate%3Akey", "cs%2F77aa%2Bcanary")
    header = next(expected.auth_flow(httpx.Request("GET", ISSUER))).headers["Authorization"]
    assert [request.headers["Authorization"] for request in asked] == [header, header]
    assert "client_secret" not in stub.form("/token")

    post = discovery(token_endpoint_auth_methods_supported=["client_secret_post"])
    stub = StubProvider(granted(aud="gate:key")).reply("/.well-known/openid-configuration", post)
    stub.sign_in(secret)
    assert stub.form("/token")["client_secret"] == CLIENT_SECRET


@pytest.mark.parametrize(
    ("userinfo", "display"),
    [
        (httpx.Response(200, json={"sub": "user-1", "name": "Alice\x1b[31m"}), "Alice\ufffd[31m"),
        (httpx.Response(200, json={"sub": "user-1", "email": "alice@example.com"}), "user-1"),
        (httpx.Response(500, json={}), "user-1"),
        (httpx.ConnectError("gone"), "user-1"),
        (html(), "user-1"),
    ],
)
def test_userinfo_only_decorates(userinfo: Reply, display: str) -> None:
    stub = StubProvider(granted())
    stub.replies["/userinfo"] = userinfo
    assert stub.sign_in() == Identity("work", "user-1", display)


def test_userinfo_about_somebody_else_is_refused() -> None:
    with pytest.raises(IdentityRefused):
        StubProvider(granted()).reply("/userinfo", {"sub": "victim", "name": "Victim"}).sign_in()


# -- endings -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "error", "words"),
    [
        ("access_denied", IdentityRefused, "declined at Work Login"),
        ("expired_token", SignInExpired, "took too long"),
        ("invalid_grant", SignInExpired, "took too long"),
        ("incorrect_device_code", SignInExpired, "took too long"),
        ("invalid_client", ProviderFailed, "does not accept the configured client"),
        ("incorrect_client_credentials", ProviderFailed, "does not accept the configured client"),
        ("unauthorized_client", ProviderFailed, "does not let this client"),
        ("unsupported_grant_type", ProviderFailed, "does not offer"),
        ("device_flow_disabled", ProviderFailed, "device flow switched off"),
        ("invalid_scope", ProviderFailed, "standard scopes"),
        ("\x1b[2Jinvented", ProviderFailed, r"refused the request \(status 400\)"),
        ("", ProviderFailed, r"refused the request \(status 400\)"),
    ],
)
def test_an_error_code_ends_the_flow_with_a_sentence(code: str, error: type[GatekeyError], words: str) -> None:
    stub = StubProvider(refusal(code))

    async def run() -> GatekeyError:
        flow = stub.flow()
        await flow.start()
        with pytest.raises(error, match=words) as ended:
            await decided(flow)
        asked = len(stub.requests)
        with pytest.raises(SignInExpired):
            await flow.poll()
        assert len(stub.requests) == asked
        return ended.value

    assert "\x1b" not in str(asyncio.run(run()))


def test_a_code_nobody_entered_expires_here_too() -> None:
    stub = StubProvider(pending()).reply("/device", device_answer(expires_in=23))
    with pytest.raises(SignInExpired):
        stub.sign_in()
    assert stub.time.naps == [5.0, 5.0, 5.0, 5.0, 3.0]
    assert stub.time.now() == START + timedelta(seconds=23)


def test_a_code_is_not_waited_for_longer_than_an_hour() -> None:
    stub = StubProvider(pending()).reply("/device", device_answer(expires_in=10**9, interval=600))
    with pytest.raises(SignInExpired):
        stub.sign_in()
    assert sum(stub.time.naps) == 3600.0


def test_polling_before_the_start_is_a_missing_step() -> None:
    with pytest.raises(StepMissing):
        asyncio.run(StubProvider().flow().poll())


def test_a_wait_is_cancelled_at_once() -> None:
    async def run() -> bool:
        stub = StubProvider(pending())
        asleep = asyncio.Event()

        async def endless(_: float) -> None:
            asleep.set()
            await asyncio.Event().wait()

        flow = stub.flow()
        flow._sleep = endless
        await flow.start()
        task = asyncio.create_task(decided(flow))
        await asleep.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return task.cancelled()

    assert asyncio.run(run())


# -- a provider that breaks ----------------------------------------------------------------------------------

OUTAGES: list[Reply] = [
    httpx.ConnectError("refused"),
    httpx.ConnectTimeout("slow"),
    httpx.ReadTimeout("slow"),
    httpx.RemoteProtocolError("cut"),
    html(),
    html(502),
    httpx.Response(503, json={"error": "access_denied"}),
    httpx.Response(429, json={"error": "invalid_client"}),
    httpx.Response(200, content=b'["not an object"]'),
    httpx.Response(200, content=b"[" * 100_000),
    httpx.Response(200, content=b'{"error": "access_denied"}' + b" " * MAX_RESPONSE_BYTES),
]


@pytest.mark.parametrize("outage", OUTAGES, ids=[str(number) for number in range(len(OUTAGES))])
def test_an_outage_while_polling_is_waited_out(outage: Reply) -> None:
    stub = StubProvider(outage, pending(), granted())

    async def run() -> list[Pending | Identity]:
        flow = stub.flow()
        await flow.start()
        return [await flow.poll() for _ in range(3)]

    away, back, done = asyncio.run(run())
    assert away == Pending(reachable=False)
    assert back == Pending()
    assert stub.time.naps == [5.0, 10.0, 5.0]
    assert isinstance(done, Identity)


def test_a_hundred_lost_polls_back_off_and_do_not_crash() -> None:
    stub = StubProvider(httpx.ConnectError("refused")).reply("/device", device_answer(expires_in=3600))
    with pytest.raises(ProviderFailed, match="could not be reached"):
        stub.sign_in()
    naps = stub.time.naps
    assert naps[:5] == [5.0, 10.0, 20.0, 40.0, 60.0]
    assert set(naps[5:-1]) == {60.0}

    lost = [httpx.ConnectError("refused")] * 100
    stub = StubProvider(*lost, granted(exp=int(START.timestamp()) + 10**6))
    flow = stub.flow()
    flow._sleep = no_time_passes

    async def run() -> list[Pending | Identity]:
        await flow.start()
        return [await flow.poll() for _ in range(101)]

    *waiting, last = asyncio.run(run())
    assert all(isinstance(outcome, Pending) and not outcome.reachable for outcome in waiting)
    print(f"BAR G4 polls survived with the network down: {len(waiting)}/100")
    assert isinstance(last, Identity)


async def no_time_passes(_: float) -> None:
    """A pause that takes no time."""


@pytest.mark.parametrize(("provider", "path"), [(OIDC, "/jwks"), (GITHUB, "/user")])
def test_a_code_is_redeemed_once_even_when_the_next_step_fails(provider: Provider, path: str) -> None:
    grant = granted() if provider is OIDC else github_granted()
    stub = StubProvider(grant, refusal("invalid_grant"))
    stub.replies[path] = httpx.ConnectError("refused")

    flow = stub.flow(provider)

    async def run() -> tuple[Pending | Identity, Pending | Identity]:
        await flow.start()
        first = await flow.poll()
        stub.replies[path] = httpx.Response(500, json={"keys": []})
        assert isinstance(await flow.poll(), Pending)
        del stub.replies[path]
        return first, await flow.poll()

    first, last = asyncio.run(run())
    assert isinstance(first, Pending)
    assert not first.reachable
    assert isinstance(last, Identity)
    assert (flow._device_code, flow._grant) == ("", None)
    redeemed = [request for request in stub.requests if request.url.path.endswith("token")]
    assert len(redeemed) == 1


def test_an_address_that_is_not_allowed_is_said_at_once() -> None:
    with pytest.raises(AddressRefused):
        StubProvider(AddressRefused()).sign_in()


@pytest.mark.parametrize("status", [401, 403])
def test_a_token_github_does_not_know_names_nobody(status: int) -> None:
    with pytest.raises(IdentityRefused):
        StubProvider(github_granted()).reply("/user", {"message": "Bad credentials"}, status).sign_in(GITHUB)


@pytest.mark.parametrize(
    "grant",
    [
        httpx.Response(200, json={"access_token": ACCESS_TOKEN}),
        httpx.Response(200, json={"access_token": ACCESS_TOKEN, "id_token": ["x"]}),
        granted(aud="another-client"),
        granted(iss="https://evil.example"),
    ],
)
def test_a_grant_without_a_good_id_token_names_nobody(grant: httpx.Response) -> None:
    with pytest.raises(IdentityRefused):
        StubProvider(grant).sign_in()


@pytest.mark.parametrize("token", ["a\r\nX-Injected: 1", "é", "a\x00b"])
def test_a_token_that_is_no_header_is_not_sent(token: str) -> None:
    stub = StubProvider(httpx.Response(200, json={"access_token": token}))
    with pytest.raises(IdentityRefused):
        stub.sign_in(GITHUB)
    assert stub.requests[-1].url.path == "/login/oauth/access_token"


def test_an_algorithm_the_provider_does_not_list_is_refused() -> None:
    listed = discovery(id_token_signing_alg_values_supported=["RS256"])
    with pytest.raises(IdentityRefused):
        StubProvider(granted()).reply("/.well-known/openid-configuration", listed).sign_in()


# -- a provider that lies at the start -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"issuer": "https://evil.example"}, "another issuer"),
        ({"issuer": None}, "another issuer"),
        ({"device_authorization_endpoint": None}, "does not offer sign-in from a terminal"),
        ({"device_authorization_endpoint": "http://id.example/device"}, "address that cannot be used"),
        ({"token_endpoint": "http://id.example/token"}, "address that cannot be used"),
        ({"token_endpoint": "file:///etc/passwd"}, "address that cannot be used"),
        ({"jwks_uri": "https://user:word@id.example/jwks"}, "address that cannot be used"),
        ({"jwks_uri": 7}, "address that cannot be used"),
        ({"userinfo_endpoint": "http://id.example/userinfo"}, "address that cannot be used"),
        ({"id_token_signing_alg_values_supported": ["HS256", "none"]}, "algorithm that is not accepted"),
    ],
)
def test_discovery_is_not_believed_blindly(changes: dict[str, object], words: str) -> None:
    stub = StubProvider().reply("/.well-known/openid-configuration", discovery(**changes))
    with pytest.raises(ProviderFailed, match=words):
        asyncio.run(stub.flow().start())
    assert len(stub.requests) == 1


def test_a_slash_at_the_end_of_the_issuer_may_differ() -> None:
    slash = discovery(issuer=f"{ISSUER}/")
    stub = StubProvider(granted(iss=f"{ISSUER}/")).reply("/.well-known/openid-configuration", slash)
    assert stub.sign_in().subject == "user-1"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"device_code": ""}, "no code"),
        ({"device_code": 7}, "no code"),
        ({"expires_in": None}, "no code"),
        ({"expires_in": -5}, "no code"),
        ({"user_code": ""}, "cannot be shown"),
        ({"user_code": "AB\x1b]52;c;eA\x07CD"}, "cannot be shown"),
        ({"user_code": "AB\u202eCD"}, "cannot be shown"),
        ({"user_code": "A" * 65}, "cannot be shown"),
        ({"verification_uri": ""}, "address that cannot be used"),
        ({"verification_uri": "javascript:alert(1)"}, "address that cannot be used"),
        ({"verification_uri": "http://id.example/activate"}, "address that cannot be used"),
        ({"verification_uri": "https://id.example@evil.example/"}, "address that cannot be used"),
        ({"verification_uri": "https://id.example/\x1b]8;;x\x07"}, "address that cannot be used"),
        ({"verification_uri": "https://exa\u202emple.com/"}, "address that cannot be used"),
        ({"verification_uri": "https:///activate"}, "address that cannot be used"),
        ({"verification_uri": "https://[::1/"}, "address that cannot be used"),
        ({"verification_uri": "https://id.example/" + "a" * 2048}, "address that cannot be used"),
        ({"verification_uri_complete": "ftp://id.example/"}, "address that cannot be used"),
    ],
)
def test_a_code_that_cannot_be_shown_is_refused(changes: dict[str, object], words: str) -> None:
    stub = StubProvider().reply("/device", device_answer(**changes))
    with pytest.raises(ProviderFailed, match=words):
        asyncio.run(stub.flow().start())


def test_a_look_alike_host_is_shown_in_punycode() -> None:
    stub = StubProvider().reply(
        "/device", device_answer(verification_uri="https://exаmple.com/ä", verification_uri_complete=None)
    )
    shown = asyncio.run(stub.flow().start())
    assert shown.verification_uri == "https://xn--exmple-4nf.com/%C3%A4"
    assert shown.verification_uri_complete == ""


@given(st.text(alphabet=st.characters(codec="utf-8"), max_size=40), st.sampled_from(["http", "https"]))
@settings(max_examples=300, deadline=None)
def test_an_address_that_is_shown_is_plain_ascii(rest: str, scheme: str) -> None:
    for address in (f"{scheme}://{rest}", f"{scheme}://id.example/{rest}", rest):
        try:
            shown = canonical_url(OIDC, address, like="http://id.example")
        except ProviderFailed:
            continue
        assert shown.isascii()
        assert is_sanitized(shown)
        assert shown.startswith(("http://", "https://"))


@pytest.mark.parametrize("outage", OUTAGES, ids=[str(number) for number in range(len(OUTAGES))])
@pytest.mark.parametrize("path", ["/.well-known/openid-configuration", "/device"])
def test_an_outage_at_the_start_is_a_sentence(path: str, outage: Reply) -> None:
    stub = StubProvider()
    stub.replies[path] = outage
    with pytest.raises(ProviderFailed) as ended:
        asyncio.run(stub.flow().start())
    assert "Work Login" in str(ended.value)
    assert "<" not in str(ended.value)


def test_a_redirect_is_not_followed() -> None:
    stub = StubProvider()
    stub.replies["/.well-known/openid-configuration"] = httpx.Response(
        302, json={}, headers={"Location": "https://elsewhere.example/"}
    )
    with pytest.raises(ProviderFailed, match="status 302"):
        asyncio.run(stub.flow().start())
    assert [request.url.host for request in stub.requests] == ["id.example"]


def test_a_compressed_answer_is_not_unpacked() -> None:
    stub = StubProvider()
    packed = httpx.Response(200, content=gzip.compress(json.dumps(discovery()).encode()))
    packed.headers["Content-Encoding"] = "gzip"
    stub.replies["/.well-known/openid-configuration"] = packed
    with pytest.raises(ProviderFailed, match="no JSON"):
        asyncio.run(stub.flow().start())
    assert stub.requests[0].headers["Accept-Encoding"] == "identity"


# -- what is never said --------------------------------------------------------------------------------------


def every_ending() -> Iterator[Callable[[], object]]:
    secret = Provider("work", "Work Login", "gatekey", ISSUER, client_secret=CLIENT_SECRET)
    yield lambda: StubProvider(pending(), granted()).sign_in(secret)
    yield lambda: StubProvider(refusal("access_denied")).sign_in(secret)
    yield lambda: StubProvider(granted(aud="x")).sign_in(secret)
    yield lambda: StubProvider(httpx.ConnectError("refused")).sign_in(secret)
    yield lambda: StubProvider(github_granted()).sign_in(GITHUB)


def test_no_code_and_no_token_is_logged_or_represented(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    said: list[str] = []
    for run in every_ending():
        try:
            said.append(repr(run()))
        except GatekeyError as error:
            said += [repr(error), str(error), repr(error.__dict__)]

    async def half_way() -> None:
        for grant in (pending(), granted()):
            stub = StubProvider(grant)
            stub.replies["/jwks"] = httpx.ConnectError("refused")
            flow = stub.flow(Provider("w", "W", "c", ISSUER, client_secret=CLIENT_SECRET))
            said.append(repr(await flow.start()))
            said.append(repr(await flow.poll()))
            said.append(repr(flow))
            said.append(repr(flow._grant))
            said.append(repr(flow._provider))

    asyncio.run(half_way())
    everything = "\n".join([*said, caplog.text])
    assert "HTTP Request" in caplog.text
    for canary in (DEVICE_CODE, ACCESS_TOKEN, CLIENT_SECRET):
        assert canary not in everything


def test_every_failure_of_the_client_has_a_name() -> None:
    kinds = [kind for _, kind in inspect.getmembers(httpx, inspect.isclass) if issubclass(kind, Exception)]
    # A StreamError is a response read twice or too early: a slip of ours, which no provider can cause.
    kinds = [kind for kind in kinds if not issubclass(kind, httpx.StreamError)]
    assert len(kinds) > 20
    assert [kind for kind in kinds if not issubclass(kind, tuple(providers._FAILURES))] == []


def test_a_subclass_is_not_hidden_behind_its_parent() -> None:
    seen: list[type[Exception]] = []
    for kind in providers._FAILURES:
        assert not any(issubclass(kind, earlier) for earlier in seen), kind
        seen.append(kind)
