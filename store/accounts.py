"""Accounts and their roles."""

from datetime import datetime
from enum import StrEnum
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from store import inputs, passwords
from store.audit import Audit
from store.audit_tags import COMMAND_LINE, SiteTag, Tag
from store.context import Context
from store.db_enums import db_enum
from store.errors import InvalidMoney, LastAdministrator, NameTaken, NoSuchAccount
from store.ledger import Ledger
from store.models import Account, Quota
from store.money import MAXIMUM_MICRO_USD
from store.notices import Notices
from store.row_locks import lock_administrators, lock_against_deletion, lock_by_name, lock_for_update
from store.settings import open_sections
from store.site import Site
from store.site_switches import PASSWORD_MINIMUM
from store.text import fold
from store.throttle import Factor, Throttles
from store.values.ledger import LedgerKind

USER_HANDLE_BYTES: Final = 64


class Role(StrEnum):
    """The role of an account. Administrators are ADMIN and ROOT; a root account cannot be deleted."""

    USER = "user"
    ADMIN = "admin"
    ROOT = "root"

    @property
    def is_administrator(self) -> bool:
        return self is not Role.USER


class AccountInfo(NamedTuple):
    """An account, without its credentials."""

    id: int
    name: str
    email: str
    role: Role
    created_at: datetime
    password_changed_at: datetime | None
    has_password: bool
    suspended_at: datetime | None = None


class Accounts:
    """Creates and finds accounts, and changes their role and e-mail address."""

    def __init__(
        self, context: Context, audit: Audit, throttles: Throttles, notices: Notices, site: Site, ledger: Ledger
    ) -> None:
        self._context = context
        self._audit = audit
        self._throttles = throttles
        self._notices = notices
        self._site = site
        self._ledger = ledger

    def create(
        self,
        name: str,
        password: str | None,
        *,
        email: str = "",
        role: Role = Role.USER,
        quota_micro_usd: int = 0,
        actor: str,
        source: str = "",
        only_if_first: bool = False,
    ) -> AccountInfo:
        """Create an account with default settings. Slow: it hashes the password.

        Without a password the account can sign in only with a passkey or a bound identity. `only_if_first` refuses if
        any account exists, because two first runs can race. Raises `InvalidName`, `InvalidEmail`,
        `InvalidMoney`, `PasswordRefused`, `NameTaken`.
        """
        name = inputs.check_name(name)
        email = inputs.check_email(email, field="email") if email else ""
        if not 0 <= quota_micro_usd <= MAXIMUM_MICRO_USD:
            raise InvalidMoney(field="quota")
        hashed = None
        if password is not None:
            password = passwords.prepare(password)
            passwords.check_new(
                password,
                (name, email),
                field="password",
                estimator=self._context.estimator,
                shortest=self._site.number(PASSWORD_MINIMUM),
            )
            hashed = self._context.hasher.hash_password(password)
        now = self._context.now()
        with self._context.database.write() as tx:
            if only_if_first:
                lock_administrators(tx)
            if only_if_first and self._count(tx) > 0:
                raise NameTaken("There is an account already. Sign in, or ask its administrator for another.")
            try:
                account_id = tx.execute(
                    insert(Account)
                    .values(
                        name=name,
                        name_key=fold(name),
                        email=email,
                        role=role.value,
                        password_hash=hashed,
                        password_changed_at=now if hashed else None,
                        auth_epoch=1,
                        user_handle=self._context.rng.randbytes(USER_HANDLE_BYTES),
                        created_at=now,
                    )
                    .returning(Account.c.id)
                ).scalar_one()
            except IntegrityError as error:
                raise NameTaken(field="username") from error
            tx.execute(
                insert(Quota).values(
                    account_id=account_id,
                    remaining_micro_usd=quota_micro_usd,
                    held_micro_usd=0,
                    used_micro_usd=0,
                    warning_armed=True,
                    ledger_sequence=1 if quota_micro_usd else 0,
                )
            )
            if quota_micro_usd:
                self._ledger.append(
                    tx,
                    account_id,
                    LedgerKind.TOP_UP,
                    sequence=1,
                    amount_micro_usd=quota_micro_usd,
                    balance_micro_usd=quota_micro_usd,
                    reason="The account was created.",
                    actor=actor,
                )
            open_sections(tx, account_id)
            self._throttles.forget(tx, name)
            self._audit.record(tx, account_id, Tag.ACCOUNT_CREATED, actor=actor, source=source, role=role.value)
        return AccountInfo(account_id, name, email, role, now, now if hashed else None, hashed is not None)

    def is_empty(self) -> bool:
        """True if there is no account."""
        with self._context.database.read() as tx:
            return self._count(tx) == 0

    def find(self, name: str) -> AccountInfo:
        """The account `name`, compared without case. Raises `NoSuchAccount`."""
        with self._context.database.read() as tx:
            row = tx.execute(select(Account).where(Account.c.name_key == fold(name))).one_or_none()
        if row is None:
            raise NoSuchAccount
        return _info(row)

    def get(self, account_id: int) -> AccountInfo:
        """The account with this id. Raises `NoSuchAccount`."""
        with self._context.database.read() as tx:
            row = tx.execute(select(Account).where(Account.c.id == account_id)).one_or_none()
        if row is None:
            raise NoSuchAccount
        return _info(row)

    def all(self) -> list[AccountInfo]:
        """All accounts, sorted by name."""
        with self._context.database.read() as tx:
            return self.all_in(tx)

    def all_in(self, tx: Connection) -> list[AccountInfo]:
        """As `all`, inside `tx`."""
        return [_info(row) for row in tx.execute(select(Account).order_by(Account.c.name_key))]

    def set_role(self, name: str, role: Role, *, actor: str) -> None:
        """Change a role, for an administrator. Raises `NoSuchAccount`, `LastAdministrator`."""
        with self._context.database.write() as tx:
            lock_for_update(tx, select(Account.c.id).where(Account.c.name_key == fold(name)))
            lock_administrators(tx)
            row = tx.execute(select(Account.c.id, Account.c.role).where(Account.c.name_key == fold(name))).one_or_none()
            if row is None:
                raise NoSuchAccount
            if not role.is_administrator and is_last_administrator(tx, row.id):
                raise LastAdministrator
            tx.execute(update(Account).where(Account.c.id == row.id).values(role=role.value))
            self._audit.record(
                tx, row.id, Tag.ACCOUNT_ROLE_CHANGED, actor=actor, source="command line", role=role.value
            )

    def set_email(self, name: str, email: str, *, actor: str) -> str:
        """Change the e-mail address, for an administrator; returns the old one. Both addresses get a notice.

        Raises `NoSuchAccount`, `InvalidEmail`.
        """
        with self._context.database.write() as tx:
            return self.set_email_in(tx, name, email, actor=actor)

    def set_email_in(self, tx: Connection, name: str, email: str, *, actor: str) -> str:
        """As `set_email`, in a write transaction. Nothing is written if it raises."""
        email = inputs.check_email(email, field="email")
        account = lock_by_name(tx, name)
        tx.execute(update(Account).where(Account.c.id == account.id).values(email=email))
        self._audit.record(tx, account.id, Tag.ACCOUNT_EMAIL_CHANGED, actor=actor, source=COMMAND_LINE)
        self._notices.enqueue(tx, account.id, Tag.ACCOUNT_EMAIL_CHANGED, also_to=account.email)
        return str(account.email)

    def reset_factors(self, name: str, *, actor: str) -> None:
        """Remove all locks and enable all factors of an account. Raises `NoSuchAccount`."""
        with self._context.database.write() as tx:
            lock_against_deletion(tx, select(Account.c.id).where(Account.c.name_key == fold(name)))
            row = tx.execute(select(Account.c.id, Account.c.name).where(Account.c.name_key == fold(name))).one_or_none()
            if row is None:
                raise NoSuchAccount
            for factor in Factor:
                self._throttles.reset(tx, factor, row.name)
            self._audit.record(tx, row.id, Tag.FACTOR_RESET, actor=actor, source=COMMAND_LINE)
            self._audit.record_site(tx, SiteTag.ACCOUNT_UNLOCKED, actor=actor, source=COMMAND_LINE, account_id=row.id)

    def _count(self, tx: Connection) -> int:
        return int(tx.execute(select(func.count()).select_from(Account)).scalar_one())


def is_last_administrator(tx: Connection, account_id: int) -> bool:
    """True if this account is the only administrator that is not suspended.

    Call it after `lock_administrators`, so that the result stays valid until the end of `tx`.
    """
    at_work = select(Account.c.id).where(Account.c.role != Role.USER.value, Account.c.suspended_at.is_(None))
    return list(tx.execute(at_work).scalars()) == [account_id]


def _info(row: Any) -> AccountInfo:
    return AccountInfo(
        id=row.id,
        name=row.name,
        email=row.email,
        role=db_enum(Role, row.role),
        created_at=row.created_at,
        password_changed_at=row.password_changed_at,
        has_password=row.password_hash is not None,
        suspended_at=row.suspended_at,
    )
