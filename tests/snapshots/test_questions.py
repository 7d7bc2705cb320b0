"""Every question the console asks before it does something. In each the safe button has the focus."""

from screens.settings.page import SettingsPage
from tests.harness.console_steps import enrol
from tests.harness.consoles import Stage
from tests.harness.stores import sign_in, store_with_account
from tests.snapshots.conftest import Picture
from tests.snapshots.scenes import busy_store, passkey_store, ssh_key_store, used_store
from tests.snapshots.steps import click, opening


def test_renewing_the_codes(picture: Picture) -> None:
    """The consequences stand before the button."""
    picture(enrol, "f n")


def test_signing_out_the_others(picture: Picture) -> None:
    """The number of sessions that end."""
    store = store_with_account()
    sign_in(store, source="ssh 192.0.2.7 pts/4")
    picture("o", store=store)


def test_removing_a_passkey(picture: Picture) -> None:
    """The passkey's name, and that the device keeps its half."""
    picture("y d", store=passkey_store())


def test_renaming_a_passkey(picture: Picture) -> None:
    """The field holds the name it has now."""
    picture("y e", store=passkey_store())


def test_removing_an_ssh_key(picture: Picture) -> None:
    """The key's name, and which sessions end."""
    picture("h d", store=ssh_key_store())


def test_erasing_addresses(picture: Picture) -> None:
    """The entries stay; the addresses go."""
    picture("5", click("#erase-ips"), store=used_store())


def test_revoking_a_key(picture: Picture) -> None:
    """The key's name and its last four characters."""
    picture(opening("api-keys"), "x", store=busy_store())


def test_leaving_with_two_unsaved_tabs(picture: Picture) -> None:
    """The question names the tab; both tabs are marked behind it."""

    async def steps(stage: Stage) -> None:
        await stage.press("4", "tab", "space")
        stage.app.screen.query_one(SettingsPage).focus_tabs()
        await stage.press("5", "tab", "space", "ctrl+q")

    picture(steps)


def test_the_help_of_a_question(picture: Picture) -> None:
    """The answers, and the keys, each with the name by which it can be changed."""
    picture("t f1")


def test_the_help_of_a_dialog(picture: Picture) -> None:
    """The purpose of the dialog; the console's own keys come before those of any input."""
    picture("p f1")
