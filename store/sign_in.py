"""Sign-in in one or two steps, and re-authentication, which also unlocks a session.

After every first factor (password, passkey, SSH key, bound identity) `admit` opens a session, or returns a ticket that
needs the second factor. No other function opens a session.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection, Row, delete, insert, or_, select, update

from store import passwords
from store.attempts import Attempts
from store.audit import Audit
from store.audit_tags import Tag
from store.context import Context
from store.errors import (
    AccountSuspended,
    SessionEnded,
    SessionSuspended,
    SignInExpired,
    WrongCredentials,
    WrongOriginalPassword,
)
from store.models import Account, PendingSignIn, Session, TwoFactor
from store.row_locks import lock_against_deletion
from store.second_factor import SecondFactors
from store.sessions import ABSOLUTE_LIMIT, IDLE_LIMIT, Sessions, digest
from store.site import Site
from store.ssh_key_use import SshKeyUse
from store.text import fold, sanitize
from store.throttle import Factor, Throttles
from store.values.sign_in import SecondFactorNeeded, SignedIn

_SessionRow = Row[int, int, int, str, str, str | None, datetime | None]
TICKET_LIFETIME: Final = timedelta(minutes=5)


class SignIn:
    """Signs in with the first and the second factor, and re-authenticates sessions."""

    def __init__(
        self,
        context: Context,
        audit: Audit,
        throttles: Throttles,
        attempts: Attempts,
        sessions: Sessions,
        second_factor: SecondFactors,
        site: Site,
        ssh_keys: SshKeyUse,
    ) -> None:
        self._context = context
        self._audit = audit
        self._throttles = throttles
        self._attempts = attempts
        self._sessions = sessions
        self._second_factor = second_factor
        self._site = site
        self._ssh_keys = ssh_keys

    def with_password(self, name: str, password: str, *, source: str, peer: str = "") -> SignedIn | SecondFactorNeeded:
        """Sign in with a password. Slow, and equally slow for an unknown name.

        `source` is shown to the owner. Attempts are counted by `peer`, or by `source` without one. A hash with a lower
        cost than today's is replaced. Raises `WrongCredentials`, `TooManyAttempts`, `FactorDisabled`, and
        `AccountSuspended` for the right password of a suspended account.
        """
        name, peer = name.strip(" "), peer or source
        tried_at = self._throttles.admit(peer)
        account = self._account(name)
        account_id, stored = (account.id, account.password_hash) if account else (None, None)
        password = passwords.prepare(password)
        with self._attempts.counted(Factor.PASSWORD, account_id, name, source=source, tag=Tag.SIGN_IN_FAILED):
            fits, renewed = False, None
            if len(password) <= passwords.MAX_LENGTH:
                fits, renewed = self._context.hasher.check_password(password, stored)
            if account is None or not fits:
                raise WrongCredentials(field="password")
            with self.admitting(account.id, source=source, factor=Factor.PASSWORD) as tx:
                held = self._lock_account(tx, account.id)
                if held.password_hash != stored:
                    raise WrongCredentials(field="password")
                if renewed is not None:
                    tx.execute(update(Account).where(Account.c.id == account.id).values(password_hash=renewed))
                self._throttles.reset(tx, Factor.PASSWORD, account.name)
                answer = self.admit(tx, account.id, method="password", source=source)
                if isinstance(answer, SignedIn):
                    answer = replace(answer, required_length=self._required_length(tx, account.id, password))
                self._throttles.refund_in(tx, peer, tried_at=tried_at)
                return answer

    def with_ssh_key(
        self, fingerprint: str, name: str, *, source: str, peer: str = ""
    ) -> SignedIn | SecondFactorNeeded:
        """Sign in with an SSH key, after the caller has verified the client's signature (RFC 4252, 7).

        The key opens the account `name`. A name of no account, such as the client's system user, is ignored, and the
        key opens the account that has it. Attempts are counted by `peer`, or else by `source`, and not by account: a
        key cannot be guessed, and a lock of the account would shut its owner out. Raises `WrongCredentials`,
        `TooManyAttempts`, `AccountSuspended`.
        """
        peer = peer or source
        tried_at = self._throttles.admit(peer)
        key = self._ssh_keys.find(fingerprint, name, source=source)
        with self.admitting(key.account_id, source=source) as tx:
            self._lock_account(tx, key.account_id)
            self._ssh_keys.claim(tx, key, source=source)
            answer = self.admit(tx, key.account_id, method="SSH key", source=source)
            self._throttles.refund_in(tx, peer, tried_at=tried_at)
            return answer

    @contextmanager
    def admitting(self, account_id: int | None, *, source: str, factor: Factor | None = None) -> Iterator[Connection]:
        """A write transaction for `admit`. A refused suspended account is recorded after its rollback.

        `factor` is the factor that was right, if its attempts are counted.
        """
        try:
            with self._context.database.write() as tx:
                yield tx
        except AccountSuspended:
            self._note_suspended(account_id, source, factor)
            raise

    def admit(self, tx: Connection, account_id: int, *, method: str, source: str) -> SignedIn | SecondFactorNeeded:
        """Open a session after a right first factor, or return a ticket if the account has a second factor.

        Raises `WrongCredentials` if the account is gone, and `AccountSuspended`.
        """
        account = self._lock_account(tx, account_id)
        if account.suspended_at is not None:
            raise AccountSuspended
        if tx.execute(select(TwoFactor.c.account_id).where(TwoFactor.c.account_id == account_id)).scalar() is None:
            return self._open_session(tx, account_id, account.name, account.auth_epoch, method, source)
        now, ticket = self._context.now(), self._context.rng.randbytes(32).hex()
        tx.execute(delete(PendingSignIn).where(PendingSignIn.c.expires_at <= now))
        tx.execute(
            insert(PendingSignIn).values(
                account_id=account_id,
                ticket_hash=digest(ticket),
                epoch=account.auth_epoch,
                method=method,
                source=sanitize(source, 200),
                expires_at=now + TICKET_LIFETIME,
            )
        )
        return SecondFactorNeeded(ticket, account.name, now + TICKET_LIFETIME)

    def with_code(self, ticket: str, code: str) -> SignedIn:
        """Finish a sign-in with a TOTP or a backup code.

        A wrong or already used code counts as a failed sign-in and leaves the ticket valid. Raises `SignInExpired`,
        `WrongCode`, `CodeAlreadyUsed`, `ClockSkewed`, `TooManyAttempts`, `FactorDisabled`.
        """
        with self._context.database.read() as tx:
            pending = self._pending(tx, ticket)
        account_id, name, source = pending.account_id, pending.name, pending.source
        factor = self._second_factor.active(account_id)
        with self._attempts.counted(Factor.SECOND, account_id, name, source=source, tag=Tag.SIGN_IN_FAILED):
            verified = self._second_factor.verify(factor, code)
            with self._context.database.write() as tx:
                account = self._lock_account(tx, account_id)
                claimed = tx.execute(delete(PendingSignIn).where(PendingSignIn.c.ticket_hash == digest(ticket)))
                if claimed.rowcount != 1 or account.auth_epoch != pending.epoch:
                    raise SignInExpired
                self._second_factor.claim(tx, account_id, name, verified, source=source)
                method = f"{pending.method} and {verified.method}"
                return self._open_session(tx, account_id, name, account.auth_epoch, method, source)

    def prove_with_password(self, token: str, password: str) -> None:
        """Re-authenticate with the password, which also unlocks the session. Slow.

        Raises `WrongOriginalPassword`, `TooManyAttempts`, `FactorDisabled`, `SessionEnded`.
        """
        session = self._session(token)
        password = passwords.prepare(password)
        with self._attempts.counted(Factor.PASSWORD, session.account_id, session.name, source=session.source):
            short = len(password) <= passwords.MAX_LENGTH
            if not short or not self._context.hasher.check_password(password, session.password_hash)[0]:
                raise WrongOriginalPassword(field="password")
        with self._context.database.write() as tx:
            held = self._lock_account(tx, session.account_id)
            if held.password_hash != session.password_hash or held.auth_epoch != session.epoch:
                raise SessionEnded
            self._throttles.reset(tx, Factor.PASSWORD, session.name)
            self._note_proof(tx, session, "password")

    def prove_with_code(self, token: str, code: str) -> None:
        """Re-authenticate with a TOTP or a backup code, which also unlocks the session.

        Raises the errors of `with_code`, `NotEnabled` without a second factor, and `SessionEnded`.
        """
        session = self._session(token)
        factor = self._second_factor.active(session.account_id)
        with self._attempts.counted(Factor.SECOND, session.account_id, session.name, source=session.source):
            verified = self._second_factor.verify(factor, code)
            with self._context.database.write() as tx:
                if self._lock_account(tx, session.account_id).auth_epoch != session.epoch:
                    raise SessionEnded
                self._second_factor.claim(tx, session.account_id, session.name, verified, source=session.source)
                self._note_proof(tx, session, verified.method)

    def _account(self, name: str) -> "Row[int, str, str | None] | None":
        query = select(Account.c.id, Account.c.name, Account.c.password_hash).where(Account.c.name_key == fold(name))
        with self._context.database.read() as tx:
            return tx.execute(query).one_or_none()

    def _lock_account(self, tx: Connection, account_id: int) -> "Row[str, str | None, int, datetime | None]":
        row = tx.execute(
            select(Account.c.name, Account.c.password_hash, Account.c.auth_epoch, Account.c.suspended_at)
            .where(Account.c.id == account_id)
            .with_for_update(key_share=True)
        ).one_or_none()
        if row is None:
            raise WrongCredentials(field="password")
        return row

    def _pending(self, tx: Connection, ticket: str) -> "Row[int, int, str, str, datetime, str]":
        row = tx.execute(
            select(
                PendingSignIn.c.account_id,
                PendingSignIn.c.epoch,
                PendingSignIn.c.method,
                PendingSignIn.c.source,
                PendingSignIn.c.expires_at,
                Account.c.name,
            )
            .join(Account, Account.c.id == PendingSignIn.c.account_id)
            .where(PendingSignIn.c.ticket_hash == digest(ticket))
        ).one_or_none()
        if row is None or row.expires_at <= self._context.now():
            raise SignInExpired
        return row

    def _session(self, token: str) -> "_SessionRow":
        # Not `Sessions.authorise`: re-authentication is the only act of a locked session.
        now = self._context.now()
        with self._context.database.read() as tx:
            row = tx.execute(
                select(
                    Session.c.id,
                    Session.c.account_id,
                    Session.c.epoch,
                    Session.c.source,
                    Account.c.name,
                    Account.c.password_hash,
                    Account.c.suspended_at,
                )
                .join(Account, Account.c.id == Session.c.account_id)
                .where(
                    Session.c.token_hash == digest(token),
                    or_(Session.c.epoch == Account.c.auth_epoch, Account.c.suspended_at.is_not(None)),
                    Session.c.created_at > now - ABSOLUTE_LIMIT,
                    Session.c.last_active_at > now - IDLE_LIMIT,
                )
            ).one_or_none()
        if row is None:
            raise SessionEnded
        if row.suspended_at is not None:
            raise SessionSuspended
        return row

    def _required_length(self, tx: Connection, account_id: int, password: str) -> int:
        shortest = passwords.shortest_for(tx, self._site, account_id)
        return shortest if len(password) < shortest else 0

    def _note_suspended(self, account_id: int | None, source: str, factor: Factor | None) -> None:
        """Record the refusal of a right first factor. It is not counted as a failed attempt."""
        if account_id is None:
            return
        with self._context.database.write() as tx:
            lock_against_deletion(tx, account_id)
            name = tx.execute(select(Account.c.name).where(Account.c.id == account_id)).scalar()
            if name is None:
                return
            if factor is not None:
                self._throttles.reset(tx, factor, name)
            reason = "account suspended"
            self._audit.record(tx, account_id, Tag.SIGN_IN_FAILED, actor=name, source=source, reason=reason)

    def _open_session(
        self, tx: Connection, account_id: int, name: str, epoch: int, method: str, source: str
    ) -> SignedIn:
        token = self._sessions.open(tx, account_id, epoch, method=method, source=source)
        self._audit.record(tx, account_id, Tag.SIGNED_IN, actor=name, source=source, method=method)
        return SignedIn(token, name)

    def _note_proof(self, tx: Connection, session: "_SessionRow", how: str) -> None:
        self._sessions.note_proof(tx, session.id)
        self._audit.record_by(tx, session, Tag.PROVED, method=how)
