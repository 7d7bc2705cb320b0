"""Proofs of identity for requests with a bearer token, which identifies the account but not its holder."""

from typing import Final, NamedTuple

from sqlalchemy import Connection, Row, select

from store import passwords
from store.attempts import Attempts
from store.audit import Audit
from store.audit_tags import Tag
from store.context import Context
from store.errors import InvalidToken, WrongOriginalPassword
from store.models import AccessToken, Account
from store.row_locks import lock_for_update
from store.second_factor import SecondFactors
from store.sessions import digest
from store.throttle import Factor, Throttles

SOURCE: Final = "System Access Token"


class Proof(NamedTuple):
    """Evidence that the sender of a request knew a factor of the account at its `auth_epoch`."""

    account_id: int
    epoch: int

    def holds(self, tx: Connection, account_id: int) -> bool:
        """True if the proof is for this account and no credential changed since. `tx` holds the account's lock."""
        epoch = tx.execute(select(Account.c.auth_epoch).where(Account.c.id == account_id)).scalar()
        return self.account_id == account_id and self.epoch == epoch


class TokenProofs:
    """Verifies a factor of the holder of a bearer token."""

    def __init__(
        self, context: Context, audit: Audit, throttles: Throttles, attempts: Attempts, second_factor: SecondFactors
    ) -> None:
        self._context = context
        self._audit = audit
        self._throttles = throttles
        self._attempts = attempts
        self._second_factor = second_factor

    def with_password(self, token: str, password: str) -> Proof:
        """Prove with the password of the account of a bearer token. Slow.

        Attempts are counted together with those of sign-in. Raises `InvalidToken`, `WrongOriginalPassword`,
        `TooManyAttempts`, `FactorDisabled`.
        """
        owner = self._owner(token)
        password = passwords.prepare(password)
        with self._attempts.counted(Factor.PASSWORD, owner.id, owner.name, source=SOURCE):
            short = len(password) <= passwords.MAX_LENGTH
            if not short or not self._context.hasher.check_password(password, owner.password_hash)[0]:
                raise WrongOriginalPassword(field="proof")
        with self._context.database.write() as tx:
            held = self._lock_account(tx, owner)
            if held.password_hash != owner.password_hash:
                raise InvalidToken
            self._throttles.reset(tx, Factor.PASSWORD, owner.name)
            return self._record_proof(tx, owner, "password")

    def with_code(self, token: str, code: str) -> Proof:
        """Prove with a code of the authenticator or a backup code, which is then used.

        Raises `InvalidToken`, `NotEnabled` without a second factor, `WrongCode`, `CodeAlreadyUsed`, `ClockSkewed`,
        `TooManyAttempts`, `FactorDisabled`.
        """
        owner = self._owner(token)
        factor = self._second_factor.active(owner.id)
        with self._attempts.counted(Factor.SECOND, owner.id, owner.name, source=SOURCE):
            verified = self._second_factor.verify(factor, code)
            with self._context.database.write() as tx:
                self._lock_account(tx, owner)
                self._second_factor.claim(tx, owner.id, owner.name, verified, source=SOURCE)
                return self._record_proof(tx, owner, verified.method)

    def _owner(self, token: str) -> "Row[int, str, str | None, int]":
        query = (
            select(Account.c.id, Account.c.name, Account.c.password_hash, Account.c.auth_epoch)
            .join(AccessToken, AccessToken.c.account_id == Account.c.id)
            .where(AccessToken.c.token_hash == digest(token))
        )
        with self._context.database.read() as tx:
            row = tx.execute(query).one_or_none()
        if row is None:
            raise InvalidToken
        return row

    def _lock_account(self, tx: Connection, owner: "Row[int, str, str | None, int]") -> "Row[str | None, int]":
        lock_for_update(tx, owner.id)
        row = tx.execute(
            select(Account.c.password_hash, Account.c.auth_epoch).where(Account.c.id == owner.id)
        ).one_or_none()
        if row is None or row.auth_epoch != owner.auth_epoch:
            raise InvalidToken
        return row

    def _record_proof(self, tx: Connection, owner: "Row[int, str, str | None, int]", how: str) -> Proof:
        self._audit.record(tx, owner.id, Tag.PROVED, actor=owner.name, source=SOURCE, method=how)
        return Proof(owner.id, owner.auth_epoch)
