"""The contents of the page Overview."""

from dataclasses import dataclass
from typing import NamedTuple

from store.values.billing import QuotaState
from store.values.notifications import LoggedDelivery
from store.values.recommendations import Check
from store.values.usage import DayTotal, LoggedEntry, UsageTotal


@dataclass(frozen=True, slots=True)
class Period:
    """The totals of some days, and of as many days before them."""

    now: DayTotal
    """Its `day` is the first day of the period."""
    before: DayTotal

    @property
    def cost_change_percent(self) -> int | None:
        """The change of the cost in percent; None if the days before cost nothing."""
        return _change(self.now.cost_micro_usd, self.before.cost_micro_usd)

    @property
    def errors_change_percent(self) -> int | None:
        """The change of the number of errors in percent; None if there were none before."""
        return _change(self.now.errors, self.before.errors)


class Dashboard(NamedTuple):
    """The contents of the page Overview at one moment, from one transaction. Days are UTC days."""

    quota: QuotaState
    threshold_micro_usd: int
    """The quota warning threshold."""
    today: Period
    week: Period
    month: Period
    chosen: Period
    """The last `len(days)` days."""
    days: tuple[DayTotal, ...]
    """Each day of the chosen range, oldest first, also those without a call."""
    by_model: tuple[UsageTotal, ...]
    """The chosen range by model, the dearest first. A refused call has no model, and its name is empty."""
    by_key: tuple[UsageTotal, ...]
    last_errors: tuple[LoggedEntry, ...]
    """Newest first."""
    last_deliveries: tuple[LoggedDelivery, ...]
    """Newest first."""
    checks: tuple[Check, ...]


def period(days: tuple[DayTotal, ...], count: int) -> Period:
    """The last `count` of `days`, and the `count` days before them. `days` has at least `2 * count` days."""
    return Period(_sum(days[-count:]), _sum(days[-2 * count : -count]))


def _sum(days: tuple[DayTotal, ...]) -> DayTotal:
    return DayTotal(
        days[0].day,
        sum(day.calls for day in days),
        sum(day.errors for day in days),
        sum(day.tokens for day in days),
        sum(day.cost_micro_usd for day in days),
    )


def _change(now: int, before: int) -> int | None:
    """Half a percent is rounded away from zero."""
    if not before:
        return None
    doubled = (now - before) * 200
    rounded = (abs(doubled) + before) // (2 * before)
    return rounded if doubled >= 0 else -rounded
