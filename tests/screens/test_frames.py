"""What is styled and painted, and when: a widget when it is mounted, and no sooner; a key in one frame."""

from collections.abc import Iterable
from typing import Any

from textual.dom import DOMNode
from textual.screen import Screen

from tests.harness.consoles import Stage


async def test_no_widget_is_styled_before_it_has_its_place(stage: Stage) -> None:
    sheet, early, styled = stage.app.stylesheet, list[str](), list[DOMNode]()
    stock = sheet.update_nodes

    def update_nodes(nodes: Iterable[DOMNode], animate: bool = False) -> None:
        those = list(nodes)
        early.extend(repr(node) for node in those if node is not stage.app and node.parent is None)
        styled.extend(those)
        stock(those, animate=animate)

    sheet.update_nodes = update_nodes  # type: ignore[method-assign]
    await stage.press("1", "3", "4", "5", "6", "2", "p")
    assert early == []
    assert styled, "the classes of widgets that have their place change too"


async def test_a_tab_is_one_frame(stage: Stage) -> None:
    """It changes the button that had the focus, the one that has it, both rows, the help line and the footer."""
    frames, stock = list[str](), stage.app._display

    def display(screen: Screen[Any], renderable: Any) -> None:
        if renderable is not None:
            frames.append(type(renderable).__name__)
        stock(screen, renderable)

    stage.app._display = display  # type: ignore[method-assign]
    for _ in range(5):
        await stage.press("tab")
    assert frames == ["ChopsUpdate"] * 5
