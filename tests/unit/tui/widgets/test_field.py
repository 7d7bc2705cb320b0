"""The form language: labels in one column, help for what is focused, errors at the field."""

import pytest
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Button, Input, Static

from tests.unit.tui.widgets.bare_console import Stage, running
from tui.widgets.field import Field, show_errors
from tui.widgets.footer import KeyFooter
from tui.widgets.help_line import HelpLine
from tui.widgets.secret_input import SecretInput
from tui.widgets.toggle import Toggle


def form() -> list[Widget]:
    return [
        Field("Threshold", Input("1.00", id="threshold", compact=True), Static("USD"), help="A dollar amount."),
        Field("Email", Toggle(id="email"), help="Sent to your address."),
        Field("Secret", SecretInput(id="secret")),
    ]


def field_of(app: Stage, control: str) -> Field:
    return next(field for field in app.query(Field) if field.control.id == control)


async def test_a_field_is_one_row_with_its_control_in_the_column() -> None:
    async with running(Stage(form)) as (app, _):
        assert [field.region.height for field in app.query(Field)] == [1, 1, 1]
        assert app.query_one("#threshold").region.x == 29
        assert app.query_one("#email").region.x == 29
        assert app.lines()[0].startswith("▌ Threshold ")
        assert app.lines()[0].endswith("USD")


async def test_the_help_line_follows_the_focus_and_nothing_moves() -> None:
    async with running(Stage(lambda: [*form(), Button("Save"), HelpLine(), KeyFooter()])) as (app, pilot):
        app.query_one("#threshold").focus()
        await pilot.pause()
        places = [widget.region for widget in app.screen.children]
        seen = []
        for _ in range(4):
            seen.append(app.lines()[22].strip())
            await pilot.press("tab")
            await pilot.pause()
            assert [widget.region for widget in app.screen.children] == places
        assert seen == ["A dollar amount.", "Sent to your address.", "", ""]


async def test_all_errors_show_at_once_and_the_first_in_reading_order_is_focused() -> None:
    async with running(Stage(form)) as (app, pilot):
        lost = show_errors(app, {"secret": "Enter a secret.", "email": "Bind an address first.", "": ""})
        await pilot.pause()
        assert lost == []
        assert "✗ Enter a secret." in app.shown()
        assert "✗ Bind an address first." in app.shown()
        assert app.focused is app.query_one("#email")


async def test_on_a_small_terminal_the_first_error_is_scrolled_into_view_with_its_sentence() -> None:
    app = Stage(lambda: [VerticalScroll(*form(), *[Static("…") for _ in range(20)], *last(), can_focus=False)])

    def last() -> list[Widget]:
        return [Field("Code", Input(id="code", compact=True)), Static("…")]

    async with app.run_test(size=(40, 10)) as pilot:
        show_errors(app, {"code": "The code is wrong, enter another one."})
        await pilot.pause()
        await pilot.pause()
        assert "✗ The code is wrong, enter another\n  one." in app.shown()


async def test_a_second_check_forgets_the_errors_of_the_first() -> None:
    async with running(Stage(form)) as (app, pilot):
        show_errors(app, {"secret": "Enter a secret."})
        show_errors(app, {"threshold": "Not an amount."})
        await pilot.pause()
        assert field_of(app, "secret").error == ""
        assert "Enter a secret." not in app.shown()


async def test_a_sentence_for_no_field_is_handed_back() -> None:
    async with running(Stage(form)) as (app, _):
        assert show_errors(app, {"nowhere": "The server refused."}) == ["The server refused."]


@pytest.mark.parametrize("control", ["threshold", "email", "secret"])
async def test_an_error_goes_when_its_control_changes_and_only_its_own(control: str) -> None:
    async with running(Stage(form)) as (app, pilot):
        for field in app.query(Field):
            field.error = "Wrong."
        app.query_one(f"#{control}").focus()
        await pilot.press("space" if control == "email" else "7")
        wrong = [field.control.id for field in app.query(Field) if field.error]
        assert wrong == [name for name in ("threshold", "email", "secret") if name != control]


async def test_data_in_an_error_can_neither_move_the_cursor_nor_press_a_button() -> None:
    async with running(Stage(form)) as (app, pilot):
        field_of(app, "secret").error = "[@click=app.quit]no[/] \x1b[2J\u202edrawkcab"
        await pilot.pause()
        assert "[@click=app.quit]no[/]" in app.shown()
        assert "\x1b" not in app.shown()
        assert "\u202e" not in app.shown()


async def test_a_long_error_wraps_beside_the_label_and_below_it_on_a_narrow_terminal() -> None:
    sentence = "A very long sentence that says in detail what is wrong with this value and what to do."
    for width, column in ((80, 29), (40, 2)):
        app = Stage(form)
        async with app.run_test(size=(width, 24)) as pilot:
            field_of(app, "threshold").error = sentence
            await pilot.pause()
            notes = app.lines()[1 : field_of(app, "threshold").region.height]
            assert len(notes) > 1
            assert {len(line) - len(line.lstrip("▌ ")) for line in notes} == {column}
            assert " ".join(line.strip("▌ ") for line in notes) == f"✗ {sentence}"


async def test_a_click_on_the_label_focuses_the_control() -> None:
    async with running(Stage(form)) as (app, pilot):
        await pilot.click(field_of(app, "secret"), offset=(1, 0))
        assert app.focused is app.query_one("#secret")


async def test_the_label_column_is_as_wide_as_the_stylesheet_says() -> None:
    def slim() -> list[Widget]:
        fields = form()
        for field in fields:
            assert isinstance(field, Field)
            field.control.styles.margin = (0, 0, 0, 10)
        return fields

    async with running(Stage(slim)) as (app, _):
        assert app.query_one("#threshold").region.x == 10
        assert app.lines()[0].startswith("▌ Thresh… ")


async def test_a_note_stands_below_the_control_and_above_an_error() -> None:
    async with running(Stage(form)) as (app, pilot):
        field = field_of(app, "threshold")
        field.note = Content("The last message failed.")
        field.error = "Not an amount."
        await pilot.pause()
        assert [line.strip(" ▌") for line in app.lines()[1:3]] == ["The last message failed.", "✗ Not an amount."]
        field.note = Content("")
        await pilot.pause()
        assert field.region.height == 2
