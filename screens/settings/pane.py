"""The base of every tab of the Settings page: it fills when it is first shown."""

from __future__ import annotations

from typing import ClassVar, Final

from textual.containers import VerticalScroll
from textual.message import Message

from screens.account_modal import Notice
from screens.page_reading import PageReading

_NOT_SCROLLED: Final = frozenset({"scroll_left", "scroll_right", "page_left", "page_right", "scroll_up", "scroll_down"})


class Pane(PageReading, VerticalScroll, can_focus=False):
    """One tab."""

    HELP_TEXT: ClassVar[str] = ""
    """The purpose of the tab, shown by the help page."""
    IS_FORM: ClassVar[bool] = False
    """True if the tab edits a section that is saved. The module of those is large, and the first tab is none."""

    class DirtyChanged(Message):
        """`dirty` changed."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - as every widget has it
        super().__init__(id=id, classes="pane")

    @property
    def purpose(self) -> str:
        """`HELP_TEXT`, or other words where the account can do less."""
        return self.HELP_TEXT

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        # These keys switch tabs and walk the rows.
        return False if action in _NOT_SCROLLED else super().check_action(action, parameters)

    def shown(self) -> None:
        """Refresh the tab, because it is shown, perhaps again. Typed text stays."""
        for notice in self.query(Notice):
            notice.clear_sentence()
        self.reload()

    async def complete(self) -> None:
        """Mount what the first picture of the tab does not show, if that is not done yet."""

    def reload(self) -> None:
        """Read from the account again."""
        raise NotImplementedError

    def offers(self, action: str) -> bool:  # noqa: ARG002 - for panes that offer less at times
        """True if the action of the tab's own key has something to act on now."""
        return True

    def can_test(self) -> bool | None:
        """True if a test message can be sent from the focused row, None if not from this one, False if from none."""
        return False

    def test(self) -> None:
        """Send a test message on the channel of the focused row."""

    # -- of a form -------------------------------------------------------------------------------------------

    @property
    def dirty(self) -> bool:
        """True if the tab has edits that are not saved."""
        return False

    @property
    def can_bring_back(self) -> bool:
        """True if edits were discarded, and nothing was edited since."""
        return False

    def save(self) -> None:
        """Store the edits."""

    def discard(self) -> None:
        """Show what is stored again. `bring_back` undoes it."""

    def bring_back(self) -> None:
        """Show the edits again that were discarded last."""

    def reset(self) -> None:
        """Show the defaults. They are edits like any other."""

    async def confirm_leave(self) -> bool:
        """Ask what to do with unsaved edits; returns whether to leave. Call it in a worker."""
        return True

    # -- of every tab ----------------------------------------------------------------------------------------

    def focus_control(self, control: str) -> None:
        for widget in self.query(f"#{control}"):
            widget.focus()

    def tell_console(self) -> None:
        """Refresh the title bar, after a change of something that it shows."""
        refresh = getattr(self.screen, "refresh_summary", None)
        if refresh is not None:
            refresh()
