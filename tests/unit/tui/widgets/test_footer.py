"""The footer tells the truth about the keys, and changes its text without a new layout."""

from typing import ClassVar

import pytest
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Input

from tests.unit.tui.widgets.bare_console import Stage, running
from tui.keymap import UNBOUND
from tui.widgets.action_button import ActionButton
from tui.widgets.footer import KeyFooter
from tui.widgets.line_input import LineInput
from tui.widgets.row_walk import MOVE


class Console(Stage):
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s", "save", "Save", id="save", tooltip="Save"),
        Binding("left_square_bracket", "previous", "Previous tab", id="previous", tooltip="Previous tab"),
        Binding("x", "delete", "Delete account", id="delete", tooltip="Delete"),
        Binding("f1,question_mark", "help", "Help", id="help", tooltip="Help"),
        Binding("ctrl+q", "quit", "Quit", id="quit", tooltip="Quit"),
        Binding("ctrl+y", "secret", "Never shown", show=False),
    ]
    saved = 0
    savable: bool | None = True
    deletable: bool | None = True

    def compose(self) -> ComposeResult:
        yield Input(id="name", compact=True)
        yield ActionButton("Go", id="go")
        yield KeyFooter()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return {"save": self.savable, "delete": self.deletable}.get(action, True)

    def action_save(self) -> None:
        self.saved += 1

    AUTO_FOCUS = "#go"

    @property
    def footer(self) -> KeyFooter:
        return self.query_one(KeyFooter)


async def test_it_shows_every_key_once_with_help_and_quit_at_the_right() -> None:
    async with running(Console()) as (app, pilot):
        await pilot.pause()
        assert app.footer.text.startswith("^s Save  [ Previous tab  x Delete account ")
        assert app.footer.text.endswith("  f1 Help  ^q Quit")
        assert len(app.footer.text) == 78
        assert app.footer.region.height == 1
        assert app.footer.region.bottom == 24


async def test_keys_that_would_be_typed_into_the_focused_field_are_not_promised() -> None:
    async with running(Console()) as (app, pilot):
        app.query_one(Input).focus()
        await pilot.pause()
        assert app.footer.text.split() == ["^s", "Save", "f1", "Help", "^q", "Quit"]


class Displayed(Console):
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f1,question_mark", "help", "Help", id="help", key_display="?", tooltip="Help"),
    ]


async def test_a_key_with_a_name_of_its_own_is_not_promised_to_who_would_type_it() -> None:
    app = Displayed()
    async with app.run_test(size=(120, 24)) as pilot:
        await pilot.pause()
        assert "? Help" in app.footer.text
        app.query_one(Input).focus()
        await pilot.pause()
        assert "f1 Help" in app.footer.text
        app.query_one(ActionButton).focus()
        await pilot.pause()
        assert "? Help" in app.footer.text


async def test_unavailable_is_greyed_and_impossible_is_hidden() -> None:
    async with running(Console()) as (app, pilot):
        app.savable, app.deletable = None, False
        app.refresh_bindings()
        await pilot.pause()
        assert app.footer.text.startswith("^s Save  [ Previous tab  ⏎ Go   ")
        save = next(hint for hint in app.footer.hints if hint.action == "save")
        assert not save.enabled
        assert "Delete" not in app.footer.text


async def test_a_remapped_key_is_the_one_shown_and_an_unbound_one_is_not() -> None:
    async with running(Console()) as (app, pilot):
        app.set_keymap({"save": "f5", "delete": UNBOUND})
        await pilot.pause()
        assert app.footer.text.startswith("[ Previous tab  f5 Save  ⏎ Go   ")
        assert "Delete" not in app.footer.text


@pytest.mark.parametrize("width", [60, 40, 24, 12, 3])
async def test_a_short_row_keeps_quit_longest_and_never_overflows(width: int) -> None:
    app = Console()
    async with app.run_test(size=(width, 24)) as pilot:
        await pilot.pause()
        assert len(app.footer.text) <= width - 2
        assert ("^q Quit" in app.footer.text) == (width >= 12)
        assert ("f1 Help" in app.footer.text) == (width >= 24)
        if width >= 24:
            assert ("…" in app.footer.text) == (width < 80)


async def test_it_comes_back_when_the_row_grows() -> None:
    app = Console()
    async with app.run_test(size=(30, 24)) as pilot:
        await pilot.pause()
        assert "Delete" not in app.footer.text
        await pilot.resize_terminal(80, 24)
        await pilot.pause()
        assert "x Delete account" in app.footer.text


async def test_moving_the_focus_lays_nothing_out_again() -> None:
    async with running(Console()) as (app, pilot):
        await pilot.pause()
        layouts = 0

        def count(_screen: object) -> None:
            nonlocal layouts
            layouts += 1

        app.screen.screen_layout_refresh_signal.subscribe(app.footer, count, immediate=True)
        await pilot.press("tab")
        await pilot.pause()
        assert isinstance(app.focused, Input)
        assert layouts == 0


async def test_a_click_runs_the_key_s_action() -> None:
    async with running(Console()) as (app, pilot):
        await pilot.pause()
        await pilot.click(KeyFooter, offset=(3, 0))
        assert app.saved == 1
        await pilot.click(KeyFooter, offset=(60, 0))
        assert app.saved == 1


async def test_a_click_on_a_greyed_key_does_nothing() -> None:
    async with running(Console()) as (app, pilot):
        app.savable = None
        app.refresh_bindings()
        await pilot.pause()
        await pilot.click(KeyFooter, offset=(3, 0))
        assert app.saved == 0


class Page(Stage):
    """Bindings in another order than their importance, as a page that is a row walk has them."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f2", "sidebar", "Sidebar", id="console.sidebar"),
        *(
            Binding(str(number), f"show({number})", f"Tab {number}", id=f"tab.{name}", group=Binding.Group("Tab"))
            for number, name in enumerate(("account-binding", "security", "price"), 1)
        ),
        Binding("up,k", "walk(-1)", "Up", id="rows.up", group=MOVE),
        Binding("down,j", "walk(1)", "Down", id="rows.down", group=MOVE),
        Binding("u", "discard", "Discard", id="tab.discard"),
        Binding("ctrl+s", "save", "Save", id="tab.save"),
        Binding("t", "own", "Own", id="page.own"),
        Binding("ctrl+p", "command_palette", "Commands", id="app.palette"),
    ]
    AUTO_FOCUS = "#go"

    def compose(self) -> ComposeResult:
        yield LineInput(id="name")
        yield ActionButton("Go", id="go")
        yield KeyFooter()


async def test_the_page_s_own_keys_come_first_and_keys_that_belong_together_are_one_hint() -> None:
    app = Page()
    async with app.run_test(size=(100, 24)) as pilot:
        await pilot.pause()
        text = app.query_one(KeyFooter).text
        assert text.split("   ")[0] == "^s Save  u Discard  t Own  ⏎ Go  ↑↓ Move  1-3 Tab  f2 Sidebar"
        assert text.endswith("^p Commands")
        app.query_one(Input).focus()
        await pilot.pause()
        assert app.query_one(KeyFooter).text.split("   ")[0] == "^s Save  ↑↓ Move  f2 Sidebar"


@pytest.mark.parametrize(
    ("keymap", "shown"),
    [
        ({"tab.security": "f8"}, "1 3 f8 Tab"),
        ({"tab.account-binding": "a", "tab.security": "b", "tab.price": "c"}, "a-c Tab"),
        ({"rows.up": "w", "rows.down": "v"}, "w v Move"),
        ({"tab.security": UNBOUND}, "1 3 Tab"),
    ],
)
async def test_a_group_shows_the_chosen_keys(keymap: dict[str, str], shown: str) -> None:
    app = Page()
    async with app.run_test(size=(100, 24)) as pilot:
        app.set_keymap(keymap)
        await pilot.pause()
        assert shown in app.query_one(KeyFooter).text
