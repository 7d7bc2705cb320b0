"""Verification of the second factor, without replay: a code is verified, then claimed in the caller's transaction."""

from dataclasses import dataclass, field
from typing import Final, NamedTuple

from sqlalchemy import Connection, select, update

from store import totp
from store.audit import Audit
from store.audit_tags import Tag
from store.backup_codes import BackupCodes
from store.context import Context
from store.errors import CodeAlreadyUsed, NotEnabled
from store.models import TwoFactor
from store.notices import Notices
from store.site import Site
from store.throttle import Factor, Throttles
from store.values.two_factor import FEW_BACKUP_CODES

BACKUP_CODE: Final = "backup code"
"""The method of a sign-in or a proof that used up a backup code."""


@dataclass(frozen=True, slots=True)
class ActiveFactor:
    """The stored second factor of an account."""

    account_id: int
    secret_sealed: bytes = field(repr=False)


class Verified(NamedTuple):
    """A verified code that is not claimed yet: a TOTP time step or a backup code."""

    step: int | None
    code_id: int | None

    @property
    def method(self) -> str:
        return "authenticator code" if self.code_id is None else BACKUP_CODE


class SecondFactors:
    """Verifies and claims codes of the second factor."""

    def __init__(
        self,
        context: Context,
        audit: Audit,
        throttles: Throttles,
        codes: BackupCodes,
        notices: Notices,
        site: Site,
    ) -> None:
        self._context = context
        self._audit = audit
        self._throttles = throttles
        self._codes = codes
        self._notices = notices
        self._site = site

    def active(self, account_id: int) -> ActiveFactor:
        """The account's factor, for `verify`. Raises `NotEnabled`."""
        with self._context.database.read() as tx:
            sealed = tx.execute(select(TwoFactor.c.secret_sealed).where(TwoFactor.c.account_id == account_id)).scalar()
        if sealed is None:
            raise NotEnabled("Two-factor authentication is not on.")
        return ActiveFactor(account_id, sealed)

    def verify(self, factor: ActiveFactor, text: str) -> Verified:
        """Verify a code without claiming it, inside an attempt of `Attempts`. Slow for a backup code.

        Raises `WrongCode`, `ClockSkewed`.
        """
        if not totp.looks_like_code(text):
            return Verified(None, self._codes.find(factor.account_id, text))
        secret = self._context.ring.open(factor.secret_sealed, associated_data(factor.account_id))
        return Verified(
            totp.matching_step(secret, text, self._context.now(), self._site.number("two_factor.drift_steps")), None
        )

    def claim(self, tx: Connection, account_id: int, name: str, verified: Verified, *, source: str) -> None:
        """Claim a verified code inside the transaction of the act that it allows. Raises `CodeAlreadyUsed`."""
        if verified.code_id is not None:
            left = self._codes.claim(tx, account_id, verified.code_id)
            self._audit.record(tx, account_id, Tag.BACKUP_CODE_USED, actor=name, source=source, left=left)
            self._notices.enqueue(tx, account_id, Tag.BACKUP_CODE_USED)
            if left <= FEW_BACKUP_CODES:
                self._warn_of_few_codes(tx, account_id, name, source, left)
        else:
            claimed = tx.execute(
                update(TwoFactor)
                .where(TwoFactor.c.account_id == account_id, TwoFactor.c.last_step < verified.step)
                .values(last_step=verified.step)
            )
            if claimed.rowcount != 1:
                raise CodeAlreadyUsed(field="code")
        self._throttles.reset(tx, Factor.SECOND, name)

    def _warn_of_few_codes(self, tx: Connection, account_id: int, name: str, source: str, left: int) -> None:
        """Record and send the warning once per set of codes, by a conditional UPDATE of `low_codes_noted_at`."""
        marked = tx.execute(
            update(TwoFactor)
            .where(TwoFactor.c.account_id == account_id, TwoFactor.c.low_codes_noted_at.is_(None))
            .values(low_codes_noted_at=self._context.now())
        )
        if marked.rowcount == 1:
            self._audit.record(tx, account_id, Tag.BACKUP_CODES_LOW, actor=name, source=source, left=left)
            self._notices.enqueue(tx, account_id, Tag.BACKUP_CODES_LOW)


def associated_data(account_id: int) -> str:
    """The associated data of an account's encrypted TOTP secret."""
    return f"two_factor:secret:{account_id}"
