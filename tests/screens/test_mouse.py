"""The mouse does what the keys do: each tab, button, switch and module clicked once."""

import pytest
from textual.widget import Widget

from screens.console import Console
from screens.navigation import Navigation
from screens.settings.page import SettingsPage
from store.modules import SECTIONS
from tests.harness.consoles import Stage, console
from tests.snapshots.scenes import busy_store
from tui.widgets.action_button import ActionButton
from tui.widgets.tab_bar import TabBar
from tui.widgets.toggle import Toggle

SECURITY_BUTTONS = 8
"""The buttons of the Security tab that a busy account has, at least."""


async def click(stage: Stage, widget: Widget, x: int = 1, y: int = 0) -> None:
    await stage.pilot.click(widget, offset=(x, y))
    await stage.settle()


def shown_buttons(stage: Stage) -> list[ActionButton]:
    page = stage.app.screen.query_one(SettingsPage)
    return [each for each in page.pane.query(ActionButton) if each.region.area and not each.disabled]


def answer(stage: Stage) -> tuple[str, str]:
    """The screen on top, and what it says apart from the time and the secrets that are drawn anew."""
    screen = stage.app.screen
    return type(screen).__name__, "" if isinstance(screen, Console) else str(getattr(screen, "HELP_TEXT", ""))


async def test_each_button_of_security_does_by_a_click_what_its_key_does() -> None:
    async with console(busy_store(), size=(100, 40)) as stage:
        names = [button.id for button in shown_buttons(stage)]
        assert len(names) >= SECURITY_BUTTONS
        for name in names:
            button = next(each for each in shown_buttons(stage) if each.id == name)
            key = button.current_key
            await click(stage, button)
            clicked = answer(stage)
            await close_dialogs(stage)
            await stage.press(key)
            assert answer(stage) == clicked, name
            assert clicked[0] != "Console", name
            await close_dialogs(stage)


async def close_dialogs(stage: Stage) -> None:
    """Close what is open, without doing anything."""
    while not isinstance(stage.app.screen, Console):
        before = stage.app.screen
        await stage.press("escape")
        if stage.app.screen is not before and type(stage.app.screen).__name__ == "Confirm":
            await stage.press("y")


@pytest.mark.parametrize("size", [(60, 20), (80, 24), (120, 40)])
async def test_each_tab_is_shown_by_a_click(size: tuple[int, int]) -> None:
    async with console(busy_store(), size=size) as stage:
        for number in range(6):
            bar = stage.app.screen.query_one(TabBar)
            start, _words, tab = bar._places()[number]
            await click(stage, bar, bar.gutter.left + start)
            assert stage.app.screen.query_one(SettingsPage).active == tab.id


@pytest.mark.parametrize("tab", ["3", "4", "5", "6"])
async def test_each_switch_turns_by_a_click(tab: str) -> None:
    async with console(busy_store(), size=(120, 60)) as stage:
        await stage.press(tab)
        page = stage.app.screen.query_one(SettingsPage)
        names = [toggle.id for toggle in page.pane.query(Toggle) if toggle.region.area and not toggle.disabled]
        assert names
        for name in names:
            toggle = page.pane.query_one(f"#{name}", Toggle)
            before = toggle.value
            await click(stage, toggle)
            assert page.pane.query_one(f"#{name}", Toggle).value != before, name
            await click(stage, page.pane.query_one(f"#{name}", Toggle))


async def test_each_module_opens_by_a_click() -> None:
    async with console(busy_store(), size=(120, 40)) as stage:
        navigation = stage.app.screen.query_one(Navigation)
        region = navigation.region
        lines = [line[region.x : region.right] for line in stage.text().split("\n")[region.y : region.bottom]]
        for module in (module for section in SECTIONS for module in section.modules):
            row = next(y for y, line in enumerate(lines) if module.label in line)
            await click(stage, navigation, 6, row)
            assert isinstance(stage.app.screen, Console)
            assert stage.app.screen.page.id == f"{module.id}-page", module.label
