"""Promises of the Settings page's documentation, read from the screens that keep them."""

import pytest
from textual.widgets import Button, Input, OptionList, Static

from screens.navigation import Navigation
from screens.settings.page import SettingsPage
from screens.settings.two_factor_setup import TwoFactorSetup
from store.sections import NotificationSettings, PriceSettings, PrivacySettings, SidebarSettings
from store.values.recommendations import TITLES
from tests.harness.console_steps import enrol
from tests.harness.consoles import PASSWORD, Stage, console
from tests.harness.stores import sign_in, store_with_account
from tui.clipboard import Copied, Route
from tui.widgets.field import Field
from tui.widgets.tab_bar import TabBar
from tui.widgets.toggle import Toggle

LARGE = (120, 44)
"""Columns and rows: nothing has to be scrolled into view."""


async def test_the_page_has_two_areas_and_six_tabs(stage: Stage) -> None:
    for key, heading in enumerate(
        (
            "Account Management › Account Binding",
            "Account Management › Security Settings",
            "Other Settings › Notification Configuration",
            "Other Settings › Price Settings",
            "Other Settings › Privacy Settings",
            "Other Settings › Sidebar Settings",
        ),
        1,
    ):
        await stage.press(str(key))
        assert stage.says(heading)


async def test_binding_says_what_it_would_be_for_while_it_is_off() -> None:
    async with console(press="1") as stage:
        assert stage.says("disabled by the administrator")
        assert stage.says("you can link a provider such as GitHub or an OIDC provider here")
        assert stage.says("to simplify login and identity verification")


async def test_the_token_says_how_it_has_to_be_kept() -> None:
    async with console(size=LARGE) as stage:
        await stage.focus("#token-action")
        assert stage.says(
            "It functions as a bearer token and grants access to API endpoints associated with your account."
        )
        await stage.press("t", "y")
        assert stage.says("It grants access to the API of your account")
        assert stage.says("never put it into client-side code or a public repository")
        assert stage.says("A previous token no longer works")
        await stage.press("f1")
        assert stage.says("If it was compromised, generate another")


async def test_the_password_is_asked_for_thrice_and_to_be_rotated() -> None:
    async with console(size=LARGE) as stage:
        await stage.focus("#password-action")
        assert stage.says("periodically rotate credentials and avoid reusing passwords across services")
        await stage.press("p")
        for label in ("Original password", "New password", "Confirm new password"):
            assert stage.says(label)


async def test_a_passkey_is_offered_once_the_administrator_allows_it() -> None:
    store = store_with_account()
    store.site.set("passkeys.enabled", "true")
    async with console(store, size=LARGE) as stage:
        await stage.focus("#passkeys-action")
        assert stage.says("passwordless authentication using device-based cryptographic credentials (WebAuthn)")
        assert stage.says("○ none")
        await stage.press("y", "f1")
        assert stage.says("cannot be phished")


async def test_the_wizard_names_its_steps_its_apps_and_its_button() -> None:
    async with console(press="f") as stage:
        assert stage.says("① Scan QR Code")
        words = str(stage.app.screen.query_one("#scan-words", Static).content)
        assert "Google Authenticator or Microsoft Authenticator" in words
        assert "Cannot scan? Enter this key:" in words
        wizard = stage.app.screen
        assert isinstance(wizard, TwoFactorSetup)
        code = wizard._open_enrolment.codes[0]
        await stage.press("enter")
        assert stage.says("② Save Backup Recovery Codes")
        assert stage.says("Each code lets you in once if you lose your authenticator device")
        assert stage.says("Store them securely, offline")
        assert stage.says("may result in permanent loss of access")
        await stage.enter("saved-code", code)
        assert stage.says("③ Verify Setup")
        assert stage.says("Enter the current 6-digit verification code displayed in your authenticator app.")
        assert stage.says("Complete setup and enable two-factor authentication")
        assert stage.says("If it is valid, 2FA becomes active immediately.")
        assert stage.says("signing in needs your password and such a code")


async def test_all_codes_are_copied_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    copied: list[str] = []

    async def remember(_app: object, text: str) -> Copied:
        copied.append(text)
        return Copied(Route.TERMINAL)

    monkeypatch.setattr("screens.settings.backup_codes.copy", remember)
    async with console() as stage:
        await stage.press("f", "enter")
        wizard = stage.app.screen
        assert isinstance(wizard, TwoFactorSetup)
        await stage.click("#copy-codes")
        assert all(copied[0].count(code) == 1 for code in wizard._open_enrolment.codes)
        assert "Each can be used once" in copied[0]


async def test_a_wrong_code_of_the_app_leaves_it_off() -> None:
    async with console(press="f") as stage:
        wizard = stage.app.screen
        assert isinstance(wizard, TwoFactorSetup)
        await stage.press("enter")
        await stage.enter("saved-code", wizard._open_enrolment.codes[0])
        await stage.enter("code", "000000")
        assert wizard is stage.app.screen
        assert stage.says("③ Verify Setup")
        assert not stage.store.two_factor.status(sign_in(stage.store)).is_enabled


async def test_deleting_says_what_will_be_gone() -> None:
    async with console(press="x") as stage:
        for sentence in (
            "All stored data will be permanently deleted.",
            "API keys, tokens and billing history will be removed.",
            "The operation cannot be reversed.",
            "Ensure all necessary data has been exported before proceeding.",
            "To confirm, enter your username: alice",
        ):
            assert stage.says(sentence), sentence
        assert stage.app.screen.query_one("#confirm", Button).disabled


async def test_four_channels_a_threshold_in_usd_and_the_accounts_own_address() -> None:
    async with console(size=LARGE, press="3") as stage:
        for channel in ("Email", "Webhook", "Bark", "Gotify"):
            assert len(stage.app.screen.query(f"Toggle#channel-{channel.lower()}")) == 1
            assert stage.says(channel)
        assert stage.app.screen.query_one("#email-address", Input).placeholder == "alice@example.com, of your account"
        await stage.focus("#quota-warning-threshold")
        assert stage.says("expressed as an equivalent USD amount")
        assert stage.says(
            "If set to $1.00, the system sends a notification when remaining quota falls below that value."
        )
        assert stage.says("helps prevent unexpected service interruption due to depleted balance")
        assert stage.app.screen.query_one("#quota-warning-threshold", Input).value == "1.00"
        await stage.focus("#email-address")
        assert stage.says(
            "If no custom notification email is specified, the system uses the email bound to your account."
        )


async def test_each_switch_spells_out_what_it_does_on_and_off() -> None:
    async with console(press="4") as stage:
        assert stage.says("Accept Models Without Price Settings")
        assert stage.says("API calls to models without defined pricing rules are blocked.")
        assert stage.says("Accept Models Without Price Settings ●━ off recommended")
        stage.app.screen.query_one("#accept-unpriced-models", Toggle).value = True
        await stage.settle()
        assert stage.says("Calls to models without configured pricing are allowed.")
        assert stage.says("unpredictable costs if the model has dynamic or external pricing")
        await stage.press("f1")
        assert stage.says("Enable it only when you fully understand the billing implications.")
        await stage.press("escape")
        await stage.press("5")
        assert stage.says("Record Request and Error Log IP")
        assert stage.says("IP addresses are not stored in consumption and error logs.")
        stage.app.screen.query_one("#record-client-ip", Toggle).value = True
        await stage.settle()
        assert stage.says("Consumption logs and error logs record the client IP")
        assert stage.says("security auditing, debugging and investigating suspicious activity")
        await stage.press("f1")
        assert stage.says("balances observability with privacy")


async def test_three_sections_with_eight_modules_and_their_buttons() -> None:
    async with console(size=LARGE, press="6") as stage:
        labels = [field.label.strip() for field in stage.app.screen.query("#sidebar-form Field").results(Field)]
        assert labels == [
            "Chat Area",
            "Playground",
            "Dashboard Area",
            "Overview",
            "API Keys",
            "Usage Logs",
            "Drawing Logs",
            "Task Logs",
            "Personal Center Area",
            "Wallet",
            "Settings",
        ]
        assert stage.says("Save Settings")
        assert stage.says("Reset to Default")
        await stage.focus("#module-playground")
        assert stage.says("Playground (AI model testing environment), in the sidebar.")
        assert stage.says("control UI visibility only and do not disable underlying functionality or permissions")


async def test_a_hidden_section_leaves_the_sidebar_only_after_saving() -> None:
    """The sidebar beside the form shows the edits while they are made, and what is saved everywhere else."""
    async with console(size=LARGE, press="6") as stage:
        await stage.toggle("section-dashboard")
        navigation = stage.app.screen.query_one("#navigation", Navigation)
        await stage.press("5")
        assert "overview" in navigation.shown
        await stage.press("6", "ctrl+s", "5")
        assert navigation.shown == ["playground", "wallet", "settings"]


async def test_the_five_recommendations_in_the_words_of_the_documentation() -> None:
    assert list(TITLES.values()) == [
        "Enable Two-Factor Authentication",
        "Store backup recovery codes offline",
        "Keep the System Access Token confidential",
        "Configure quota warnings to avoid service disruption",
        "Carefully review pricing safeguards before enabling models without price settings",
    ]
    async with console(size=LARGE, press="r") as stage:
        assert stage.says("To maintain a secure and stable environment:")
        assert stage.app.screen.query_one(OptionList).option_count == 5
        for title in TITLES.values():
            assert stage.says(title), title


async def test_every_switch_of_the_account_is_on_one_page(stage: Stage) -> None:
    page = stage.app.screen.query_one(SettingsPage)
    for key in "123456":
        await stage.press(key)
        assert page.pane.is_on_screen
    assert page.query_one(TabBar).active == "sidebar"


def test_the_defaults_are_the_recommended_ones() -> None:
    assert not PriceSettings().accept_unpriced_models
    assert not PrivacySettings().record_client_ip
    assert SidebarSettings().hidden_modules == frozenset()
    assert NotificationSettings().threshold_micro_usd == 1_000_000


async def test_two_factor_on_needs_both_at_the_next_sign_in(stage: Stage) -> None:
    await enrol(stage)
    await stage.press("ctrl+l")
    await stage.press("escape")
    await stage.sign_in("alice", PASSWORD)
    assert stage.says("Enter the code your authenticator app shows.")
