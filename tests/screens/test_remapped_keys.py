"""With keys of the person's own, every label still tells the truth."""

import pytest

from screens.help import Help
from screens.settings.access_token import AccessToken
from tests.harness.consoles import console
from tui.keymap import UNBOUND
from tui.widgets.confirm import Confirm

KEYS = {
    "security.token": "g",
    "confirm.yes": "z",
    "secret.copy": "y",
    "modal.cancel": "f9",
    "app.help": "f3",
    "secret.flip": "v",
}


async def test_the_labels_of_buttons_name_the_keys_that_act() -> None:
    async with console(keys=KEYS) as stage:
        assert stage.says("Generate g")
        assert stage.says("Change p")
        await stage.press("g")
        assert isinstance(stage.app.screen, Confirm)
        assert stage.says("Generate z")
        assert stage.says("Cancel esc")
        await stage.press("z")
        assert isinstance(stage.app.screen, AccessToken)
        assert stage.says("Copy y")
        assert stage.says("Close f9")
        assert stage.says("Reveal v")
        await stage.press("tab", "tab", "v")
        assert stage.says("gk_")


async def test_a_key_that_was_taken_away_is_not_promised() -> None:
    async with console(keys={"security.token": UNBOUND, "security.password": "k"}) as stage:
        assert stage.says("Generate")
        assert stage.says("Change k")


@pytest.mark.parametrize("keys", [("p",), ("t",)])
async def test_the_key_of_help_holds_in_dialogs_too(keys: tuple[str, ...]) -> None:
    async with console(keys={"app.help": "f3"}) as stage:
        await stage.press(*keys, "f3")
        assert isinstance(stage.app.screen, Help)


async def test_a_help_key_of_a_dialog_of_its_own_stays() -> None:
    async with console(keys={"app.help": "f3", "confirm.help": "f4"}) as stage:
        await stage.press("t", "f4")
        assert isinstance(stage.app.screen, Help)
