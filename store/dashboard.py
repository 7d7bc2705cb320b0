"""The dashboard: the figures of the page Overview, in one transaction."""

from typing import Final

from store.deliveries import Deliveries
from store.quota import Quotas
from store.recommendations import Recommendations
from store.sections import NotificationSettings
from store.sessions import Sessions
from store.settings import Settings
from store.usage_log import UsageLog
from store.usage_totals import UsageTotals
from store.values.dashboard import Dashboard, period
from store.values.usage import Kind, UsageFilter

MONTH_DAYS: Final = 30
LISTED: Final = 5
"""The errors, and the deliveries, that are listed."""


class Dashboards:
    """Reads the dashboard of an account."""

    def __init__(
        self,
        sessions: Sessions,
        quotas: Quotas,
        totals: UsageTotals,
        usage: UsageLog,
        deliveries: Deliveries,
        recommendations: Recommendations,
        settings: Settings,
    ) -> None:
        self._sessions = sessions
        self._quotas = quotas
        self._totals = totals
        self._usage = usage
        self._deliveries = deliveries
        self._recommendations = recommendations
        self._settings = settings

    def read(self, token: str, days: int, *, is_activity: bool = True) -> Dashboard:
        """The dashboard over the last `days` UTC days. Its time does not grow with the log.

        A refresh that nobody asked for is no activity: it must not keep an abandoned session alive. Raises
        `InvalidNumber`.
        """
        with self._sessions.reading(token, is_activity=is_activity) as (tx, session):
            account_id = session.account_id
            all_days = self._totals.days_of(tx, account_id, 2 * max(days, MONTH_DAYS))
            notifications = self._settings.read(tx, account_id, NotificationSettings).section
            return Dashboard(
                quota=self._quotas.state_of(tx, account_id),
                threshold_micro_usd=notifications.threshold_micro_usd,
                today=period(all_days, 1),
                week=period(all_days, 7),
                month=period(all_days, MONTH_DAYS),
                chosen=period(all_days, days),
                days=all_days[-days:],
                by_model=self._totals.totals_of(tx, account_id, days, by="model"),
                by_key=self._totals.totals_of(tx, account_id, days, by="key"),
                last_errors=self._usage.page_of(tx, account_id, UsageFilter(Kind.ERROR), limit=LISTED).entries,
                last_deliveries=self._deliveries.page_of(tx, account_id, limit=LISTED).deliveries,
                checks=tuple(self._recommendations.check_of(tx, session)),
            )
