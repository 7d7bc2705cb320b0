"""The frame of a dialog: its borders say what it is, its arrows walk, its primary button stands at the right."""

from textual.widgets import Input, Static

from tests.unit.tui.widgets.bare_console import Stage, running
from tui.widgets.action_button import ActionButton
from tui.widgets.actions import Actions
from tui.widgets.dialog import Dialog
from tui.widgets.field import Field


def form() -> Dialog:
    return Dialog(
        "A form",
        Field("Name", Input(id="name", compact=True), reserve_error=True),
        Field("Place", Input(id="place", compact=True), reserve_error=True),
        Actions(ActionButton("Cancel", id="cancel"), ActionButton("More", id="more"), ActionButton("Save", id="save")),
        subtitle="[b]a rule[/b]",
    )


async def test_its_borders_hold_the_title_and_the_rule_as_they_stand() -> None:
    async with running(Stage(lambda: [form()])) as (app, _):
        assert "A form" in app.lines()[0]
        assert "[b]a rule[/b]" in app.shown()


async def test_the_last_button_stands_at_the_right_edge_in_line_with_the_fields() -> None:
    async with running(Stage(lambda: [form()])) as (app, _):
        buttons = [app.query_one(f"#{name}").region for name in ("cancel", "more", "save")]
        assert len({button.y for button in buttons}) == 1
        assert buttons[1].x == buttons[0].right + 1
        assert buttons[2].right == app.query_one("#name").region.right


async def test_arrows_walk_fields_and_buttons() -> None:
    async with running(Stage(lambda: [form()])) as (app, pilot):
        app.query_one("#name").focus()
        seen = []
        for key in ("down", "down", "right", "left", "up", "up"):
            await pilot.press(key)
            seen.append(app.focused.id if app.focused else None)
        assert seen == ["place", "more", "save", "more", "place", "name"]


async def test_past_its_last_row_it_scrolls() -> None:
    dialog = Dialog("Long", ActionButton("Close", id="close"), Static("line\n" * 60))
    async with running(Stage(lambda: [dialog])) as (app, pilot):
        app.query_one("#close").focus()
        await pilot.press("down", "down")
        await pilot.pause()
        assert dialog.scroll_offset.y == 2


async def test_a_reserved_row_shows_a_note_until_there_is_an_error() -> None:
    async with running(Stage(lambda: [form()])) as (app, pilot):
        field = app.query(Field).first()
        below = app.query_one("#place").region
        field.error = "Enter a name."
        await pilot.pause()
        assert "✗ Enter a name." in app.shown()
        assert app.query_one("#place").region == below
