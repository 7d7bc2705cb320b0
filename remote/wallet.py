"""The wallet: what can be topped up and how, what was, and redeem codes."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final

from remote.calls import Calls
from remote.fields import required
from remote.generations import KnownServer
from remote.pages import Page
from remote.quota_units import micro_usd_of
from remote.usage import MAX_PAGE_SIZE
from store.errors import AnswerLost, AnswerUnreadable, CodeRefused, InvalidNumber, InvalidSecret, ServerRefused

TOP_UP_PATH: Final = "/api/user/topup"
_MAX_CODE_LENGTH: Final = 128
_REFUSED: Final = "The server did not take this code: it is unknown, used, or too old."
_LOST: Final = "The answer did not arrive. Look at the balance: the code may have been redeemed."


@dataclass(frozen=True, slots=True)
class TopUp:
    """One payment, as the payment provider's part of the server keeps it."""

    trade_number: str
    at: datetime | None
    amount: int
    """In the units that the server sells, usually dollars."""
    paid: Decimal | None
    """In the currency of the payment."""
    method: str
    status: str
    completed_at: datetime | None


@dataclass(frozen=True, slots=True)
class TopUpWays:
    """The ways to raise the balance."""

    takes_payments: bool
    """True if the server's page takes payments. They need a browser."""
    takes_codes: bool
    link: str
    """The administrator's address for buying codes; or empty."""


class Wallet:
    """Reads payments, and redeems codes."""

    def __init__(self, calls: Calls, server: KnownServer) -> None:
        self._calls = calls
        self._server = server

    async def ways(self) -> TopUpWays:
        """The ways to raise the balance. Raises the session errors."""
        data = required(await self._calls.read(f"{TOP_UP_PATH}/info"))
        switches = [name for name in data.members if name.startswith("enable_") and name.endswith("_topup")]
        return TopUpWays(
            takes_payments=any(data.flag(name) for name in switches),
            takes_codes=data.flag("enable_redemption", default=True),
            link=data.text("topup_link", 500),
        )

    async def top_ups(self, page: int = 1, page_size: int = 50) -> Page[TopUp]:
        """One page of payments. Raises `InvalidNumber` for a page that cannot be, and the session errors."""
        if page < 1 or not 1 <= page_size <= MAX_PAGE_SIZE:
            raise InvalidNumber
        data = required(await self._calls.read(f"{TOP_UP_PATH}/self", {"p": str(page), "page_size": str(page_size)}))
        entries = tuple(
            TopUp(
                trade_number=row.text("trade_no", 200),
                at=row.time("create_time"),
                amount=row.whole("amount"),
                paid=row.number("money"),
                method=row.text("payment_method", 80),
                status=row.text("status", 80),
                completed_at=row.time("complete_time"),
            )
            for row in data.items("items")
        )
        return Page(entries, page, page_size, data.whole("total"))

    async def redeem(self, code: str) -> int:
        """Add the amount of a code to the balance; returns it in micro-USD. Each code works once.

        Raises `InvalidSecret` for text that is no code, `CodeRefused`, each with its `field`; `AnswerLost`, and the
        session errors.
        """
        facts = await self._server.facts()
        bare = code.strip()
        if not bare or len(bare) > _MAX_CODE_LENGTH or not all("!" <= letter <= "~" for letter in bare):
            raise InvalidSecret("A code has no spaces and no accents.", field="code")
        try:
            reply = await self._calls.change("POST", TOP_UP_PATH, {"key": bare}, signs_in=True)
        except ServerRefused as error:
            raise CodeRefused(_REFUSED, field="code") from error
        except AnswerLost as error:
            raise AnswerLost(_LOST) from error
        if isinstance(reply.data, bool) or not isinstance(reply.data, int | Decimal):
            raise AnswerUnreadable(_LOST)
        return micro_usd_of(reply.data, facts.quota_per_usd)
