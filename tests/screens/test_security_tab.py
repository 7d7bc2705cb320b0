"""The Security tab: every action by its key, the happy way and the unhappy ones."""

import pytest
from sqlalchemy import update
from textual.widgets import Button, Input

from screens.console import Console
from screens.create_account import CreateAccount
from screens.reauthenticate import Reauthenticate
from screens.settings.access_token import AccessToken
from screens.settings.change_password import ChangePassword
from screens.settings.delete_account import DeleteAccount
from screens.settings.security import SecurityPane
from screens.settings.two_factor_setup import TwoFactorSetup
from screens.sign_in import SignIn
from store.deletion import Deletion
from store.models import Account
from store.values.sign_in import SignedIn
from tests.harness.console_steps import enrol
from tests.harness.consoles import PASSWORD, Stage, console
from tests.harness.homes import Home
from tui.widgets.confirm import Confirm
from tui.widgets.secret_view import SecretView

NEW_PASSWORD = "quiet harbour lantern sky"


@pytest.mark.each_generation
async def test_a_token_is_generated_after_a_question_and_shown_hidden(home: Home) -> None:
    async with home.console(press="t") as stage:
        assert isinstance(stage.app.screen, Confirm)
        await stage.press("y")
        assert isinstance(stage.app.screen, AccessToken)
        view = stage.app.screen.query_one(SecretView)
        assert view._secret not in stage.text()
        await stage.press("space")
        assert view._secret in stage.text()
        assert view.revealed


@pytest.mark.each_generation
async def test_enter_on_the_question_does_not_generate(home: Home) -> None:
    """The safe button has the focus: the key that opened the question cannot also answer it."""
    async with home.console() as stage:
        await stage.press("t", "enter")
        assert not isinstance(stage.app.screen, Confirm)
        assert not home.has_access_token()


async def test_closing_a_token_that_was_not_kept_asks(home: Home) -> None:
    async with home.console() as stage:
        await stage.press("t", "y")
        await stage.press("escape")
        assert isinstance(stage.app.screen, Confirm)
        await stage.press("escape")
        assert isinstance(stage.app.screen, AccessToken)


async def test_a_stale_proof_is_asked_for_again(home: Home) -> None:
    async with home.console() as stage:
        stage.clock.advance(minutes=6)
        await stage.press("t", "y")
        assert isinstance(stage.app.screen, Reauthenticate)
        await stage.enter("password", "wrong")
        assert isinstance(stage.app.screen, Reauthenticate)
        assert stage.says("does not match")
        await stage.enter("password", home.password)
        assert isinstance(stage.app.screen, AccessToken)


async def test_every_error_of_the_password_form_is_shown_at_once(home: Home) -> None:
    async with home.console(press="p") as stage:
        await stage.fill("new-password", "one")
        await stage.fill("confirmation", "two")
        await stage.click("#change")
        assert stage.says("Enter the password you use now.")
        assert stage.says("do not match")
        assert stage.app.focused is stage.app.screen.query_one("#original-password")


async def test_a_wrong_original_password_is_told_beside_what_is_wrong_with_the_new_one(home: Home) -> None:
    async with home.console(press="p") as stage:
        for control, text in (("original-password", "wrong"), ("new-password", "one"), ("confirmation", "two")):
            await stage.fill(control, text)
        await stage.click("#change")
        for sentence in ("does not match the", "at least 8", "confirmation do not match"):
            assert stage.says(sentence)
        await stage.fill("original-password", home.password)
        await stage.click("#change")
        assert not stage.says("does not match the")
        assert stage.says("confirmation do not match")
        assert await home.takes(home.password)


async def test_an_account_without_a_password_sets_one(stage: Stage) -> None:
    """Somebody who came by a bound identity has no original one to enter."""
    with stage.store.database.write() as tx:
        tx.execute(update(Account).values(password_hash=None, password_changed_at=None))
    stage.app.screen.query_one(SecurityPane).reload()
    await stage.settle()
    assert stage.says("none · you sign in without one")
    assert stage.says("Set p")
    await stage.press("p")
    assert stage.says("Set a Password")
    assert not stage.app.screen.query("#original-password")
    await stage.fill("new-password", NEW_PASSWORD)
    await stage.fill("confirmation", NEW_PASSWORD)
    await stage.click("#change")
    assert isinstance(stage.store.sign_in.with_password("alice", NEW_PASSWORD, source="other"), SignedIn)
    assert stage.says("changed just now")


@pytest.mark.parametrize(
    ("original", "new", "sentence"),
    [
        ("wrong", NEW_PASSWORD, "does not match"),
        (PASSWORD, PASSWORD, "same as the old one"),
        (PASSWORD, "short", "at least 8"),
        (PASSWORD, "password1", "easy to guess"),
    ],
)
async def test_a_refused_password_is_told_at_its_field(original: str, new: str, sentence: str) -> None:
    async with console(press="p") as stage:
        for control, text in (("original-password", original), ("new-password", new), ("confirmation", new)):
            await stage.fill(control, text)
        await stage.click("#change")
        assert isinstance(stage.app.screen, ChangePassword)
        assert stage.says(sentence)


@pytest.mark.each_generation
async def test_a_changed_password_works_and_the_old_one_does_not(home: Home) -> None:
    async with home.console(press="p") as stage:
        for control, text in (
            ("original-password", home.password),
            ("new-password", home.new_password),
            ("confirmation", home.new_password),
        ):
            await stage.fill(control, text)
        await stage.click("#change")
        assert not isinstance(stage.app.screen, ChangePassword)
        assert await home.takes(home.new_password)
        assert not await home.takes(home.password)


@pytest.mark.each_generation
async def test_two_factor_is_enabled_in_three_steps(home: Home) -> None:
    async with home.console() as stage:
        _, codes = await enrol(stage)
        assert stage.says(f"on · {len(codes)} of {len(codes)} backup codes left")


async def test_nothing_is_on_before_the_code_verifies_and_esc_asks(home: Home) -> None:
    async with home.console() as stage:
        await stage.press("f", "enter")
        await stage.press("escape")
        assert isinstance(stage.app.screen, Confirm)
        await stage.press("y")
        assert stage.says("off · a password alone is enough")


async def test_a_code_that_is_none_of_the_ten_keeps_the_second_step(home: Home) -> None:
    async with home.console() as stage:
        await stage.press("f", "enter")
        await stage.enter("saved-code", "0000-0000-0000-0000")
        assert stage.says("Not one of these codes. 4 more tries.")
        assert stage.says("② Save Backup Recovery Codes")


async def test_back_leads_back_and_the_confirmed_codes_stay_confirmed(home: Home) -> None:
    async with home.console(press="f") as stage:
        wizard = stage.app.screen
        assert isinstance(wizard, TwoFactorSetup)
        await stage.press("enter")
        await stage.enter("saved-code", wizard._open_enrolment.codes[0])
        await stage.click("#back-to-save")
        assert stage.says("② Save Backup Recovery Codes")
        await stage.click("#confirm-saved")
        assert stage.says("③ Verify Setup")


async def test_two_factor_is_disabled_after_a_question(home: Home) -> None:
    async with home.console() as stage:
        await enrol(stage)
        await stage.press("f")
        await stage.press("d")
        await stage.press("y")
        assert stage.says("off · a password alone is enough")


async def test_an_account_is_deleted_by_typing_its_name_exactly(home: Home) -> None:
    async with home.console(press="x") as stage:
        assert isinstance(stage.app.screen, DeleteAccount)
        confirm = stage.app.screen.query_one("#confirm", Button)
        await stage.fill("username", "Alice")
        assert confirm.disabled
        await stage.fill("username", "alice")
        assert not confirm.disabled
        await stage.click("#confirm")
        assert not isinstance(stage.app.screen, Console | DeleteAccount)
        assert home.is_gone()


async def test_of_a_deleted_account_nothing_is_left(home: Home) -> None:
    async with home.console(press="x") as stage:
        await stage.fill("username", "alice")
        await stage.click("#confirm")
        assert isinstance(stage.app.screen, CreateAccount)
        assert stage.says("everything stored about it was deleted")


async def test_on_postgresql_a_deletion_says_what_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Deletion, "refuse_if_protected", lambda _self, _token: True)
    async with console(press="x") as stage:
        rows = [line.split("│") for line in stage.text().splitlines()]
        shown = " ".join(row[1].strip() for row in rows if len(row) > 2)
        assert "PostgreSQL keeps old versions of deleted rows in its files until they are vacuumed." in shown
        assert "gatekey admin vacuum" in shown
        assert "Confirm" in shown
        await stage.press("escape")
    monkeypatch.undo()
    async with console(press="x") as stage:
        assert isinstance(stage.app.screen, DeleteAccount)
        assert "vacuum" not in stage.text()


@pytest.mark.each_generation
async def test_a_session_ended_elsewhere_is_told_at_the_next_action(home: Home) -> None:
    async with home.console() as stage:
        home.end_sessions()
        await stage.press("r")
        assert isinstance(stage.app.screen, SignIn)
        assert stage.says("ended")


@pytest.mark.each_generation
async def test_other_sessions_are_signed_out(home: Home) -> None:
    async with home.console() as stage, home.another_session():
        await stage.press("s")
        assert stage.says("this session")
        await stage.press("escape")
        await stage.press("o", "y")
        assert stage.says("only this one")


async def test_letters_typed_into_a_field_start_nothing(home: Home) -> None:
    async with home.console(press="3") as stage:
        stage.app.screen.query_one("#email-address", Input).focus()
        await stage.press("x", "t", "2")
        assert stage.app.screen.query_one("#email-address", Input).value == "xt2"
