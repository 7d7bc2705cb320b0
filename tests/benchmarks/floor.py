"""The floor: a bare Textual application of the console's shape, with nothing behind it.

Six tabs of inputs and switches, the stock footer, one modal. What it costs is what Textual costs, and the
benchmark divides by it. The light floor has three labels, three inputs and one switch directly in each tab; the heavy
one has seven fields, each in a container of its own.

    python -m tests.benchmarks.floor [--heavy] [--console-driver]
"""

import argparse
from collections.abc import Sequence
from typing import Any, ClassVar

from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.driver import Driver
from textual.screen import ModalScreen
from textual.widgets import Button, Footer, Input, Label, Static, Switch, TabbedContent, TabPane

TABS = ("Account Binding", "Security", "Notifications", "Price", "Privacy", "Sidebar")
INPUTS_PER_TAB = 3
SWITCHES_PER_TAB = 4


class Dialog(ModalScreen[None]):
    """Three fields and two buttons."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss", "Close")]
    CSS = """
    Dialog { align: center middle; }
    Dialog > Vertical { width: 60; height: auto; border: round $primary; padding: 0 1; background: $surface; }
    Dialog Horizontal { height: auto; }
    """

    def compose(self) -> ComposeResult:
        with Vertical():
            yield Static("Change Something")
            for number in range(1, 4):
                yield Label(f"Dialog field {number}")
                yield Input(compact=True)
            with Horizontal():
                yield Button("Cancel", compact=True)
                yield Button("Change", variant="primary", compact=True)


class Floor(App[None]):
    """Six tabs of plain fields."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+pagedown", "turn(1)", "Next tab", priority=True),
        Binding("ctrl+pageup", "turn(-1)", "Previous tab", priority=True),
        Binding("ctrl+s", "bell", "Save"),
        Binding("f4", "open_dialog", "Dialog"),
    ]
    CSS = """
    Floor Switch { border: none; height: 1; padding: 0; }
    """

    def compose(self) -> ComposeResult:
        with TabbedContent():
            for tab, name in enumerate(TABS, 1):
                with TabPane(name, id=f"tab-{tab}"):
                    for number in range(1, INPUTS_PER_TAB + 1):
                        yield Label(f"Text of tab {tab}, field {number}")
                        yield Input("some text", compact=True)
                    yield Switch(value=tab % 2 == 0)
        yield Footer()

    def action_turn(self, step: int) -> None:
        """Show the next or the previous tab, round the end."""
        tabs = self.query_one(TabbedContent)
        number = int(tabs.active.removeprefix("tab-")) - 1
        tabs.active = f"tab-{(number + step) % len(TABS) + 1}"

    def action_open_dialog(self) -> None:
        """Open the modal."""
        self.push_screen(Dialog())


class HeavyFloor(Floor):
    """More fields, and a container around each."""

    CSS = """
    HeavyFloor Horizontal { height: 1; }
    HeavyFloor Label { width: 28; }
    HeavyFloor Switch { border: none; height: 1; padding: 0; }
    """

    def compose(self) -> ComposeResult:
        with TabbedContent():
            for tab, name in enumerate(TABS, 1):
                with TabPane(name, id=f"tab-{tab}"), VerticalScroll():
                    for number in range(1, INPUTS_PER_TAB + 1):
                        with Horizontal():
                            yield Label(f"Text of tab {tab}, field {number}")
                            yield Input("some text", compact=True)
                    for number in range(1, SWITCHES_PER_TAB + 1):
                        with Horizontal():
                            yield Label(f"Switch of tab {tab}, field {number}")
                            yield Switch(value=number % 2 == 0)
        yield Footer()


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the floor, on Textual's driver or on the console's."""
    parser = argparse.ArgumentParser(prog="floor", description=__doc__)
    parser.add_argument("--console-driver", action="store_true", help="use the console's terminal driver")
    parser.add_argument("--heavy", action="store_true", help="more fields, and a container around each")
    parsed = parser.parse_args(arguments)
    driver: type[Driver] | None = None
    if parsed.console_driver:
        from tui.driver import console_driver

        driver = console_driver()
    app: App[Any] = (HeavyFloor if parsed.heavy else Floor)(driver_class=driver)
    app.run()


if __name__ == "__main__":
    main()
