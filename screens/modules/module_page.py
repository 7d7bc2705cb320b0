"""What every module's page is: focusable, filled when first shown, with one line for what went wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll

from screens.account_actions import AccountActions
from screens.account_modal import Notice

if TYPE_CHECKING:
    from store.errors import GatekeyError


class ModulePage(AccountActions, VerticalScroll, can_focus=True):
    """Mounted by the console when its module is first opened."""

    HELP_TEXT: ClassVar[str] = ""
    """What the page shows; F1 shows it with the keys."""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+r,f5", "reload", "Refresh", id="module.refresh", show=False, tooltip="Read this page again"),
    ]

    def on_mount(self) -> None:
        self.reload()

    def action_reload(self) -> None:
        self.reload()

    def reload(self) -> None:
        """Read from the account again."""
        raise NotImplementedError

    def show_again(self) -> None:
        """The page comes back after another was shown: what it tells of may have changed."""
        for notice in self.query(Notice):
            notice.take_back()
        self.reload()

    def show_failure(self, error: GatekeyError) -> None:
        for notice in self.query(Notice):
            notice.say(f"{error.title}. {error}")
