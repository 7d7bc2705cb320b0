"""The balance in tiles: what is left, what was used, and how long it lasts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from textual.content import Content

from store.money import show_usd
from store.text import pluralize
from tui.widgets.tiles import Tile

if TYPE_CHECKING:
    from collections.abc import Sequence

    from store.values.billing import QuotaState
    from store.values.usage import DayTotal

PACE_DAYS: Final = 7
"""The days whose cost says how long the balance lasts."""
_FAR_DAYS: Final = 365


def tiles_of(quota: QuotaState, days: Sequence[DayTotal]) -> tuple[Tile, ...]:
    """The three tiles. `days` are the last `PACE_DAYS` days."""
    return (
        Tile(
            "Balance",
            Content.styled(show_usd(quota.remaining_micro_usd), "$text-success"),
            (_held(quota.held_micro_usd),),
        ),
        Tile(
            "Used",
            Content(show_usd(quota.used_micro_usd)),
            ((_muted(f"of {show_usd(quota.used_micro_usd + quota.remaining_micro_usd)} in all"),),),
        ),
        _lasts(quota.remaining_micro_usd, sum(day.cost_micro_usd for day in days)),
    )


def _held(micro_usd: int) -> tuple[Content, ...]:
    if not micro_usd:
        return (_muted("none held"),)
    return _muted(f"{show_usd(micro_usd)} held by calls"), _muted(f"{show_usd(micro_usd)} held")


def _lasts(remaining_micro_usd: int, spent_micro_usd: int) -> Tile:
    if not spent_micro_usd:
        return Tile("Lasts", Content("as it is"), ((_muted("nothing spent this week"), _muted("none spent")),))
    days = remaining_micro_usd * PACE_DAYS // spent_micro_usd
    words = "over a year" if days > _FAR_DAYS else f"about {pluralize(days, 'day')}" if days else "less than a day"
    return Tile("Lasts", Content(words), ((_muted("at the last week's pace"), _muted("at this pace")),))


def _muted(text: str) -> Content:
    return Content.styled(text, "$foreground-muted")
