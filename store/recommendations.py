"""The five operational recommendations, checked against the account's current state."""

from datetime import timedelta
from typing import Final

from sqlalchemy import Connection, select

from store.context import Context
from store.models import AccessToken
from store.money import show_usd
from store.pricing import Pricing
from store.sections import Channel, NotificationSettings
from store.sessions import AuthorizedSession, Sessions
from store.settings import Settings
from store.site import Site
from store.two_factor import TwoFactors
from store.values.recommendations import Advice, Check
from store.values.two_factor import TwoFactorStatus

TOKEN_MAX_AGE: Final = timedelta(days=90)


class Recommendations:
    """Checks the recommendations for an account."""

    def __init__(
        self,
        context: Context,
        sessions: Sessions,
        two_factor: TwoFactors,
        settings: Settings,
        site: Site,
        pricing: Pricing,
    ) -> None:
        self._context = context
        self._sessions = sessions
        self._two_factor = two_factor
        self._settings = settings
        self._site = site
        self._pricing = pricing

    def check(self, token: str) -> list[Check]:
        """The results of all five, in the order of the documentation."""
        with self._sessions.reading(token) as (tx, session):
            return self.check_of(tx, session)

    def check_of(self, tx: Connection, session: AuthorizedSession) -> list[Check]:
        """The results for the session's account, as `check`, inside `tx`."""
        status = self._two_factor.status_of(tx, session.account_id)
        notifications = self._settings.read(tx, session.account_id, NotificationSettings).section
        accepts_unpriced = self._pricing.accepts_unpriced(tx, session.account_id)
        return [
            Check(Advice.TWO_FACTOR, status.is_enabled, "It is on." if status.is_enabled else "It is off."),
            _backup_codes(status),
            self._access_token(tx, session),
            self._quota_warning(tx, session, notifications),
            Check(
                Advice.PRICING,
                not accepts_unpriced,
                "Calls to models without a price are let through; their cost is unpredictable."
                if accepts_unpriced
                else "Calls to models without a price are blocked.",
            ),
        ]

    def _access_token(self, tx: Connection, session: AuthorizedSession) -> Check:
        created_at = tx.execute(
            select(AccessToken.c.created_at).where(AccessToken.c.account_id == session.account_id)
        ).scalar()
        if created_at is None:
            return Check(Advice.ACCESS_TOKEN, True, "There is none to lose.")
        age = self._context.now() - created_at
        fresh = age < TOKEN_MAX_AGE
        finding = "Only its hash is kept."
        return Check(
            Advice.ACCESS_TOKEN, fresh, finding if fresh else f"It is {age.days} days old. Generate a new one."
        )

    def _quota_warning(self, tx: Connection, session: AuthorizedSession, settings: NotificationSettings) -> Check:
        threshold = settings.threshold_micro_usd
        if threshold == 0:
            return Check(Advice.QUOTA_WARNING, False, "The threshold is $0.00, so no warning is ever sent.")
        if not settings.channels:
            return Check(Advice.QUOTA_WARNING, False, "No channel is on, so no warning reaches you.")
        if settings.channels == (Channel.EMAIL,):
            if not (settings.email_address or session.email):
                return Check(Advice.QUOTA_WARNING, False, "The account has no e-mail address.")
            if not self._site.text_in(tx, "smtp.host"):
                return Check(Advice.QUOTA_WARNING, False, "The administrator has not set up e-mail.")
        return Check(Advice.QUOTA_WARNING, True, f"A warning is sent below {show_usd(threshold)}.")


def _backup_codes(status: TwoFactorStatus) -> Check:
    if not status.is_enabled:
        return Check(Advice.BACKUP_CODES, False, "There are none until two-factor authentication is on.")
    left = f"{status.codes_left} of {status.codes_total} are left."
    if status.codes_are_low:
        return Check(Advice.BACKUP_CODES, False, f"{left} Make new ones.")
    return Check(Advice.BACKUP_CODES, True, left)
