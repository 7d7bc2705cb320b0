"""Secret fields keep their text: no clipboard, no log; codes come in as people paste them."""

import pytest
from textual.widget import Widget
from textual.widgets import Input, Static

from tests.unit.tui.widgets.bare_console import Stage, running
from tui.widgets.secret_input import CodeInput, SecretInput

SECRET = "hunter2-hunter2"


def secret() -> list[Widget]:
    return [SecretInput(id="password")]


def code() -> list[Widget]:
    return [CodeInput(id="code")]


@pytest.mark.parametrize("key", ["ctrl+c", "ctrl+x", "super+c"])
async def test_a_password_reaches_no_clipboard(key: str) -> None:
    async with running(Stage(secret)) as (app, pilot):
        field = app.query_one(SecretInput)
        field.value = SECRET
        field.focus()
        await pilot.press("ctrl+shift+a", key)
        assert app.clipboard == ""
        assert field.value == SECRET


async def test_select_all_takes_no_password() -> None:
    async with running(Stage(lambda: [*secret(), Static("around")])) as (app, _):
        app.query_one(SecretInput).value = SECRET
        app.screen.text_select_all()
        selected = app.screen.get_selected_text() or ""
        assert "around" in selected
        assert "hunter" not in selected


async def test_a_password_is_not_drawn() -> None:
    async with running(Stage(secret)) as (app, pilot):
        app.query_one(SecretInput).value = SECRET
        await pilot.pause()
        assert "hunter" not in app.shown()
        assert "•" * len(SECRET) in app.shown()


async def test_no_message_tells_the_password_in_its_repr() -> None:
    async with running(Stage(secret)) as (app, pilot):
        await pilot.press(*SECRET.replace("-", ""), "enter")
        app.screen.set_focus(None)
        await pilot.pause()
        told = [message for message in app.messages if isinstance(message, Input.Changed | Input.Submitted)]
        assert len(told) >= 2
        assert not [message for message in app.messages if "hunter" in repr(message)]


async def test_the_handlers_written_for_an_input_still_hear_it() -> None:
    async with running(Stage(secret)) as (app, pilot):
        await pilot.press("a", "enter")
        kinds = [type(message) for message in app.messages if isinstance(message, Input.Changed | Input.Submitted)]
        assert kinds == [SecretInput.Changed, SecretInput.Submitted]
        assert [message.value for message in app.messages if isinstance(message, Input.Changed)] == ["a"]


@pytest.mark.parametrize("kind", [SecretInput, CodeInput])
async def test_taking_a_value_empties_the_field(kind: type[SecretInput | CodeInput]) -> None:
    async with running(Stage(lambda: [kind(id="it")])) as (app, _):
        field = app.query_one("#it", kind)
        field.value = "123456"
        assert field.take() == "123456"
        assert field.value == ""
        assert field.take() == ""


@pytest.mark.parametrize(
    ("pasted", "code_read"),
    [
        ("123456", "123456"),
        ("123 456", "123456"),
        ("123\u00a0456", "123456"),
        ("\n 123456\n", "123456"),
        ("a1b2-c3d4 e5f6", "a1b2c3d4e5f6"),
        ("code: 12\u200b3456", "code123456"),
        ("\x1b[31m123456", "31m123456"),
    ],
)
async def test_a_pasted_code_is_read_without_its_separators(pasted: str, code_read: str) -> None:
    async with running(Stage(code)) as (app, pilot):
        from textual.events import Paste

        app.query_one(CodeInput).post_message(Paste(pasted))
        await pilot.pause()
        assert app.query_one(CodeInput).code == code_read


async def test_pasting_from_the_console_s_own_clipboard_is_tidied_too() -> None:
    async with running(Stage(code)) as (app, pilot):
        app.copy_to_clipboard("654.321")
        await pilot.press("ctrl+v")
        assert app.query_one(CodeInput).code == "654321"


async def test_a_paste_replaces_what_is_selected_and_nothing_usable_changes_nothing() -> None:
    async with running(Stage(code)) as (app, pilot):
        from textual.events import Paste

        field = app.query_one(CodeInput)
        field.value = "111111"
        await pilot.press("ctrl+shift+a")
        field.post_message(Paste("222222"))
        await pilot.pause()
        assert field.code == "222222"
        field.post_message(Paste("…"))
        await pilot.pause()
        assert field.code == "222222"


async def test_typed_letters_that_no_code_has_are_refused() -> None:
    async with running(Stage(code)) as (app, pilot):
        await pilot.press("1", "2", "underscore", "é", "3")
        assert app.query_one(CodeInput).value == "123"


async def test_a_code_is_never_longer_than_any_code() -> None:
    async with running(Stage(code)) as (app, pilot):
        from textual.events import Paste

        app.query_one(CodeInput).post_message(Paste("1" * 10_000))
        await pilot.pause()
        assert len(app.query_one(CodeInput).value) <= 64
