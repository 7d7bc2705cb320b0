"""The style sheets of the console: those of the first screen at once, the others before they are needed.

A sheet takes about 4 ms to parse. No rule of the later sheets concerns the console or a tab of its Settings page
(tests/screens/test_style_sheets.py), so that no widget is styled again when they are added.
"""

from __future__ import annotations

import asyncio
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any, ClassVar, Final

if TYPE_CHECKING:
    from textual.app import App

    AppPart = App[None]
else:
    # At run time a mixin has no base of its own, because it stands before the class it joins.
    AppPart = object

STYLES: Final = Path(__file__).parents[1] / "styles"
FIRST_STYLE_SHEETS: Final = ("base", "forms", "console", "settings")
LATER_STYLE_SHEETS: Final = ("dialogs", "modules", "sign_in")
STYLE_SHEETS: Final = (*FIRST_STYLE_SHEETS, *LATER_STYLE_SHEETS)
"""In order: of two rules with the same specificity the later one wins."""
WIDGET_STYLE_SHEETS: Final = ("base", "forms", "dialogs")
"""The sheets that widgets need without a screen of ours."""


def paths(names: tuple[str, ...]) -> list[str | PurePath]:
    """The files of style sheets."""
    return [STYLES / f"{name}.tcss" for name in names]


class LaterStyleSheets(AppPart):
    """Mix into the application, before it."""

    CSS_PATH: ClassVar[str | PurePath | list[str | PurePath] | None] = paths(FIRST_STYLE_SHEETS)
    _missing: tuple[str, ...] = LATER_STYLE_SHEETS

    def add_style_sheets(self) -> None:
        """Read the sheets that are missing. A dialog, a module and the way in need them."""
        for path in paths(self._missing):
            self.stylesheet.read(path)
        self._missing = ()

    async def add_style_sheets_in_turns(self) -> None:
        """Read and parse the sheets that are missing, each in a turn of the event loop."""
        while self._missing:
            first, *rest = self._missing
            self._missing = tuple(rest)
            self.stylesheet.read(*paths((first,)))
            self.stylesheet.parse()
            await asyncio.sleep(0)

    def get_screen(self, screen: Any, screen_class: Any = None) -> Any:
        """The screen, with the sheets it needs. Textual asks for every screen that it shows."""
        if not getattr(screen, "NEEDS_FIRST_STYLES_ONLY", False):
            self.add_style_sheets()
        return super().get_screen(screen, screen_class)
