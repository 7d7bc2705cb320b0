"""Rules for every widget, checked in the code and on the whole gallery."""

import ast
import importlib
import inspect
import pkgutil
import re
import sys
from collections.abc import Iterator

import pytest
from rich.segment import Segment
from textual.binding import Binding
from textual.dom import DOMNode
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Input

import tui.widgets
from tests.harness.pty_terminal import PtyTerminal
from tests.unit.tui.widgets.bare_console import STYLES, running
from tests.unit.tui.widgets.gallery import Form, Gallery
from tui.style_sheets import STYLE_SHEETS
from tui.themes import THEME_NAMES


def widget_classes() -> Iterator[type[Widget]]:
    for module in pkgutil.iter_modules(tui.widgets.__path__, "tui.widgets."):
        for _name, kind in inspect.getmembers(importlib.import_module(module.name), inspect.isclass):
            if issubclass(kind, Widget) and kind.__module__ == module.name:
                yield kind


COLOUR = re.compile(rb"\x1b\[[\d;]*?((?:[34][0-8]|9\d|10\d)\b[\d;]*)m")
"""The first colour that a sequence sets, and all after it (ECMA-48 8.3.117 and its 256- and 24-bit kin)."""

CLASSES = sorted(set(widget_classes()), key=lambda kind: kind.__name__)


MEANT = {
    # Tab of a control that is disabled and keeps the focus goes on from where it stands: `Screen.focus_chain` asks this
    # and nothing public of a widget whether it is left out.
    "_check_disabled": (Widget, Screen),
    # A line break in what is pasted; `Input` has no public way to change a paste.
    "_on_paste": (Input, None),
    # The cells of a code are three apart: where the cursor is drawn, and which digit a click means.
    "_cursor_offset": (Input, None),
    "_cell_offset_to_index": (Input, Input),
    # A frame waits until all that belongs to it is there, and paints the whole screen once: `tui.widgets.whole_frames`.
    "_on_timer_update": (Screen, None),
    "_compositor_refresh": (Screen, Screen),
    "_repaint_required": (Widget, None),
    "_layout_required": (Widget, None),
    # The first arrangement waits until every widget has asked for it.
    "_refresh_layout": (Screen, Screen),
    # Textual's own looks of a button are left out: styles/forms.tcss has them.
    "_get_default_css": (DOMNode, Widget),
}
"""Private names of Textual that a class of ours takes: where Textual defines each, and what calls it."""


@pytest.mark.parametrize("name", MEANT)
def test_a_private_name_that_is_meant_is_still_textuals(name: str) -> None:
    """Once Textual renames one, ours would never be called, and nothing else would tell."""
    owner, caller = MEANT[name]
    assert name in vars(owner) or name in vars(owner())
    assert caller is None or f".{name}(" in inspect.getsource(caller)


@pytest.mark.parametrize("kind", CLASSES)
def test_no_private_name_of_textual_is_taken(kind: type[Widget]) -> None:
    """A method `_uncover` of ours once replaced Textual's: the names a class adds must be new or meant."""
    ours = [base for base in kind.__mro__ if base.__module__.startswith("tui.")]
    theirs = [base for base in kind.__mro__ if base not in ours]
    taken = {name for base in theirs for name in vars(base)} | set(vars(Widget()))
    assert {name for base in ours for name in private_names(base)} & taken <= set(MEANT)


def private_names(kind: type) -> set[str]:
    """The single-underscore names that the class itself defines or sets on `self`."""
    tree = ast.parse(inspect.getsource(kind))
    stored = {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and isinstance(node.ctx, ast.Store)
        and isinstance(node.value, ast.Name)
        and node.value.id == "self"
    }
    defined = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
    return {name for name in stored | defined if name.startswith("_") and not name.startswith("__")}


@pytest.mark.parametrize("kind", CLASSES)
def test_every_binding_has_an_id_a_description_and_a_tooltip(kind: type[Widget]) -> None:
    for binding in kind.__dict__.get("BINDINGS", []):
        assert isinstance(binding, Binding)
        assert binding.id, binding
        assert binding.description, binding
        assert binding.tooltip, binding


@pytest.mark.parametrize("kind", CLASSES)
def test_looks_live_in_the_stylesheet(kind: type[Widget]) -> None:
    assert "DEFAULT_CSS" not in kind.__dict__
    assert "CSS" not in kind.__dict__


def test_the_stylesheet_names_no_colour_and_matches_nothing_at_large() -> None:
    for name in STYLE_SHEETS:
        for line in (STYLES / f"{name}.tcss").read_text().splitlines():
            assert "#" not in line or ";" not in line, line
            assert not line.strip().startswith("*"), line


@pytest.mark.parametrize("theme", THEME_NAMES)
async def test_the_gallery_fits_80_by_24_in_every_theme(theme: str) -> None:
    async with running(Gallery(theme)) as (app, pilot):
        await pilot.pause()
        assert isinstance(app.screen, Form)
        assert app.screen.max_scroll_y == 0
        assert all(widget.region.right <= 80 for widget in app.screen.query(Widget) if widget.display)


@pytest.mark.parametrize("target", ["#save", "#email", "#token"])
async def test_without_any_colour_the_focus_is_still_seen(target: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    async with running(Gallery("ansi-dark")) as (app, pilot):
        widget = app.screen.query_one(target)
        widget.focus()
        await pilot.pause()
        region = widget.content_region
        strips = app.screen._compositor.render_strips()
        shown = list(strips[region.y].crop(region.x, region.right))
        assert all(is_reversed(segment) for segment in shown if segment.text.strip())


def is_reversed(segment: Segment) -> bool:
    return segment.style is not None and bool(segment.style.reverse)


def test_without_any_colour_none_is_sent_but_for_the_qr_code() -> None:
    command = [sys.executable, "-m", "tests.unit.tui.widgets.gallery"]
    with PtyTerminal(command, cwd=STYLES.parent, env={"NO_COLOR": "1"}) as terminal:
        terminal.wait_for("^q Quit")
        assert COLOUR.findall(terminal.raw) == []
        terminal.press("ctrl+t")
        terminal.wait_for("Scan with an authenticator app.")
        assert set(COLOUR.findall(terminal.raw)) == {b"38;2;0;0;0;48;2;255;255;255"}
        terminal.press("escape")
        terminal.press("ctrl+q")
        assert terminal.exit_code() == 0
