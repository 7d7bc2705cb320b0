"""A button that is off can still be read: its colour is the theme's, without a second dimming."""

from textual.widgets import Button

from tests.harness.consoles import console


async def test_a_disabled_button_is_not_dimmed_twice() -> None:
    async with console(press="4") as stage:
        button = stage.app.screen.query_one("#price #save", Button)
        assert button.disabled
        assert (button.opacity, button.styles.text_opacity) == (1.0, 1.0)
        assert button.styles.color.hex.lower() == stage.app.theme_variables["text-disabled"]
