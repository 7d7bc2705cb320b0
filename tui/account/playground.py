"""The playground: questions to models, at the account's expense."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from store.values.playground import AnswerPart, CostEstimate, PlaygroundPrice, PlaygroundQuestion


class RunningAnswer(Protocol):
    """An answer that is being given. Iterate over it once; the last part is an `AnswerEnd`.

    Iterating raises the error of a call that was refused or failed before its first part.
    """

    def __aiter__(self) -> AsyncIterator[AnswerPart]: ...

    def stop(self) -> None:
        """Ask for no more. What came is kept and charged, and the `AnswerEnd` follows."""
        ...

    async def aclose(self) -> None:
        """End the iteration at once. The call is booked all the same."""
        ...


class PlaygroundService(Protocol):
    """Asks models."""

    async def playground_answer(self, question: PlaygroundQuestion) -> RunningAnswer:
        """The answer to `question`, which iterating over it asks for. Raises `SessionEnded`.

        Iterating raises `ModelNotPriced`, `QuotaExceeded`, `SpendLimitReached`, `InvalidApiKey` for a key that is not
        usable, `QuestionRefused`, `UpstreamFailed` and the session errors.
        """
        ...

    async def playground_price(self, model: str) -> PlaygroundPrice:
        """The price that the account pays for `model`. Raises the session errors."""
        ...

    async def playground_estimate(self, question: PlaygroundQuestion) -> CostEstimate:
        """The most that the answer to `question` can cost.

        Raises `QuestionRefused` for a question that no request can be made of, and the session errors.
        """
        ...
