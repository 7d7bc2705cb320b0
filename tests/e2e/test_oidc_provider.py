"""The device flow against a real OpenID provider, the npm package `oidc-provider`, and a person with a browser."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from gateway.device_flow import DeviceAuthorization, DeviceFlow, Identity, Pending
from gateway.oidc import discover
from gateway.providers import Provider, request_json
from store.clock import SystemClock, Uptime
from store.errors import IdentityRefused, ProviderFailed, SignInExpired
from tests import parts
from tests.harness.device_sign_in import decided
from tests.oidc_provider.running import PATIENCE, RunningProvider, running_provider

pytestmark = pytest.mark.needs(parts.NODE)


class LateClock:
    """The machine's clock, off by a given time."""

    def __init__(self, off: timedelta) -> None:
        self._off = off

    def now(self) -> datetime:
        return datetime.now(UTC) + self._off

    def uptime(self) -> Uptime:
        return SystemClock().uptime()


async def no_sleep(_: float) -> None:
    """The provider does not mind; the pauses are a unit test's matter."""


@pytest.fixture(scope="module")
def oidc() -> Iterator[RunningProvider]:
    with running_provider() as provider:
        yield provider


def configured(oidc: RunningProvider, client_id: str = "console", secret: str = "") -> Provider:
    return Provider("test", "Test Login", client_id, oidc.issuer, client_secret=secret)


@asynccontextmanager
async def started(
    provider: Provider, clock: SystemClock | LateClock | None = None
) -> AsyncIterator[tuple[DeviceFlow, DeviceAuthorization]]:
    async with httpx.AsyncClient(trust_env=False, timeout=PATIENCE) as client:
        flow = DeviceFlow(client, provider, clock or SystemClock(), sleep=no_sleep)
        yield flow, await flow.start()


def sign_in(
    oidc: RunningProvider, provider: Provider, login: str = "alice", clock: LateClock | None = None
) -> Identity:
    async def run() -> Identity:
        async with started(provider, clock) as (flow, shown):
            assert isinstance(await flow.poll(), Pending)
            await asyncio.to_thread(oidc.approve, shown.verification_uri_complete, login)
            return await decided(flow)

    return asyncio.run(run())


@pytest.mark.parametrize("client_id", ["console", "console-es256", "console-eddsa"])
def test_a_person_signs_in_at_a_provider_nobody_here_wrote(oidc: RunningProvider, client_id: str) -> None:
    provider = configured(oidc, client_id)
    assert sign_in(oidc, provider) == Identity("test", "alice", "alice-display")


def test_a_client_with_a_secret_signs_in(oidc: RunningProvider) -> None:
    provider = configured(oidc, "console-basic", "s/e+c ret:%")
    assert sign_in(oidc, provider, "bob").subject == "bob"


def test_the_code_and_the_address_are_what_the_provider_shows(oidc: RunningProvider) -> None:
    async def run() -> DeviceAuthorization:
        async with started(configured(oidc)) as (_, shown):
            return shown

    shown = asyncio.run(run())
    assert shown.verification_uri == f"{oidc.issuer}/device"
    assert shown.verification_uri_complete == f"{oidc.issuer}/device?user_code={shown.user_code}"
    assert timedelta(seconds=590) < shown.expires_at - datetime.now(UTC) <= timedelta(seconds=600)


async def test_a_person_declines(oidc: RunningProvider) -> None:
    async with started(configured(oidc)) as (flow, shown):
        await asyncio.to_thread(oidc.decline, shown.verification_uri_complete)
        with pytest.raises(IdentityRefused, match="declined at Test Login"):
            await decided(flow)


async def test_nobody_comes_and_the_code_expires_at_the_provider(oidc: RunningProvider) -> None:
    async with started(configured(oidc)) as (flow, _):
        oidc.shift_clock(601)
        try:
            with pytest.raises(SignInExpired):
                await flow.poll()
        finally:
            oidc.shift_clock(0)


@pytest.mark.parametrize(("client_id", "secret"), [("nobody", ""), ("console-basic", "wrong"), ("console-basic", "")])
def test_a_client_the_provider_does_not_know_is_a_sentence(oidc: RunningProvider, client_id: str, secret: str) -> None:
    with pytest.raises(ProviderFailed, match="does not accept the configured client"):
        sign_in(oidc, configured(oidc, client_id, secret))


def test_a_client_that_may_not_use_the_device_flow_is_a_sentence(oidc: RunningProvider) -> None:
    with pytest.raises(ProviderFailed, match=r"refused the request \(status 400\)"):
        sign_in(oidc, configured(oidc, "console-codes-only"))


async def test_a_code_is_good_once(oidc: RunningProvider) -> None:
    async with started(configured(oidc)) as (flow, shown):
        await asyncio.to_thread(oidc.approve, shown.verification_uri_complete, "alice")
        stolen = flow._device_code
        assert isinstance(await flow.poll(), Identity)
        flow._identity, flow._device_code = None, stolen
        with pytest.raises(SignInExpired):
            await flow.poll()


@pytest.mark.parametrize(("minutes", "words"), [(20, "behind this machine's clock"), (-20, "ahead of")])
async def test_a_clock_that_is_off_is_explained(oidc: RunningProvider, minutes: int, words: str) -> None:
    clock = LateClock(timedelta(minutes=minutes))
    async with started(configured(oidc), clock) as (flow, shown):
        await asyncio.to_thread(oidc.approve, shown.verification_uri_complete, "alice")
        with pytest.raises(IdentityRefused, match=words):
            await flow.poll()


def test_two_people_are_two_identities(oidc: RunningProvider) -> None:
    first, second = sign_in(oidc, configured(oidc), "alice"), sign_in(oidc, configured(oidc), "mallory")
    assert (first.subject, second.subject) == ("alice", "mallory")


async def test_another_issuer_at_the_same_place_is_refused(oidc: RunningProvider) -> None:
    async with httpx.AsyncClient(trust_env=False, timeout=PATIENCE) as client:
        other = Provider("test", "Test", "console", oidc.issuer.replace("127.0.0.1", "localhost"))
        with pytest.raises(ProviderFailed, match="another issuer"):
            await discover(client, other)


async def test_a_place_without_a_provider_is_a_sentence(oidc: RunningProvider) -> None:
    async with httpx.AsyncClient(trust_env=False, timeout=PATIENCE) as client:
        for issuer in (f"{oidc.issuer}/nowhere", "http://127.0.0.1:1"):
            nowhere = Provider("test", "Test Login", "console", issuer)
            with pytest.raises(ProviderFailed, match="Test Login"):
                await discover(client, nowhere)
        answer = await request_json(client, configured(oidc), f"{oidc.issuer}/.well-known/openid-configuration")
        assert answer.status == 200
