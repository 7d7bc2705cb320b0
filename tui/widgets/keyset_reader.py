"""Reading the pages of a long list, one at a time, and the words for what was read."""

from collections.abc import Awaitable, Callable
from typing import Final, Generic, TypeAlias, TypeVar

from textual.content import Content

from store.text import pluralize, sanitize
from tui.widgets.keyset_window import KeysetPage, KeysetWindow, Reading

R = TypeVar("R")

PageReader: TypeAlias = Callable[[int | None], Awaitable[KeysetPage[R] | None]]
"""Reads the page that follows a place, or the first page for None. Returns None if it could not be read."""

_NOT_READ: Final = "This could not be read."


class KeysetReader(Generic[R]):
    """Reads what is wanted into a window. The answer to a question that has changed meanwhile is dropped."""

    def __init__(
        self,
        window: KeysetWindow[R],
        older: PageReader[R],
        newer: PageReader[R] | None,
        answered: Callable[[Reading, KeysetPage[R] | None], None],
    ) -> None:
        """`answered` is called with each page, before it is in the window; with None for one that was not read."""
        self.window = window
        self.has_newer_reader = newer is not None
        self.wanted: Reading | None = None
        """The part that is being read, or is read next."""
        self.failed: Reading | None = None
        """The part that could not be read."""
        self.failure_words = ""
        self.was_read = False
        """True once there was an answer."""
        self.note = ""
        self._readers = older, newer
        self._answered = answered
        self._questions = 0

    @property
    def is_first_reading(self) -> bool:
        """True until the first answer."""
        return not self.was_read and self.failed is None

    @property
    def has_older(self) -> bool:
        return self.window.older_from is not None

    @property
    def has_newer(self) -> bool:
        return self.window.newer_from is not None

    def want(self, part: Reading) -> bool:
        """Ask for a part; returns False if something is read already. A restart takes the place of what is read."""
        if self.wanted is not None and not part.is_restart:
            return False
        self.wanted, self.failed, self.failure_words = part, None, ""
        self._questions += 1
        return True

    def fail(self, sentence: str) -> None:
        """Keep the reason why a page could not be read."""
        self.failure_words = sanitize(sentence)

    async def read_wanted(self) -> None:
        """Read until nothing is wanted. A new question waits here for the end of the earlier one."""
        older, newer = self._readers
        while (part := self.wanted) is not None:
            reader = newer if newer is not None and part in (Reading.OLDEST, Reading.NEWER) else older
            question = self._questions
            page = await reader(self.window.start(part))
            if self._questions != question:
                continue
            self.wanted = None
            if page is None:
                self.failed = part
            else:
                self.was_read = True
                self.note = "" if page.rows else page.note
            self._answered(part, page)

    def words(self, noun: str, empty: str) -> Content:
        """The rows that are held, or why there are none. `noun` is a row in the singular, `empty` a sentence."""
        rows = len(self.window.rows)
        if self.failed is not None and self.was_read and not self.failure_words:
            before = f"{pluralize(rows, noun)}, read before." if rows else empty
            return Content.styled(f"✗ {before} Refresh reads it again.", "$text-error")
        if self.failed is not None:
            return Content.styled(f"✗ {self.failure_words or _NOT_READ} Refresh reads it again.", "$text-error")
        if not self.was_read or (not rows and self.wanted is not None and self.wanted.is_restart):
            return Content("Reading…")
        if not rows:
            note = f", {self.note}" if self.note else ""
            return Content(f"Searching{note}…" if self.has_older else empty)
        shown = pluralize(rows, noun)
        if self.has_newer and not self.has_older:
            return Content(f"the oldest {shown}, newer above")
        more = ", more above and below" if self.has_newer else ", more below" if self.has_older else ""
        return Content(f"{shown}{more}")
