"""Overview: usage of the last thirty days, and the recommendations."""

from __future__ import annotations

from datetime import timedelta
from typing import ClassVar

from textual import work
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Sparkline, Static

from screens.account_modal import Notice
from screens.modules.module_page import ModulePage
from store.money import show_usd

_DAYS = 30


class OverviewPage(ModulePage):
    HELP_TEXT: ClassVar[str] = (
        "The last thirty days of your account: calls, errors, tokens and cost, the cost of each day as a "
        "line, and the five recommendations. The figures are added up as calls are made."
    )

    def compose(self) -> ComposeResult:
        yield Static("The last 30 days", classes="section-title")
        yield Static("…", id="totals", markup=False)
        with Vertical(id="by-day"):
            yield Static("Cost by day", classes="section-title spaced")
            yield Sparkline([0.0], id="costs")
            yield Static("", id="span", classes="muted", markup=False)
        yield Static("Recommendations", classes="section-title spaced")
        yield Static("", id="checks")
        yield Notice()

    def reload(self) -> None:
        self.load()

    @work(exclusive=True, group="load")
    async def load(self) -> None:
        days, summary = (
            await self.run_with_reauth(lambda: self.account.daily_usage(_DAYS)),
            await self.run_with_reauth(self.account.summary),
        )
        if days is None or summary is None:
            return
        calls, errors = sum(day.calls for day in days.value), sum(day.errors for day in days.value)
        tokens, cost = sum(day.tokens for day in days.value), sum(day.cost_micro_usd for day in days.value)
        self.query_one("#totals", Static).update(
            f"{calls:,} calls · {errors:,} errors · {tokens:,} tokens · {show_usd(cost)} spent · "
            f"{show_usd(summary.value.remaining_micro_usd)} left"
            if days.value
            else "Nothing was used yet. Create an API key to begin."
        )
        self.query_one("#by-day").display = bool(days.value)
        costs = {day.day: day.cost_micro_usd for day in days.value}
        today = self.account.now().date()
        dates = [today - timedelta(days=back) for back in range(_DAYS - 1, -1, -1)]
        self.query_one(Sparkline).data = [float(costs.get(f"{date:%Y-%m-%d}", 0)) for date in dates]
        self.query_one("#span", Static).update(
            f"{dates[0]} to {dates[-1]}, most on a day {show_usd(max(costs.values(), default=0))}"
        )
        lines = [
            Content.assemble(
                ("✓ ", "$text-success") if check.is_met else ("! ", "$text-warning"),
                check.title,
                (f"\n  {check.finding}", "$foreground-muted"),
            )
            for check in summary.value.checks
        ]
        self.query_one("#checks", Static).update(Content("\n").join(lines))
