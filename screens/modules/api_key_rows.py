"""An API key in words: the columns of the list, and the lines below it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from textual.content import Content

from screens.relative_time import ago, until
from store.money import show_usd
from store.text import pluralize, sanitize
from store.values.api_keys import KeyState, LimitPeriod
from tui.widgets.bar import bar
from tui.widgets.state import State, state_chip
from tui.widgets.table_columns import TableColumn

if TYPE_CHECKING:
    from store.values.api_keys import ApiKeyInfo

_GAP: Final = Content("   ")
SOON: Final = timedelta(days=7)
"""A key that expires within this time is marked."""
BAR_CELLS: Final = 6
SPENT_CELLS: Final = 20
"""Cells of `$3.10 of $5.00/month`."""
ROOMY_CELLS: Final = 50
"""Cells of a row from which the spending has its whole width."""
NEARLY_SPENT_PERCENT: Final = 80
PERIODS: Final = {
    LimitPeriod.NONE: "",
    LimitPeriod.DAILY: "/day",
    LimitPeriod.WEEKLY: "/week",
    LimitPeriod.MONTHLY: "/month",
}
_CHIPS: Final = {
    KeyState.SPENT: (State.ATTENTION, "used up"),
    KeyState.DISABLED: (State.OFF, "disabled"),
    KeyState.EXPIRED: (State.FAILED, "expired"),
    KeyState.REVOKED: (State.FAILED, "revoked"),
}


def state_of(key: ApiKeyInfo, now: datetime) -> Content:
    """The state as a chip."""
    state = key.state(now)
    if state in _CHIPS:
        return state_chip(*_CHIPS[state])
    if key.expires_at is not None and key.expires_at - now <= SOON:
        return state_chip(State.ATTENTION, f"{until(key.expires_at, now).removeprefix('in ')} left")
    return state_chip(State.ON, "active")


def spent_of(key: ApiKeyInfo) -> Content:
    """The amount that was spent, and the limit."""
    spent, limit = show_usd(key.spent_micro_usd), key.spend_limit_micro_usd
    if limit is None:
        return Content(spent)
    return Content(f"{spent} of {show_usd(limit)}{PERIODS[key.limits.limit_period]}")


def bar_of(key: ApiKeyInfo, now: datetime) -> Content:
    """The spent part of the limit, as a bar; empty without a limit."""
    limit = key.spend_limit_micro_usd
    if limit is None or key.state(now) is KeyState.REVOKED:
        return Content("")
    percent = key.spent_micro_usd * 100 // limit
    warned = "$text-warning" if percent >= NEARLY_SPENT_PERCENT else "$text-success"
    return bar(key.spent_micro_usd, limit, BAR_CELLS, "$text-error" if percent >= 100 else warned)


def expiry_of(key: ApiKeyInfo, now: datetime) -> str:
    if key.expires_at is None:
        return "never"
    return until(key.expires_at, now) if key.expires_at > now else ago(key.expires_at, now)


def short_key(key: ApiKeyInfo) -> str:
    """`sk-…9Qwe`"""
    return f"sk-…{sanitize(key.last_four, 8)}"


def columns(now: datetime, room: int) -> list[TableColumn[ApiKeyInfo]]:
    """The columns of the list, for a time and a width in cells."""
    return [
        TableColumn("Name", lambda key: Content(sanitize(key.name, 64)), 16, minimum=10, maximum=30),
        TableColumn("Key", lambda key: Content(short_key(key)), 8, priority=3),
        TableColumn("State", lambda key: state_of(key, now), 13),
        TableColumn("", lambda key: bar_of(key, now), BAR_CELLS, priority=2),
        TableColumn("Spent", spent_of, SPENT_CELLS, minimum=SPENT_CELLS if room >= ROOMY_CELLS else 7, maximum=26),
        TableColumn("Used", lambda key: Content(ago(key.last_used_at, now)), 11, priority=1),
        TableColumn("Expires", lambda key: Content(expiry_of(key, now)), 11, priority=5, is_extra=True),
        TableColumn(
            "From",
            lambda key: Content(sanitize(key.last_used_ip or "", 45)),
            15,
            minimum=12,
            maximum=39,
            priority=4,
            is_told=lambda key: key.last_used_ip is not None,
        ),
    ]


def details(key: ApiKeyInfo, now: datetime, width: int, *, has_rate: bool = True) -> Content:
    """Everything about a key that the list may have no column for, in lines of `width` cells."""
    limits = key.limits
    rate = limits.requests_per_minute
    facts = [
        ("Made", ago(key.created_at, now)),
        ("Expires", expiry_of(key, now)),
        ("Used", _last_use(key, now)),
        ("Models", ", ".join(sanitize(name, 60) for name in limits.allowed_models or ()) or "all"),
        ("Addresses", ", ".join(sanitize(network, 60) for network in limits.allowed_networks or ()) or "all"),
        *([("Requests", "no limit" if rate is None else f"{rate:,} a minute")] if has_rate else []),
    ]
    if limits.limit_period is not LimitPeriod.NONE:
        facts.append(("Spent in all", show_usd(key.total_spent_micro_usd)))
    if key.rotated_at is not None:
        facts.append(("Rotated", ago(key.rotated_at, now)))
    if key.previous_expires_at is not None:
        facts.append(("The old key works", _for(key.previous_expires_at - now)))
    parts = [Content.assemble((f"{name} ", "$foreground-muted"), Content(words)) for name, words in facts]
    return Content("\n").join(_in_lines(parts, width))


def _in_lines(parts: list[Content], width: int) -> list[Content]:
    """The parts side by side; one that does not fit into the line begins the next."""
    lines: list[Content] = []
    for part in parts:
        if lines and lines[-1].cell_length + _GAP.cell_length + part.cell_length <= width:
            lines[-1] = Content.assemble(lines[-1], _GAP, part)
        else:
            lines.append(part)
    return lines


def _last_use(key: ApiKeyInfo, now: datetime) -> str:
    place = f" from {sanitize(key.last_used_ip, 45)}" if key.last_used_ip else ""
    return ago(key.last_used_at, now) + place


def _for(left: timedelta) -> str:
    minutes = -(-int(left.total_seconds()) // 60)
    if minutes < 2 * 60:
        return f"for {pluralize(minutes, 'minute')} more"
    return f"for {minutes // 60} hours more" if minutes < 48 * 60 else f"for {minutes // 1440} days more"
