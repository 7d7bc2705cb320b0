"""Every dialog of the console in every state a person can stop in."""

from dataclasses import replace

import pytest

from screens.settings.two_factor_setup import TwoFactorSetup
from store.sections import NotificationSettings
from store.values.bindings import ProviderKind
from tests.harness.console_steps import enrol
from tests.harness.consoles import Stage
from tests.harness.drawers import PLACE
from tests.harness.stores import add_account, make_store, sign_in, store_with_account
from tests.snapshots.conftest import Picture
from tests.snapshots.scenes import begin_ceremony, drawer_store, passkey_store, ssh_key_store
from tests.snapshots.steps import click, fill
from tui.themes import ANSI_DARK, LIGHT


def test_token_question(picture: Picture) -> None:
    """Cancel has the focus; the sentence says what stops working."""
    picture("t")


def test_token_hidden(picture: Picture) -> None:
    """Dots instead of the token; four ways on."""
    picture("t y")


def test_token_revealed(picture: Picture) -> None:
    """The whole token on one row, in the warning colour."""
    picture("t y space")


def test_token_not_kept(picture: Picture) -> None:
    """Closing asks; Stay has the focus."""
    picture("t y escape")


def test_confirm_email(picture: Picture) -> None:
    """The address the code was sent to, one field, and that it may be entered later."""
    store = make_store()
    account = add_account(store)
    store.settings.save_for(account.id, NotificationSettings(email_address="pager@example.com"), 1, actor="test")
    store.email_confirmations.send_code_for(account.id)

    picture("3", click("#enter-code"), store=store)


def test_save_file(picture: Picture) -> None:
    """A suggested path, and that only its owner can read it."""
    picture("t y w")


def test_change_password(picture: Picture) -> None:
    """Three fields, the strength and the rules."""
    picture("p")


def test_change_password_refused(picture: Picture) -> None:
    """Every error at once, each under its field."""
    picture(
        "p",
        fill("original-password", "guessed"),
        fill("new-password", "one"),
        fill("confirmation", "two"),
        click("#change"),
    )


@pytest.mark.parametrize("theme", ["gatekey-dark", LIGHT, ANSI_DARK])
def test_scan(picture: Picture, theme: str) -> None:
    """A QR code black on white in every theme, beside it the key in groups of four."""
    picture("f", theme=theme)


def test_scan_too_small(picture: Picture) -> None:
    """No clipped code: the key alone, and how much room the code needs."""
    picture("f", size=(60, 20))


def test_scan_wide(picture: Picture) -> None:
    """The same dialog in the middle of a large terminal."""
    picture("f", size=(120, 40))


def test_codes(picture: Picture) -> None:
    """Ten codes in two columns, and the field to type one back."""
    picture("f enter")


def test_codes_wrong(picture: Picture) -> None:
    """The sentence under the field; the codes stay."""
    picture("f enter", fill("saved-code", "0000-0000-0000-0000"), "enter")


def test_verify(picture: Picture) -> None:
    """One field, and the button by its full name."""

    async def steps(stage: Stage) -> None:
        await stage.press("f")
        wizard = stage.app.screen
        assert isinstance(wizard, TwoFactorSetup)
        await stage.press("enter")
        await stage.fill("saved-code", wizard._open_enrolment.codes[0])
        await stage.press("enter")

    picture(steps)


def test_leaving_the_setup(picture: Picture) -> None:
    """A question; Stay has the focus."""
    picture("f escape")


def test_manage(picture: Picture) -> None:
    """Since when it is on, codes left, three ways on."""
    picture(enrol, "f")


def test_new_codes(picture: Picture) -> None:
    """Ten new codes, shown once."""
    picture(enrol, "f n y")


def test_disable_question(picture: Picture) -> None:
    """In the colour of danger; Cancel has the focus."""
    picture(enrol, "f d")


def test_reauthenticate(picture: Picture) -> None:
    """The reason, and the ways this account has to prove who it is: the password alone."""

    async def steps(stage: Stage) -> None:
        stage.clock.advance(minutes=6)
        await stage.press("t", "y")

    picture(steps)


def test_sessions(picture: Picture) -> None:
    """This session first, then the other with its source and method."""
    store = store_with_account()
    store.sign_in.with_password("alice", "correct horse battery staple", source="ssh 192.0.2.7 pts/4")
    picture("s", store=store)


def test_activity(picture: Picture) -> None:
    """The events, newest first, with time and source."""
    picture("a")


def test_delete(picture: Picture) -> None:
    """A red frame; export first; Confirm greyed until the name is typed."""
    picture("x")


def test_delete_armed(picture: Picture) -> None:
    """The name is typed exactly: Confirm can be pressed."""
    picture("x", fill("username", "alice"))


def test_passkeys(picture: Picture) -> None:
    """Two passkeys with their age; register, rename, remove."""
    picture("y", store=passkey_store())


def test_drawer_empty(picture: Picture) -> None:
    """The drawer of an account that saved nothing yet."""
    picture("w", fetch_place=PLACE)


def test_drawer(picture: Picture) -> None:
    """The drawer with what was saved, and the command that fetches the item under the cursor."""
    picture("w", store=drawer_store(), fetch_place=PLACE)


def test_saved_to_the_drawer(picture: Picture) -> None:
    """The dialog after an export that went to the drawer."""
    picture("e", fetch_place=replace(PLACE, asks_password=True))


def test_ssh_keys(picture: Picture) -> None:
    """Two keys: name, fingerprint and last use; the one under the cursor in full."""
    picture("h", store=ssh_key_store())


def test_adding_an_ssh_key(picture: Picture) -> None:
    """The key or its file, and a name."""
    picture("h n", store=ssh_key_store())


def test_passkey_label(picture: Picture) -> None:
    """One field with examples."""
    picture("y n", store=passkey_store())


def test_passkey_ceremony(picture: Picture) -> None:
    """Address, short code, a QR code of both, and the time left."""
    picture(begin_ceremony, store=passkey_store(), settle=False)


def test_conflict(picture: Picture) -> None:
    """Two fields that differ, both values of each, and a choice."""

    async def steps(stage: Stage) -> None:
        await stage.press("3")
        await stage.fill("quota-warning-threshold", "9.00")
        token = sign_in(stage.store, source="other")
        saved = stage.store.settings.load(token, NotificationSettings)
        theirs = replace(saved.section, threshold_micro_usd=3_000_000, email_on=False)
        stage.store.settings.save(token, theirs, saved.version)
        await stage.press("ctrl+s")

    picture(steps)


def test_unbind_question(picture: Picture) -> None:
    """Whose identity at which provider."""
    store = store_with_account()
    store.site.set("account_binding.enabled", "true")
    store.bindings.add_provider("github", "GitHub", ProviderKind.GITHUB, issuer="", client_id="x", client_secret=None)
    store.bindings.bind(sign_in(store), "github", "583231", "octocat")

    picture("1", click(".unbind"), store=store)


def test_recommendations(picture: Picture) -> None:
    """Five checks with their finding; a tick or an exclamation mark before each."""
    picture("r")


def test_help(picture: Picture) -> None:
    """The purpose of the tab, then its keys."""
    picture("4 f1")


def test_unsaved(picture: Picture) -> None:
    """Stay has the focus; Discard in the colour of danger."""
    picture("4 tab space ctrl+q")


def test_palette(picture: Picture) -> None:
    """Every tab and action by name; no screenshot among them."""
    picture("ctrl+p")
