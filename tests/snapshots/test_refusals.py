"""States in which something was refused, has failed, waits for somebody outside, or is not there yet."""

import asyncio
from datetime import timedelta

import pytest

from screens.bind_provider import ProviderLogin
from store.errors import DatabaseBusy
from store.values.bindings import ProviderInfo, ProviderKind
from tests.harness.console_steps import enable_two_factor, enrol
from tests.harness.consoles import PASSWORD, Stage
from tests.harness.stores import store_with_account
from tests.snapshots.conftest import Picture
from tests.snapshots.scenes import begin_ceremony, passkey_store
from tests.snapshots.steps import click, fill, opening
from tui.account import DeviceLogin, FoundIdentity
from tui.local_account import LocalAccount

GITHUB = ProviderInfo(1, "github", "GitHub", ProviderKind.GITHUB, "", "client")


async def begin_login(stage: Stage, *, answered: bool) -> None:
    """Bind GitHub, at a provider that shows a code and knows octocat."""
    account = stage.app.account
    assert isinstance(account, LocalAccount)

    async def begin(_slug: str) -> DeviceLogin:
        expires_at = stage.clock.now() + timedelta(minutes=15)
        return DeviceLogin(GITHUB, "WDJB-MJHT", "https://github.com/login/device", "", expires_at)

    async def wait(*_: object, **__: object) -> FoundIdentity:
        if not answered:
            await asyncio.Event().wait()
        return FoundIdentity(GITHUB, "583231", "octocat")

    account.begin_device_login = begin  # type: ignore[method-assign, assignment] # the provider's part of it
    account.wait_for_identity = wait  # type: ignore[method-assign] # same
    await stage.press("1")
    stage.app.screen.query_one(".bind").focus()
    await stage.pilot.press("enter")
    if answered:
        await stage.until(lambda: stage.says("Bind this identity?"))
        await stage.settle()
    else:
        await stage.until(lambda: isinstance(stage.app.screen, ProviderLogin) and stage.says("left"))
        await stage.pilot.pause()


@pytest.mark.parametrize("answered", [False, True], ids=["waiting", "question"])
def test_binding_a_provider(picture: Picture, answered: bool) -> None:
    """First an address, a code and the time left; then whose identity it is, before anything is bound."""
    store = store_with_account()
    store.site.set("account_binding.enabled", "true")
    store.bindings.add_provider("github", "GitHub", ProviderKind.GITHUB, issuer="", client_id="x", client_secret=None)

    async def steps(stage: Stage) -> None:
        await begin_login(stage, answered=answered)
        # What the page below draws when it loses the focus comes a message later.
        await stage.pilot.pause()
        await stage.pilot.pause()

    picture(steps, store=store, settle=False)


def test_a_passkey_that_came_too_late(picture: Picture) -> None:
    """The QR code is gone, and one sentence says to start again."""

    async def steps(stage: Stage) -> None:
        await begin_ceremony(stage)
        stage.clock.advance(minutes=3)
        await stage.until(lambda: stage.says("The time is up"))
        await stage.settle()

    picture(steps, store=passkey_store())


def test_no_passkeys_yet(picture: Picture) -> None:
    """One sentence instead of a list; rename and remove cannot be pressed."""
    store = store_with_account()
    store.site.set("passkeys.enabled", "true")
    store.site.set("passkeys.origin", "http://localhost:8787")
    picture("y", store=store)


def test_a_wrong_code_at_the_last_step(picture: Picture) -> None:
    """The sentence under the field; the button is there for another try."""

    async def steps(stage: Stage) -> None:
        await stage.press("f")
        code = stage.app.screen._open_enrolment.codes[0]  # type: ignore[attr-defined] # the wizard's
        await stage.press("enter")
        await stage.fill("saved-code", code)
        await stage.press("enter")
        await stage.fill("code", "000000")
        await stage.press("enter")

    picture(steps)


def test_a_proof_with_every_way(picture: Picture) -> None:
    """Password or code, and what was wrong with the password that was given."""

    async def steps(stage: Stage) -> None:
        await enrol(stage)
        stage.clock.advance(minutes=6)
        await stage.press("t", "y")
        await stage.fill("password", "wrong password")
        await stage.press("enter")

    picture(steps)


def test_a_locked_console_that_was_given_a_wrong_password(picture: Picture) -> None:
    """Nothing of the account; one sentence; the field is empty again."""
    picture("ctrl+l", fill("password", "wrong password"), "enter")


def test_a_wrong_code_at_the_sign_in(picture: Picture) -> None:
    """The sentence under the field, and still the way back."""
    store = store_with_account()
    enable_two_factor(store)

    picture(
        fill("username", "alice"),
        fill("password", PASSWORD),
        click("#sign-in"),
        fill("code", "000000"),
        "enter",
        store=store,
        signed_in=False,
    )


def test_signed_out_from_elsewhere(picture: Picture) -> None:
    """The sign-in screen says why."""

    async def steps(stage: Stage) -> None:
        stage.store.passwords.reset("alice", "quiet harbour lantern sky", actor="root")
        await stage.press("t")

    picture(steps)


def test_a_file_that_exists(picture: Picture) -> None:
    """Refused at its field: nothing is overwritten."""
    picture("t y w", fill("path", "/etc/hostname"), "enter")


def test_a_busy_database(picture: Picture, monkeypatch: pytest.MonkeyPatch) -> None:
    """A sentence above the buttons; what was typed stays, and the tab stays marked."""

    async def steps(stage: Stage) -> None:
        await stage.press("3")
        await stage.fill("quota-warning-threshold", "4.00")

        def busy(*_: object, **__: object) -> None:
            raise DatabaseBusy

        monkeypatch.setattr(stage.store.settings, "save", busy)
        await stage.press("ctrl+s")

    picture(steps)


def test_a_busy_database_in_a_module(picture: Picture, monkeypatch: pytest.MonkeyPatch) -> None:
    """The page says so; the sidebar and the keys still work."""

    async def steps(stage: Stage) -> None:
        def busy(*_: object, **__: object) -> None:
            raise DatabaseBusy

        monkeypatch.setattr(stage.store.usage, "page", busy)
        await opening("usage-logs")(stage)
        await stage.settle()

    picture(steps)


def test_saved(picture: Picture) -> None:
    """Said where the buttons are; the tab is no longer marked."""
    picture("4 tab space ctrl+s")


def test_modules_hidden_by_the_administrator(picture: Picture) -> None:
    """Two switches that cannot be turned, each with the reason beside it."""
    store = store_with_account()
    store.site.set("sidebar.hidden_modules", "drawing-logs,task-logs")
    picture("6", store=store)


def test_a_terminal_too_small(picture: Picture) -> None:
    """One line that says how large it has to be."""
    picture(size=(38, 9))


def test_a_new_key_that_is_refused(picture: Picture) -> None:
    """The sentence under the field it is about; the other fields keep what was typed."""
    picture(opening("api-keys"), "n", fill("api-key-name", "notebook"), fill("api-key-limit", "a lot"), "enter")


def test_a_new_key(picture: Picture) -> None:
    """Hidden until revealed; four ways on."""
    picture(opening("api-keys"), "n", fill("api-key-name", "notebook"), "enter")


@pytest.mark.parametrize("module", ["playground", "drawing-logs", "task-logs"])
def test_an_empty_module(picture: Picture, module: str) -> None:
    """One sentence that says what would be here."""
    picture(opening(module))
