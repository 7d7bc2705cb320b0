"""Account Binding on a New API server: an identity by the address that the browser ends at, and an e-mail by a code."""

import pytest
from textual.widgets import Button, Input, Static

from screens.bind_in_browser import BindInBrowser
from screens.settings.bind_email import BindEmail
from screens.settings.binding_rows import EmailRow, ProviderRow
from store.errors import NotOnThisServer, ServerUnreachable
from tests.harness.console_steps import footer_keys
from tests.harness.consoles import Stage
from tests.harness.remote_consoles import remote_console
from tests.new_api.running import StandIn
from tui.account import BindingOverview
from tui.widgets.confirm import Confirm
from tui.widgets.section import Section

FORGE = {
    "id": 1,
    "name": "Forge",
    "slug": "forge",
    "icon": "",
    "client_id": "cid",
    "authorization_endpoint": "https://forge.example/authorize",
    "scopes": "openid",
}
SIZE = (80, 24)


@pytest.fixture
def standin(standin: StandIn) -> StandIn:
    standin.world.providers.append(dict(FORGE))
    return standin


def state_of(stage: Stage) -> str:
    """The state in the address that the dialog shows."""
    url = str(stage.app.screen.query_one("#url", Static).content)
    return url.partition("state=")[2].partition("&")[0]


async def begin(stage: Stage) -> str:
    """Open the dialog of the provider; returns the state in its address."""
    await stage.press("1")
    stage.app.screen.query_one(ProviderRow).focus_button()
    await stage.press("b")
    assert isinstance(stage.app.screen, BindInBrowser), stage.text()
    return state_of(stage)


async def test_an_identity_is_bound_with_the_pasted_address_and_unbound(standin: StandIn) -> None:
    async with remote_console(standin, size=SIZE) as stage:
        state = await begin(stage)
        assert stage.says("https://forge.example/authorize?client_id=cid")
        assert stage.says("Paste the whole address at which the browser ends")
        await stage.press("enter")
        assert stage.says("Paste the address at which the browser has ended."), stage.text()
        await stage.fill("address", f"{standin.address}/oauth/forge")
        await stage.press("enter")
        assert stage.says("with code and state in it"), stage.text()
        await stage.fill("address", f" {standin.address}/oauth/forge?code=good&state={state} ")
        await stage.click("#bind")
        assert stage.says("The identity was bound. Your other sessions stay signed in."), stage.text()
        assert standin.alice.bindings == {1: "prov-1"}
        assert stage.says("● prov-1 · bound")
        state_chip = stage.app.screen.query_one("#providers", Section).state.plain
        assert state_chip == "1 of 1 bound", "no word of a second factor, which the server does not ask for"
        stage.app.screen.query_one(ProviderRow).focus_button()
        await stage.press("d")
        assert isinstance(stage.app.screen, Confirm)
        await stage.press("y")
        assert standin.alice.bindings == {}
        assert stage.says("The identity was unbound. Your other sessions stay signed in.")


async def test_an_address_of_another_try_and_a_refused_code_are_told(standin: StandIn) -> None:
    async with remote_console(standin, size=SIZE) as stage:
        state = await begin(stage)
        await stage.fill("address", f"{standin.address}/oauth/forge?code=good&state=other")
        await stage.click("#bind")
        assert stage.says("This address belongs to another try."), stage.text()
        await stage.fill("address", f"{standin.address}/oauth/forge?code=bad&state={state}")
        await stage.click("#bind")
        assert stage.says("The server did not bind this identity"), stage.text()
        assert standin.alice.bindings == {}
        await stage.press("escape")
        assert not isinstance(stage.app.screen, BindInBrowser)


async def test_the_dialog_sees_that_the_servers_own_page_has_bound_it(
    standin: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(BindInBrowser, "LOOK_EVERY_S", 0.05)
    async with remote_console(standin, size=SIZE) as stage:
        await stage.press("1")
        stage.app.screen.query_one(ProviderRow).focus_button()
        await stage.pilot.press("b")
        await stage.until(lambda: isinstance(stage.app.screen, BindInBrowser))
        standin.alice.bindings[1] = "prov-1"
        await stage.until(lambda: not isinstance(stage.app.screen, BindInBrowser))
        await stage.settle()
        assert stage.says("The identity was bound.")


async def test_a_server_that_does_not_answer_is_told_while_the_dialog_waits(
    standin: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(BindInBrowser, "LOOK_EVERY_S", 0.05)
    async with remote_console(standin, size=SIZE) as stage:
        await begin(stage)
        real, is_down = stage.app.account.bindings, True

        async def bindings() -> BindingOverview:
            if is_down:
                raise ServerUnreachable
            return await real()

        monkeypatch.setattr(stage.app.account, "bindings", bindings)
        await stage.until(lambda: stage.says("The console asks again."))
        assert isinstance(stage.app.screen, BindInBrowser)
        standin.alice.bindings[1], is_down = "prov-1", False
        await stage.until(lambda: not isinstance(stage.app.screen, BindInBrowser))
        await stage.settle()


async def test_the_address_to_open_is_copied_whole(standin: StandIn) -> None:
    async with remote_console(standin, size=SIZE) as stage:
        state = await begin(stage)
        await stage.press("ctrl+y")
        assert stage.says("terminal's clipboard") or stage.says("Copied"), stage.text()
        assert f"state={state}" in stage.app.clipboard
        assert "redirect_uri" in stage.app.clipboard


async def test_an_email_address_is_bound_by_the_code_that_was_sent_there(standin: StandIn) -> None:
    async with remote_console(standin, size=SIZE) as stage:
        await stage.press("1")
        row = stage.app.screen.query_one(EmailRow)
        assert stage.says("○ not bound")
        row.focus_button()
        await stage.press("b")
        assert isinstance(stage.app.screen, BindEmail)
        await stage.press("enter")
        assert stage.says("Enter the address.")
        await stage.fill("email", "nonsense")
        await stage.click("#send")
        assert standin.world.mail == []
        await stage.fill("email", "alice@example.org")
        await stage.press("enter")
        ((address, _, code),) = standin.world.mail
        assert stage.says(f"A code was sent to {address}."), stage.text()
        await stage.fill("code", "000000")
        await stage.press("enter")
        assert stage.says("The code is wrong"), stage.text()
        assert standin.alice.email == ""
        await stage.fill("code", code)
        await stage.press("enter")
        assert stage.says("The e-mail address was bound."), stage.text()
        assert standin.alice.email == "alice@example.org"
        assert stage.says("● alice@example.org")
        assert str(row.query_one(Button).label) == "Change"


async def test_where_a_captcha_stands_before_the_code_the_row_says_so_and_has_no_button(standin: StandIn) -> None:
    async with remote_console(standin) as stage:
        account = stage.app.account
        standin.world.status["turnstile_check"] = True
        await account._client.facts(again=True)  # type: ignore[attr-defined]
        account._facts = await account._client.facts()  # type: ignore[attr-defined]
        await stage.press("1", "f5")
        row = stage.app.screen.query_one(EmailRow)
        assert not row.query_one(Button).display
        assert "captcha" in row.about
        assert stage.says("This server shows a captcha before it sends a code"), stage.text()


async def test_a_provider_that_only_the_servers_page_can_bind_has_a_sentence_and_no_button(standin: StandIn) -> None:
    standin.world.status["wechat_login"] = True
    async with remote_console(standin) as stage:
        await stage.press("1")
        rows = {row.slug: row for row in stage.app.screen.query(ProviderRow)}
        assert (rows["wechat"].action, rows["forge"].action) == ("", "bind")
        assert stage.says("It is bound on the server's own page"), stage.text()
        assert not rows["wechat"].query_one(Button).display
        assert stage.app.screen.query_one("#providers", Section).state.plain == "0 of 2 bound"


async def test_an_identity_at_a_built_in_provider_is_shown_and_cannot_be_unbound(standin: StandIn) -> None:
    standin.world.status |= {"github_oauth": True, "github_client_id": "gid"}
    standin.alice.built_in["github_id"] = "octocat"
    async with remote_console(standin, size=SIZE) as stage:
        await stage.press("1")
        row = next(row for row in stage.app.screen.query(ProviderRow) if row.slug == "github")
        assert stage.says("● octocat · bound"), stage.text()
        assert not row.query_one(Button).display
        assert (row.action, row.about) == ("", "This server unbinds no identity of this provider.")
        assert not any(key.startswith("d ") for key in footer_keys(stage))
        await stage.press("d")
        assert not isinstance(stage.app.screen, Confirm)
        account = stage.app.account
        shown = next(one for one in (await account.bindings()).bindings if one.provider.slug == "github")
        assert shown.binding_id is not None
        with pytest.raises(NotOnThisServer, match="unbinds no identity"):
            await account.unbind(shown.binding_id)
    assert standin.alice.built_in == {"github_id": "octocat"}


async def test_nothing_typed_is_left_when_the_dialog_is_opened_again(standin: StandIn) -> None:
    async with remote_console(standin, size=SIZE) as stage:
        first = await begin(stage)
        await stage.fill("address", "x")
        await stage.press("escape")
        stage.app.screen.query_one(ProviderRow).focus_button()
        await stage.press("b")
        assert stage.app.screen.query_one("#address", Input).value == ""
        assert state_of(stage) != first
