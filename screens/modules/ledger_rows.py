"""Changes of a balance as rows of a table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from textual.content import Content

from store.money import show_amount
from store.text import sanitize
from store.values.ledger import LedgerKind
from tui.widgets.table_columns import TableColumn

if TYPE_CHECKING:
    from datetime import tzinfo

    from store.values.ledger import LedgerEntry

KINDS: Final = {
    LedgerKind.OPENING: "opening",
    LedgerKind.TOP_UP: "top-up",
    LedgerKind.DEBIT: "debit",
    LedgerKind.CODE: "code",
    LedgerKind.CALL: "call",
    LedgerKind.HOLD_RELEASED: "release",
}
"""A word for each kind of change."""


def reason_of(entry: LedgerEntry) -> str:
    """The reason in one line: the model and the key of a call, or who made the change and why."""
    reason, actor = sanitize(entry.reason, 200), sanitize(entry.actor, 64)
    match entry.kind:
        case LedgerKind.CALL:
            return " · ".join(part for part in (reason, actor) if part)
        case LedgerKind.OPENING:
            return "the balance before there was a ledger"
        case LedgerKind.TOP_UP | LedgerKind.DEBIT:
            return f"by {actor}: {reason}" if reason else f"by {actor}"
        case _:
            return reason


def amount_of(entry: LedgerEntry) -> Content:
    """The signed amount, in green for money that came in."""
    amount = show_amount(entry.amount_micro_usd, signed=True)
    return Content.styled(amount, "$text-success") if entry.amount_micro_usd > 0 else Content(amount)


def columns(zone: tzinfo, zone_name: str, *, has_balance: bool = True) -> list[TableColumn[LedgerEntry]]:
    """The columns of the ledger, without the balance where it is not known. Times are those of `zone`."""
    every = [
        TableColumn(
            f"Time, {sanitize(zone_name, 5)}",
            lambda entry: Content.styled(f"{entry.at.astimezone(zone):%m-%d %H:%M}", "$foreground-muted"),
            11,
        ),
        TableColumn("What", lambda entry: Content(KINDS[entry.kind]), 7, priority=3),
        TableColumn(
            "Reason", lambda entry: Content(reason_of(entry)), 30, minimum=10, maximum=90, priority=1, fills=True
        ),
        TableColumn("Amount, USD", amount_of, 13, minimum=11, maximum=21, align="right"),
        TableColumn(
            "Balance",
            lambda entry: Content(show_amount(entry.balance_micro_usd)),
            13,
            minimum=8,
            maximum=21,
            align="right",
            priority=2,
        ),
    ]
    return every if has_balance else every[:-1]


def line_of(entry: LedgerEntry) -> str:
    """An entry as text, for the clipboard."""
    return "\t".join(
        (
            f"{entry.at:%Y-%m-%dT%H:%M:%SZ}",
            KINDS[entry.kind],
            show_amount(entry.amount_micro_usd, signed=True),
            show_amount(entry.balance_micro_usd),
            reason_of(entry),
        )
    )
