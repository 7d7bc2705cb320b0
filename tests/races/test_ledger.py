"""The ledger and redeem codes, while many processes change one balance."""

import pytest

from store.errors import CodeRefused, InvalidMoney, QuotaExceeded
from store.store import Store
from store.values.ledger import LedgerKind
from store.values.usage import Kind, UsageEntry
from tests.harness.ledger_checks import ledger_faults, ledger_of
from tests.harness.processes import ProcessGroup, Worker, enter
from tests.harness.quota_calls import book_call, hold_quota
from tests.harness.stores import add_account

COST = 15_000


def change(worker: Worker, url: str, account_id: int, times: int) -> int:
    """Calls, top-ups and debits in turn; returns how many of them changed the balance."""
    changes = 0
    with enter(url).store as store:
        worker.meet()
        for number in range(times):
            try:
                if number % 3 == 0:
                    store.quota.adjust("alice", add=COST + worker.number, actor=f"root {worker.number}")
                elif number % 3 == 1:
                    store.quota.adjust("alice", add=-worker.number - 1, actor=f"root {worker.number}")
                else:
                    hold = hold_quota(store, account_id, 2 * COST)
                    book_call(store, hold, COST, UsageEntry(Kind.CONSUMPTION, "model"))
            except (QuotaExceeded, InvalidMoney):
                continue
            changes += 1
    return changes


def redeem(worker: Worker, url: str, accounts: list[int], codes: list[str]) -> int:
    """Offer every code for one of the accounts, all processes together; returns how many were accepted."""
    accepted = 0
    account_id = accounts[worker.number % len(accounts)]
    with enter(url).store as store:
        for code in codes:
            worker.meet()
            try:
                # A guess is counted under the name given: each process has its own, so that no lock hides a second use.
                store.redeem_codes.redeem_for(account_id, f"process {worker.number}", code, actor="root")
            except CodeRefused:
                worker.meet()
                with store.database.write() as tx:
                    store.throttles.forget(tx, f"process {worker.number}")
                continue
            accepted += 1
            worker.meet()
    return accepted


@pytest.mark.parametrize("times", [15, pytest.param(150, marks=pytest.mark.long)])
def test_the_entries_of_concurrent_changes_add_up(
    processes: ProcessGroup, url: str, database_kind: str, store: Store, times: int
) -> None:
    account = add_account(store, quota_usd=1)
    changes = sum(processes.run(change, url, account.id, times))
    faults = ledger_faults(store, account.id)
    entries = ledger_of(store, account.id)
    print(f"BAR ledger-{database_kind} {changes} changes of {times} a process: {len(faults)} faults in the ledger")
    assert faults == []
    assert len(entries) == changes + 1


@pytest.mark.parametrize("count", [5, pytest.param(50, marks=pytest.mark.long)])
def test_a_redeem_code_is_accepted_once(
    processes: ProcessGroup, url: str, database_kind: str, store: Store, count: int
) -> None:
    accounts = [add_account(store, name).id for name in ("alice", "bob")]
    codes = [made.code for made in store.redeem_codes.create(COST, count, actor="root")]
    accepted = processes.run(redeem, url, accounts, codes)
    paid = [entry for one in accounts for entry in ledger_of(store, one) if entry.kind is LedgerKind.CODE]
    print(f"BAR redeem-{database_kind} {count} codes x {len(accepted)} processes: {sum(accepted)} accepted")
    assert sum(accepted) == len(paid) == count
    assert [fault for one in accounts for fault in ledger_faults(store, one)] == []
