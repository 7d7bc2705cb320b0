"""The pages of the other modules, filled and empty, and the drawer."""

import pytest

from tests.snapshots.conftest import Picture
from tests.snapshots.scenes import busy_store, opening


@pytest.mark.parametrize(
    "module", ["playground", "overview", "api-keys", "usage-logs", "drawing-logs", "task-logs", "wallet"]
)
def test_filled(picture: Picture, module: str) -> None:
    """A table or figures within 80 columns, nothing cut at the right."""
    picture(opening(module), store=busy_store())


@pytest.mark.parametrize("module", ["overview", "api-keys", "usage-logs", "wallet"])
def test_empty(picture: Picture, module: str) -> None:
    """One sentence that says what would be here, and how it comes to be."""
    picture(opening(module))


def test_drawer(picture: Picture) -> None:
    """Below 100 columns the sidebar lies over the page, with the cursor on the open module."""
    picture("f2")
