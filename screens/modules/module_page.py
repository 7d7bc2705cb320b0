"""ModulePage: the base of every module's page."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.message import Message

from screens.account_modal import Notice
from screens.page_reading import PageReading

if TYPE_CHECKING:
    from store.errors import GatekeyError


class SettingAsked(Message):
    """A page asks for a tab of the settings and one of its controls."""

    def __init__(self, tab: str, setting: str) -> None:
        super().__init__()
        self.tab = tab
        self.setting = setting


class BalanceChanged(Message):
    """An act of a page changed what is left of the quota."""


class ModulePage(PageReading, VerticalScroll, can_focus=True):
    """The console mounts it when the module is first opened."""

    HELP_TEXT: ClassVar[str] = ""
    """The purpose of the page. F1 shows it with the keys."""
    IS_EXPLAINED: ClassVar[bool] = True
    """True if the context panel shows the purpose. A page that needs its rows for other things leaves it to F1."""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+r,f5", "reload", "Refresh", id="module.refresh", show=False, tooltip="Read this page again"),
    ]

    @property
    def purpose(self) -> str:
        """`HELP_TEXT`, or other words where the account can do less."""
        return self.HELP_TEXT

    def on_mount(self) -> None:
        self.reload()

    def action_reload(self) -> None:
        self._clear_notices()
        self.reload()

    def reload(self) -> None:
        """Read from the account again."""
        raise NotImplementedError

    def show_again(self) -> None:
        """Called when the page is shown again: read it again, because the account may have changed."""
        self._clear_notices()
        self.reload()

    def _clear_notices(self) -> None:
        for notice in self.query(Notice):
            notice.clear_sentence()

    def offer_reload(self) -> None:
        """Add the key that reads the page again to the reason why it could not be read."""
        for notice in self.query(Notice):
            if notice.content:
                notice.say(f"{notice.content} F5 reads the page again.")

    def show_failure(self, error: GatekeyError) -> None:
        for notice in self.query(Notice):
            notice.say(f"{error.title}. {error}")
