"""Wallet: the quota, and the prices of models."""

from __future__ import annotations

from typing import ClassVar

from textual import work
from textual.app import ComposeResult
from textual.content import Content
from textual.widgets import DataTable, Static

from screens.account_modal import Notice
from screens.modules.module_page import ModulePage
from store.money import show_usd
from store.text import sanitize


class WalletPage(ModulePage):
    HELP_TEXT: ClassVar[str] = (
        "What is left of your quota and what was used of it. An amount that is held belongs to calls "
        "under way. The prices are those the administrator set; a call costs tokens times price, rounded "
        "up to a millionth of a dollar."
    )

    def compose(self) -> ComposeResult:
        yield Static("Quota", classes="section-title")
        yield Static("…", id="quota", markup=False)
        yield Static("The administrator tops it up: gatekey admin quota NAME +USD", classes="muted", markup=False)
        yield Static("Prices", classes="section-title spaced")
        yield DataTable(cursor_type="none")
        yield Static("", id="prices-state", classes="muted", markup=False)
        yield Notice()

    def on_mount(self) -> None:
        table: DataTable[Content] = self.query_one(DataTable)
        for label, width in (("Model", 28), ("Input / million", 16), ("Output / million", 16), ("Request", 9)):
            table.add_column(label, width=width)
        super().on_mount()

    def reload(self) -> None:
        self.load()

    @work(exclusive=True, group="load")
    async def load(self) -> None:
        quota, prices = await self.run_with_reauth(self.account.quota), await self.run_with_reauth(self.account.prices)
        if quota is None or prices is None:
            return
        state = quota.value
        held = f" · {show_usd(state.held_micro_usd)} held for calls under way" if state.held_micro_usd else ""
        self.query_one("#quota", Static).update(
            f"{show_usd(state.remaining_micro_usd)} left · {show_usd(state.used_micro_usd)} used{held}"
        )
        table: DataTable[Content] = self.query_one(DataTable)
        table.clear()
        for price in prices.value:
            amounts = (price.input_per_million, price.output_per_million, price.per_request)
            table.add_row(
                Content(sanitize(price.model, 60)), *(Content(show_usd(amount, exact=True)) for amount in amounts)
            )
            if price.cached_input_per_million is not None:
                cached = Content(show_usd(price.cached_input_per_million, exact=True))
                table.add_row(Content("  of it cached"), cached, Content(""), Content(""))
        self.query_one("#prices-state", Static).update("" if prices.value else "No model has a price yet.")
