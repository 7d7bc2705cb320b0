"""A limit of an account is said in its place: no button, no key, no command, and no call for it."""

from typing import Any

from textual.widgets import Button, Static

from screens.help import purpose_of
from screens.modules.limited import LimitedPage
from screens.settings.security_limits import row_limits
from store.store import Store
from tests.harness.console_steps import open_module
from tests.harness.consoles import Stage
from tests.harness.limited_accounts import METHODS, limited_console
from tests.snapshots.scenes import passkey_store, used_store
from tui.account import EVERYTHING, Capabilities
from tui.widgets.dialog import Dialog
from tui.widgets.field import Field
from tui.widgets.palette import Palette
from tui.widgets.toggle import Toggle

_SENTENCES: dict[str, Any] = {
    name: f"Not here: {name}." for name, default in Capabilities._field_defaults.items() if default == ""
}
NOTHING = Capabilities(**_SENTENCES, longest_password=20, backup_codes=4)
"""Every limit at once."""
WIDE = (120, 60)


def titles(stage: Stage) -> list[str]:
    screen = stage.app.screen
    assert isinstance(screen, Palette)
    return [command.title for command in screen.commands]


def buttons(stage: Stage) -> set[str]:
    """The labels of the buttons that are shown on the top screen."""
    shown = stage.app.screen.query(Button).results()
    return {str(button.label) for button in shown if button.display and button.is_on_screen}


def test_an_ordinary_account_has_no_limit() -> None:
    assert not any(getattr(EVERYTHING, name) for name in _SENTENCES)
    assert set(METHODS) <= set(Capabilities._fields)


async def test_each_row_of_the_security_tab_says_its_limit_and_has_no_button() -> None:
    async with limited_console(NOTHING, size=WIDE) as stage:
        for name, sentence in row_limits(NOTHING).items():
            row = stage.app.screen.query_one(f"#{name}-row", Field)
            assert str(row.query_one(f"#{name}-state", Static).content) == sentence
            assert not row.query(Button), name
            assert stage.says(sentence), stage.text()
        assert buttons(stage) == {"Generate"}, "the token alone can be generated"


async def test_keys_and_commands_of_limited_rows_do_nothing_and_are_not_listed() -> None:
    async with limited_console(NOTHING) as stage:
        screen = stage.app.screen
        await stage.press("p", "y", "h", "f", "v", "s", "o", "a", "e", "x")
        assert stage.app.screen is screen, "no dialog opened"
        await stage.press("ctrl+p")
        listed = titles(stage)
        assert "Generate System Access Token" in listed
        for title in ("Change password", "Show sessions", "Show activity", "Manage SSH keys", "Delete account", "Lock"):
            assert title not in listed


async def test_a_limit_of_one_row_leaves_the_others() -> None:
    async with limited_console(Capabilities(no_activity="This server keeps no such list.")) as stage:
        assert stage.says("This server keeps no such list.")
        await stage.press("s")
        assert stage.app.screen.query_one(Dialog).title == "Sessions"


async def test_an_unknown_token_is_asked_for_with_a_warning() -> None:
    can = Capabilities(no_token_status="known only to the server", no_token_revocation="cannot be revoked")
    async with limited_console(can, size=WIDE) as stage:
        assert stage.says("known only to the server")
        assert "Revoke" not in buttons(stage)
        await stage.press("t")
        assert stage.says("If there is one already, it stops working at once"), stage.text()


async def test_one_passkey_without_a_label() -> None:
    can = Capabilities(one_passkey="One per account.", no_passkey_labels="No labels.")
    async with limited_console(can, store=passkey_store(), size=WIDE) as stage:
        await stage.press("y")
        assert stage.says("One per account.")
        assert buttons(stage) == {"Remove", "Close"}
        top = stage.app.screen
        await stage.press("n", "e")
        assert stage.app.screen is top


async def test_passkeys_that_are_registered_elsewhere() -> None:
    can = Capabilities(no_passkey_registration="Open https://api.example.com in a browser.")
    async with limited_console(can, store=passkey_store(), size=WIDE) as stage:
        await stage.press("y")
        assert stage.says("Open https://api.example.com in a browser.")
        assert "Register" not in buttons(stage)


async def test_the_number_of_backup_codes_and_what_becomes_of_other_sessions_are_told() -> None:
    can = Capabilities(backup_codes=4, longest_password=20, other_sessions_stay="Other sessions go on.")
    async with limited_console(can, size=WIDE) as stage:
        two_factor = stage.app.screen.query_one("#two-factor-row", Field)
        assert "save four backup recovery codes" in two_factor.about
        await stage.press("p")
        assert stage.says("8 to 20 characters")
        assert stage.says("Takes effect immediately. Other sessions go on.")


async def test_a_deletion_says_what_stays() -> None:
    can = Capabilities(deletion_keeps="Keys and the log stay on the server.", no_export="It hands out no file.")
    async with limited_console(can, size=WIDE) as stage:
        await stage.press("x")
        assert stage.says("Keys and the log stay on the server. The operation cannot be reversed.")
        assert stage.says("It hands out no file.")
        assert not stage.says("Ensure all necessary data has been exported")
        assert not any("Export" in label for label in buttons(stage))
        assert "nothing is left" not in purpose_of(stage.app.screen)


async def test_a_proof_by_code_alone() -> None:
    can = Capabilities(no_password_proof="The server takes a code here.")
    store = used_store()
    async with limited_console(can, store=store, size=WIDE) as stage:
        stage.clock.advance(minutes=10)
        await stage.press("t")
        await stage.click("#yes")
        await stage.click("#confirm")
        assert stage.says("The server takes a code here."), stage.text()
        assert stage.app.focused is stage.app.screen.query_one("#code")
        assert not stage.app.screen.query_one("#password").region.area


async def test_notifications_without_tests_and_with_one_channel() -> None:
    can = Capabilities(
        no_test_message="No test message.",
        no_delivery_report="No delivery is reported.",
        one_channel="One channel at a time.",
        warnings_repeat="Warnings are repeated.",
    )
    async with limited_console(can, size=WIDE) as stage:
        await stage.press("3")
        for sentence in ("One channel at a time.", "Warnings are repeated.", "No test message."):
            assert stage.says(sentence), stage.text()
        assert not stage.says("one warning per fall")
        assert "Send test" not in buttons(stage)
        screen = stage.app.screen
        screen.query_one("#channel-webhook", Toggle).value = True
        await stage.settle()
        screen.query_one("#channel-bark", Toggle).value = True
        await stage.settle()
        on = [
            channel for channel in ("email", "webhook", "bark") if screen.query_one(f"#channel-{channel}", Toggle).value
        ]
        assert on == ["bark"]
        await stage.press("T")


async def test_without_a_proof_no_field_says_that_a_password_is_asked_for() -> None:
    async with limited_console(Capabilities(asks_no_proof="Changes are made at once."), size=WIDE) as stage:
        assert "asks for your password" not in purpose_of(stage.app.screen.query_one("#security"))
        await stage.press("3")
        fields_shown = list(stage.app.screen.query(Field))
        assert not [field.title for field in fields_shown if "asks for your password" in field.consequence]
        assert any("kept while it is off" in field.consequence for field in fields_shown)


async def test_the_other_tabs_say_what_they_have_not() -> None:
    can = NOTHING._replace(no_modules={})
    async with limited_console(can, store=used_store(), size=WIDE) as stage:
        for tab, sentence in (("1", can.no_binding), ("4", can.no_seen_models), ("5", can.no_ip_erasure)):
            await stage.press(tab)
            if tab != "1" or stage.app.screen.query("ProviderRow"):
                assert stage.says(sentence), stage.text()
        assert "Erase them" not in buttons(stage)


async def test_pages_of_modules_say_what_they_have_not() -> None:
    can = NOTHING._replace(no_modules={"playground": "No playground here."})
    async with limited_console(can, store=used_store(), size=WIDE) as stage:
        for module in ("api-keys", "wallet", "usage-logs", "overview", "playground"):
            await open_module(stage, module)
            match module:
                case "api-keys":
                    assert stage.says(f"{can.no_key_rotation} {can.revoked_keys_vanish}")
                    assert "Rotate" not in buttons(stage)
                    await stage.press("o", "h", "n")
                    assert stage.says(f"{can.no_key_periods} {can.no_key_rates}")
                    assert not stage.app.screen.query("#api-key-rate, #api-key-period")
                    await stage.press("escape")
                case "wallet":
                    assert stage.says(can.no_ledger)
                    assert stage.says(can.no_prices)
                    assert not buttons(stage) & {"Redeem a code", "Prices"}
                    assert not stage.says("Balance after")
                    await stage.press("p", "slash")
                case "playground":
                    assert stage.says("No playground here.")
                    assert stage.app.screen.query(LimitedPage)


async def test_a_key_is_made_without_the_fields_that_a_server_has_not() -> None:
    can = Capabilities(no_key_rates="No rates.", no_key_periods="No periods.")
    async with limited_console(can, size=WIDE) as stage:
        await open_module(stage, "api-keys")
        await stage.press("n")
        await stage.fill("api-key-name", "laptop")
        await stage.fill("api-key-limit", "5")
        await stage.click("#create")
        store: Store = stage.store
        (key,) = store.api_keys.list(stage.app.account._token)  # type: ignore[attr-defined]
        assert key.name == "laptop"
        assert key.spend_limit_micro_usd == 5_000_000


async def test_a_console_that_cannot_be_unlocked_is_not_locked() -> None:
    async with limited_console(Capabilities(no_lock="Nothing here could unlock it again.")) as stage:
        await stage.press("ctrl+l")
        assert stage.app.lock_screen is None
        assert stage.says("Nothing here could unlock it again.")
