"""The palette finds commands by other words, offers what can be done now, and shows a theme before it is chosen."""

from pathlib import Path

import pytest

from screens.app import GatekeyApp
from screens.settings.change_password import ChangePassword
from tests.harness.consoles import Stage, console
from tests.harness.stores import sign_in, store_with_account
from tui.keymap import UNBOUND, ConsoleConfig
from tui.local_account import LocalAccount
from tui.remembered_theme import FILE_NAME, remembered_theme
from tui.store_location import Options
from tui.widgets.palette import Palette


def palette(stage: Stage) -> Palette:
    screen = stage.app.screen
    assert isinstance(screen, Palette)
    return screen


def titles(stage: Stage) -> list[str]:
    return [command.title for command in palette(stage).commands]


@pytest.mark.parametrize(
    ("search", "title"),
    [
        ("2fa", "Two-factor authentication"),
        ("totp", "Two-factor authentication"),
        ("backup codes", "Two-factor authentication"),
        ("logout", "Sign out"),
        ("export", "Export your data"),
        ("backup", "Export your data"),
        ("dark", "Theme: Nord"),
        ("light", "Theme: Gatekey light"),
        ("webhook", "Settings: Notifications"),
        ("threshold", "Settings: Notifications"),
        ("budget", "Settings: Notifications"),
        ("ip", "Settings: Privacy"),
        ("hide", "Settings: Sidebar"),
        ("api key", "Open API Keys"),
        ("github", "Settings: Account Binding"),
        ("unpriced", "Settings: Price"),
        ("balance", "Open Wallet"),
    ],
)
async def test_other_words_find_a_command(search: str, title: str) -> None:
    async with console(press="ctrl+p") as stage:
        await stage.type(search)
        assert stage.says(title), stage.text()


async def test_each_command_shows_its_key_at_the_right_also_a_chosen_one() -> None:
    async with console(keys={"security.password": "f8", "security.delete": UNBOUND}, press="ctrl+p") as stage:
        lines = [line.strip(" ─│▁▂▃▄▅▆▇█") for line in stage.text().split("\n")]
        assert any(line.startswith("Change password") and line.endswith(" f8") for line in lines), stage.text()
        assert any(line.startswith("Show sessions") and line.endswith(" s") for line in lines)
        assert any(line.startswith("Delete account") and line.endswith("happens") for line in lines)


async def test_what_cannot_be_done_now_is_not_offered() -> None:
    async with console(press="ctrl+p") as stage:
        listed = titles(stage)
        for title in ("Manage passkeys", "Sign out other sessions", "Settings: Security", "Open Settings"):
            assert title not in listed, "the administrator, one session, and where the person is"
        assert not [title for title in listed if title in ("Theme: Gatekey dark", "Save settings", "Suspend")]
        assert "Export your data" in listed
        await stage.press("escape", "4", "ctrl+p")
        assert "Settings: Security" in titles(stage)
        assert "Settings: Price" not in titles(stage)


async def test_with_files_off_there_is_no_export() -> None:
    async with console(no_files=True, press="ctrl+p") as stage:
        assert "Export your data" not in titles(stage)


async def test_edits_bring_save() -> None:
    async with console(press="3") as stage:
        await stage.fill("quota-warning-threshold", "2.00")
        await stage.press("ctrl+p")
        assert titles(stage)[0] == "Save settings"


async def test_signed_out_there_is_neither_lock_nor_sign_out() -> None:
    async with console(signed_in=False, press="ctrl+p") as stage:
        listed = titles(stage)
        assert {"Lock", "Sign out", "Change password"} & set(listed) == set()
        assert {"Help", "Quit", "Theme: Nord"} <= set(listed)


async def test_enter_runs_the_command(stage: Stage) -> None:
    await stage.press("5", "ctrl+p")
    await stage.type("pw")
    await stage.press("enter")
    assert isinstance(stage.app.screen, ChangePassword)


async def test_moving_over_a_theme_shows_it_and_escape_takes_it_back() -> None:
    async with console(press="ctrl+p") as stage:
        await stage.type("theme")
        assert stage.app.theme == "gatekey-light"
        await stage.press("down")
        assert stage.app.theme == "nord"
        background = palette(stage).query_one("#--container").styles.background.hex
        assert background == stage.app.theme_variables["surface"], "the list itself too"
        await stage.press("escape")
        assert stage.app.theme == "gatekey-dark"


async def test_a_preview_ends_with_another_command_and_with_a_new_search() -> None:
    async with console(press="ctrl+p") as stage:
        await stage.type("light")
        assert stage.app.theme == "gatekey-light"
        await stage.press("ctrl+u")
        await stage.type("quit")
        assert stage.app.theme == "gatekey-dark"


@pytest.mark.parametrize("no_files", [False, True])
async def test_a_chosen_theme_stays_and_is_remembered_if_files_may_be_written(tmp_path: Path, no_files: bool) -> None:
    store = store_with_account()
    path = tmp_path / "gatekey" / FILE_NAME

    def app() -> GatekeyApp:
        account = LocalAccount(Options(no_files=no_files), opened=store, token=sign_in(store))
        return GatekeyApp(account, ConsoleConfig(), theme_file=None if no_files else path)

    first = app()
    clock = store.context.clock
    async with first.run_test(size=(80, 24), notifications=True) as pilot:
        stage = Stage(first, pilot, store, clock)  # type: ignore[arg-type]  # the clock of the tests
        await stage.settle()
        await stage.press("ctrl+p")
        await stage.type("nord")
        await stage.press("enter")
        assert first.theme == "nord"
        assert stage.says("Nord, for this session." if no_files else "Nord, also from the next start on.")
    assert (path.exists(), remembered_theme(path, None)) == ((False, None) if no_files else (True, "nord"))
    assert app().theme == ("gatekey-dark" if no_files else "nord")
