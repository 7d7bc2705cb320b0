"""Reservations: the amounts held for running calls, and the claim that books each call once.

A reservation is committed without a flush to disk, so a crash of the database can lose it while its call runs. The
booking therefore uses the gateway's own record of the call, a `Hold`: it claims the reservation, or inserts a settled
one if the reservation was lost.
"""

from datetime import datetime, timedelta
from functools import cache
from typing import Final, NamedTuple

from sqlalchemy import Connection, Executable, bindparam, delete, insert, select, update

from store.compiled_statement import CompiledStatement
from store.context import Context
from store.errors import AlreadySettled
from store.models import Account, Reservation
from store.row_locks import lock_against_deletion
from store.upsert import upserting_insert

ABANDONED_AFTER: Final = timedelta(hours=1)
"""No call takes longer. An older reservation belongs to a process that died."""
SETTLED_RETENTION: Final = timedelta(hours=2)
"""The time for which settled reservations are kept, longer than any retry of a booking."""
_ID_BITS: Final = 62
"""Ids are random: a sequence would assign an id again after a crash that lost its reservation."""
_DELETE_BATCH: Final = 10_000
"""Rows deleted per transaction, which blocks other writers."""

# Every relayed call runs these. Building a statement takes SQLAlchemy eight times as long as running it, so they are
# built once.
_OPEN: Final = CompiledStatement(
    insert(Reservation), columns=("id", "account_id", "api_key_id", "held_micro_usd", "created_at")
)
_CLAIM: Final = CompiledStatement(
    update(Reservation)
    .where(Reservation.c.id == bindparam("reservation"), Reservation.c.settled_at.is_(None))
    .values(settled_at=bindparam("now"))
    .returning(Reservation.c.held_micro_usd)
)


@cache
def _claim_anew(dialect: str) -> Executable:
    statement: Executable = (
        upserting_insert(dialect)(Reservation)
        .values(
            id=bindparam("reservation"),
            account_id=bindparam("account"),
            api_key_id=bindparam("key"),
            held_micro_usd=0,
            created_at=bindparam("now"),
            settled_at=bindparam("now"),
        )
        .on_conflict_do_nothing(index_elements=["id"])
        .returning(Reservation.c.id)
    )
    return statement


class Hold(NamedTuple):
    """The record of a held call. It is enough to book the call if its reservation was lost in a crash."""

    id: int
    account_id: int
    api_key_id: int | None


def new_hold(context: Context, account_id: int, api_key_id: int | None) -> Hold:
    """The record of a call that is about to be held."""
    return Hold(context.rng.getrandbits(_ID_BITS), account_id, api_key_id)


class Released(NamedTuple):
    """The released amount of a call that was never booked."""

    account_id: int
    api_key_id: int | None
    held_micro_usd: int


class Reservations:
    """Inserts, claims, releases and deletes reservations."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def open(self, tx: Connection, account_id: int, api_key_id: int | None, micro_usd: int) -> Hold:
        """Insert a reservation of `micro_usd` for a call."""
        hold = new_hold(self._context, account_id, api_key_id)
        row = {
            "id": hold.id,
            "account_id": account_id,
            "api_key_id": api_key_id,
            "held_micro_usd": micro_usd,
            "created_at": self._context.now(),
        }
        _OPEN.change(tx, row)
        return hold

    def claim(self, tx: Connection, hold: Hold) -> int:
        """Claim a call for booking; returns the micro-USD held for it, 0 if the reservation was lost.

        The caller prevents the deletion of the account. Raises `AlreadySettled` if the call was booked before, or its
        account is gone.
        """
        now = self._context.now()
        row = _CLAIM.row(tx, {"reservation": hold.id, "now": now})
        if row is not None:
            return int(row.held_micro_usd)
        if tx.execute(select(Account.c.id).where(Account.c.id == hold.account_id)).scalar() is None:
            raise AlreadySettled
        anew = {"reservation": hold.id, "account": hold.account_id, "key": hold.api_key_id, "now": now}
        if tx.execute(_claim_anew(tx.dialect.name), anew).one_or_none() is None:
            raise AlreadySettled
        return 0

    def release_abandoned(self, tx: Connection) -> list[Released]:
        """Delete reservations older than `ABANDONED_AFTER`; returns them, the oldest first.

        A call that still runs can be booked all the same.
        """
        abandoned = Reservation.c.settled_at.is_(None) & (Reservation.c.created_at <= self._before(ABANDONED_AFTER))
        lock_against_deletion(tx, select(Reservation.c.account_id).where(abandoned))
        rows = tx.execute(
            delete(Reservation)
            .where(abandoned)
            .returning(
                Reservation.c.account_id,
                Reservation.c.api_key_id,
                Reservation.c.held_micro_usd,
                Reservation.c.created_at,
                Reservation.c.id,
            )
        ).all()
        # A DELETE returns its rows in no order, and each becomes the next entry of a ledger.
        rows = sorted(rows, key=lambda row: (row.created_at, row.id))
        return [Released(row.account_id, row.api_key_id, row.held_micro_usd) for row in rows]

    def forget_settled(self) -> int:
        """Delete reservations settled more than `SETTLED_RETENTION` ago; returns the number."""
        forgotten, before = 0, self._before(SETTLED_RETENTION)
        some = select(Reservation.c.id).where(Reservation.c.settled_at <= before).limit(_DELETE_BATCH)
        while True:
            with self._context.database.write(durable=False) as tx:
                count = tx.execute(delete(Reservation).where(Reservation.c.id.in_(some))).rowcount
            forgotten += count
            if count < _DELETE_BATCH:
                return forgotten

    def _before(self, age: timedelta) -> datetime:
        return self._context.now() - age
