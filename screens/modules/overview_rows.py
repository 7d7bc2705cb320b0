"""The figures of the page Overview as tiles, bars and lines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from textual.content import Content

from screens.event_words import WORDS
from screens.recommendations import ADVISED, FOLLOWED
from store.money import MICRO_PER_USD, show_usd
from store.text import cell_width, pad, pluralize, sanitize
from store.values.capabilities import EVERYTHING
from store.values.notifications import CONFIRM_EMAIL, DeliveryState
from tui.widgets.share_bars import Share
from tui.widgets.tiles import Tile

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime, tzinfo

    from store.values.dashboard import Dashboard, Period
    from store.values.notifications import LoggedDelivery
    from store.values.recommendations import Check
    from store.values.usage import LoggedEntry, UsageTotal
    from tui.account import Capabilities

TITLES: Final = ("Left", "Today", "7 days", "30 days", "Errors")
NAMED: Final = 4
"""The models, and keys, that have a row of their own."""
_WIDEST_NAME: Final = 24
_WIDEST_STATUS: Final = 14
_MESSAGES: Final = {
    "quota:warning": "Quota warning",
    "notification:test": "Test message",
    CONFIRM_EMAIL: "Confirmation code",
}
_STATES: Final = {
    DeliveryState.WAITING: ("▲ waiting", "$text-warning"),
    DeliveryState.DELIVERED: ("✓ sent", "$text-success"),
    DeliveryState.FAILED: ("✗ failed", "$text-error"),
    DeliveryState.DAMAGED: ("✗ unreadable", "$text-error"),
}


def tiles_of(shown: Dashboard, can: Capabilities = EVERYTHING) -> tuple[Tile, ...]:
    """The five tiles."""
    yesterday = _muted(f"was {show_usd(shown.today.before.cost_micro_usd)}")
    return (
        _left(shown),
        _spent(TITLES[1], shown.today, (yesterday,)),
        _spent(TITLES[2], shown.week, _cost_change(shown.week)),
        _spent(TITLES[3], shown.month, _cost_change(shown.month)),
        _errors(shown, can),
    )


def shares_of(totals: Sequence[UsageTotal], *, nameless: str, noun: str) -> tuple[Share, ...]:
    """The dearest names, and all others together."""
    first, rest = totals[:NAMED], totals[NAMED:]
    shares = [Share(total.name or nameless, total.cost_micro_usd, _cost(total.cost_micro_usd)) for total in first]
    if rest:
        cost = sum(total.cost_micro_usd for total in rest)
        others = pluralize(sum(total.names for total in rest), f"other {noun}")
        shares.append(Share(others, cost, _cost(cost), is_rest=True))
    return tuple(shares)


def lines_of_checks(checks: Sequence[Check]) -> tuple[Content, ...]:
    """One line for each recommendation."""
    marks = ((check, FOLLOWED if check.is_met else ADVISED) for check in checks)
    return tuple(Content.assemble((f"{mark} ", colour), check.title) for check, (mark, _, colour) in marks)


def lines_of_errors(errors: Sequence[LoggedEntry], zone: tzinfo) -> tuple[Content, ...]:
    """Time, status, model, key and the sentence of each error, below each other."""
    statuses = _aligned([sanitize(error.entry.status, _WIDEST_STATUS) for error in errors])
    models = _aligned([sanitize(error.entry.model, _WIDEST_NAME) for error in errors])
    keys = _aligned([sanitize(error.entry.api_key_name, _WIDEST_NAME) for error in errors])
    return tuple(
        Content.assemble(
            (f"{error.at.astimezone(zone):%m-%d %H:%M}  ", "$foreground-muted"),
            (f"{status}  ", "$text-error"),
            f"{model}  {key}  ",
            (sanitize(error.entry.detail, 200), "$foreground-muted"),
        )
        for error, status, model, key in zip(errors, statuses, models, keys, strict=True)
    )


def lines_of_deliveries(deliveries: Sequence[LoggedDelivery], zone: tzinfo) -> tuple[Content, ...]:
    """Time, state, message and channel of each delivery, and why it failed."""
    return tuple(
        Content.assemble(
            (f"{_time(delivery).astimezone(zone):%m-%d %H:%M}  ", "$foreground-muted"),
            _STATES[delivery.state],
            f"  {_message(delivery.kind)} by {delivery.channel.value}",
            (f"  {sanitize(delivery.error, 200)}" if delivery.error else "", "$foreground-muted"),
        )
        for delivery in deliveries
    )


def tokens_in_words(tokens: int) -> str:
    """`812 tokens`, `447k tokens`, `1.2M tokens`."""
    if tokens < 10_000:
        return f"{tokens:,} token{'' if tokens == 1 else 's'}"
    return f"{tokens // 1000:,}k tokens" if tokens < 1_000_000 else f"{tokens / 1_000_000:,.1f}M tokens"


def _aligned(words: list[str]) -> list[str]:
    """The words, all as wide as the widest."""
    width = max(map(cell_width, words), default=0)
    return [pad(word, width) for word in words]


def _time(delivery: LoggedDelivery) -> datetime:
    return delivery.last_attempt_at or delivery.created_at


def _cost(micro_usd: int) -> str:
    return "<$0.01" if 0 < micro_usd < MICRO_PER_USD // 100 else show_usd(micro_usd)


def _message(kind: str) -> str:
    return _MESSAGES.get(kind) or WORDS.get(kind) or sanitize(kind.replace(":", " ").replace("-", " "), 40)


def _left(shown: Dashboard) -> Tile:
    left, used = shown.quota.remaining_micro_usd, shown.quota.used_micro_usd
    if left < shown.threshold_micro_usd or not left:
        colour = "$text-error"
    else:
        colour = "$text-warning" if left < 2 * shown.threshold_micro_usd else "$text-success"
    percent = left * 100 // (left + used) if left + used else 0
    held = shown.quota.held_micro_usd
    return Tile(
        TITLES[0],
        Content.styled(show_usd(left), colour),
        (
            (_filled_bar(percent, 6, colour), _filled_bar(percent, 4, colour)),
            (_muted(f"{show_usd(held)} held"), _muted("held")) if held else (_muted(""),),
        ),
    )


def _filled_bar(percent: int, width: int, colour: str) -> Content:
    cells = -(-percent * width // 100)
    return Content.assemble(("█" * cells, colour), ("░" * (width - cells), "$foreground-muted"), f" {percent} %")


def _spent(title: str, period: Period, change: tuple[Content, ...]) -> Tile:
    return Tile(title, Content(show_usd(period.now.cost_micro_usd)), ((_calls(period),), change))


def _errors(shown: Dashboard, can: Capabilities) -> Tile:
    errors, calls = shown.chosen.now.errors, shown.chosen.now.calls
    if can.errors_may_be_unlogged and not errors:
        return Tile(TITLES[4], _muted("–"), ((_muted("none logged"), _muted("none")), (_muted(""),)))
    rate = f"{errors * 100 / calls:.1f} %" if calls else "0 %"
    change = shown.chosen.errors_change_percent
    colour = "$text-error" if (change or 0) > 0 else "$text-success"
    return Tile(
        TITLES[4],
        Content.styled(f"{errors:,}", "$text-error" if errors else "$text-success"),
        ((_muted(f"{rate} of calls"), _muted(rate)), _change(change, colour)),
    )


def _calls(period: Period) -> Content:
    return _muted(f"{period.now.calls:,} call{'' if period.now.calls == 1 else 's'}")


def _cost_change(period: Period) -> tuple[Content, ...]:
    return _change(period.cost_change_percent, "$foreground-muted")


def _change(percent: int | None, colour: str) -> tuple[Content, ...]:
    """The change in words, the longest first."""
    if percent is None:
        return _muted("none before"), _muted("new")
    if not percent:
        return _muted("as before"), _muted("same")
    return (Content.styled(f"{'▲' if percent > 0 else '▼'} {abs(percent):,} %", colour),)


def _muted(text: str) -> Content:
    return Content.styled(text, "$foreground-muted")
