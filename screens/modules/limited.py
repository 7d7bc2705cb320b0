"""The page of a module that the account has not: one sentence in its place."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.widgets import Static

from screens.modules.module_page import ModulePage
from tui.widgets.section import Section


class LimitedPage(ModulePage):
    """Its id is that of the module's page."""

    HELP_TEXT: ClassVar[str] = (
        "The server of this account has nothing for this page, or Gatekey cannot show it yet. The sentence says which. "
        "Everything else in the sidebar works."
    )

    def compose(self) -> ComposeResult:
        module = (self.id or "").removesuffix("-page")
        with Section("Not on this server"):
            yield Static(self.account.capabilities.no_modules.get(module, ""), markup=False, classes="muted")

    def reload(self) -> None:
        """Nothing is read."""
