"""The line that tells after a sign-in what happened before it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.widgets import Static

from screens.relative_time import ago
from store.text import sanitize

if TYPE_CHECKING:
    from datetime import datetime

    from store.values.sign_in import SignInNews


class SignInLine(Static):
    """Shown until the person has done something."""

    def __init__(self, sentence: str, *, is_warning: bool) -> None:
        super().__init__(sentence, id="last-sign-in", markup=False, classes="warning" if is_warning else "muted")


def sign_in_line(news: SignInNews, now: datetime) -> SignInLine | None:
    """The line for `news`, or None if there is nothing to tell."""
    sentences = []
    failed = 0
    if news.past is not None:
        failed = news.past.failed_since
        sentences.append(f"Last sign-in: {ago(news.past.at, now)} from {sanitize(news.past.source, 60)}.")
        if failed:
            sentences.append(f"{failed} failed {'try' if failed == 1 else 'tries'} since.")
    left = news.backup_codes_left
    if left is not None:
        sentences.append(f"You used a backup code: {left or 'none'} {'is' if left == 1 else 'are'} left.")
    return SignInLine(" ".join(sentences), is_warning=bool(failed) or left is not None) if sentences else None
