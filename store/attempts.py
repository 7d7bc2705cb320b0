"""Attempts at a factor: counted before the evaluation, and recorded in the audit log after a failure.

An attempt for an unknown name takes the same steps and writes as one for a known name, so that response times do not
reveal which names exist.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from sqlalchemy import Connection, func, select

from store.audit import Audit
from store.audit_tags import SiteTag, Tag
from store.context import Context
from store.errors import (
    ClockSkewed,
    CodeAlreadyUsed,
    CodeRefused,
    GatekeyError,
    UsernameDoesNotMatch,
    WrongCode,
    WrongCredentials,
    WrongOriginalPassword,
)
from store.models import Account
from store.row_locks import lock_against_deletion
from store.throttle import DISABLED_AFTER_FAILURES, FREE_FAILURES, Factor, Throttles, lock_duration

FAILED_ATTEMPT_ERRORS: Final[tuple[type[GatekeyError], ...]] = (
    WrongCredentials,
    WrongOriginalPassword,
    WrongCode,
    CodeAlreadyUsed,
    ClockSkewed,
    UsernameDoesNotMatch,
    CodeRefused,
)
"""The errors of a failed attempt. A right code that was used before is a failed attempt."""
THROTTLE_ACTOR: Final = "throttle"
"""The actor of an automatic lock in the site's log."""
_USED_BEFORE: Final = "code used before"
_LOCKED: Final = {Factor.REDEEM: Tag.REDEEM_LOCKED}
"""The events of locks that do not stop a sign-in."""
_FOR_GOOD: Final = "until an administrator unlocks it"


class _RollbackError(Exception):
    """Rolls the writes for an unknown name back."""


class Attempts:
    """Counts attempts, and records failed ones."""

    def __init__(self, context: Context, audit: Audit, throttles: Throttles) -> None:
        self._context = context
        self._audit = audit
        self._throttles = throttles

    @contextmanager
    def counted(
        self, factor: Factor, account_id: int | None, name: str, *, source: str, tag: Tag = Tag.PROOF_FAILED
    ) -> Iterator[None]:
        """Count one attempt and evaluate it in the body; `account_id` is None for an unknown name.

        A failure is recorded as `tag`, and a resulting lock by its own event, in a separate transaction. An attempt at
        a redeem code that ends with another error is not counted. Raises
        `TooManyAttempts` or `FactorDisabled` before the evaluation, and the errors of the body.
        """
        failures = self._throttles.reserve(factor, name)
        try:
            yield
        except FAILED_ATTEMPT_ERRORS as error:
            error.tries_left = max(0, FREE_FAILURES - failures)
            reason = {"factor": factor.value}
            if isinstance(error, CodeAlreadyUsed):
                reason["reason"] = _USED_BEFORE
            self._note(factor, account_id, name, source, tag, failures, reason)
            raise
        except GatekeyError:
            # A right code that cannot be redeemed now, or an ended session. Other factors keep the count: their errors
            # must not become a way to more attempts.
            if factor is Factor.REDEEM:
                self._throttles.give_back(factor, name, failures)
            raise

    def _note(
        self,
        factor: Factor,
        account_id: int | None,
        name: str,
        source: str,
        tag: Tag,
        failures: int,
        reason: dict[str, str],
    ) -> None:
        if account_id is None:
            self._write_and_roll_back(factor, source, tag, failures, reason)
            with self._context.database.write() as tx:
                self._throttles.write_as_failure(tx, factor, name)
            return
        with self._context.database.write() as tx:
            self._record(tx, factor, account_id, source, tag, failures, reason)

    def _write_and_roll_back(
        self, factor: Factor, source: str, tag: Tag, failures: int, reason: dict[str, str]
    ) -> None:
        """Write for an unknown name what a failure writes for a known one, and roll it back.

        The first execution of the statements takes a process 12 ms, 5 % of the hash, because SQLAlchemy compiles them.
        """
        try:
            with self._context.database.write() as tx:
                somebody = tx.execute(select(func.min(Account.c.id))).scalar()
                if somebody is not None:
                    self._record(tx, factor, somebody, source, tag, failures, reason)
                    self._audit.update_total(tx)
                raise _RollbackError
        except _RollbackError:
            return

    def _record(
        self,
        tx: Connection,
        factor: Factor,
        account_id: int,
        source: str,
        tag: Tag,
        failures: int,
        reason: dict[str, str],
    ) -> None:
        lock_against_deletion(tx, account_id)
        name_now = tx.execute(select(Account.c.name).where(Account.c.id == account_id)).scalar()
        if name_now is None:
            return
        self._audit.record(tx, account_id, tag, actor=name_now, source=source, **reason)
        locked_for = lock_duration(failures)
        if locked_for is not None:
            lasts = f"{int(locked_for.total_seconds())} s" if failures < DISABLED_AFTER_FAILURES else _FOR_GOOD
            self._audit.record(
                tx,
                account_id,
                _LOCKED.get(factor, Tag.SIGN_IN_LOCKED),
                actor=name_now,
                source=source,
                factor=factor.value,
                lasts=lasts,
            )
            told = {"account_id": account_id, "factor": factor.value, "lasts": lasts}
            self._audit.record_site(tx, SiteTag.ACCOUNT_LOCKED, actor=THROTTLE_ACTOR, source="", **told)
