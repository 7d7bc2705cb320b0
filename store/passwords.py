"""Passwords: their rules, their change by the owner, and their reset by an administrator."""

from typing import Final

from sqlalchemy import Connection, select, update

from store.attempts import Attempts
from store.audit import Audit
from store.audit_tags import Tag
from store.context import Context
from store.errors import (
    NoSuchAccount,
    PasswordRefused,
    PasswordsDoNotMatch,
    PasswordTooLong,
    PasswordTooShort,
    PasswordTooWeak,
    SameAsOldPassword,
    StaleEdit,
    WrongOriginalPassword,
)
from store.models import Account, TwoFactor
from store.notices import Notices
from store.row_locks import lock_for_update
from store.sessions import Sessions
from store.site import Site
from store.site_switches import PASSWORD_MINIMUM
from store.strength import Estimator, estimate
from store.text import fold, normalize
from store.throttle import Factor, Throttles

MIN_LENGTH: Final = 8
MAX_LENGTH: Final = 1024


def prepare(password: str) -> str:
    """`password` in Unicode normalization form C, so that all keyboards produce the same hash input."""
    return normalize(password)


def check_new(
    password: str,
    known_words: tuple[str, ...],
    *,
    field: str = "new-password",
    estimator: Estimator = estimate,
    shortest: int = MIN_LENGTH,
) -> None:
    """Check a new password. Raises `PasswordTooShort`, `PasswordTooLong`, `PasswordTooWeak` or `PasswordRefused`."""
    shortest = max(shortest, MIN_LENGTH)
    if len(password) < shortest:
        raise PasswordTooShort(shortest=shortest, field=field)
    if len(password) > MAX_LENGTH:
        raise PasswordTooLong(field=field)
    if any("\ud800" <= character <= "\udfff" for character in password):
        raise PasswordRefused("This password holds half a character. Type it again.", field=field)
    strength = estimator(password, known_words)
    if not strength.is_enough:
        advice = strength.advice.rstrip(".")
        raise PasswordTooWeak(f"This password is easy to guess. {advice}." if advice else None, field=field)


def shortest_for(tx: Connection, site: Site, account_id: int) -> int:
    """The minimum password length of this account; the site's setting applies without a second factor."""
    if tx.execute(select(TwoFactor.c.account_id).where(TwoFactor.c.account_id == account_id)).scalar() is not None:
        return MIN_LENGTH
    return site.number_in(tx, PASSWORD_MINIMUM)


class Passwords:
    """Changes and resets passwords."""

    def __init__(
        self,
        context: Context,
        audit: Audit,
        throttles: Throttles,
        attempts: Attempts,
        sessions: Sessions,
        notices: Notices,
        site: Site,
    ) -> None:
        self._context = context
        self._audit = audit
        self._throttles = throttles
        self._attempts = attempts
        self._sessions = sessions
        self._notices = notices
        self._site = site

    def shortest(self, token: str = "") -> int:
        """The minimum length of a new password, of the session's account or, without a token, of a new account."""
        if not token:
            return self._site.number(PASSWORD_MINIMUM)
        with self._sessions.reading(token) as (tx, session):
            return shortest_for(tx, self._site, session.account_id)

    def change(self, token: str, original: str, new: str, confirmation: str) -> None:
        """Change the password of the session's account; every other session ends.

        The original password is the proof of identity. A wrong one counts as a failed sign-in. Raises
        `WrongOriginalPassword`, `PasswordsDoNotMatch`, `SameAsOldPassword`, `PasswordTooShort`,
        `PasswordTooLong`, `PasswordTooWeak`, `TooManyAttempts` or `StaleEdit`, each with its `field`.
        """
        with self._sessions.reading(token) as (tx, session):
            stored = tx.execute(select(Account.c.password_hash).where(Account.c.id == session.account_id)).scalar_one()
            shortest = shortest_for(tx, self._site, session.account_id)
        original, new, confirmation = prepare(original), prepare(new), prepare(confirmation)
        if new != confirmation:
            raise PasswordsDoNotMatch(field="confirmation")
        check_new(new, (session.name, session.email), estimator=self._context.estimator, shortest=shortest)
        if stored is not None:
            with self._attempts.counted(Factor.PASSWORD, session.account_id, session.name, source=session.source):
                if len(original) > MAX_LENGTH or not self._context.hasher.check_password(original, stored)[0]:
                    raise WrongOriginalPassword(field="original-password")
            if original == new:
                raise SameAsOldPassword(field="new-password")
        hashed = self._context.hasher.hash_password(new)
        proof_needed = stored is None
        with self._sessions.writing(token, proof=proof_needed) as (tx, session):
            self._refuse_short(tx, session.account_id, new, "new-password")
            changed = tx.execute(
                update(Account)
                .where(Account.c.id == session.account_id, Account.c.password_hash.is_not_distinct_from(stored))
                .values(password_hash=hashed, password_changed_at=self._context.now())
            )
            if changed.rowcount != 1:
                raise StaleEdit("The password was changed somewhere else meanwhile.")
            self._throttles.reset(tx, Factor.PASSWORD, session.name)
            self._sessions.end_others(tx, session.account_id, keep=session.session_id)
            self._sessions.note_proof(tx, session.session_id)
            self._audit.record_by(tx, session, Tag.PASSWORD_CHANGED)
            self._notices.enqueue(tx, session.account_id, Tag.PASSWORD_CHANGED)

    def reset(self, name: str, new: str, *, actor: str) -> None:
        """Set a password for an administrator; every session of the account ends.

        Raises `NoSuchAccount`, and the errors of `check_new`.
        """
        new = prepare(new)
        with self._context.database.read() as tx:
            row = tx.execute(
                select(Account.c.id, Account.c.name, Account.c.email).where(Account.c.name_key == fold(name))
            ).one_or_none()
            if row is None:
                raise NoSuchAccount
            shortest = shortest_for(tx, self._site, row.id)
        known = (row.name, row.email)
        check_new(new, known, field="password", estimator=self._context.estimator, shortest=shortest)
        hashed = self._context.hasher.hash_password(new)
        with self._context.database.write() as tx:
            lock_for_update(tx, row.id)
            self._refuse_short(tx, row.id, new, "password")
            changed = tx.execute(
                update(Account)
                .where(Account.c.id == row.id)
                .values(password_hash=hashed, password_changed_at=self._context.now())
            )
            if changed.rowcount != 1:
                raise NoSuchAccount
            self._throttles.reset(tx, Factor.PASSWORD, row.name)
            self._sessions.end_others(tx, row.id, keep=None)
            self._audit.record(tx, row.id, Tag.PASSWORD_RESET, actor=actor, source="command line")
            self._notices.enqueue(tx, row.id, Tag.PASSWORD_RESET)

    def _refuse_short(self, tx: Connection, account_id: int, new: str, field: str) -> None:
        # The second factor can be disabled while the password is hashed.
        shortest = shortest_for(tx, self._site, account_id)
        if len(new) < shortest:
            raise PasswordTooShort(shortest=shortest, field=field)
