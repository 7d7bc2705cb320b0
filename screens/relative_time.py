"""Times as text: relative to now, or by the clock of the person."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime, tzinfo


def ago(then: datetime | None, now: datetime, never: str = "never") -> str:
    """`just now`, `5 min ago`, `2 h ago`, `12 days ago`."""
    if then is None:
        return never
    seconds = int((now - then).total_seconds())
    if seconds < 60:
        return "just now"
    if seconds < 3600:
        return f"{seconds // 60} min ago"
    if seconds < 86400:
        return f"{seconds // 3600} h ago"
    days = seconds // 86400
    return "yesterday" if days == 1 else f"{days} days ago"


def age(then: datetime, now: datetime) -> str:
    """`5 min old`, `2 h old`, `3 days old`; `made just now` and `made yesterday`."""
    since = ago(then, now)
    return f"{since.removesuffix(' ago')} old" if since.endswith(" ago") else f"made {since}"


def until(then: datetime, now: datetime) -> str:
    """`in 5 min`, `in 2 h`, `in 3 days`, or `now` once it has come."""
    seconds = int((then - now).total_seconds())
    if seconds <= 0:
        return "now"
    if seconds < 60:
        return f"in {seconds} s"
    if seconds < 3600:
        return f"in {seconds // 60} min"
    if seconds < 86400:
        return f"in {seconds // 3600} h"
    return f"in {seconds // 86400} days"


def clock(then: datetime, zone: tzinfo) -> str:
    """`2026-11-23 13:00 CET`, with the name of the zone. Screens give `self.app.zone`."""
    return f"{then.astimezone(zone):%Y-%m-%d %H:%M %Z}"
