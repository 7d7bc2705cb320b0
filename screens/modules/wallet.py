"""Wallet: the balance, the ledger of its changes, redeem codes, and the prices of models."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import Button, Input, Static

from screens.account_modal import Notice
from screens.modules.ledger_details import LedgerDetails
from screens.modules.ledger_rows import columns, line_of
from screens.modules.module_page import BalanceChanged, ModulePage
from screens.modules.price_rows import PriceRow, line_of_price, price_columns, rows_with, unpriced_words
from screens.modules.redeem_code import RedeemCode
from screens.modules.wallet_tiles import PACE_DAYS, tiles_of
from store.money import show_usd
from store.text import pluralize
from tui.widgets.action_button import ActionButton
from tui.widgets.actions import Actions
from tui.widgets.keyset_table import KeysetTable
from tui.widgets.keyset_window import KeysetPage
from tui.widgets.section import Section
from tui.widgets.text_input import TextInput
from tui.widgets.tiles import Tiles

if TYPE_CHECKING:
    from collections.abc import Sequence

    from store.errors import GatekeyError
    from store.values.billing import ModelPrice
    from store.values.ledger import LedgerEntry


class WalletPage(ModulePage):
    HELP_TEXT: ClassVar[str] = (
        "Your balance and every change of it, exact to a millionth of a dollar: calls, top-ups, codes. A held amount "
        "belongs to calls under way. A call costs tokens times price; the administrator sets the prices and tops up "
        "the balance."
    )
    IS_EXPLAINED: ClassVar[bool] = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("r", "redeem", "Redeem", id="wallet.redeem", tooltip="Redeem a code"),
        Binding("p", "prices", "Prices", id="wallet.prices", tooltip="Show the prices of models"),
        Binding("p", "ledger", "Ledger", id="wallet.ledger", tooltip="Show the changes of the balance again"),
        Binding("e", "export", "Export", id="wallet.export", tooltip="Write the whole list into a file"),
        Binding("slash", "find", "Find", id="wallet.find", key_display="/", tooltip="Find the price of a model"),
    ]

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002 (Widget's)
        super().__init__(id=id, classes=classes)
        self.can_focus = False
        self._prices: Sequence[ModelPrice] = ()
        self._was_unread = False
        """True if the ledger could not be read, until it can."""

    @property
    def purpose(self) -> str:
        limit = self.account.capabilities.no_ledger
        return f"Your balance, and what was added to it. {limit}" if limit else self.HELP_TEXT

    def compose(self) -> ComposeResult:
        yield Tiles(("Balance", "Used", "Lasts"), notes=1, id="balance")
        can = self.account.capabilities
        with Section("Top-ups" if can.no_ledger else "Ledger", id="ledger-section"):
            if can.no_ledger:
                yield Static(can.no_ledger, id="no-ledger", markup=False, classes="muted")
            yield KeysetTable(
                columns(
                    self.app.zone,
                    f"{self.account.now().astimezone(self.app.zone):%Z}",
                    has_balance=not can.no_ledger,
                ),
                older=self._older,
                newer=None if can.no_ledger else self._newer,
                has_details=not can.no_ledger,
                key=lambda entry: entry.sequence,
                text=line_of,
                noun="top-up" if can.no_ledger else "change",
                empty="There is no top-up yet."
                if can.no_ledger
                else "There is no change yet: nothing was added and nothing was spent.",
                id="ledger",
            )
        yield Notice()
        with Actions():
            if not can.no_redeem_codes:
                yield ActionButton("Redeem a code", id="redeem", shortcut="r")
            if self.account.files.are_allowed:
                yield ActionButton("Export", id="export-ledger", shortcut="e")
            if not can.no_prices:
                yield ActionButton("Prices", id="show-prices", shortcut="p")
        if limits := " ".join(filter(None, (can.no_redeem_codes, can.no_prices))):
            yield Static(limits, id="wallet-limits", markup=False, classes="muted")

    def on_mount(self) -> None:
        what = "top-up" if self.account.capabilities.no_ledger else "change"
        self.query_one("#ledger-section", Section).state = _muted(f"every {what}, newest first")
        super().on_mount()

    def focus(self, scroll_visible: bool = True) -> WalletPage:
        self._table.focus(scroll_visible)
        return self

    @property
    def shows_prices(self) -> bool:
        """True while the prices stand in the place of the ledger."""
        return not self.query_one("#ledger-section").display

    @property
    def _table(self) -> KeysetTable[LedgerEntry] | KeysetTable[PriceRow]:
        return self.query_one("#prices" if self.shows_prices else "#ledger", KeysetTable)

    # -- reading ---------------------------------------------------------------------------------------------

    def reload(self) -> None:
        self.load()
        if self.shows_prices:
            self.load_prices()
        else:
            self._table.restart()

    @work(exclusive=True, group="load")
    async def load(self) -> None:
        with self.reading():
            quota = await self.fetch(self.account.quota)
            days = await self.fetch(lambda: self.account.daily_usage(PACE_DAYS)) if quota else None
        if quota is not None and days is not None:
            today = self.account.now().date()
            first = f"{today - timedelta(days=PACE_DAYS - 1)}"
            self.query_one(Tiles).tiles = tiles_of(quota.value, [day for day in days.value if day.day >= first])
        else:
            self.offer_reload()

    @on(KeysetTable.Refreshed)
    def table_refreshed(self) -> None:
        """Read the balance again too."""
        self.query_one(Notice).clear_sentence()
        self.load()

    async def _older(self, before: int | None) -> KeysetPage[LedgerEntry] | None:
        with self.reading(is_whole=False):
            page = await self.fetch(lambda: self.account.ledger(before))
        if page is None:
            self._was_unread = True
            return None
        if self._was_unread:
            self._was_unread = False
            self.query_one(Notice).clear_sentence()
        return KeysetPage(page.value.entries, page.value.next_before)

    async def _newer(self, after: int | None) -> KeysetPage[LedgerEntry] | None:
        with self.reading(is_whole=False):
            page = await self.fetch(lambda: self.account.newer_ledger(after))
        return None if page is None else KeysetPage(page.value.entries, page.value.next_after)

    async def _price_rows(self, _before: int | None) -> KeysetPage[PriceRow] | None:
        return KeysetPage(rows_with(self._prices, self.query_one("#price-filter", Input).value), None)

    @work(exclusive=True, group="prices")
    async def load_prices(self) -> None:
        with self.reading(is_whole=False):
            prices = await self.fetch(self.account.prices)
        if prices is not None:
            self._prices = prices.value
            self.query_one("#prices", KeysetTable).restart()
            state = f"{pluralize(len(self._prices), 'model')}, USD"
            self.query_one("#prices-section", Section).state = _muted(state)
            unpriced = self.query_one("#unpriced", Static)
            unpriced.update(unpriced_words(self._prices))
            unpriced.display = bool(unpriced.content)

    def show_failure(self, error: GatekeyError) -> None:
        self._table.fail(f"{error.title}. {error}")
        super().show_failure(error)

    # -- acting ----------------------------------------------------------------------------------------------

    @on(Button.Pressed, "#redeem")
    def action_redeem(self) -> None:
        self.run_exclusive(self._redeem)

    async def _redeem(self) -> None:
        redeemed = await self.app.push_screen_wait(RedeemCode())
        if redeemed is None:
            return
        self.app.notify(
            f"{show_usd(redeemed.amount_micro_usd, exact=True)} added. {show_usd(redeemed.remaining_micro_usd)} left.",
            title="Code redeemed",
            markup=False,
        )
        self.reload()
        self.post_message(BalanceChanged())

    @on(Button.Pressed, "#export-ledger")
    def action_export(self) -> None:
        self.run_exclusive(self._export)

    async def _export(self) -> None:
        from screens.modules.row_export import export_rows

        if self.account.capabilities.no_ledger:
            what, name = "Every payment that the server lists.", "payments.csv"
        else:
            what, name = "Every change of the balance, with the balance after it.", "ledger.csv"
        await export_rows(self, what, name, self.account.export_ledger)

    @on(KeysetTable.Opened, "#ledger")
    def entry_opened(self, event: KeysetTable.Opened) -> None:
        entry: LedgerEntry = event.row
        self.run_exclusive(lambda: self._show(entry))

    async def _show(self, entry: LedgerEntry) -> None:
        call = None
        if (paid := entry.usage_entry_id) is not None:
            found = await self.run_with_reauth(lambda: self.account.ledger_call(paid))
            if found is None:
                return
            call = found.value
        await self.app.push_screen_wait(LedgerDetails(entry, call, self.app.zone))

    @on(Button.Pressed, "#show-prices")
    async def other_list_pressed(self) -> None:
        await self._show_prices(not self.shows_prices)
        self.focus()

    async def action_prices(self) -> None:
        await self._show_prices(True)
        self.focus()

    async def action_ledger(self) -> None:
        await self._show_prices(False)
        self.focus()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        can = self.account.capabilities
        limits = {
            "redeem": can.no_redeem_codes,
            "prices": can.no_prices,
            "ledger": can.no_prices,
            "find": can.no_prices,
        }
        if limits.get(action):
            return False
        if action == "export":
            return self.account.files.are_allowed and not self.shows_prices
        if action in ("prices", "ledger"):
            return self.shows_prices == (action == "ledger")
        return super().check_action(action, parameters)

    async def action_find(self) -> None:
        await self._show_prices(True)
        self.query_one("#price-filter", Input).focus()

    async def _show_prices(self, wanted: bool) -> None:
        if wanted == self.shows_prices:
            return
        ledger = self.query_one("#ledger-section")
        if not self.query("#prices-section"):
            await self.mount(self._price_section(), after=ledger)
        ledger.display = not wanted
        self.query_one("#prices-section").display = wanted
        for button in self.query("#export-ledger"):
            button.display = not wanted
        self.query_one("#show-prices", ActionButton).label = Content("Ledger" if wanted else "Prices")
        self.reload()

    def _price_section(self) -> Section:
        return Section(
            "Prices",
            TextInput(id="price-filter", placeholder="/ part of a model's name"),
            Static("", id="unpriced", markup=False, classes="muted -hidden"),
            KeysetTable(
                price_columns(),
                older=self._price_rows,
                newer=None,
                key=lambda row: row.place,
                text=line_of_price,
                noun="model",
                empty="No price is named so. An administrator sets prices: gatekey admin price set",
                has_details=False,
                id="prices",
            ),
            id="prices-section",
        )

    @on(Input.Changed, "#price-filter")
    def filter_changed(self) -> None:
        self.query_one("#prices", KeysetTable).restart()

    @on(Input.Submitted, "#price-filter")
    def filter_submitted(self) -> None:
        self.query_one("#prices").focus()


def _muted(text: str) -> Content:
    return Content.styled(text, "$foreground-muted")
