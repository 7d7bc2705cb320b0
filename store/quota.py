"""The quota ledger: a hold before each call, a booking after it, and never a balance below zero.

One conditional UPDATE holds the most that a call can cost. The actual cost is taken in the transaction that logs the
call and, below the threshold, queues the warning.
"""

from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from sqlalchemy import Connection, select, update

from store.audit import Audit
from store.audit_tags import Tag
from store.context import Context
from store.errors import InvalidMoney, NoSuchAccount, QuotaExceeded, SpendLimitReached
from store.key_periods import period_parameters
from store.ledger import Ledger
from store.models import Account, Quota
from store.money import MAXIMUM_MICRO_USD, refuse_negative, show_usd
from store.quota_changes import HOLD, HOLD_ON_KEY, LEFT, SPEND_ON_KEY, TAKE, TAKE_UNCHECKED
from store.quota_warnings import QuotaWarnings
from store.reservations import Hold, Reservations
from store.row_locks import lock_against_deletion
from store.sessions import Sessions
from store.text import fold
from store.usage_log import UsageLog
from store.values.billing import QuotaState
from store.values.ledger import LedgerKind
from store.values.usage import UsageEntry

if TYPE_CHECKING:
    from store.call_shortcuts import CallShortcuts

_OUT_OF_RANGE: Final = "The quota would fall below zero or grow beyond 1,000,000,000 dollars."


class _Taken(NamedTuple):
    """The result of taking the cost of a call, in micro-USD."""

    cost: int
    balance: int
    sequence: int
    """The ledger's sequence number after it."""
    is_crossed: bool


class Quotas:
    """Holds, books and adjusts the quota of accounts."""

    def __init__(
        self,
        context: Context,
        audit: Audit,
        sessions: Sessions,
        warnings: QuotaWarnings,
        usage: UsageLog,
        ledger: Ledger,
    ) -> None:
        self._context = context
        self._audit = audit
        self._sessions = sessions
        self._warnings = warnings
        self._usage = usage
        self._ledger = ledger
        self.reservations = Reservations(context)

    @cached_property
    def shortcuts(self) -> "CallShortcuts":
        """The shortcuts of calls."""
        from store.call_shortcuts import CallShortcuts  # a console makes no call

        return CallShortcuts(self._context)

    def state(self, token: str) -> QuotaState:
        """The quota of the session's account."""
        with self._sessions.reading(token) as (tx, session):
            return self.state_of(tx, session.account_id)

    def state_of(self, tx: Connection, account_id: int) -> QuotaState:
        """The quota of an account, inside `tx`. Raises `NoSuchAccount`."""
        row = tx.execute(select(Quota).where(Quota.c.account_id == account_id)).one_or_none()
        if row is None:
            raise NoSuchAccount
        return QuotaState(row.remaining_micro_usd, row.held_micro_usd, row.used_micro_usd)

    def hold(self, tx: Connection, account_id: int, micro_usd: int, *, api_key_id: int | None = None) -> Hold:
        """Hold `micro_usd` for one call inside `tx`; returns the handle that the call is booked with.

        Raises `QuotaExceeded`, `SpendLimitReached` for the API key's own limit, or `InvalidMoney` below zero. The
        caller then rolls `tx` back, to a savepoint at least.
        """
        refuse_negative(micro_usd)
        if micro_usd > MAXIMUM_MICRO_USD:
            raise QuotaExceeded
        lock_against_deletion(tx, account_id)
        amount = {"account": account_id, "amount": micro_usd, "at_least": max(micro_usd, 1)}
        if HOLD.change(tx, amount) != 1:
            raise QuotaExceeded
        if api_key_id is not None:
            on_key = {
                "key": api_key_id,
                "account": account_id,
                "amount": micro_usd,
                **period_parameters(self._context.now()),
            }
            if HOLD_ON_KEY.change(tx, on_key) != 1:
                raise SpendLimitReached
        return self.reservations.open(tx, account_id, api_key_id, micro_usd)

    def book(self, tx: Connection, hold: Hold, cost_micro_usd: int, entry: UsageEntry) -> int:
        """Take the cost of a call inside `tx`, log it, and warn if it crossed the threshold; returns the amount taken.

        A cost above the free quota takes only the free quota: the ledger never goes below zero, and other calls keep
        their holds. A call whose reservation was lost in a crash is booked too. Each call is booked once. Raises
        `AlreadySettled`, also when the account is gone, or `InvalidMoney` below zero.
        """
        refuse_negative(cost_micro_usd)
        lock_against_deletion(tx, hold.account_id)
        held = self.reservations.claim(tx, hold)
        taken = self._take(tx, hold.account_id, held, cost_micro_usd)
        if hold.api_key_id is not None:
            self._spend_on_key(tx, hold.api_key_id, held, taken.cost)
        entry_id = self._usage.append_locked(tx, hold.account_id, entry._replace(cost_micro_usd=taken.cost))
        if taken.cost:
            self._ledger.append(
                tx,
                hold.account_id,
                LedgerKind.CALL,
                sequence=taken.sequence,
                amount_micro_usd=-taken.cost,
                balance_micro_usd=taken.balance,
                usage_entry_id=entry_id,
                reason=entry.model,
                actor=entry.api_key_name,
            )
        if taken.is_crossed:
            self._warnings.warn_if_crossed(tx, hold.account_id)
        return taken.cost

    def adjust(self, name: str, *, add: int = 0, set_to: int | None = None, reason: str = "", actor: str) -> QuotaState:
        """Add to the quota (negative `add` subtracts) or set it, for an administrator.

        An increase re-arms the warning. A decrease below the threshold queues it. `reason` stands in the ledger.
        Raises `NoSuchAccount`, and `InvalidMoney` if the quota would be below zero or above the maximum.
        """
        if abs(add) > MAXIMUM_MICRO_USD or not 0 <= (set_to or 0) <= MAXIMUM_MICRO_USD:
            raise InvalidMoney(_OUT_OF_RANGE)
        with self._context.database.write() as tx:
            lock_against_deletion(tx, select(Account.c.id).where(Account.c.name_key == fold(name)))
            account_id = tx.execute(select(Account.c.id).where(Account.c.name_key == fold(name))).scalar()
            if account_id is None:
                raise NoSuchAccount
            amount = self.change(tx, account_id, add=add, set_to=set_to, reason=reason, actor=actor)
            if amount <= 0:
                self._warnings.warn_if_crossed(tx, account_id)
            state = self.state_of(tx, account_id)
            self._audit.record(
                tx,
                account_id,
                Tag.QUOTA_CHANGED,
                actor=actor,
                source="command line",
                remaining_micro_usd=state.remaining_micro_usd,
            )
        return state

    def change(
        self,
        tx: Connection,
        account_id: int,
        *,
        add: int = 0,
        set_to: int | None = None,
        kind: LedgerKind | None = None,
        reason: str = "",
        actor: str,
    ) -> int:
        """Add to the balance (negative `add` subtracts) or set it, inside `tx`, and write the ledger entry.

        Returns the change in micro-USD. An increase re-arms the warning. Without `kind` an increase is a top-up, and a
        decrease a debit. Raises `NoSuchAccount`, and `InvalidMoney` for a balance below zero or above the maximum.
        """
        # The row lock keeps the balance as read until the UPDATE (PostgreSQL), which checks it all the same.
        balance = tx.execute(
            select(Quota.c.remaining_micro_usd).where(Quota.c.account_id == account_id).with_for_update()
        ).scalar()
        if balance is None:
            raise NoSuchAccount
        new_balance = balance + add if set_to is None else set_to
        amount = new_balance - balance
        if not 0 <= new_balance <= MAXIMUM_MICRO_USD:
            raise InvalidMoney(_OUT_OF_RANGE)
        if not amount:
            return 0
        values: dict[str, Any] = {"remaining_micro_usd": new_balance, "ledger_sequence": Quota.c.ledger_sequence + 1}
        if amount > 0:
            values["warning_armed"] = True
        sequence = tx.execute(
            update(Quota)
            .where(Quota.c.account_id == account_id, Quota.c.remaining_micro_usd == balance)
            .values(**values)
            .returning(Quota.c.ledger_sequence)
        ).scalar_one()
        self._ledger.append(
            tx,
            account_id,
            kind or (LedgerKind.TOP_UP if amount > 0 else LedgerKind.DEBIT),
            sequence=sequence,
            amount_micro_usd=amount,
            balance_micro_usd=new_balance,
            reason=reason,
            actor=actor,
        )
        return int(amount)

    def release_abandoned(self) -> int:
        """Release the holds of dead processes; returns the number of reservations."""
        with self._context.database.write() as tx:
            released = self.reservations.release_abandoned(tx)
            for one in released:
                taken = self._take(tx, one.account_id, one.held_micro_usd, 0, is_in_ledger=True)
                self._ledger.append(
                    tx,
                    one.account_id,
                    LedgerKind.HOLD_RELEASED,
                    sequence=taken.sequence,
                    amount_micro_usd=0,
                    balance_micro_usd=taken.balance,
                    reason=f"{show_usd(one.held_micro_usd, exact=True)} was held for a call that did not end.",
                )
                if one.api_key_id is not None:
                    self._spend_on_key(tx, one.api_key_id, one.held_micro_usd, 0)
        return len(released)

    def _spend_on_key(self, tx: Connection, key_id: int, held: int, cost: int) -> None:
        spent = {"key": key_id, "held": held, "cost": cost, **period_parameters(self._context.now())}
        SPEND_ON_KEY.change(tx, spent)

    def _take(self, tx: Connection, account_id: int, held: int, cost: int, *, is_in_ledger: bool = False) -> _Taken:
        """Take `cost`, or what is free. `is_in_ledger` assigns a ledger sequence number even if nothing is taken."""
        cost = min(cost, MAXIMUM_MICRO_USD)
        change = {"account": account_id, "held": held, "cost": cost, "entries": int(cost > 0 or is_in_ledger)}
        exact = TAKE.row(tx, change)
        if exact is not None:
            return _Taken(cost, exact.remaining_micro_usd, exact.ledger_sequence, exact.is_crossed is True)
        # The cost is above the free balance. It is read again under the row lock, so that a concurrent top-up pays for
        # the rest of this call and is not overwritten (PostgreSQL).
        left = tx.execute(
            select(LEFT).where(Quota.c.account_id == account_id).with_for_update(), {"held": held}
        ).scalar_one()
        taken = min(max(int(left), 0), cost)
        change |= {"cost": taken, "entries": int(taken > 0 or is_in_ledger)}
        row = TAKE_UNCHECKED.row(tx, change)
        return _Taken(taken, row.remaining_micro_usd, row.ledger_sequence, True)
