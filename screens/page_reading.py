"""When a page was read last, and why it could not be read again."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeVar

from textual.message import Message
from textual.widgets import Static

from screens.account_actions import AccountActions
from store.errors import ServerFailed
from store.text import sanitize

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator
    from datetime import datetime

    from screens.account_actions import Success
    from store.errors import GatekeyError

T = TypeVar("T")
_MARK: Final = "▲"


@dataclass(slots=True)
class Readings:
    """The readings of a page that overlap, and what they came to."""

    under_way: int = 0
    was_read: bool = False
    was_whole: bool = False
    """True if one of them read all of the page."""
    has_failed: bool = False


class PageReading(AccountActions):
    """Mix into a page, before it. What was read last stays while the server does not answer.

    A page reads within `reading()`, and each part of it with `fetch`. The console shows `reading_words` above the page.
    """

    read_at: datetime | None = None
    """The time at which the page was read last as a whole."""
    unread: str = ""
    """The reason why the page could not be read again; empty if it could."""
    _passes: Readings | None = None
    """The last readings, which may be under way."""

    class Changed(Message):
        """A page was read, or could not be."""

        def __init__(self, page: PageReading) -> None:
            super().__init__()
            self.page = page

    @contextmanager
    def reading(self, *, is_whole: bool = True) -> Iterator[Readings]:
        """Read the page within the block; `is_whole` if all of it is read. Overlapping readings count as one."""
        passes = self._passes
        if passes is None or not passes.under_way:
            passes = self._passes = Readings()
        passes.under_way += 1
        try:
            yield passes
            passes.was_read = True
            passes.was_whole = passes.was_whole or is_whole
        finally:
            passes.under_way -= 1
            if not passes.under_way and passes.was_read and not passes.has_failed:
                self._note_read(is_whole=passes.was_whole)

    async def fetch(self, action: Callable[[], Awaitable[T]]) -> Success[T] | None:
        """As `run_with_reauth`, for what the page shows. A server that does not answer is told above the page."""
        answer = await self.run_with_reauth(action, tell=self._tell_unread)
        if answer is None:
            self.note_unread()
        return answer

    def _tell_unread(self, error: GatekeyError) -> None:
        if isinstance(error, ServerFailed):
            self.note_unread(error)
        else:
            self.show_failure(error)

    def note_unread(self, error: ServerFailed | None = None) -> None:
        """Note that something could not be read; `error` is the reason, unless it was shown elsewhere."""
        if self._passes is not None:
            self._passes.has_failed = True
        if error is not None:
            self.unread = sanitize(error, 300)
            self.post_message(self.Changed(self))

    def _note_read(self, *, is_whole: bool) -> None:
        if is_whole:
            self.read_at = self.account.now()
        self.unread = ""
        self.post_message(self.Changed(self))

    @property
    def reading_words(self) -> str:
        """When the page was read last, why not again, and the key that tries it; empty if there is nothing to tell."""
        if not self.unread:
            return ""
        zone = self.app.zone
        if self.read_at is None:
            when = "Not read yet."
        else:
            at, now = self.read_at.astimezone(zone), self.account.now().astimezone(zone)
            when = f"Read {at:%H:%M}." if at.date() == now.date() else f"Read {at:%Y-%m-%d %H:%M}."
        key = self.app.key_of("module.refresh")
        return " ".join(filter(None, (_MARK, when, self.unread, f"{key} tries again." if key else "")))


class ReadingLine(Static):
    """The line above a page that could not be read again."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence, id="reading-line", markup=False, classes="warning")
