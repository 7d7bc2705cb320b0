"""Binding an identity and using a passkey from the console: the panes, the dialogs, and what comes from outside."""

import asyncio
import gc
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any, Final

import httpx
import pytest
from textual.widgets import Button, Static

from gateway import device_flow, providers
from gateway.app import create_app
from gateway.pages import FINISH_PATH, OPTIONS_PATH
from screens import passkey_ceremony
from screens.account_modal import Notice
from screens.bind_provider import ProviderLogin
from screens.console import Console
from screens.passkey_ceremony import PasskeyCeremony
from screens.reauthenticate import Reauthenticate
from screens.settings.passkeys import Passkeys
from screens.sign_in import SignIn
from store.errors import AlreadyBound, BindingsDisabled, DatabaseBusy, LastCredential
from store.store import Store
from store.values.bindings import ProviderKind
from store.values.passkeys import CeremonyState
from tests.fakes.identity_provider import (
    ACCESS_TOKEN,
    DEVICE_CODE,
    USER_CODE,
    IdentityProvider,
    identity_provider,
)
from tests.fakes.soft_authenticator import SoftAuthenticator
from tests.harness.console_steps import enable_two_factor
from tests.harness.consoles import Stage, console
from tests.harness.stores import START, add_account, sign_in, store_with_account
from tui.account import SecurityOverview
from tui.widgets.confirm import Confirm
from tui.widgets.row_table import RowTable

ORIGIN: Final = "http://localhost:8787"
POLL_INTERVAL_S: Final = passkey_ceremony.POLL_INTERVAL_S


async def until(stage: Stage, condition: Callable[[], object]) -> None:
    """Let the console run until `condition` holds."""
    await stage.until(condition)
    await stage.pilot.pause()


async def until_says(stage: Stage, sentence: str) -> None:
    await until(stage, lambda: stage.says(sentence))


async def until_shows(stage: Stage, screen: type[object]) -> None:
    await until(stage, lambda: isinstance(stage.app.screen, screen))


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests wait for a state, so the pauses between two questions may be short."""
    monkeypatch.setattr(device_flow, "DEFAULT_INTERVAL_S", 0.02)
    monkeypatch.setattr(passkey_ceremony, "POLL_INTERVAL_S", 0.02)


async def test_a_console_notices_within_a_second() -> None:
    assert POLL_INTERVAL_S <= 0.5


# -- binding ----------------------------------------------------------------------------------------------------


@pytest.fixture
def provider() -> Iterator[IdentityProvider]:
    with identity_provider(START) as running:
        yield running


def with_providers(provider: IdentityProvider, *, enabled: bool = True) -> Store:
    store = store_with_account()
    store.site.set("account_binding.enabled", str(enabled).lower())
    for slug, name, kind in (("work", "Work Login", ProviderKind.OIDC), ("github", "GitHub", ProviderKind.GITHUB)):
        info = store.bindings.add_provider(
            slug, name, kind, issuer=provider.address, client_id="console", client_secret=None
        )
        assert info.issuer == provider.address
    return store


@pytest.fixture
def store(provider: IdentityProvider) -> Store:
    return with_providers(provider)


@asynccontextmanager
async def binding_tab(store: Store) -> AsyncIterator[Stage]:
    async with console(store, size=(100, 30), press="1") as stage:
        yield stage
    gc.collect()  # a connection left open complains here, and a complaint is an error


def button(stage: Stage, name: str) -> Button:
    return next(each for each in stage.app.screen.query(Button) if each.name == name)


async def begin(stage: Stage, slug: str = "work") -> None:
    button(stage, slug).focus()
    await stage.pilot.press("enter")


async def until_asked(stage: Stage) -> None:
    """Begin a login or the end of a binding, and wait for the question."""
    await begin(stage)
    await until_shows(stage, Confirm)


async def until_polled(stage: Stage, provider: IdentityProvider) -> None:
    """Begin a login, and wait until the provider has been asked about it."""
    await begin(stage)
    await until(stage, lambda: provider.polls >= 1)


def bound(store: Store, name: str = "alice") -> list[str]:
    listed = store.bindings.list(sign_in(store, name, source="elsewhere"))
    return [binding.display for binding in listed if binding.binding_id is not None]


@pytest.mark.parametrize("slug", ["work", "github"])
async def test_an_identity_is_shown_and_confirmed_before_it_is_bound(
    provider: IdentityProvider, store: Store, slug: str
) -> None:
    async with binding_tab(store) as stage:
        await begin(stage, slug)
        await until_shows(stage, ProviderLogin)
        await until_says(stage, USER_CODE)
        await until_says(stage, f"{provider.address}/activate")
        await until_says(stage, "Waiting: 10:00 left")
        await until(stage, lambda: provider.polls >= 2)
        provider.approve()
        await until_shows(stage, Confirm)
        await until_says(stage, "octocat at")
        await until_says(stage, "583231")
        assert bound(store) == []
        await stage.pilot.press("y")
        await until_says(stage, "The identity was bound.")
        assert bound(store) == ["octocat"]
        await until_says(stage, "octocat · bound just now")
        for secret in (DEVICE_CODE, ACCESS_TOKEN):
            assert secret not in stage.text()


async def test_an_identity_that_is_not_confirmed_is_not_bound(provider: IdentityProvider, store: Store) -> None:
    async with binding_tab(store) as stage:
        provider.approve()
        await until_asked(stage)
        await stage.press("escape")
        assert bound(store) == []


async def test_cancelling_stops_the_polls_and_closes_the_connections(provider: IdentityProvider) -> None:
    async with binding_tab(with_providers(provider)) as stage:
        await until_polled(stage, provider)
        await stage.press("escape")
        assert isinstance(stage.app.screen, Console)
        seen = provider.polls
        provider.approve()
        for _ in range(20):
            await asyncio.sleep(0.01)  # ten of the pauses between polls
            await stage.pilot.pause()
        assert provider.polls <= seen + 1, "one poll may have been on its way"
        assert isinstance(stage.app.screen, Console)


async def test_leaving_while_a_login_waits_closes_the_connections(provider: IdentityProvider) -> None:
    async with binding_tab(with_providers(provider)) as stage:
        await until_polled(stage, provider)


async def test_a_code_nobody_used_expires_and_can_be_asked_for_again(provider: IdentityProvider) -> None:
    async with binding_tab(with_providers(provider)) as stage:
        await until_polled(stage, provider)
        stage.clock.advance(seconds=601)
        await until_says(stage, "took too long")
        await stage.press("escape")
        stage.clock.advance(seconds=-601)
        provider.approve()
        await until_asked(stage)


@pytest.mark.parametrize(
    ("outcome", "sentence"),
    [
        ("access_denied", "was declined at Work Login"),
        ("expired_token", "took too long"),
        ("invalid_client", "does not accept the configured client"),
        ("something_else", "refused the request"),
    ],
)
async def test_what_a_provider_refuses_is_told(
    provider: IdentityProvider, store: Store, outcome: str, sentence: str
) -> None:
    async with binding_tab(store) as stage:
        provider.outcome = outcome
        await begin(stage)
        await until_says(stage, sentence)
        assert not stage.says("left")
        await stage.press("escape")
        assert bound(store) == []


@pytest.mark.parametrize(("broken", "sentence"), [("html", "sent no JSON"), ("500", "status 500")])
async def test_a_provider_that_is_down_is_a_sentence_and_a_retry(
    provider: IdentityProvider, broken: str, sentence: str
) -> None:
    async with binding_tab(with_providers(provider)) as stage:
        provider.broken = broken
        await begin(stage)
        await until_says(stage, sentence)
        assert isinstance(stage.app.screen, Console)
        await until_says(stage, "Try again in a moment")
        await stage.settle()  # the steps that failed have ended: others may begin
        provider.broken = ""
        provider.approve()
        await until_asked(stage)


async def test_a_provider_that_never_answers_is_given_up(
    provider: IdentityProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with binding_tab(with_providers(provider)) as stage:
        provider.broken = "stalled"
        with monkeypatch.context() as hurried:
            hurried.setattr(providers, "EXCHANGE_TIMEOUT_S", 0.2)
            for _ in range(20):
                await begin(stage)
                await until_says(stage, "did not answer in time. Try again in a moment")
                if await asyncio.to_thread(provider.asked_in_vain.wait, 3):
                    break
                # A console that was held up that long had no time left to ask.
                stage.app.clear_notifications()
                await stage.settle()
        assert provider.asked_in_vain.is_set()
        assert isinstance(stage.app.screen, Console)
        provider.broken = ""
        provider.approve()
        await until_asked(stage)


async def test_a_provider_that_goes_away_and_comes_back_is_waited_for(provider: IdentityProvider) -> None:
    async with binding_tab(with_providers(provider)) as stage:
        await until_polled(stage, provider)
        provider.broken = "500"
        notice = stage.app.screen.query_one(Notice)
        await until(stage, lambda: str(notice.content) == "Work Login does not answer at the moment. Still trying.")
        provider.broken = ""
        await until(stage, lambda: str(notice.content) == "")
        provider.approve()
        await until_shows(stage, Confirm)


async def test_nobody_listening_is_a_sentence(provider: IdentityProvider, store: Store) -> None:
    store.bindings.add_provider(
        "gone", "Gone", ProviderKind.OIDC, issuer="http://127.0.0.1:1", client_id="console", client_secret=None
    )
    async with binding_tab(store) as stage:
        await begin(stage, "gone")
        await until_says(stage, "could not be reached")


@pytest.mark.parametrize(("minutes", "words"), [(-30, "behind"), (30, "ahead of")])
async def test_a_provider_whose_clock_is_off_is_explained(provider: IdentityProvider, minutes: int, words: str) -> None:
    from datetime import timedelta

    store = with_providers(provider)
    provider.now = START + timedelta(minutes=minutes)
    provider.approve()
    async with binding_tab(store) as stage:
        await begin(stage)
        await until_says(stage, words)
        await until_says(stage, "clock")
        assert bound(store) == []


async def test_an_identity_bound_elsewhere_is_refused_without_a_hint(provider: IdentityProvider, store: Store) -> None:
    add_account(store, "mallory", email="octocat@example.com")
    store.bindings.bind(sign_in(store, "mallory"), "work", "583231", "octocat")
    async with binding_tab(store) as stage:
        provider.approve()
        await until_asked(stage)
        await stage.press("y")
        await until_says(stage, AlreadyBound.sentence)
        assert "mallory" not in stage.text()
        assert bound(store) == []


async def test_binding_asks_for_a_fresh_proof(provider: IdentityProvider, store: Store) -> None:
    async with binding_tab(store) as stage:
        provider.approve()
        await until_asked(stage)
        stage.clock.advance(minutes=4, seconds=59)
        store.sessions.whoami(stage.app.account._token)  # type: ignore[attr-defined]
        stage.clock.advance(seconds=2)
        await stage.pilot.press("y")
        await until_shows(stage, Reauthenticate)
        assert bound(store) == []


async def test_the_last_way_in_is_not_unbound(provider: IdentityProvider, store: Store) -> None:
    store.bindings.bind(sign_in(store), "work", "583231", "octocat")
    async with binding_tab(store) as stage:
        with store.database.write() as tx:
            from sqlalchemy import update

            from store.models import Account

            tx.execute(update(Account).values(password_hash=None))
        await until_asked(stage)
        await stage.press("y")
        await until_says(stage, LastCredential.sentence)
        await until_says(stage, "octocat")


async def test_an_identity_is_unbound(provider: IdentityProvider, store: Store) -> None:
    store.bindings.bind(sign_in(store), "work", "583231", "octocat")
    async with binding_tab(store) as stage:
        await until_asked(stage)
        await stage.press("y")
        await until_says(stage, "The identity was unbound.")
        assert bound(store) == []


async def test_while_the_administrator_has_it_off_the_panel_says_so_and_every_path_refuses(
    provider: IdentityProvider,
    store: Store,
) -> None:
    async with binding_tab(store) as stage:
        store.site.set("account_binding.enabled", "false")
        await begin(stage)  # the pane still shows the button
        await until_says(stage, BindingsDisabled.sentence)
        account = stage.app.account
        overview = await account.bindings()
        assert not overview.enabled
        info = overview.bindings[0].provider
        from tui.account import FoundIdentity

        found = FoundIdentity(info, "583231", "octocat")
        refused = 0
        for path in (
            account.begin_device_login("work"),
            account.begin_device_login("github"),
            account.sign_in_with_identity(found),
            account.bind(found),
        ):
            with pytest.raises(BindingsDisabled):
                await path
            refused += 1
        assert (await account.sign_in_options()).providers == ()
        assert provider.polls == 0
        print(f"BAR G5 paths refused while binding is off: {refused}/4")


async def test_the_panel_of_a_house_without_binding_says_so(provider: IdentityProvider) -> None:
    async with binding_tab(with_providers(provider, enabled=False)) as stage:
        await until_says(stage, BindingsDisabled.sentence)
        assert [each.name for each in stage.app.screen.query(".bind")] == []


@pytest.mark.parametrize("two_factor", [False, True])
async def test_a_bound_identity_signs_in_and_the_second_factor_is_asked_for(
    provider: IdentityProvider, store: Store, two_factor: bool
) -> None:
    store.bindings.bind(sign_in(store), "work", "583231", "octocat")
    if two_factor:
        enable_two_factor(store)
    provider.approve()
    async with console(store, signed_in=False, size=(100, 30)) as stage:
        await begin(stage)
        if two_factor:
            await until_says(stage, "has two-factor authentication")
            assert isinstance(stage.app.screen, SignIn)
            assert stage.app.screen.query_one("#code").display
        else:
            await until_shows(stage, Console)
    gc.collect()


async def test_an_identity_nobody_bound_does_not_sign_in_whatever_it_is_called(
    provider: IdentityProvider, store: Store
) -> None:
    provider.subject, provider.display = "1", "alice"
    provider.approve()
    async with console(store, signed_in=False, size=(100, 30)) as stage:
        await begin(stage)
        await until_says(stage, "No account is bound to this identity.")
        assert isinstance(stage.app.screen, SignIn)


# -- passkeys ---------------------------------------------------------------------------------------------------


class Browser:
    """The person's browser: posts to the gateway as the page does."""

    def __init__(self, store: Store) -> None:
        self.app = create_app(store)
        self.device = SoftAuthenticator(ORIGIN)

    async def run(self, code: str, **faults: Any) -> httpx.Response:
        transport = httpx.ASGITransport(self.app, client=("203.0.113.9", 50000))
        async with httpx.AsyncClient(transport=transport, base_url=ORIGIN) as client:
            asked = (await client.post(OPTIONS_PATH, json={"code": code})).json()
            make = self.device.create if asked["purpose"] == "register" else self.device.get
            answer = make(asked["publicKey"], **faults)
            return await client.post(FINISH_PATH, json={"code": code, "credential": answer})


def with_passkeys() -> Store:
    store = store_with_account()
    for name, value in (("enabled", "true"), ("rp_id", "localhost"), ("origin", ORIGIN)):
        store.site.set(f"passkeys.{name}", value)
    return store


def code_shown(stage: Stage) -> str:
    assert isinstance(stage.app.screen, PasskeyCeremony)
    return str(stage.app.screen._page.started.code)


async def start_registering(stage: Stage, label: str = "laptop") -> None:
    await stage.pilot.press("n")
    await until(stage, lambda: stage.app.focused is not None and stage.app.focused.id == "passkey-label")
    await stage.type(label)
    await stage.pilot.press("enter")


async def open_list(stage: Stage) -> None:
    stage.app.push_screen(Passkeys(can_register=True))
    await until_shows(stage, Passkeys)
    await stage.settle()


async def registered(stage: Stage, browser: Browser) -> None:
    await open_list(stage)
    await start_registering(stage)
    await until_shows(stage, PasskeyCeremony)
    assert (await browser.run(code_shown(stage))).status_code == 200
    await until_shows(stage, Passkeys)


@asynccontextmanager
async def registration() -> AsyncIterator[tuple[Stage, Browser]]:
    """A console that waits for the browser to register a passkey."""
    store = with_passkeys()
    async with console(store) as stage:
        await open_list(stage)
        await start_registering(stage)
        await until_shows(stage, PasskeyCeremony)
        yield stage, Browser(store)


@asynccontextmanager
async def passkey_sign_in(store: Store) -> AsyncIterator[Stage]:
    """The sign-in screen, from which a person has gone on to the browser."""
    async with console(store, signed_in=False, size=(100, 30)) as stage:
        stage.app.screen.query_one(".passkey").focus()
        await stage.pilot.press("enter")
        await until_shows(stage, PasskeyCeremony)
        yield stage


async def test_a_passkey_is_registered_and_the_console_notices() -> None:
    async with registration() as (stage, browser):
        await until_says(stage, f"{ORIGIN}/passkey")
        await until_says(stage, code_shown(stage))
        await until_says(stage, "Waiting for your browser: 2:00 left")
        await browser.run(code_shown(stage))
        await until_shows(stage, Passkeys)
        await until_says(stage, "The passkey laptop was registered.")
        await until_says(stage, "never used")


@pytest.mark.parametrize(
    ("origin", "hint"),
    [
        (ORIGIN, "ssh -L 8787:localhost:8787"),
        ("http://localhost", "ssh -L 80:localhost:80"),
        ("https://gate.example", ""),
    ],
)
async def test_only_a_page_on_localhost_needs_a_forwarded_port(origin: str, hint: str) -> None:
    store = with_passkeys()
    store.site.set("passkeys.origin", origin)
    async with passkey_sign_in(store) as stage:
        shown = str(stage.app.screen.query_one("#hint", Static).content)
        assert shown.partition("first: ")[2] == hint
        assert bool(shown) is bool(hint)
        await stage.pilot.press("escape")
        await until_shows(stage, SignIn)


async def test_a_refused_answer_is_told_in_the_console_too() -> None:
    async with registration() as (stage, browser):
        response = await browser.run(code_shown(stage), user_verified=False)
        assert response.status_code == 401
        await until_says(stage, "did not check that it was you")
        assert not stage.says("Waiting for your browser")
        await stage.pilot.press("escape")
        await until_shows(stage, Passkeys)
        await until_says(stage, "There are none yet.")


async def test_cancelling_makes_the_code_useless() -> None:
    async with registration() as (stage, browser):
        code = code_shown(stage)
        await stage.pilot.press("escape")
        await until_shows(stage, Passkeys)
        with pytest.raises(KeyError):  # no options: the code is not known any more
            await browser.run(code)


async def test_a_code_that_runs_out_is_told_and_another_can_be_had() -> None:
    async with registration() as (stage, browser):
        stage.clock.advance(seconds=60)
        await until_says(stage, "1:00 left")
        stage.clock.advance(seconds=60)
        await until_says(stage, "The time is up.")
        await stage.pilot.press("escape")
        await until_shows(stage, Passkeys)
        await start_registering(stage)
        await until_shows(stage, PasskeyCeremony)
        await browser.run(code_shown(stage))
        await until_says(stage, "was registered.")


async def test_a_database_that_is_busy_for_a_moment_does_not_end_the_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    async with registration() as (stage, browser):
        ceremonies = stage.store.ceremonies
        outcome = ceremonies.outcome

        def busy(_: str) -> CeremonyState:
            raise DatabaseBusy

        monkeypatch.setattr(ceremonies, "outcome", busy)
        notice = stage.app.screen.query_one(Notice)
        await until(stage, lambda: DatabaseBusy.sentence in str(notice.content))
        monkeypatch.setattr(ceremonies, "outcome", outcome)
        await browser.run(code_shown(stage))
        await until_says(stage, "was registered.")


async def test_a_list_that_was_closed_before_it_was_filled_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    async with console(with_passkeys()) as stage:
        account, answered = stage.app.account, asyncio.Event()
        overview = await account.security()

        async def slow() -> SecurityOverview:
            await asyncio.shield(answered.wait())
            return overview

        monkeypatch.setattr(account, "security", slow)
        dialog = Passkeys(can_register=True)
        await stage.app.push_screen(dialog)
        # As it is while a dialog is taken down: its parts go first.
        await dialog.query("*").remove()
        answered.set()
        await stage.settle()
        assert stage.app.screen is dialog


async def test_a_taken_label_is_refused_before_the_browser_is_asked() -> None:
    store = with_passkeys()
    async with console(store) as stage:
        await registered(stage, Browser(store))
        await start_registering(stage, "LAPTOP")
        await until_says(stage, "Another passkey has this label.")


async def test_a_passkey_is_renamed_and_removed() -> None:
    store = with_passkeys()
    async with console(store) as stage:
        await registered(stage, Browser(store))
        await until_says(stage, "never used")
        stage.app.screen.query_one(RowTable).focus()
        await stage.pilot.press("e")
        await until(stage, lambda: stage.app.focused is not None and stage.app.focused.id == "passkey-label")
        await stage.fill("passkey-label", "blue key")
        await stage.pilot.press("enter")
        await until_says(stage, "It was renamed.")
        await until_says(stage, "blue key just now never used")
        await stage.pilot.press("d")
        await until_shows(stage, Confirm)
        await stage.pilot.press("y")
        await until_says(stage, "It was removed.")
        await until_says(stage, "There are none yet.")


@pytest.mark.parametrize("two_factor", [False, True])
async def test_a_passkey_signs_in_and_the_second_factor_is_asked_for(two_factor: bool) -> None:
    store = with_passkeys()
    browser = Browser(store)
    begun = store.ceremonies.begin_registration(sign_in(store), "laptop")
    assert (await browser.run(begun.code)).status_code == 200
    if two_factor:
        enable_two_factor(store)
    async with passkey_sign_in(store) as stage:
        await browser.run(code_shown(stage))
        if two_factor:
            await until_says(stage, "has two-factor authentication")
            assert isinstance(stage.app.screen, SignIn)
        else:
            await until_shows(stage, Console)


async def test_a_sign_in_that_is_given_up_leaves_the_password() -> None:
    async with passkey_sign_in(with_passkeys()) as stage:
        await stage.pilot.press("escape")
        await until_shows(stage, SignIn)
        await stage.fill("username", "alice")


async def test_a_passkey_proves_who_one_is() -> None:
    store = with_passkeys()
    browser = Browser(store)
    async with console(store) as stage:
        await registered(stage, browser)
        await stage.press("escape")
        stage.clock.advance(minutes=4)
        await stage.settle()
        store.sessions.whoami(stage.app.account._token)  # type: ignore[attr-defined]
        stage.clock.advance(minutes=1, seconds=1)
        await stage.pilot.press("t")
        await until_shows(stage, Confirm)
        await stage.pilot.press("y")
        await until_shows(stage, Reauthenticate)
        await until(stage, lambda: not stage.app.screen.query_one("#passkey").has_class("-hidden"))
        stage.app.screen.query_one("#passkey").focus()
        await stage.pilot.press("enter")
        await until_shows(stage, PasskeyCeremony)
        await browser.run(code_shown(stage))
        await until_says(stage, "This is your new token.")


async def test_while_the_administrator_has_passkeys_off_the_console_says_exactly_that() -> None:
    store = with_passkeys()
    async with console(store) as stage:
        store.site.set("passkeys.enabled", "false")
        await open_list(stage)
        await start_registering(stage)
        await until_says(stage, "Administrator has not enabled Passkey login")
        assert not (await stage.app.account.sign_in_options()).passkeys
