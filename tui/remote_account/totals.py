"""Totals of the calls by model, from the statistics that the server keeps by hour."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from store.errors import NotOnThisServer
from tui.remote_account.topic import RemoteTopic

if TYPE_CHECKING:
    from store.values.usage import UsageTotal

MOST_DAYS: Final = 30
_OFF: Final = "The administrator of this server has switched statistics off. `usage list` shows the calls."
_TOO_MANY: Final = f"This server adds up at most {MOST_DAYS} days: say --days {MOST_DAYS} or less."


class RemoteTotals(RemoteTopic):
    """The totals of an account. They are some minutes behind, and the server counts no errors in them."""

    async def usage_totals(self, days: int) -> list[UsageTotal]:
        """The totals of the last `days` UTC days by model, the dearest first.

        Raises `NotOnThisServer` and the session errors.
        """
        from store.values.usage import UsageTotal

        self._check_open()
        if days > MOST_DAYS:
            raise NotOnThisServer(_TOO_MANY)
        if not self._known.has_statistics:
            raise NotOnThisServer(_OFF)
        now = self._now()
        midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
        found: dict[str, UsageTotal] = {}
        for hour in await self._client.usage.statistics(midnight - timedelta(days=days - 1), now):
            known = found.get(hour.model, UsageTotal(hour.model, 0, 0, 0, 0))
            found[hour.model] = UsageTotal(
                hour.model,
                known.calls + hour.calls,
                0,
                known.tokens + hour.tokens,
                known.cost_micro_usd + hour.cost_micro_usd,
            )
        return sorted(found.values(), key=lambda total: (-total.cost_micro_usd, -total.calls, total.name))
