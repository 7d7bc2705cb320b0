"""Every way into an account, with and without a second factor: the second factor has no way round."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import Final

import httpx
import pyotp
import pytest

from gateway import device_flow
from gateway.app import create_app
from gateway.pages import FINISH_PATH, OPTIONS_PATH
from store.errors import GatekeyError, NotEnabled, SessionEnded, SessionLocked, SignInExpired, WrongCode
from store.store import Store
from store.values.bindings import ProviderKind
from store.values.sign_in import SecondFactorNeeded
from store.values.two_factor import Enrolment
from tests.fakes.identity_provider import IdentityProvider, identity_provider
from tests.fakes.soft_authenticator import SoftAuthenticator
from tests.harness.stores import PASSWORD, START, StillClock, add_account, make_store, sign_in
from tui.account import PasskeyPage
from tui.local_account import LocalAccount
from tui.store_location import Options

pytestmark = pytest.mark.anyio

ORIGIN: Final = "http://localhost:8787"


@dataclass
class Door:
    """An account with everything bound to it, and a console in front of it that is not signed in."""

    store: Store
    clock: StillClock
    provider: IdentityProvider
    device: SoftAuthenticator
    console: LocalAccount
    enrolment: Enrolment | None = None

    async def answer_in_browser(self, page: PasskeyPage) -> None:
        code = page.started.code
        transport = httpx.ASGITransport(create_app(self.store), client=("203.0.113.9", 50000))
        async with httpx.AsyncClient(transport=transport, base_url=ORIGIN) as browser:
            asked = (await browser.post(OPTIONS_PATH, json={"code": code})).json()
            make = self.device.create if asked["purpose"] == "register" else self.device.get
            answer = {"code": code, "credential": make(asked["publicKey"])}
            assert (await browser.post(FINISH_PATH, json=answer)).status_code == 200

    def code(self) -> str:
        assert self.enrolment is not None
        # The step before was spent on enrolling.
        self.clock.advance(seconds=30)
        return pyotp.TOTP(self.enrolment.secret).at(self.clock.now())

    async def is_in(self) -> bool:
        try:
            await self.console.summary()
        except (SessionEnded, SessionLocked):
            return False
        return True


@pytest.fixture
def door(monkeypatch: pytest.MonkeyPatch) -> Iterator[Door]:
    monkeypatch.setattr(device_flow, "DEFAULT_INTERVAL_S", 0.02)
    clock = StillClock()
    store = make_store(clock=clock)
    add_account(store)
    for name, value in (("enabled", "true"), ("rp_id", "localhost"), ("origin", ORIGIN)):
        store.site.set(f"passkeys.{name}", value)
    store.site.set("account_binding.enabled", "true")
    with identity_provider(START) as provider:
        provider.approve()
        for slug, kind in (("oidc", ProviderKind.OIDC), ("github", ProviderKind.GITHUB)):
            store.bindings.add_provider(
                slug, slug, kind, issuer=provider.address, client_id="console", client_secret=None
            )
            store.bindings.bind(sign_in(store), slug, provider.subject, provider.display)
        made = Door(store, clock, provider, SoftAuthenticator(ORIGIN), LocalAccount(Options(), opened=store))
        yield made
        asyncio.run(made.console.close())


async def register(door: Door) -> None:
    token = sign_in(door.store)
    begun = door.store.ceremonies.begin_registration(token, "laptop")
    await door.answer_in_browser(PasskeyPage("", "", begun))


def enable(door: Door) -> None:
    token = sign_in(door.store)
    door.enrolment = door.store.two_factor.begin(token)
    door.store.two_factor.confirm_saved(token, door.enrolment.codes[0])
    door.store.two_factor.complete(token, pyotp.TOTP(door.enrolment.secret).at(door.clock.now()))


Path = Callable[[Door], Awaitable[SecondFactorNeeded | None]]


async def by_password(door: Door) -> SecondFactorNeeded | None:
    return await door.console.sign_in("alice", PASSWORD)


async def by_passkey(door: Door) -> SecondFactorNeeded | None:
    page = await door.console.begin_passkey_sign_in()
    await door.answer_in_browser(page)
    return await door.console.finish_passkey_sign_in(page)


async def by_oidc(door: Door) -> SecondFactorNeeded | None:
    login = await door.console.begin_device_login("oidc")
    return await door.console.sign_in_with_identity(await door.console.wait_for_identity(login, on_poll=lambda _: None))


async def by_github(door: Door) -> SecondFactorNeeded | None:
    login = await door.console.begin_device_login("github")
    return await door.console.sign_in_with_identity(await door.console.wait_for_identity(login, on_poll=lambda _: None))


FIRST_FACTORS: Final[dict[str, Path]] = {
    "password": by_password,
    "passkey": by_passkey,
    "OIDC binding": by_oidc,
    "GitHub binding": by_github,
}


async def ways_round(door: Door, step: SecondFactorNeeded | None) -> list[str]:
    """The ways past the second factor that were found, for somebody who gave only the first."""
    found = ["no second factor was asked for"] if step is None else []
    if await door.is_in():
        found.append("a session was opened before the second factor")
    if step is not None:
        door.console._token = step.ticket
        if await door.is_in():
            found.append("the ticket is a session")
        door.console._token = ""
        for wrong in ("000000", "", "0000-0000-0000-0000"):
            try:
                await door.console.enter_code(step, wrong)
            except WrongCode:
                continue
            found.append(f"the code {wrong!r} was accepted")
    return found


async def test_the_second_factor_has_no_way_round(door: Door) -> None:
    await register(door)
    good = 0
    # Without a second factor each of them lets in, so that a refusal below is the second factor's.
    for name, path in FIRST_FACTORS.items():
        assert await path(door) is None, name
        assert await door.is_in(), name
        await door.console.sign_out()
        good += 1
    # Neither of the other two paths is open then.
    with pytest.raises(GatekeyError):
        await door.console.enter_code(SecondFactorNeeded("00" * 32, "alice", door.clock.now()), "AAAA-AAAA-AAAA-AAAA")
    assert not await door.is_in()
    good += 1
    await by_password(door)
    await door.console.lock()
    with pytest.raises(NotEnabled):
        await door.console.prove_with_code("000000")
    assert not await door.is_in()
    await door.console.prove_with_password(PASSWORD)
    assert await door.is_in()
    await door.console.sign_out()
    good += 1

    enable(door)
    for name, path in FIRST_FACTORS.items():
        step = await path(door)
        assert await ways_round(door, step) == [], name
        assert step is not None
        await door.console.enter_code(step, door.code())
        assert await door.is_in(), name
        await door.console.sign_out()
        good += 1
    assert await backup_code_alone(door) == []
    good += 1
    assert await unlock_alone(door) == []
    good += 1
    print(f"BAR C5 {good}/12")
    assert good == 12


async def backup_code_alone(door: Door) -> list[str]:
    """A backup code stands in for the second factor: never for the first, and once."""
    assert door.enrolment is not None
    code, found = door.enrolment.codes[1], []
    try:
        await door.console.sign_in("alice", code)
    except GatekeyError:
        pass
    else:
        found.append("a backup code was a password")
    step = await by_password(door)
    assert step is not None
    await door.console.enter_code(step, code)
    assert await door.is_in()
    await door.console.sign_out()
    for ticket in (step, await by_password(door)):
        assert ticket is not None
        try:
            await door.console.enter_code(ticket, code)
        except GatekeyError:
            continue
        found.append("a code or a ticket was good twice")
    if await door.is_in():
        found.append("somebody is in")
    return found


async def unlock_alone(door: Door) -> list[str]:
    """Unlocking is for a session that has given both factors, and makes no other one."""
    found = []
    door.clock.advance(minutes=10)
    step = await by_password(door)
    assert step is not None
    for token in ("", step.ticket):
        door.console._token = token
        for prove in (door.console.prove_with_password(PASSWORD), door.console.prove_with_code(door.code())):
            try:
                await prove
            except SessionEnded:
                continue
            found.append("a proof opened a session")
    door.console._token = ""
    await door.console.enter_code(step, door.code())
    await door.console.lock()
    try:
        await door.console.begin_passkey_proof()
    except SessionLocked:
        pass
    else:
        found.append("a locked session began a ceremony")
    await door.console.prove_with_password(PASSWORD)
    assert await door.is_in()
    door.clock.advance(hours=13)
    try:
        await door.console.prove_with_password(PASSWORD)
    except SessionEnded:
        pass
    else:
        found.append("a proof revived a session that was over")
    return found


async def test_a_ticket_is_good_for_five_minutes(door: Door) -> None:
    await register(door)
    enable(door)
    step = await by_passkey(door)
    assert step is not None
    door.clock.advance(minutes=5)
    with pytest.raises(SignInExpired):
        await door.console.enter_code(step, door.code())
    assert not await door.is_in()
