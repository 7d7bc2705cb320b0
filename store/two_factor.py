"""Two-factor authentication: enrolment in three steps, new backup codes, and disabling.

The factor is enabled only when a code of the pending secret verifies. A pending enrolment expires after ten minutes and
does not change an active factor.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection, delete, insert, select, update

from store import passwords, totp
from store.attempts import Attempts
from store.audit import Audit
from store.audit_tags import COMMAND_LINE, Tag
from store.backup_codes import BackupCodes, generate
from store.context import Context
from store.errors import (
    AlreadyEnabled,
    NotEnabled,
    PasswordNeeded,
    PasswordTooShort,
    SignInExpired,
    StaleEdit,
    StepMissing,
    WrongCode,
    WrongOriginalPassword,
)
from store.models import Account, TwoFactor, TwoFactorSetup
from store.notices import Notices
from store.row_locks import lock_by_name
from store.second_factor import associated_data
from store.sessions import AuthorizedSession, Sessions
from store.site import Site
from store.site_switches import PASSWORD_MINIMUM
from store.throttle import Factor, Throttles
from store.values.two_factor import Enrolment, TwoFactorStatus

SETUP_LIFETIME: Final = timedelta(minutes=10)


class TwoFactors:
    """Enrols, disables and resets the second factor, and renews backup codes."""

    def __init__(
        self,
        context: Context,
        audit: Audit,
        throttles: Throttles,
        attempts: Attempts,
        sessions: Sessions,
        codes: BackupCodes,
        notices: Notices,
        site: Site,
    ) -> None:
        self._context = context
        self._audit = audit
        self._throttles = throttles
        self._attempts = attempts
        self._sessions = sessions
        self._codes = codes
        self._notices = notices
        self._site = site

    def status(self, token: str) -> TwoFactorStatus:
        """The state of the second factor of the session's account."""
        with self._sessions.reading(token) as (tx, session):
            return self.status_of(tx, session.account_id)

    def status_of(self, tx: Connection, account_id: int) -> TwoFactorStatus:
        enabled_at = tx.execute(select(TwoFactor.c.enabled_at).where(TwoFactor.c.account_id == account_id)).scalar()
        return TwoFactorStatus(enabled_at, self._codes.left(tx, account_id) if enabled_at else 0)

    def begin(self, token: str) -> Enrolment:
        """Start an enrolment; it replaces an unfinished one. Slow: it hashes ten codes.

        Raises `AlreadyEnabled`, `FreshProofRequired`.
        """
        with self._sessions.reading(token) as (tx, session):
            self._refuse_if_enabled(tx, session.account_id)
        secret, codes = totp.new_secret(self._context.rng), generate(self._context.rng)
        hashes = self._codes.hash_all(codes)
        with self._sessions.writing(token, proof=True) as (tx, session):
            self._refuse_if_enabled(tx, session.account_id)
            expires_at = self._context.now() + SETUP_LIFETIME
            tx.execute(delete(TwoFactorSetup).where(TwoFactorSetup.c.account_id == session.account_id))
            tx.execute(
                insert(TwoFactorSetup).values(
                    account_id=session.account_id,
                    secret_sealed=self._context.seal(secret, setup_associated_data(session.account_id)),
                    code_hashes=hashes,
                    expires_at=expires_at,
                )
            )
        return Enrolment(secret, totp.provisioning_uri(secret, session.name), codes, expires_at)

    def confirm_saved(self, token: str, code: str) -> None:
        """Note that the backup codes were saved, after one of them was typed back.

        Raises `WrongCode`, `SignInExpired` if the enrolment expired, `TooManyAttempts`.
        """
        with self._sessions.reading(token) as (tx, session):
            hashes = self._pending(tx, session.account_id).code_hashes
        with self._attempts.counted(Factor.SECOND, session.account_id, session.name, source=session.source):
            if not self._codes.matches(code, hashes):
                raise WrongCode("Not one of these codes.", field="saved-code")
        with self._sessions.writing(token) as (tx, session):
            self._throttles.reset(tx, Factor.SECOND, session.name)
            noted = tx.execute(
                update(TwoFactorSetup)
                .where(TwoFactorSetup.c.account_id == session.account_id)
                .values(saved_at=self._context.now())
            )
            if noted.rowcount != 1:
                raise SignInExpired("This setup has ended. Start again.")

    def complete(self, token: str, code: str) -> TwoFactorStatus:
        """Enable the second factor; every other session ends.

        Raises `StepMissing` before the codes were confirmed as saved, `WrongCode`, `ClockSkewed`,
        `SignInExpired`, `AlreadyEnabled`, `FreshProofRequired`, `TooManyAttempts`.
        """
        with self._sessions.reading(token) as (tx, session):
            pending = self._pending(tx, session.account_id)
        if pending.saved_at is None:
            raise StepMissing("Save the backup codes first, and type one of them back.", field="code")
        secret = self._context.ring.open(pending.secret_sealed, setup_associated_data(session.account_id))
        now = self._context.now()
        with self._attempts.counted(Factor.SECOND, session.account_id, session.name, source=session.source):
            step = totp.matching_step(secret, code, now, self._drift())
        with self._sessions.writing(token, proof=True) as (tx, session):
            self._refuse_if_enabled(tx, session.account_id)
            claimed = tx.execute(
                delete(TwoFactorSetup).where(
                    TwoFactorSetup.c.account_id == session.account_id,
                    TwoFactorSetup.c.secret_sealed == pending.secret_sealed,
                )
            )
            if claimed.rowcount != 1:
                raise SignInExpired("This setup was started again somewhere else.")
            # The code that confirmed the enrolment is used: it cannot also sign in.
            tx.execute(
                insert(TwoFactor).values(
                    account_id=session.account_id,
                    secret_sealed=self._context.seal(secret, associated_data(session.account_id)),
                    last_step=step,
                    enabled_at=now,
                )
            )
            self._codes.replace(tx, session.account_id, pending.code_hashes)
            self._finish(tx, session, Tag.TWO_FACTOR_ENABLED)
            return self.status_of(tx, session.account_id)

    def cancel(self, token: str) -> None:
        """Delete an unfinished enrolment."""
        with self._sessions.writing(token) as (tx, session):
            tx.execute(delete(TwoFactorSetup).where(TwoFactorSetup.c.account_id == session.account_id))

    def disable(self, token: str, password: str = "") -> None:
        """Disable the second factor, delete its secret and codes, and end every other session.

        `password` is needed if the site has a longer minimum length without a second factor, because the length is not
        known from the hash. Raises `NotEnabled`, `FreshProofRequired`, `PasswordNeeded`,
        `WrongOriginalPassword`, `PasswordTooShort`, `TooManyAttempts`, `StaleEdit`.
        """
        with self._sessions.reading(token) as (tx, session):
            self._refuse_unless_enabled(tx, session.account_id)
            stored = tx.execute(select(Account.c.password_hash).where(Account.c.id == session.account_id)).scalar()
            shortest = self._site.number_in(tx, PASSWORD_MINIMUM)
        is_asked = stored is not None and shortest > passwords.MIN_LENGTH
        if is_asked:
            self._check_length(session, passwords.prepare(password), stored, shortest)
        with self._sessions.writing(token, proof=True) as (tx, session):
            held = tx.execute(select(Account.c.password_hash).where(Account.c.id == session.account_id)).scalar()
            if is_asked and held != stored:
                raise StaleEdit("The password was changed somewhere else meanwhile.")
            if is_asked:
                self._throttles.reset(tx, Factor.PASSWORD, session.name)
            gone = tx.execute(delete(TwoFactor).where(TwoFactor.c.account_id == session.account_id))
            if gone.rowcount != 1:
                raise NotEnabled("Two-factor authentication is not on.")
            self._codes.remove(tx, session.account_id)
            self._finish(tx, session, Tag.TWO_FACTOR_DISABLED)

    def reset(self, name: str, *, actor: str) -> None:
        """Disable the second factor for an administrator; every session of the account ends.

        Raises `NoSuchAccount`, `NotEnabled`.
        """
        with self._context.database.write() as tx:
            account = lock_by_name(tx, name)
            gone = tx.execute(delete(TwoFactor).where(TwoFactor.c.account_id == account.id))
            if gone.rowcount != 1:
                raise NotEnabled("Two-factor authentication is not on for this account.")
            tx.execute(delete(TwoFactorSetup).where(TwoFactorSetup.c.account_id == account.id))
            self._codes.remove(tx, account.id)
            self._throttles.reset(tx, Factor.SECOND, account.name)
            self._sessions.end_others(tx, account.id, keep=None)
            self._audit.record(tx, account.id, Tag.TWO_FACTOR_RESET, actor=actor, source=COMMAND_LINE)
            self._notices.enqueue(tx, account.id, Tag.TWO_FACTOR_RESET)

    def renew_codes(self, token: str) -> tuple[str, ...]:
        """Replace the backup codes; returns ten new codes, which cannot be read again. Slow.

        Raises `NotEnabled`, `FreshProofRequired`.
        """
        codes = generate(self._context.rng)
        with self._sessions.reading(token) as (tx, session):
            self._refuse_unless_enabled(tx, session.account_id)
        hashes = self._codes.hash_all(codes)
        with self._sessions.writing(token, proof=True) as (tx, session):
            self._refuse_unless_enabled(tx, session.account_id)
            self._codes.replace(tx, session.account_id, hashes)
            tx.execute(
                update(TwoFactor).where(TwoFactor.c.account_id == session.account_id).values(low_codes_noted_at=None)
            )
            self._finish(tx, session, Tag.BACKUP_CODES_RENEWED)
        return codes

    def _check_length(self, session: AuthorizedSession, password: str, stored: str | None, shortest: int) -> None:
        if not password:
            raise PasswordNeeded(
                f"Without a second factor this site asks for a password of at least {shortest} characters. "
                "Enter yours, and it is checked.",
                field="password",
            )
        with self._attempts.counted(Factor.PASSWORD, session.account_id, session.name, source=session.source):
            short = len(password) <= passwords.MAX_LENGTH
            if not short or not self._context.hasher.check_password(password, stored)[0]:
                raise WrongOriginalPassword(field="password")
        if len(password) < shortest:
            raise PasswordTooShort(
                f"Your password has fewer than the {shortest} characters that this site asks for without a second "
                "factor. Change it to a longer one first.",
                shortest=shortest,
                field="password",
            )

    def _drift(self) -> int:
        return self._site.number("two_factor.drift_steps")

    def _pending(self, tx: Connection, account_id: int) -> "_Pending":
        row = tx.execute(select(TwoFactorSetup).where(TwoFactorSetup.c.account_id == account_id)).one_or_none()
        if row is None or row.expires_at <= self._context.now():
            raise SignInExpired("This setup has ended. Start again.")
        return _Pending(row.secret_sealed, row.code_hashes, row.saved_at)

    def _refuse_if_enabled(self, tx: Connection, account_id: int) -> None:
        if tx.execute(select(TwoFactor.c.account_id).where(TwoFactor.c.account_id == account_id)).scalar() is not None:
            raise AlreadyEnabled("Two-factor authentication is already on.")

    def _refuse_unless_enabled(self, tx: Connection, account_id: int) -> None:
        if tx.execute(select(TwoFactor.c.account_id).where(TwoFactor.c.account_id == account_id)).scalar() is None:
            raise NotEnabled("Two-factor authentication is not on.")

    def _finish(self, tx: Connection, session: AuthorizedSession, tag: Tag) -> None:
        self._throttles.reset(tx, Factor.SECOND, session.name)
        self._sessions.end_others(tx, session.account_id, keep=session.session_id)
        self._audit.record_by(tx, session, tag)
        self._notices.enqueue(tx, session.account_id, tag)


@dataclass(frozen=True, slots=True)
class _Pending:
    secret_sealed: bytes = field(repr=False)
    code_hashes: list[str] = field(repr=False)
    saved_at: datetime | None


def setup_associated_data(account_id: int) -> str:
    """The associated data of the encrypted secret of a pending enrolment."""
    return f"two_factor_setups:secret:{account_id}"
