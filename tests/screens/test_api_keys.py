"""API Keys: what a new key is asked for, and what is said of it."""

import pytest

from screens.modules.api_key_form import KeyForm
from tests.harness.consoles import Stage, console
from tui.widgets.field import Field

pytestmark = pytest.mark.anyio


async def ask_for_one(stage: Stage, name: str, days: str, limit: str) -> None:
    stage.app.screen.action_open_module("api-keys")  # type: ignore[attr-defined] # the console's
    await stage.settle()
    await stage.press("n")
    for control, text in (("api-key-name", name), ("api-key-expiry", days), ("api-key-limit", limit)):
        await stage.fill(control, text)
    await stage.click("#create")


@pytest.mark.parametrize(
    ("limit", "sentence"),
    [("a lot", "Enter dollars with up to two decimals"), ("0", "A spend limit is more than zero")],
)
async def test_every_error_of_a_new_key_is_shown_at_once_and_the_first_has_the_focus(limit: str, sentence: str) -> None:
    async with console() as stage:
        await ask_for_one(stage, "", "soon", limit)
        assert isinstance(stage.app.screen, KeyForm)
        wrong = {field.control.id for field in stage.app.screen.query(Field) if field.error}
        assert wrong == {"api-key-name", "api-key-expiry", "api-key-limit"}
        assert stage.says(sentence)
        assert stage.says("Enter 1 to 3650 days, or a date such as 2027-01-31.")
        assert stage.app.focused is stage.app.screen.query_one("#api-key-name")


async def test_an_error_of_a_new_key_goes_once_it_is_mended() -> None:
    async with console() as stage:
        await ask_for_one(stage, "build", "soon", "0")
        await stage.fill("api-key-expiry", "30")
        await stage.click("#create")
        assert {field.control.id for field in stage.app.screen.query(Field) if field.error} == {"api-key-limit"}
        await stage.fill("api-key-limit", "")
        await stage.click("#create")
        assert stage.says("It is shown once")
