"""Throttling of attempts at factors, and rate limits of sources.

An attempt is counted by a conditional UPDATE before the slow hash is computed. With a check afterwards, 200 concurrent
attempts would all read four failures and all be evaluated.
"""

import hashlib
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from sqlalchemy import Connection, and_, case, delete, null, or_, select, update

from store.context import Context
from store.errors import FactorDisabled, TooManyAttempts
from store.models import RateWindow, Throttle
from store.text import fold
from store.upsert import upsert

FREE_FAILURES: Final = 5
FIRST_LOCK_DURATION: Final = timedelta(seconds=60)
MAX_LOCK_DURATION: Final = timedelta(seconds=900)
DISABLED_AFTER_FAILURES: Final = 100
ATTEMPTS_PER_SOURCE: Final = 10
ATTEMPTS_IN_TOTAL: Final = 1000
SIGN_IN_BUCKET: Final = "everyone"
PASSKEY_PAGE_BUCKET: Final = "passkey page"
BEARER_ATTEMPTS: Final = 20
RATE_WINDOW: Final = timedelta(minutes=5)
_REDEEMING_DISABLED: Final = "Redeeming codes was switched off after 100 failures. Ask the administrator to reset it."
_FEW_FAILURES_RETENTION: Final = timedelta(days=1)
_FAILURES_RETENTION: Final = timedelta(days=30)


class Factor(StrEnum):
    """A kind of secret. Each has one count of failures per account, over all entry points."""

    PASSWORD = "password"  # noqa: S105 - the name of a factor
    SECOND = "second-factor"
    PASSKEY = "passkey"
    REDEEM = "redeem-code"
    """Redeem codes: a person who guesses them is stopped, and still signs in."""


class Throttles:
    """Counts failures per factor and name, and attempts per source."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def reserve(self, factor: Factor, name: str) -> int:
        """Count one attempt at `factor` of the account `name`, which may be unknown, as a failure until `reset`.

        Returns the failures in a row, this attempt included. The fifth failure in a row locks the factor for 60 s, each
        further one twice as long, up to 900 s. Raises `TooManyAttempts` while locked, and `FactorDisabled` after 100
        failures in a row (NIST SP 800-63B, 5.2.2).
        """
        bucket, now = self.bucket(factor, name), self._context.now()
        furthest = now + MAX_LOCK_DURATION
        with self._context.database.write() as tx:
            self._purge(tx, now)
            if self._claim(tx, bucket, now):
                # The claim holds the row lock, so this is the count of this attempt.
                return self.failures(tx, factor, name)
            # A clock that was set back must not extend a lock.
            tx.execute(
                update(Throttle)
                .where(Throttle.c.bucket == bucket, Throttle.c.locked_until > furthest)
                .values(locked_until=furthest)
            )
            row = tx.execute(select(Throttle).where(Throttle.c.bucket == bucket)).one_or_none()
        if row is not None and row.failures >= DISABLED_AFTER_FAILURES:
            raise FactorDisabled(_REDEEMING_DISABLED if factor is Factor.REDEEM else None)
        # On PostgreSQL the attempt that held the row may have succeeded since and deleted it.
        locked_until = row.locked_until if row is not None else None
        raise TooManyAttempts((locked_until or now) - now)

    def reset(self, tx: Connection, factor: Factor, name: str) -> None:
        """Delete the failures after a successful attempt."""
        tx.execute(delete(Throttle).where(Throttle.c.bucket == self.bucket(factor, name)))

    def give_back(self, factor: Factor, name: str, failures: int) -> None:
        """Take back the attempt that `reserve` counted as `failures`, because it did not fail.

        The lock that it began ends with it, unless another attempt was counted since.
        """
        mine = and_(Throttle.c.bucket == self.bucket(factor, name), Throttle.c.failures >= failures)
        with self._context.database.write() as tx:
            tx.execute(
                update(Throttle)
                .where(mine)
                .values(
                    failures=Throttle.c.failures - 1,
                    locked_until=case((Throttle.c.failures == failures, null()), else_=Throttle.c.locked_until),
                )
            )

    def forget(self, tx: Connection, name: str) -> None:
        """Delete the failures of all factors of `name`."""
        for factor in Factor:
            self.reset(tx, factor, name)

    def failures(self, tx: Connection, factor: Factor, name: str) -> int:
        """Failures in a row, including attempts that are being evaluated."""
        bucket = self.bucket(factor, name)
        return tx.execute(select(Throttle.c.failures).where(Throttle.c.bucket == bucket)).scalar() or 0

    def write_as_failure(self, tx: Connection, factor: Factor, name: str) -> None:
        """Update the row of an attempt for an unknown name: the same statement as a failure for a known one."""
        tx.execute(
            update(Throttle)
            .where(Throttle.c.bucket == self.bucket(factor, name))
            .values(updated_at=self._context.now())
        )

    def admit(self, source: str, *, among: str = SIGN_IN_BUCKET) -> datetime:
        """Count one attempt from `source` (a peer address or system user); returns the time of the count.

        The limits per 5 minutes are 10 attempts per source, and 1,000 over all sources in the group `among`. Groups are
        separate, so a flood of one page does not block sign-ins. A successful sign-in takes back its own attempt only,
        so an attacker cannot gain attempts by an own account. Raises `TooManyAttempts`.
        """
        now = self._context.now()
        for bucket, limit in ((self._mac(f"source:{source}"), ATTEMPTS_PER_SOURCE), (among, ATTEMPTS_IN_TOTAL)):
            with self._context.database.write() as tx:
                wait = self._hit(tx, bucket, limit, now)
            if wait is not None:
                raise TooManyAttempts(wait)
        return now

    def refund(self, source: str, *, tried_at: datetime, among: str = SIGN_IN_BUCKET) -> None:
        """Take back one attempt that `admit` counted at `tried_at`, after its success."""
        for bucket in (self._mac(f"source:{source}"), among):
            with self._context.database.write() as tx:
                self._refund_row(tx, bucket, tried_at)

    def refund_in(self, tx: Connection, source: str, *, tried_at: datetime) -> None:
        """Take back a sign-in inside `tx`, as its last statements, because all sign-ins share one locked row."""
        for bucket in (self._mac(f"source:{source}"), SIGN_IN_BUCKET):
            self._refund_row(tx, bucket, tried_at)

    def count_bad_bearer(self, tx: Connection, peer: str) -> None:
        """Count one unknown bearer token or API key from `peer`. Raises `TooManyAttempts` beyond 20 in 5 minutes.

        The count is separate from sign-ins: tokens cannot be guessed, and a flood of them must not block sign-ins.
        """
        wait = self._hit(tx, self._mac(f"bearer:{peer}"), BEARER_ATTEMPTS, self._context.now())
        if wait is not None:
            raise TooManyAttempts(wait)

    def bucket(self, factor: Factor, name: str, *, key_id: int | None = None) -> str:
        """The key of the row of `factor` and `name`, which holds a keyed hash of the name, under `key_id` if given."""
        return f"{factor.value}:{self._mac(fold(name), key_id)}"

    def _mac(self, text: str, key_id: int | None = None) -> str:
        hashed = hashlib.sha256(text.encode("utf-8", "replace")).digest()
        return self._context.ring.mac("throttle", hashed, key_id).hex()[:32]

    def _claim(self, tx: Connection, bucket: str, now: datetime) -> bool:
        counted = Throttle.c.failures + 1
        locks = [(counted == at, now + _length(at)) for at in range(FREE_FAILURES, FREE_FAILURES + 4)]
        locked_until = case(*locks, (counted > FREE_FAILURES, now + MAX_LOCK_DURATION), else_=null())
        return upsert(
            tx,
            Throttle,
            {"bucket": bucket},
            {"failures": (1, counted), "locked_until": (None, locked_until), "updated_at": now},
            only_if=and_(
                Throttle.c.failures < DISABLED_AFTER_FAILURES,
                or_(Throttle.c.locked_until.is_(None), Throttle.c.locked_until <= now),
            ),
        )

    def _purge(self, tx: Connection, now: datetime) -> None:
        # Only counts below a lock expire after a day: an attacker must not reset the count by waiting.
        for_good = and_(
            Throttle.c.failures < DISABLED_AFTER_FAILURES, Throttle.c.updated_at < now - _FAILURES_RETENTION
        )
        soon = and_(Throttle.c.failures < FREE_FAILURES, Throttle.c.updated_at < now - _FEW_FAILURES_RETENTION)
        tx.execute(delete(Throttle).where(or_(for_good, soon)))

    def _refund_row(self, tx: Connection, bucket: str, tried_at: datetime) -> None:
        # A window that began later did not count this attempt.
        tx.execute(
            update(RateWindow)
            .where(RateWindow.c.bucket == bucket, RateWindow.c.hits > 0, RateWindow.c.started_at <= tried_at)
            .values(hits=RateWindow.c.hits - 1)
        )

    def _hit(self, tx: Connection, bucket: str, limit: int, now: datetime) -> timedelta | None:
        over = or_(RateWindow.c.started_at <= now - RATE_WINDOW, RateWindow.c.started_at > now + RATE_WINDOW)
        tx.execute(delete(RateWindow).where(RateWindow.c.started_at < now - _FEW_FAILURES_RETENTION))
        is_within = upsert(
            tx,
            RateWindow,
            {"bucket": bucket},
            {
                "hits": (1, case((over, 1), else_=RateWindow.c.hits + 1)),
                "started_at": (now, case((over, now), else_=RateWindow.c.started_at)),
            },
            only_if=or_(over, RateWindow.c.hits < limit),
        )
        if is_within:
            return None
        started: datetime | None = tx.execute(
            select(RateWindow.c.started_at).where(RateWindow.c.bucket == bucket)
        ).scalar()
        return max((started or now) + RATE_WINDOW - now, timedelta(seconds=1))


def lock_duration(failures: int) -> timedelta | None:
    """The duration of the lock after that many failures in a row, or None without a lock."""
    return _length(failures) if failures >= FREE_FAILURES else None


def _length(failures: int) -> timedelta:
    # The shift is bounded, because the count of failures is not.
    return min(FIRST_LOCK_DURATION * (1 << min(failures - FREE_FAILURES, 4)), MAX_LOCK_DURATION)
