"""The states most people see beside the tabs, at every size and in every theme."""

from typing import Any, Final

import pytest

from tests.harness.stores import make_store
from tests.snapshots.conftest import Picture
from tests.snapshots.scenes import busy_store
from tests.snapshots.steps import opening
from tui.themes import ANSI_DARK, LIGHT

LOOKS: Final[dict[str, dict[str, Any]]] = {
    "120x40": {"size": (120, 40)},
    "60x20": {"size": (60, 20)},
    "light": {"theme": LIGHT},
    "ansi": {"theme": ANSI_DARK},
}


@pytest.mark.parametrize("look", LOOKS)
def test_signing_in(picture: Picture, look: str) -> None:
    """Two fields in the middle, the button under them."""
    picture(signed_in=False, **LOOKS[look])


@pytest.mark.parametrize("look", LOOKS)
def test_a_first_run(picture: Picture, look: str) -> None:
    """At 60x20 the button is reached by scrolling; elsewhere all of it is seen."""
    picture(store=make_store(), signed_in=False, **LOOKS[look])


@pytest.mark.parametrize("look", LOOKS)
def test_deleting(picture: Picture, look: str) -> None:
    """Red in every theme, and its words before its buttons at every size."""
    picture("x", **LOOKS[look])


@pytest.mark.parametrize("look", LOOKS)
def test_a_log(picture: Picture, look: str) -> None:
    """The columns stand in line; at 60x20 the last ones are reached with the arrows."""
    picture(opening("usage-logs"), store=busy_store(), **LOOKS[look])


@pytest.mark.parametrize("look", ["120x40", "60x20"])
def test_binding_off(picture: Picture, look: str) -> None:
    """The sentence is wrapped, never cut."""
    picture("1", **LOOKS[look])
