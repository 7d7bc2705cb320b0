"""Faults of a layout: cut labels, text over text, and buttons outside their box."""

from collections.abc import Iterator
from itertools import combinations

from rich.cells import cell_len
from textual.app import App
from textual.content import Content
from textual.geometry import Region
from textual.widget import Widget
from textual.widgets import Button, Static

from tui.widgets.action_button import ActionButton
from tui.widgets.field import Field
from tui.widgets.state_row import StateRow
from tui.widgets.tab_bar import TabBar

MAX_CONTENT_COLUMNS = 102
MIN_COLUMNS_FOR_STATES = 80
"""In a narrower terminal the state of a row may end with `…`."""


def faults(app: App[None]) -> list[str]:
    """A line for each fault of the screen that is shown."""
    return [*_cut(app), *_overlaps(app), *_outside(app), *_too_wide(app)]


def _shown(app: App[None]) -> list[Widget]:
    return [
        widget for widget in app.screen.query(Widget) if widget.is_attached and widget.region.area and _is_on(widget)
    ]


def _is_on(widget: Widget) -> bool:
    return all(node.display and node.visible for node in widget.ancestors_with_self if isinstance(node, Widget))


def _name(widget: Widget) -> str:
    return f"{type(widget).__name__}#{widget.id or ''}"


def _cut(app: App[None]) -> Iterator[str]:
    for widget in _shown(app):
        if isinstance(widget, Field):
            label = widget._head()[1].plain
            if label != widget.label:
                yield f"label cut: {label!r}"
            is_wide = app.size.width >= MIN_COLUMNS_FOR_STATES
            if is_wide and isinstance(widget, StateRow) and widget.state.cell_length > widget._room:
                yield f"state cut: {widget.state.plain!r} in {widget._room}"
        elif isinstance(widget, ActionButton):
            if widget._chip().cell_length > widget.content_size.width:
                yield f"button cut: {_name(widget)} {widget._chip().plain!r} in {widget.content_size.width}"
        elif isinstance(widget, TabBar):
            row = widget.render()
            assert isinstance(row, Content)
            if row.split("\n")[0].cell_length > widget.content_size.width:
                yield "tabs cut"
        elif isinstance(widget, Static) and app.size.width >= MIN_COLUMNS_FOR_STATES:
            words = widget.content
            plain = words.plain if isinstance(words, Content) else str(words)
            is_one_line = widget.styles.text_wrap == "nowrap"
            if is_one_line and max(map(cell_len, plain.split("\n")), default=0) > widget.content_size.width:
                yield f"text cut: {_name(widget)} {plain!r} in {widget.content_size.width}"


def _overlaps(app: App[None]) -> Iterator[str]:
    shown = _shown(app)
    parents = {id(widget.parent) for widget in shown}
    leaves = [widget for widget in shown if id(widget) not in parents or isinstance(widget, Field)]
    visible = [(widget, _visible(widget)) for widget in leaves]
    for (one, here), (other, there) in combinations(visible, 2):
        if one in other.ancestors or other in one.ancestors or one.layer != other.layer:
            continue
        if isinstance(one, Field) or isinstance(other, Field):
            continue
        if here.intersection(there).area:
            yield f"overlap: {_name(one)} {here} and {_name(other)} {there}"


def _visible(widget: Widget) -> Region:
    """The part of the widget that its containers do not clip."""
    region = widget.region
    for parent in widget.ancestors:
        if isinstance(parent, Widget):
            region = region.intersection(parent.region)
    return region


def _outside(app: App[None]) -> Iterator[str]:
    for button in _shown(app):
        if not isinstance(button, Button):
            continue
        box = button.parent
        assert isinstance(box, Widget)
        is_in_columns = box.region.x <= button.region.x and button.region.right <= box.region.right
        is_in_rows = box.is_scrollable or (
            box.region.y <= button.region.y and button.region.bottom <= box.region.bottom
        )
        if not (is_in_columns and is_in_rows):
            yield f"outside: {_name(button)} {button.region} of {_name(box)} {box.region}"


def _too_wide(app: App[None]) -> Iterator[str]:
    for widget in _shown(app):
        if isinstance(widget, Field) and widget.region.width > MAX_CONTENT_COLUMNS:
            yield f"too wide: {widget.label!r} {widget.region}"
