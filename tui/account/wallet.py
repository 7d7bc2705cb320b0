"""The wallet: the ledger of the balance, and redeem codes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from store.values.ledger import LedgerPage
    from store.values.redeem_codes import Redeemed
    from store.values.row_export import Exported, ExportFormat, ExportProgress
    from store.values.usage import LoggedEntry


class WalletService(Protocol):
    """Reads the ledger, and redeems codes. Every amount is in micro-USD."""

    async def ledger(self, before: int | None = None) -> LedgerPage:
        """At most 50 changes of the balance, the newest first; `before` is the `next_before` of the page above.

        Raises the session errors.
        """
        ...

    async def newer_ledger(self, after: int | None = None) -> LedgerPage:
        """At most 50 changes above sequence number `after`, the oldest ones; None begins with the first change.

        Within the page the newest change is first, and `next_after` is the `after` of the next page. Raises the session
        errors.
        """
        ...

    async def ledger_call(self, usage_entry_id: int) -> LoggedEntry | None:
        """The call that a change paid for; None if the log no longer has it. Raises the session errors."""
        ...

    async def export_ledger(self, path: Path, form: ExportFormat, told: Callable[[ExportProgress], None]) -> Exported:
        """Save every change of the balance to a file, the newest first, as `FileService.save` does.

        `told` is called on the event loop as the export goes on. Once the call is cancelled, no file is left. Raises
        the errors of `FileService.save`, and the session errors.
        """
        ...

    async def redeem_code(self, code: str) -> Redeemed:
        """Add the amount of a code to the balance. Each code works once.

        Raises `InvalidSecret` for text that is no code, `CodeRefused`, each with its `field`, `TooManyAttempts`,
        `FactorDisabled`, `InvalidMoney` for a balance above the maximum, and the session errors.
        """
        ...
