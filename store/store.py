"""The `Store` object: all topics of the store, wired together. There is no global state."""

import random
import secrets
from dataclasses import dataclass
from functools import cached_property
from types import TracebackType
from typing import TYPE_CHECKING, Self

from store import schema
from store.access_token import AccessTokens
from store.accounts import Accounts
from store.api_keys import ApiKeys
from store.at_rest import KeyRing
from store.attempts import Attempts
from store.audit import Audit
from store.backup_codes import BackupCodes
from store.clock import Clock, SystemClock
from store.context import Context
from store.database import Database
from store.hashing import Hasher
from store.key_check import check_ring
from store.later_topics import LaterTopics
from store.ledger import Ledger
from store.notices import Notices
from store.pricing import Pricing
from store.quota import Quotas
from store.quota_warnings import QuotaWarnings
from store.recommendations import Recommendations
from store.second_factor import SecondFactors
from store.sessions import Sessions
from store.settings import Settings
from store.sign_in import SignIn
from store.site import Site
from store.sqlite_engine import prepare_file
from store.ssh_key_use import SshKeyUse
from store.strength import Estimator, estimate
from store.throttle import Throttles
from store.two_factor import TwoFactors
from store.usage_log import UsageLog
from store.usage_totals import UsageTotals

if TYPE_CHECKING:
    from store.account_import import AccountImport


@dataclass(frozen=True, eq=False)
class Store(LaterTopics):
    """The topics. Each attribute is the object of one module."""

    accounts: Accounts
    two_factor: TwoFactors
    access_token: AccessTokens
    api_keys: ApiKeys
    pricing: Pricing
    quota_warnings: QuotaWarnings

    @cached_property
    def account_import(self) -> "AccountImport":
        """Created at its first use, as `LaterTopics`."""
        from store.account_import import AccountImport

        return AccountImport(self.context, self.settings, self.accounts, self.site, self.api_keys, self.pricing)

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
    connections: int | None = None,
) -> Store:
    """Open the database at `url` after a check of its owner, its access rights, its schema and its key.

    An empty database is set up if `create`. `connections` are those of `Database`. Raises `StoreUnavailable`.
    """
    database = Database(url, connections=connections)
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
    """Create the topics with their dependencies."""
    audit = Audit(context)
    context.database.before_commit = audit.update_total
    throttles = Throttles(context)
    attempts = Attempts(context, audit, throttles)
    site = Site(context, audit)
    notices = Notices(context)
    sessions = Sessions(context, audit)
    codes = BackupCodes(context)
    second_factors = SecondFactors(context, audit, throttles, codes, notices, site)
    two_factor = TwoFactors(context, audit, throttles, attempts, sessions, codes, notices, site)
    quota_warnings = QuotaWarnings(context)
    usage = UsageLog(context, audit, sessions)
    ledger = Ledger(context, sessions)
    settings = Settings(context, audit, sessions, site)
    pricing = Pricing(context, audit, sessions, site)
    return Store(
        context=context,
        audit=audit,
        throttles=throttles,
        attempts=attempts,
        sessions=sessions,
        notices=notices,
        second_factors=second_factors,
        sign_in=SignIn(context, audit, throttles, attempts, sessions, second_factors, site, SshKeyUse(context, audit)),
        settings=settings,
        site=site,
        quota=Quotas(context, audit, sessions, quota_warnings, usage, ledger),
        usage=usage,
        totals=UsageTotals(context, sessions),
        recommendations=Recommendations(context, sessions, two_factor, settings, site, pricing),
        accounts=Accounts(context, audit, throttles, notices, site, ledger),
        two_factor=two_factor,
        access_token=AccessTokens(context, audit, sessions, notices),
        api_keys=ApiKeys(context, audit, sessions),
        ledger=ledger,
        pricing=pricing,
        quota_warnings=quota_warnings,
    )
