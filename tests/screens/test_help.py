"""F1 wherever a person can be: something specific, the keys that work there, and back to where one was."""

from collections.abc import Callable

import pytest

from screens.help import Help
from screens.modules import page_for
from screens.settings.change_password import ChangePassword
from screens.settings.page import TABS, SettingsPage, pane_class
from store.modules import MODULES
from tests.harness.console_steps import open_module
from tests.harness.consoles import Stage, console
from tests.harness.screen_walk import every_screen
from tui.account import EVERYTHING
from tui.widgets.field import Field
from tui.widgets.help_line import HelpLine
from tui.widgets.secret_input import SecretInput

WITHOUT = {"Console", "Help"}
"""The frame around the pages, and the help itself."""


def test_every_dialog_page_and_tab_has_words_of_its_own() -> None:
    parts: list[Callable[..., object]] = [screen for screen in every_screen() if screen.__name__ not in WITHOUT]
    parts += [page_for(module, EVERYTHING) for module in MODULES if module != "settings"]
    parts += [pane_class(tab.id) for tab in TABS]
    words = {part.__name__: getattr(part, "HELP_TEXT", "") for part in parts}
    assert [name for name, text in words.items() if len(text) < 80] == []
    assert len(set(words.values())) == len(words)


@pytest.mark.parametrize(
    ("module", "sentence"),
    [
        ("playground", "The AI model testing environment."),
        ("overview", "Your account at a glance"),
        ("api-keys", "Each client of the gateway gets a key of its own"),
        ("usage-logs", "Every call, newest first"),
        ("drawing-logs", "Calls that made images, newest first"),
        ("task-logs", "Batches and other work that takes long"),
        ("wallet", "Your balance and every change of it"),
        ("settings", "Everything that protects the account"),
    ],
)
async def test_f1_on_a_module_tells_of_that_module(module: str, sentence: str, stage: Stage) -> None:
    await open_module(stage, module)
    await stage.press("f1")
    assert isinstance(stage.app.screen, Help)
    assert stage.says(sentence)


@pytest.mark.parametrize("columns", [60, 80, 120])
async def test_what_a_key_does_and_its_name_stand_in_one_column(columns: int) -> None:
    async with console(size=(columns, 60), press="2") as stage:
        await stage.press("f1")
        lines = stage.text().splitlines()
        words = next(line for line in lines if "Write everything" in line)
        name = next(line for line in lines if "security.export" in line)
        is_alone = "Write" not in name and "file" not in name
        assert not is_alone or name.index("security.export") == words.index("Write"), (words, name)


async def test_f1_in_a_dialog_tells_of_it_and_keeps_what_was_typed() -> None:
    async with console(size=(100, 40), press="p") as stage:
        await stage.type("half a pass")
        await stage.press("f1")
        assert stage.says("every other session is signed out")
        assert "modal.cancel" in stage.text(), stage.text()
        assert not stage.says("Show the Price tab"), "a key that does not work in the dialog"
        await stage.press("f1")
        assert isinstance(stage.app.screen, ChangePassword)
        assert stage.app.screen.query_one("#original-password", SecretInput).value == "half a pass"


async def test_f1_in_a_field_lists_no_key_that_is_typed_there() -> None:
    async with console(size=(100, 90)) as stage:
        await stage.press("3", "f1")
        assert stage.says("f1 ? What this is, and its keys app.help")
        assert stage.says("[ ^pgup Show the tab to the left tab.previous")
        await stage.press("f1", "tab", "f1")
        assert stage.says("f1 What this is, and its keys app.help")
        assert stage.says("^pgup Show the tab to the left tab.previous")
        assert not stage.says("Show the Price tab")


async def test_f1_on_a_question_answers_nothing(stage: Stage) -> None:
    await stage.press("t", "f1")
    assert stage.says("Only y or the confirming button does it")
    await stage.press("escape")
    assert stage.says("Generate a new System Access Token?")
    await stage.press("escape")
    assert stage.says("none yet")


async def test_f1_in_the_palette_keeps_what_was_typed() -> None:
    async with console(press="ctrl+p") as stage:
        await stage.type("price")
        await stage.press("f1")
        assert stage.says("Every command by its name")
        await stage.press("f1", "enter")
        assert stage.says("Accept Models Without Price Settings")


async def test_the_line_about_each_field_fits_80_columns(stage: Stage) -> None:
    for tab in TABS:
        stage.app.screen.query_one(SettingsPage).action_show(tab.id)
        await stage.settle()
    room = stage.app.screen.query_one(HelpLine).content_size.width
    fields = stage.app.screen.query(Field)
    assert len(fields) > 30
    assert [field.help for field in fields if len(field.help) > room] == []


@pytest.mark.parametrize("opens", ["f1", "ctrl+p", "ctrl+q"])
async def test_the_line_about_a_field_is_empty_under_a_dialog_and_back_after_it(opens: str) -> None:
    async with console(press="3") as stage:
        await stage.fill("quota-warning-threshold", "2.00")  # for leaving to ask
        await stage.focus("#quota-warning-threshold")
        line = stage.app.screen.query_one(HelpLine)
        assert line.text == "A notification is sent when remaining quota falls below this amount in USD."
        await stage.press(opens)
        assert stage.app.screen is not line.screen
        assert line.text == ""
        line.read_again()  # what a delivery that ends meanwhile does
        assert line.text == ""
        await stage.press("escape")
        assert stage.app.screen is line.screen
        assert line.text == "A notification is sent when remaining quota falls below this amount in USD."


async def test_f1_before_signing_in() -> None:
    async with console(signed_in=False, press="f1") as stage:
        assert stage.says("Five wrong passwords lock the account for a while")
