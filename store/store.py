"""The `Store` object: all topics of the store, wired together. There is no global state."""

import random
import secrets
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from store import schema
from store.access_token import AccessTokens
from store.accounts import Accounts
from store.api_keys import ApiKeys
from store.at_rest import KeyRing
from store.attempts import Attempts
from store.audit import Audit
from store.backup_codes import BackupCodes
from store.bindings import Bindings
from store.clock import Clock, SystemClock
from store.context import Context
from store.credentials import Credentials
from store.dashboard import Dashboards
from store.database import Database
from store.deletion import Deletion
from store.deliveries import Deliveries
from store.email_confirmation import EmailConfirmations
from store.export import Exports
from store.hashing import Hasher
from store.key_check import check_ring
from store.key_revocation import KeyRevocation
from store.ledger import Ledger
from store.notices import Notices
from store.outbox import Outbox
from store.passkey_ceremonies import PasskeyCeremonies
from store.passkey_verification import PasskeyVerification
from store.passkeys import Passkeys
from store.passwords import Passwords
from store.pricing import Pricing
from store.quota import Quotas
from store.quota_warnings import QuotaWarnings
from store.recommendations import Recommendations
from store.redeem_codes import RedeemCodes
from store.relay_files import RelayFiles
from store.request_rates import RequestRates
from store.retention import Retention
from store.second_factor import SecondFactors
from store.sessions import Sessions
from store.settings import Settings
from store.sign_in import SignIn
from store.sign_in_news import SignInHistory
from store.site import Site
from store.sqlite_engine import prepare_file
from store.ssh_key_use import SshKeyUse
from store.ssh_keys import SshKeys
from store.strength import Estimator, estimate
from store.suspension import Suspensions
from store.throttle import Throttles
from store.token_proofs import TokenProofs
from store.two_factor import TwoFactors
from store.usage_export import UsageExport
from store.usage_log import UsageLog
from store.usage_totals import UsageTotals


@dataclass(frozen=True)
class Store:
    """The topics. Each attribute is the object of one module."""

    context: Context
    accounts: Accounts
    passwords: Passwords
    sign_in: SignIn
    sessions: Sessions
    throttles: Throttles
    two_factor: TwoFactors
    access_token: AccessTokens
    api_keys: ApiKeys
    relay_files: RelayFiles
    keys: KeyRevocation
    passkeys: Passkeys
    ceremonies: PasskeyCeremonies
    passkey_verification: PasskeyVerification
    ssh_keys: SshKeys
    bindings: Bindings
    settings: Settings
    site: Site
    quota: Quotas
    ledger: Ledger
    redeem_codes: RedeemCodes
    pricing: Pricing
    proofs: TokenProofs
    quota_warnings: QuotaWarnings
    usage: UsageLog
    usage_export: UsageExport
    totals: UsageTotals
    dashboards: Dashboards
    outbox: Outbox
    deliveries: Deliveries
    email_confirmations: EmailConfirmations
    audit: Audit
    deletion: Deletion
    suspension: Suspensions
    exports: Exports
    recommendations: Recommendations
    sign_in_history: SignInHistory
    rates: RequestRates
    retention: Retention

    @property
    def database(self) -> Database:
        return self.context.database

    def close(self) -> None:
        self.context.database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def open_store(
    url: str,
    ring: KeyRing,
    *,
    clock: Clock | None = None,
    rng: random.Random | None = None,
    hasher: Hasher | None = None,
    estimator: Estimator = estimate,
    create: bool = True,
) -> Store:
    """Open the database at `url` after a check of its owner, its access rights, its schema and its key.

    An empty database is set up if `create`. Raises `StoreUnavailable`.
    """
    database = Database(url)
    try:
        if database.path is not None:
            prepare_file(database.path, create=create)
        with database.mapped():
            prepare(database, create=create)
        context = Context(
            database=database,
            clock=clock or SystemClock(),
            rng=rng or secrets.SystemRandom(),
            ring=ring,
            hasher=hasher or Hasher(),
            estimator=estimator,
        )
        check_ring(database, ring)
    except BaseException:
        database.close()
        raise
    return assemble(context)


def prepare(database: Database, *, create: bool) -> None:
    """Set up an empty database, or check the schema of a used one. Raises the errors of `store.schema`."""
    with database.read() as tx:
        found = schema.revision(tx)
    if found is None and create and database.is_in_memory:
        schema.create_in_memory(database)
    elif found is None and create:
        schema.upgrade(database)
    else:
        with database.read() as tx:
            schema.check(tx)


def assemble(context: Context) -> Store:
    """Create all topics with their dependencies."""
    audit = Audit(context)
    context.database.before_commit = audit.update_total
    throttles = Throttles(context)
    attempts = Attempts(context, audit, throttles)
    site = Site(context, audit)
    notices = Notices(context)
    sessions = Sessions(context, audit)
    credentials = Credentials(site)
    codes = BackupCodes(context)
    second_factor = SecondFactors(context, audit, throttles, codes, notices, site)
    two_factor = TwoFactors(context, audit, throttles, attempts, sessions, codes, notices, site)
    sign_in = SignIn(context, audit, throttles, attempts, sessions, second_factor, site, SshKeyUse(context, audit))
    email_confirmations = EmailConfirmations(context, audit, sessions)
    quota_warnings = QuotaWarnings(context)
    usage = UsageLog(context, audit, sessions)
    ledger = Ledger(context, sessions)
    quota = Quotas(context, audit, sessions, quota_warnings, usage, ledger)
    settings = Settings(context, audit, sessions, site)
    pricing = Pricing(context, audit, sessions, site)
    totals = UsageTotals(context, sessions)
    deliveries = Deliveries(context, sessions)
    recommendations = Recommendations(context, sessions, two_factor, settings, site, pricing)
    passkeys = Passkeys(context, audit, sessions, credentials, notices, site)
    return Store(
        context=context,
        accounts=Accounts(context, audit, throttles, notices, site, ledger),
        passwords=Passwords(context, audit, throttles, attempts, sessions, notices, site),
        sign_in=sign_in,
        sessions=sessions,
        throttles=throttles,
        two_factor=two_factor,
        access_token=AccessTokens(context, audit, sessions, notices),
        api_keys=ApiKeys(context, audit, sessions),
        relay_files=RelayFiles(context),
        keys=KeyRevocation(context, audit, notices),
        passkeys=passkeys,
        ceremonies=PasskeyCeremonies(context, throttles, sessions, sign_in, passkeys),
        passkey_verification=PasskeyVerification(context, audit, sessions, passkeys),
        ssh_keys=SshKeys(context, audit, sessions, notices),
        bindings=Bindings(context, audit, sessions, sign_in, credentials, notices, site),
        settings=settings,
        site=site,
        quota=quota,
        ledger=ledger,
        redeem_codes=RedeemCodes(context, audit, sessions, throttles, attempts, quota),
        quota_warnings=quota_warnings,
        pricing=pricing,
        proofs=TokenProofs(context, audit, throttles, attempts, second_factor),
        usage=usage,
        usage_export=UsageExport(context, audit, sessions, usage),
        totals=totals,
        dashboards=Dashboards(sessions, quota, totals, usage, deliveries, recommendations, settings),
        outbox=Outbox(context, sessions, email_confirmations),
        deliveries=deliveries,
        email_confirmations=email_confirmations,
        audit=audit,
        deletion=Deletion(context, audit, throttles, attempts, sessions, notices),
        suspension=Suspensions(context, audit, sessions, notices),
        exports=Exports(context, audit, sessions),
        recommendations=recommendations,
        sign_in_history=SignInHistory(sessions),
        rates=RequestRates(context),
        retention=Retention(context, site),
    )
