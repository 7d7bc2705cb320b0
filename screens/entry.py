"""The entry point of the command `gatekey`: the command line of `tui`, given the console of `screens`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui import command

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tui.store_location import Options


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit status."""
    return command.main(open_console, arguments)


def open_console(options: Options) -> int:
    """Open the console; returns its exit status. Only this imports Textual."""
    from screens.app import run_console

    return run_console(options)
