"""The topics that few runs ask for: each is imported and created at its first use.

A console shows its first page without them, and their imports would take a fifth of the time that the store takes to
open. They keep no state, so two threads may create one at the same time.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from store.attempts import Attempts
from store.audit import Audit
from store.context import Context
from store.ledger import Ledger
from store.notices import Notices
from store.quota import Quotas
from store.recommendations import Recommendations
from store.second_factor import SecondFactors
from store.sessions import Sessions
from store.settings import Settings
from store.sign_in import SignIn
from store.site import Site
from store.throttle import Throttles
from store.usage_log import UsageLog
from store.usage_totals import UsageTotals

if TYPE_CHECKING:
    from store.bindings import Bindings
    from store.credentials import Credentials
    from store.dashboard import Dashboards
    from store.deletion import Deletion
    from store.deliveries import Deliveries
    from store.drawer import Drawer
    from store.email_confirmation import EmailConfirmations
    from store.export import Exports
    from store.key_revocation import KeyRevocation
    from store.ledger_export import LedgerExport
    from store.outbox import Outbox
    from store.passkey_ceremonies import PasskeyCeremonies
    from store.passkey_verification import PasskeyVerification
    from store.passkeys import Passkeys
    from store.passwords import Passwords
    from store.redeem_codes import RedeemCodes
    from store.relay_files import RelayFiles
    from store.request_rates import RequestRates
    from store.retention import Retention
    from store.sign_in_news import SignInHistory
    from store.ssh_keys import SshKeys
    from store.stored_responses import StoredResponses
    from store.suspension import Suspensions
    from store.token_proofs import TokenProofs
    from store.usage_export import UsageExport
    from store.usage_months import UsageMonths


@dataclass(frozen=True, eq=False)
class SharedTopics:
    """The topics that other topics use."""

    context: Context
    audit: Audit
    throttles: Throttles
    attempts: Attempts
    sessions: Sessions
    notices: Notices
    second_factors: SecondFactors
    sign_in: SignIn
    settings: Settings
    site: Site
    quota: Quotas
    usage: UsageLog
    totals: UsageTotals
    ledger: Ledger
    recommendations: Recommendations


class LaterTopics(SharedTopics):
    """The topics that are created at their first use."""

    @cached_property
    def passwords(self) -> "Passwords":
        from store.passwords import Passwords

        return Passwords(
            self.context, self.audit, self.throttles, self.attempts, self.sessions, self.notices, self.site
        )

    @cached_property
    def relay_files(self) -> "RelayFiles":
        from store.relay_files import RelayFiles

        return RelayFiles(self.context)

    @cached_property
    def stored_responses(self) -> "StoredResponses":
        from store.stored_responses import StoredResponses

        return StoredResponses(self.context)

    @cached_property
    def drawer(self) -> "Drawer":
        from store.drawer import Drawer

        return Drawer(self.context, self.audit, self.sessions)

    @cached_property
    def keys(self) -> "KeyRevocation":
        from store.key_revocation import KeyRevocation

        return KeyRevocation(self.context, self.audit, self.notices)

    @cached_property
    def credentials(self) -> "Credentials":
        from store.credentials import Credentials

        return Credentials(self.site)

    @cached_property
    def passkeys(self) -> "Passkeys":
        from store.passkeys import Passkeys

        return Passkeys(self.context, self.audit, self.sessions, self.credentials, self.notices, self.site)

    @cached_property
    def ceremonies(self) -> "PasskeyCeremonies":
        from store.passkey_ceremonies import PasskeyCeremonies

        return PasskeyCeremonies(self.context, self.throttles, self.sessions, self.sign_in, self.passkeys)

    @cached_property
    def passkey_verification(self) -> "PasskeyVerification":
        from store.passkey_verification import PasskeyVerification

        return PasskeyVerification(self.context, self.audit, self.sessions, self.passkeys)

    @cached_property
    def ssh_keys(self) -> "SshKeys":
        from store.ssh_keys import SshKeys

        return SshKeys(self.context, self.audit, self.sessions, self.notices)

    @cached_property
    def bindings(self) -> "Bindings":
        from store.bindings import Bindings

        return Bindings(
            self.context, self.audit, self.sessions, self.sign_in, self.credentials, self.notices, self.site
        )

    @cached_property
    def redeem_codes(self) -> "RedeemCodes":
        from store.redeem_codes import RedeemCodes

        return RedeemCodes(self.context, self.audit, self.sessions, self.throttles, self.attempts, self.quota)

    @cached_property
    def proofs(self) -> "TokenProofs":
        from store.token_proofs import TokenProofs

        return TokenProofs(self.context, self.audit, self.throttles, self.attempts, self.second_factors)

    @cached_property
    def usage_export(self) -> "UsageExport":
        from store.usage_export import UsageExport

        return UsageExport(self.context, self.audit, self.sessions, self.usage)

    @cached_property
    def ledger_export(self) -> "LedgerExport":
        from store.ledger_export import LedgerExport

        return LedgerExport(self.context, self.audit, self.sessions, self.ledger)

    @cached_property
    def dashboards(self) -> "Dashboards":
        from store.dashboard import Dashboards

        return Dashboards(
            self.sessions, self.quota, self.totals, self.usage, self.deliveries, self.recommendations, self.settings
        )

    @cached_property
    def email_confirmations(self) -> "EmailConfirmations":
        from store.email_confirmation import EmailConfirmations

        return EmailConfirmations(self.context, self.audit, self.sessions)

    @cached_property
    def outbox(self) -> "Outbox":
        from store.outbox import Outbox

        return Outbox(self.context, self.sessions, self.email_confirmations)

    @cached_property
    def deliveries(self) -> "Deliveries":
        from store.deliveries import Deliveries

        return Deliveries(self.context, self.sessions)

    @cached_property
    def deletion(self) -> "Deletion":
        from store.deletion import Deletion

        return Deletion(self.context, self.audit, self.throttles, self.attempts, self.sessions, self.notices)

    @cached_property
    def suspension(self) -> "Suspensions":
        from store.suspension import Suspensions

        return Suspensions(self.context, self.audit, self.sessions, self.notices)

    @cached_property
    def exports(self) -> "Exports":
        from store.export import Exports

        return Exports(self.context, self.audit, self.sessions)

    @cached_property
    def sign_in_history(self) -> "SignInHistory":
        from store.sign_in_news import SignInHistory

        return SignInHistory(self.sessions)

    @cached_property
    def rates(self) -> "RequestRates":
        from store.request_rates import RequestRates

        return RequestRates(self.context)

    @cached_property
    def retention(self) -> "Retention":
        from store.retention import Retention

        return Retention(self.context, self.site)

    @cached_property
    def usage_months(self) -> "UsageMonths":
        from store.usage_months import UsageMonths

        return UsageMonths(self.context, self.site)
