"""Two-factor authentication: enrolment in three steps, verification without replay, and switching it off.

Nothing is on until the code of the pending secret verifies; a pending enrolment dies after ten minutes and never
touches a factor that is already active.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection, delete, insert, select, update

from store import totp
from store.audit import Audit, Tag
from store.backup_codes import COUNT, LOW, BackupCodes, generate
from store.context import Context
from store.errors import AlreadyEnabled, CodeAlreadyUsed, NotEnabled, SignInExpired, StepMissing, WrongCode
from store.models import TwoFactor, TwoFactorSetup
from store.notices import Notices
from store.sessions import Acting, Sessions
from store.site import Site
from store.throttle import Factor, Throttles
from store.tries import Tries

SETUP_LASTS: Final = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class TwoFactorStatus:
    """Whether the second factor is on, and how many backup codes are left of how many."""

    enabled_at: datetime | None
    codes_left: int
    codes_total: int = COUNT

    @property
    def is_enabled(self) -> bool:
        return self.enabled_at is not None

    @property
    def codes_are_low(self) -> bool:
        return self.is_enabled and self.codes_left <= LOW


@dataclass(frozen=True, slots=True)
class Enrolment:
    """What a person needs to enrol, given out once."""

    secret: str = field(repr=False)
    uri: str = field(repr=False)
    codes: tuple[str, ...] = field(repr=False)
    expires_at: datetime = field()


@dataclass(frozen=True, slots=True)
class ActiveFactor:
    """The second factor of an account, as it is stored."""

    account_id: int
    secret_sealed: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Verified:
    """A second factor that was right and still has to be claimed: a step of the clock, or a backup code."""

    step: int | None
    code_id: int | None

    @property
    def method(self) -> str:
        return "authenticator code" if self.code_id is None else "backup code"


class TwoFactors:
    def __init__(
        self,
        context: Context,
        audit: Audit,
        throttles: Throttles,
        tries: Tries,
        sessions: Sessions,
        codes: BackupCodes,
        notices: Notices,
        site: Site,
    ) -> None:
        self._context = context
        self._audit = audit
        self._throttles = throttles
        self._tries = tries
        self._sessions = sessions
        self._codes = codes
        self._notices = notices
        self._site = site

    def status(self, token: str) -> TwoFactorStatus:
        """Whether the session's account has a second factor."""
        with self._sessions.reading(token) as (tx, acting):
            return self.status_of(tx, acting.account_id)

    def status_of(self, tx: Connection, account_id: int) -> TwoFactorStatus:
        enabled_at = tx.execute(select(TwoFactor.enabled_at).where(TwoFactor.account_id == account_id)).scalar()
        return TwoFactorStatus(enabled_at, self._codes.left(tx, account_id) if enabled_at else 0)

    def begin(self, token: str) -> Enrolment:
        """Start an enrolment, in the place of any unfinished one. Slow: it hashes ten codes.

        Raises `AlreadyEnabled`, `FreshProofRequired`.
        """
        with self._sessions.reading(token) as (tx, acting):
            self._refuse_if_enabled(tx, acting.account_id)
        secret, codes = totp.new_secret(self._context.rng), generate(self._context.rng)
        hashes = self._codes.hash_all(codes)
        with self._sessions.writing(token, proof=True) as (tx, acting):
            self._refuse_if_enabled(tx, acting.account_id)
            expires_at = self._context.now() + SETUP_LASTS
            tx.execute(delete(TwoFactorSetup).where(TwoFactorSetup.account_id == acting.account_id))
            tx.execute(
                insert(TwoFactorSetup).values(
                    account_id=acting.account_id,
                    secret_sealed=self._context.seal(secret, _setup_place(acting.account_id)),
                    code_hashes=hashes,
                    expires_at=expires_at,
                )
            )
        return Enrolment(secret, totp.provisioning_uri(secret, acting.name), codes, expires_at)

    def confirm_saved(self, token: str, code: str) -> None:
        """Note that the backup codes were saved: one of them was typed back.

        Raises `WrongCode`, `SignInExpired` if the enrolment ran out, `TooManyAttempts`.
        """
        with self._sessions.reading(token) as (tx, acting):
            hashes = self._pending(tx, acting.account_id).code_hashes
        with self._tries.one(Factor.SECOND, acting.account_id, acting.name, source=acting.source):
            if not self._codes.matches(code, hashes):
                sentence = "This is not one of the codes shown. Type one of them as it stands."
                raise WrongCode(sentence, field="saved-code")
        with self._sessions.writing(token) as (tx, acting):
            self._throttles.reset(tx, Factor.SECOND, acting.name)
            noted = tx.execute(
                update(TwoFactorSetup)
                .where(TwoFactorSetup.account_id == acting.account_id)
                .values(saved_at=self._context.now())
            )
            if noted.rowcount != 1:
                raise SignInExpired("This setup has ended. Start again.")

    def complete(self, token: str, code: str) -> TwoFactorStatus:
        """Switch the second factor on; every other session ends.

        Raises `StepMissing` before the codes were confirmed as saved, `WrongCode`, `ClockSkewed`,
        `SignInExpired`, `AlreadyEnabled`, `FreshProofRequired`, `TooManyAttempts`.
        """
        with self._sessions.reading(token) as (tx, acting):
            pending = self._pending(tx, acting.account_id)
        if pending.saved_at is None:
            raise StepMissing("Save the backup codes first, and type one of them back.", field="code")
        secret = self._context.ring.open(pending.secret_sealed, _setup_place(acting.account_id))
        now = self._context.now()
        with self._tries.one(Factor.SECOND, acting.account_id, acting.name, source=acting.source):
            step = totp.matching_step(secret, code, now, self._drift())
        with self._sessions.writing(token, proof=True) as (tx, acting):
            self._refuse_if_enabled(tx, acting.account_id)
            claimed = tx.execute(
                delete(TwoFactorSetup).where(
                    TwoFactorSetup.account_id == acting.account_id,
                    TwoFactorSetup.secret_sealed == pending.secret_sealed,
                )
            )
            if claimed.rowcount != 1:
                raise SignInExpired("This setup was started again somewhere else.")
            # The step that confirmed the enrolment is spent: it cannot also sign in.
            tx.execute(
                insert(TwoFactor).values(
                    account_id=acting.account_id,
                    secret_sealed=self._context.seal(secret, _place(acting.account_id)),
                    last_step=step,
                    enabled_at=now,
                )
            )
            self._codes.replace(tx, acting.account_id, pending.code_hashes)
            self._finish(tx, acting, Tag.TWO_FACTOR_ENABLED)
            return self.status_of(tx, acting.account_id)

    def cancel(self, token: str) -> None:
        """Forget an unfinished enrolment."""
        with self._sessions.writing(token) as (tx, acting):
            tx.execute(delete(TwoFactorSetup).where(TwoFactorSetup.account_id == acting.account_id))

    def disable(self, token: str) -> None:
        """Switch the second factor off; its secret and codes are removed and every other session ends.

        Raises `NotEnabled`, `FreshProofRequired`.
        """
        with self._sessions.writing(token, proof=True) as (tx, acting):
            gone = tx.execute(delete(TwoFactor).where(TwoFactor.account_id == acting.account_id))
            if gone.rowcount != 1:
                raise NotEnabled("Two-factor authentication is not on.")
            self._codes.remove(tx, acting.account_id)
            self._finish(tx, acting, Tag.TWO_FACTOR_DISABLED)

    def renew_codes(self, token: str) -> tuple[str, ...]:
        """Ten new backup codes in the place of the old ones, given out once. Slow.

        Raises `NotEnabled`, `FreshProofRequired`.
        """
        codes = generate(self._context.rng)
        with self._sessions.reading(token) as (tx, acting):
            self._refuse_unless_enabled(tx, acting.account_id)
        hashes = self._codes.hash_all(codes)
        with self._sessions.writing(token, proof=True) as (tx, acting):
            self._refuse_unless_enabled(tx, acting.account_id)
            self._codes.replace(tx, acting.account_id, hashes)
            self._finish(tx, acting, Tag.BACKUP_CODES_RENEWED)
        return codes

    def active(self, account_id: int) -> ActiveFactor:
        """The factor that a code is checked against. Raises `NotEnabled`."""
        with self._context.database.read() as tx:
            sealed = tx.execute(select(TwoFactor.secret_sealed).where(TwoFactor.account_id == account_id)).scalar()
        if sealed is None:
            raise NotEnabled("Two-factor authentication is not on.")
        return ActiveFactor(account_id, sealed)

    def verify(self, factor: ActiveFactor, text: str) -> Verified:
        """Check a code without using it up, inside a try of `Tries`. Slow for a backup code.

        Raises `WrongCode`, `ClockSkewed`.
        """
        if not totp.looks_like_code(text):
            return Verified(None, self._codes.find(factor.account_id, text))
        secret = self._context.ring.open(factor.secret_sealed, _place(factor.account_id))
        return Verified(totp.matching_step(secret, text, self._context.now(), self._drift()), None)

    def claim(self, tx: Connection, account_id: int, name: str, verified: Verified, *, source: str) -> None:
        """Use up what `verify` found, inside the transaction of what it is used for. Raises `CodeAlreadyUsed`."""
        if verified.code_id is not None:
            left = self._codes.claim(tx, account_id, verified.code_id)
            self._audit.record(tx, account_id, Tag.BACKUP_CODE_USED, actor=name, source=source, left=left)
            self._notices.enqueue(tx, account_id, Tag.BACKUP_CODE_USED)
        else:
            claimed = tx.execute(
                update(TwoFactor)
                .where(TwoFactor.account_id == account_id, TwoFactor.last_step < verified.step)
                .values(last_step=verified.step)
            )
            if claimed.rowcount != 1:
                raise CodeAlreadyUsed(field="code")
        self._throttles.reset(tx, Factor.SECOND, name)

    def _drift(self) -> int:
        return self._site.number("two_factor.drift_steps")

    def _pending(self, tx: Connection, account_id: int) -> "_Pending":
        row = tx.execute(select(TwoFactorSetup).where(TwoFactorSetup.account_id == account_id)).one_or_none()
        if row is None or row.expires_at <= self._context.now():
            raise SignInExpired("This setup has ended. Start again.")
        return _Pending(row.secret_sealed, row.code_hashes, row.saved_at)

    def _refuse_if_enabled(self, tx: Connection, account_id: int) -> None:
        if tx.execute(select(TwoFactor.account_id).where(TwoFactor.account_id == account_id)).scalar() is not None:
            raise AlreadyEnabled("Two-factor authentication is already on.")

    def _refuse_unless_enabled(self, tx: Connection, account_id: int) -> None:
        if tx.execute(select(TwoFactor.account_id).where(TwoFactor.account_id == account_id)).scalar() is None:
            raise NotEnabled("Two-factor authentication is not on.")

    def _finish(self, tx: Connection, acting: Acting, tag: Tag) -> None:
        self._throttles.reset(tx, Factor.SECOND, acting.name)
        self._sessions.end_others(tx, acting.account_id, keep=acting.session_id)
        self._audit.record(tx, acting.account_id, tag, actor=acting.name, source=acting.source)
        self._notices.enqueue(tx, acting.account_id, tag)


@dataclass(frozen=True, slots=True)
class _Pending:
    secret_sealed: bytes = field(repr=False)
    code_hashes: list[str] = field(repr=False)
    saved_at: datetime | None


def _place(account_id: int) -> str:
    return f"two_factor:secret:{account_id}"


def _setup_place(account_id: int) -> str:
    return f"two_factor_setups:secret:{account_id}"
