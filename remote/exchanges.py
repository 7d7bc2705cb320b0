"""Exchanges with patience: what is sent again after a fault, how long a refusal is waited for, what an answer means."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final

from remote import answers
from remote.address import ServerAddress
from remote.answers import Envelope
from remote.fields import Fields
from remote.patience import Patience
from remote.transport import HttpAnswer, Request, Transport
from store.errors import (
    AnswerLost,
    AnswerUnreadable,
    CertificateRefused,
    ServerFailed,
    ServerRateLimited,
    ServerRefused,
    ServerUnreachable,
)
from store.text import sanitize

_PROXY: Final = "Something in front of {host} refused the request. Is there a sign-in that your network asks for first?"


@dataclass(frozen=True, slots=True)
class Reply:
    """An accepted answer."""

    data: Any = field(repr=False)
    cookies: Mapping[str, str] = field(repr=False)
    sent_at: datetime | None
    """By the server's clock; None if it does not tell."""
    extra: Fields = field(repr=False, default_factory=Fields)


class Exchanges:
    """Sends requests as they are, with no credential of its own."""

    def __init__(self, transport: Transport, patience: Patience) -> None:
        self._transport = transport
        self.patience = patience
        self._is_awaited = False
        """True if the server has answered, and was not waited for in vain since."""

    @property
    def address(self) -> ServerAddress:
        return self._transport.address

    async def send(self, request: Request, *, is_repeatable: bool, signs_in: bool = False) -> HttpAnswer:
        """The answer to `request`. It is sent again while the server restarts, if that is safe; a server that never
        answered, or was waited for in vain, is not waited for.

        Raises `ServerUnreachable`, `CertificateRefused`, `AnswerLost`, `AnswerUnreadable` and `ServerRateLimited`.
        """
        refusals = outages = 0
        while True:
            try:
                answer = await self._transport.exchange(request)
            except (ServerUnreachable, AnswerLost) as error:
                outages += 1
                is_safe = is_repeatable or not isinstance(error, AnswerLost)
                if isinstance(error, CertificateRefused) or not is_safe or not await self._is_worth_a_wait(outages):
                    raise
                continue
            if answer.status in answers.OUTAGES:
                outages += 1
                if is_repeatable and await self._is_worth_a_wait(outages):
                    continue
                if request.changes:
                    raise AnswerLost(f"The server is not ready (status {answer.status}). {AnswerLost.sentence}")
                raise ServerUnreachable(f"The server is not ready (status {answer.status}). Try again in a moment.")
            self._is_awaited = True
            if answer.status != answers.TOO_MANY or self._code_of(answer):
                return answer
            refusals += 1
            if not await self.patience.after_refusal(refusals, answers.retry_after_s(answer), signs_in=signs_in):
                raise ServerRateLimited

    async def _is_worth_a_wait(self, outages: int) -> bool:
        """Wait before the next try; False if there is to be none."""
        self._is_awaited = self._is_awaited and await self.patience.after_outage(outages)
        return self._is_awaited

    def envelope(self, answer: HttpAnswer) -> Envelope:
        """The envelope in `answer`. Raises `AnswerUnreadable`, `NotOnThisServer` and `ServerFailed`."""
        return answers.read_envelope(answer, self._transport.address.host)

    def check_own(self, refusal: Envelope) -> None:
        """Raise `AnswerUnreadable` if a refusal is not the server's own: a proxy may want a sign-in for itself."""
        if "success" not in refusal.extra:
            raise AnswerUnreadable(_PROXY.format(host=sanitize(self._transport.address.host, 200)))

    def _code_of(self, answer: HttpAnswer) -> str:
        """The code of a refusal for too many requests that no wait of some minutes ends; or empty."""
        try:
            return self.envelope(answer).code
        except ServerFailed:
            return ""

    def reply(self, answer: HttpAnswer, envelope: Envelope) -> Reply:
        """The reply in an accepted answer. Raises `ServerRefused`."""
        if not envelope.is_accepted:
            raise ServerRefused(code=envelope.code)
        return Reply(envelope.data, answers.cookies_of(answer), _date_of(answer), envelope.extra)


def _date_of(answer: HttpAnswer) -> datetime | None:
    try:
        found = parsedate_to_datetime(answer.headers.get("date", ""))
    except ValueError:
        return None
    return found.astimezone(UTC)
