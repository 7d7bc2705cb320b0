"""Input that is typed ahead, or arrives in one piece, goes where slow input would have gone."""

import pytest
from textual.events import Key, Paste
from textual.widgets import Input

from screens.console import Console
from screens.settings.change_password import ChangePassword
from screens.settings.page import SettingsPage
from screens.sign_in import SignIn
from store.values.sign_in import SignedIn
from tests.harness.console_steps import burst
from tests.harness.consoles import PASSWORD, Stage, console
from tests.harness.stores import add_account, make_store
from tui import input_queue
from tui.widgets import whole_frames

NEW_PASSWORD = "quiet harbour lantern sky"


@pytest.mark.parametrize("between", ["<tab>", "<enter>"])
async def test_a_name_and_a_password_in_one_piece_sign_in(between: str) -> None:
    store = make_store()
    add_account(store, "alice")
    async with console(store, signed_in=False) as stage:
        assert isinstance(stage.app.screen, SignIn)
        name = stage.app.screen.query_one("#username", Input)
        await burst(stage, "alice", between, PASSWORD)
        assert name.value == "alice"
        assert stage.app.screen.query_one("#password", Input).value == PASSWORD
        assert PASSWORD not in stage.text()
        await burst(stage, "<enter>")
        assert isinstance(stage.app.screen, Console)


async def test_three_fields_in_one_piece_are_three_fields() -> None:
    async with console(press="p") as stage:
        assert isinstance(stage.app.screen, ChangePassword)
        await burst(stage, PASSWORD, "<tab>", NEW_PASSWORD, "<enter>", NEW_PASSWORD, "<enter>")
        assert isinstance(stage.app.screen, Console)
        assert isinstance(stage.store.sign_in.with_password("alice", NEW_PASSWORD, source="other"), SignedIn)


async def test_a_way_back_in_one_piece_is_a_way_back() -> None:
    async with console(press="p") as stage:
        await burst(stage, "one", "<tab>", "two", "<shift+tab>", "<end>", "three", "<backspace>", "<tab>", "<end>", "x")
        fields = [stage.app.screen.query_one(f"#{name}", Input).value for name in ("original-password", "new-password")]
        assert fields == ["onethre", "twox"]


async def test_what_is_pasted_waits_its_turn() -> None:
    async with console(press="p") as stage:
        stage.app.post_message(Key("tab", None))
        stage.app.post_message(Paste(NEW_PASSWORD))
        await stage.settle()
        assert stage.app.screen.query_one("#original-password", Input).value == ""
        assert stage.app.screen.query_one("#new-password", Input).value == NEW_PASSWORD


async def test_tabs_of_the_page_and_its_fields_in_one_piece(stage: Stage) -> None:
    await burst(stage, "3", "<tab>", "<end>", "<backspace>", "9", "<ctrl+s>")
    assert stage.says("1.09")


async def test_a_tab_goes_to_the_first_field_of_a_page_not_yet_arranged(
    monkeypatch: pytest.MonkeyPatch, stage: Stage
) -> None:
    """The order of the focus is that of the places, and a new page has none before its first frame."""
    monkeypatch.setattr(whole_frames, "_TURNS", 2000)
    await burst(stage, "3", "<tab>", "<end>", "<backspace>", "9", "<ctrl+s>")
    assert stage.says("1.09")


async def test_keys_go_on_when_a_field_goes_away_with_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """An event ends the wait, not a check of the clock."""
    monkeypatch.setattr(input_queue, "KEY_TIMEOUT_S", 100_000.0)
    monkeypatch.setattr(input_queue, "TIMEOUT_STEP_S", 10_000.0)
    async with console() as stage:
        for _ in range(5):
            await stage.press("p")
            await burst(stage, "abc", "<escape>", "4", "<tab>", "<space>", "<ctrl+z>", "2")
            assert isinstance(stage.app.screen, Console)
            assert stage.app.screen.query_one(SettingsPage).active == "security"


async def test_a_command_typed_and_sent_in_one_piece_is_that_command(stage: Stage) -> None:
    """The list of the palette is still that of the letters before when Enter comes."""
    await burst(stage, "<ctrl+p>", "change password", "<enter>", "old")
    assert isinstance(stage.app.screen, ChangePassword)
    assert stage.app.screen.query_one("#original-password", Input).value == "old"
