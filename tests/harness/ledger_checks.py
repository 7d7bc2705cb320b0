"""The promises of the ledger, checked against the balance and the usage log of an account."""

from sqlalchemy import select

from store.models import LedgerEntryRow, UsageEntryRow
from store.store import Store
from store.values.ledger import LedgerEntry, LedgerKind


def ledger_of(store: Store, account_id: int) -> list[LedgerEntry]:
    """Every entry of the account, oldest first, read by pages."""
    entries: list[LedgerEntry] = []
    before: int | None = None
    with store.database.read() as tx:
        while True:
            page = store.ledger.page_of(tx, account_id, before=before, limit=7)
            entries += page.entries
            before = page.next_before
            if before is None:
                return entries[::-1]


def ledger_faults(store: Store, account_id: int) -> list[str]:
    """The faults in the ledger of an account; empty if every promise is kept."""
    faults = []
    entries = ledger_of(store, account_id)
    if [entry.sequence for entry in entries] != list(range(1, len(entries) + 1)):
        faults.append("a sequence number is missing or used twice")
    balance = 0
    for entry in entries:
        balance += entry.amount_micro_usd
        if balance != entry.balance_micro_usd:
            faults.append(f"the balance of entry {entry.sequence} is not the sum of the amounts")
    with store.database.read() as tx:
        remaining = store.quota.state_of(tx, account_id).remaining_micro_usd
        charged = tx.execute(
            select(UsageEntryRow.c.id, UsageEntryRow.c.cost_micro_usd)
            .where(UsageEntryRow.c.account_id == account_id, UsageEntryRow.c.cost_micro_usd != 0)
            .order_by(UsageEntryRow.c.id)
        ).all()
        last = tx.execute(
            select(LedgerEntryRow.c.sequence)
            .where(LedgerEntryRow.c.account_id == account_id)
            .order_by(LedgerEntryRow.c.sequence.desc())
        ).scalar()
    if balance != remaining:
        faults.append(f"the ledger ends at {balance}, and the balance is {remaining}")
    if last != len(entries):
        faults.append("the pages leave entries out")
    paid = sorted((e.usage_entry_id, -e.amount_micro_usd) for e in entries if e.kind is LedgerKind.CALL)
    if paid != [tuple(row) for row in charged]:
        faults.append(f"{len(charged)} charged calls and {len(paid)} entries for calls do not match")
    if any(e.usage_entry_id is not None for e in entries if e.kind is not LedgerKind.CALL):
        faults.append("an entry that is no call names a call")
    return faults
