"""One change of the balance, and the call that it paid for."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

from textual.app import ComposeResult
from textual.content import Content
from textual.widgets import Static

from screens.account_modal import AccountModal
from screens.modules.log_columns import status_words, took
from store.money import show_usd
from store.text import sanitize
from store.values.ledger import LedgerKind
from tui.widgets.action_button import ActionButton
from tui.widgets.actions import Actions
from tui.widgets.dialog import Dialog

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import tzinfo

    from store.values.ledger import LedgerEntry
    from store.values.usage import LoggedEntry

_SENTENCES: Final = {
    LedgerKind.OPENING: "The balance before there was a ledger",
    LedgerKind.TOP_UP: "The administrator topped the balance up",
    LedgerKind.DEBIT: "The administrator took an amount away",
    LedgerKind.CODE: "A code was redeemed",
    LedgerKind.CALL: "A call was paid",
    LedgerKind.HOLD_RELEASED: "An amount that was held is free again",
}
_LABEL_CELLS: Final = 15


class LedgerDetails(AccountModal[None]):
    """Everything about one change."""

    HELP_TEXT: ClassVar[str] = (
        "One change of your balance, exact to a millionth of a dollar: its reason, who made it, and the call that it "
        "paid for. The call itself stands in Usage Logs."
    )

    def __init__(self, entry: LedgerEntry, call: LoggedEntry | None, zone: tzinfo) -> None:
        super().__init__()
        self._entry, self._call, self._zone = entry, call, zone

    def compose(self) -> ComposeResult:
        with Dialog(f"Change {self._entry.sequence}", subtitle=_SENTENCES[self._entry.kind]):
            yield Static(Content("\n").join(list(self._lines())))
            with Actions(classes="-apart"):
                yield ActionButton("Close", id="cancel", shortcut="esc", variant="primary")

    def _lines(self) -> Iterator[Content]:
        entry = self._entry
        yield _line("Time", f"{entry.at.astimezone(self._zone):%Y-%m-%d %H:%M:%S %Z}")
        yield _line("Amount", Content.styled(show_usd(entry.amount_micro_usd, exact=True), "bold"))
        yield _line("Balance after", show_usd(entry.balance_micro_usd, exact=True))
        if entry.kind is LedgerKind.CALL:
            yield from self._call_lines()
            return
        if entry.reason:
            yield _line("Reason", entry.reason)
        if entry.actor:
            yield _line("By", entry.actor)

    def _call_lines(self) -> Iterator[Content]:
        entry = self._entry
        yield Content("")
        yield _line("Model", entry.reason)
        yield _line("API key", entry.actor or "this account")
        if self._call is None:
            yield _line("Call", "no longer in the log")
            return
        call = self._call.entry
        cached = f", {call.cached_tokens:,} of them cached" if call.cached_tokens else ""
        yield _line("Tokens in", f"{call.prompt_tokens:,}{cached}")
        yield _line("Tokens out", f"{call.completion_tokens:,}")
        if call.images:
            yield _line("Images", f"{call.images:,} {call.image_size}".rstrip())
        yield _line("Took", took(call.duration_ms))
        yield _line("Status", status_words(self._call))
        if call.detail:
            yield _line("Detail", call.detail)
        if call.request_id:
            yield _line("Request", call.request_id)


def _line(label: str, value: str | Content) -> Content:
    shown = value if isinstance(value, Content) else Content(sanitize(value, 200))
    return Content.assemble((label.ljust(_LABEL_CELLS), "$foreground-muted"), shown)
