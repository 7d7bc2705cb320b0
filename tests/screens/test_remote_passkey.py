"""A passkey on a New API server is registered in a browser, at the server's own page, while the console watches."""

import pytest
from textual.widgets import Button, Static

from screens.settings.passkeys import Passkeys
from screens.settings.register_on_page import RegisterOnPage
from screens.sign_in import SignIn
from store.errors import ServerUnreachable
from tests.harness.consoles import Stage
from tests.harness.remote_consoles import closing, remote_account, remote_console
from tests.new_api.accounts import Passkey
from tests.new_api.generations import Generation
from tests.new_api.running import StandIn
from tui.widgets.qr_code import QrCode

SIZE = (80, 24)
TOKEN = "t" * 32


@pytest.fixture
def standin(standin: StandIn) -> StandIn:
    standin.world.options["passkey.enabled"] = "true"
    return standin


def register_in_browser(standin: StandIn) -> None:
    """The end of a registration on the server's page: August ends every other session with it."""
    standin.alice.passkey = Passkey("credential", b"", [])
    if standin.world.generation is Generation.AUG:
        standin.alice.version += 1
        for session in standin.world.sessions.values():
            session.is_ended = True


async def open_dialog(stage: Stage) -> None:
    assert str(stage.app.screen.query_one("#passkeys-action", Button).label) == "Register"
    await stage.press("y")
    assert isinstance(stage.app.screen, Passkeys)
    await stage.pilot.press("n")
    await stage.until(lambda: isinstance(stage.app.screen, RegisterOnPage))
    await stage.pilot.pause()


async def test_the_page_is_shown_as_address_and_code_and_is_copied(standin: StandIn) -> None:
    async with remote_console(standin, size=SIZE) as stage:
        await open_dialog(stage)
        await stage.settle()
        screen = stage.app.screen
        assert str(screen.query_one("#url", Static).content) == standin.address
        assert screen.query_one(QrCode).region.area, stage.text()
        about = screen.query_one("#about", Static)
        assert screen.region.contains_region(about.region)
        assert "register the passkey there" in str(about.content)
        assert ("this console's too" in str(about.content)) is (standin.world.generation is Generation.AUG)
        await stage.press("ctrl+y")
        assert stage.app.clipboard == standin.address
        await stage.press("escape")
        assert isinstance(stage.app.screen, Passkeys)
        assert stage.says("There are none yet."), "it was left, and nothing was changed"


async def test_the_dialog_closes_once_the_passkey_is_registered_or_the_session_has_ended_with_it(
    standin: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(RegisterOnPage, "LOOK_EVERY_S", 0.05)
    async with remote_console(standin, size=SIZE) as stage:
        await open_dialog(stage)
        register_in_browser(standin)
        await stage.until(lambda: not isinstance(stage.app.screen, RegisterOnPage))
        if standin.world.generation is Generation.AUG:
            await stage.until(lambda: isinstance(stage.app.screen, SignIn))
            await stage.settle()
            assert stage.says("This session has ended"), stage.text()
            return
        await stage.settle()
        assert stage.says("The passkey was registered."), stage.text()
        assert "Register" not in {str(each.label) for each in stage.app.screen.query(Button) if each.display}
        await stage.press("escape")
        assert stage.says("1 registered"), stage.text()


async def test_a_server_that_does_not_answer_is_told_and_asked_again(
    standin: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    is_down = True

    async def has_passkey() -> bool:
        if is_down:
            raise ServerUnreachable
        return True

    monkeypatch.setattr(RegisterOnPage, "LOOK_EVERY_S", 0.05)
    async with remote_console(standin, size=SIZE) as stage:
        monkeypatch.setattr(stage.app.account, "has_passkey", has_passkey)
        await open_dialog(stage)
        await stage.until(lambda: stage.says("The console asks again."))
        assert isinstance(stage.app.screen, RegisterOnPage)
        is_down = False
        await stage.until(lambda: isinstance(stage.app.screen, Passkeys))
        await stage.settle()


async def test_where_the_administrator_has_not_enabled_passkeys_the_sentence_stands_alone(standin: StandIn) -> None:
    standin.world.options["passkey.enabled"] = "false"
    async with remote_console(standin, size=SIZE) as stage:
        assert stage.says("Administrator has not enabled Passkey login"), stage.text()
        assert not stage.app.screen.query_one("#passkeys-action", Button).display
        await stage.press("y")
        assert not isinstance(stage.app.screen, Passkeys)


async def test_an_account_held_by_an_access_token_has_the_sentence_in_its_place(standin: StandIn) -> None:
    standin.alice.access_token = TOKEN
    account = remote_account(standin)
    async with closing(account):
        await account.open()
        await account._client.sign_in_with_token(TOKEN, "2")
        can = account.capabilities
        assert not can.no_passkey_ceremony
        assert can.no_passkeys or "on the server's own page: https://api.example.com" in can.no_passkey_registration
