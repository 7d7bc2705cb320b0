"""In a terminal's own 16 colours no text has the colour of its ground."""

import pytest

from screens.console import Console
from store.modules import MODULES
from tests.harness.console_steps import open_module
from tests.harness.consoles import Stage, console
from tests.harness.screen_walk import is_invisible, segments_of
from tests.snapshots.scenes import busy_store
from tui.themes import ANSI_DARK, ANSI_LIGHT


def invisible(stage: Stage) -> list[str]:
    """The texts on the screen in the colour of their ground."""
    return [segment.text for segment in segments_of(stage.app) if is_invisible(segment)]


@pytest.mark.parametrize("theme", [ANSI_DARK, ANSI_LIGHT])
async def test_no_text_of_a_page_has_the_colour_of_its_ground(theme: str) -> None:
    store = busy_store()
    found = {}
    async with console(store=store, theme=theme, size=(120, 40)) as stage:
        for tab in "123456":
            await stage.press(tab)
            found[f"tab {tab}"] = invisible(stage)
        for module in MODULES:
            assert isinstance(stage.app.screen, Console)
            await open_module(stage, module)
            found[module] = invisible(stage)
            await stage.press("tab")
            found[f"{module}, further on"] = invisible(stage)
    assert {place: texts for place, texts in found.items() if texts} == {}
