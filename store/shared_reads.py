"""Reads of several jobs before they write, on one connection. A question that more than one asks is read once."""

from collections.abc import Callable, Hashable
from typing import Any, TypeVar

from sqlalchemy import Connection

T = TypeVar("T")


class SharedReads:
    """The reads of jobs that were all handed in before it was made: no answer is older than the job that gets it."""

    def __init__(self, tx: Connection) -> None:
        self.tx = tx
        self._answers: dict[Hashable, Any] = {}

    def once(self, question: Hashable, read: Callable[[Connection], T]) -> T:
        """The answer to `question`, read by `read` if no other job has asked it. An error of `read` is no answer."""
        if question not in self._answers:
            self._answers[question] = read(self.tx)
        answer: T = self._answers[question]
        return answer
