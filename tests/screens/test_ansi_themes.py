"""In a terminal's own 16 colours no text has the colour of its ground."""

import pytest

from screens.console import Console
from store.modules import MODULES
from tests.harness.consoles import Stage, console
from tests.snapshots.scenes import busy_store
from tui.themes import ANSI_DARK, ANSI_LIGHT

pytestmark = pytest.mark.anyio

BLOCKS = set("▌█▁▔ ")
"""Glyphs that are drawn as a colour, not read."""


def unreadable(stage: Stage) -> list[str]:
    """The texts on the screen that cannot be told from their ground."""
    return [
        segment.text
        for strip in stage.app.screen._compositor.render_strips()
        for segment in strip
        if set(segment.text) - BLOCKS
        and segment.style
        and segment.style.color
        and not segment.style.color.is_default
        and segment.style.color == segment.style.bgcolor
    ]


@pytest.mark.parametrize("theme", [ANSI_DARK, ANSI_LIGHT])
async def test_no_text_of_a_page_has_the_colour_of_its_ground(theme: str) -> None:
    store = busy_store()
    found = {}
    async with console(store=store, theme=theme, size=(120, 40)) as stage:
        for tab in "123456":
            await stage.press(tab)
            found[f"tab {tab}"] = unreadable(stage)
        for module in MODULES:
            assert isinstance(stage.app.screen, Console)
            stage.app.screen.action_open_module(module)
            await stage.settle()
            found[module] = unreadable(stage)
            await stage.press("tab")
            found[f"{module}, further on"] = unreadable(stage)
    assert {place: texts for place, texts in found.items() if texts} == {}
