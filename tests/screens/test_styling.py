"""What is styled, and when: a page styles each of its widgets when it is mounted, and no sooner."""

from collections.abc import Iterable

import pytest
from textual.dom import DOMNode

from tests.harness.consoles import console

pytestmark = pytest.mark.anyio


async def test_no_widget_is_styled_before_it_has_its_place() -> None:
    async with console() as stage:
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
